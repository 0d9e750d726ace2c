"""The host: settings and plugins in, a running engine out; what adapters and commands work with.

`Host.load` configures the plugins, finds the model, and makes the recognizer, the vocabulary and the engine's observer. Entering the
host starts the engine, leaving it lets open utterances finish within `limits.shutdown_seconds`. Every utterance is biased by the
vocabulary as it is when it opens; files of it that change are read again while the host runs.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from ds_engine.acoustic import RuntimeOptions
from ds_engine.audio import AudioFormat
from ds_engine.bias import Bias
from ds_engine.bundle import Bundle
from ds_engine.engine import Engine
from ds_engine.errors import BundleError, LanguageError
from ds_engine.limits import Limits
from ds_engine.listener import Endpointing
from ds_engine.manifest import Manifest
from ds_engine.recognizer import Recognizer
from ds_engine.search.hybrid import GrammarPolicy
from ds_engine.search.policy import SearchPolicy
from ds_engine.utterance import Utterance
from ds_plugin.config import ConfigError, Kind, Option, Settings
from ds_plugin.hooks import Hooks
from ds_plugin.models import DEFAULT_MODEL, ModelStore
from ds_plugin.observer import FallbackRule, HookObserver
from ds_plugin.spoken import Reader
from ds_plugin.vocabulary.contents import Refreshed
from ds_plugin.vocabulary.current import Vocabulary
from ds_plugin.vocabulary.observer import VocabularyObserver
from ds_plugin.vocabulary.settings import load_vocabulary
from ds_plugin.vocabulary.watch import Watch

T = TypeVar("T")

_KINDS: dict[str, Kind] = {"int": int, "float": float, "bool": bool}

HOST_OPTIONS: dict[str, tuple[Option, ...]] = {
    "": (
        Option("model", str, DEFAULT_MODEL, "name or path of the model bundle"),
        Option("models_folder", str, "", "folder with your own bundles (default: the platform's data folder)"),
        Option("decoder", str, "kernel", "the search: see `ds-plugin plugins`"),
        Option("language_model", str, "", "ARPA, .ngram, KenLM or .scorer file (default: the bundle's own)"),
        Option("vocabulary", list[str], [], "vocabulary files: a phrase per line, perhaps a tab and its boost"),
        Option("grammars", list[str], [], "grammar files: Home Assistant's sentence templates (YAML) or Rhasspy's sentences.ini"),
        Option("hot_words", list[str], [], "words to listen for, each with its boost in nats: word:boost"),
        Option("threads", int, 1, "threads of one network step"),
        Option("providers", list[str], ["CPUExecutionProvider"], "ONNX Runtime's execution providers, in order"),
        Option("audio_filters", list[str], [], "audio filters of plugins, in order"),
        Option("log_level", str, "warning", "debug, info, warning or error"),
    ),
    "search": tuple(
        Option(setting.name, _KINDS[str(setting.type)], None, "see docs/reference/search.md") for setting in fields(SearchPolicy)
    ),
    "grammar": tuple(
        Option(setting.name, _KINDS.get(str(setting.type), str), setting.default, "see docs/how-to/vocabulary.md")
        for setting in fields(GrammarPolicy)
    ),
    "limits": tuple(
        Option(limit.name, int if limit.type == "int" else float, limit.default, "see docs/reference/limits.md") for limit in fields(Limits)
    ),
    "fallback": (
        Option("enabled", bool, False, "ask fallback plugins where confidence is low"),
        Option("below", float, 0.5, "confidence under which they are asked"),
        Option("deadline", float, 3.0, "seconds that they get"),
    ),
    "plugins": (Option("disabled", list[str], [], "entry points that are not loaded"),),
}


class Host:
    """An engine with plugins around it. Use it as an async context manager."""

    def __init__(
        self, recognizer: Recognizer, manifest: Manifest, limits: Limits, observer: HookObserver, vocabulary: Vocabulary | None = None
    ) -> None:
        self.manifest = manifest
        self.vocabulary = vocabulary or Vocabulary(Reader(manifest.alphabet, manifest.language))
        self.engine = Engine(recognizer, limits, VocabularyObserver(observer, self.vocabulary))
        self._observer = observer
        self._watch = Watch(self.vocabulary)

    @classmethod
    def load(cls, settings: Settings, hooks: Hooks, limits: Limits | None = None) -> Host:
        """Loads the model that the settings name; `limits` replaces theirs. Raises BundleError, ConfigError or InputError."""
        hooks.configure(settings)
        bundle = ModelStore.standard(settings.get("models_folder")).open(settings.get("model"))
        decoder = _chosen("decoder", settings.get("decoder"), hooks.decoders())
        language_model = Path(settings.get("language_model")) if settings.get("language_model") else None
        search = {name: value for name, value in settings.section("search").items() if value is not None}
        grammar = settings.section("grammar")
        GrammarPolicy.of(grammar)  # a wrong value is told whatever the decoder makes of it
        recognizer = Recognizer.load(bundle, _family(bundle, hooks), decoder, _runtime(settings), language_model, search, grammar)
        known = hooks.audio_filters()
        filters = tuple(_chosen("audio_filters", name, known) for name in settings.get("audio_filters"))
        observer = HookObserver(hooks, filters, FallbackRule(**settings.section("fallback")))
        vocabulary = load_vocabulary(settings, bundle.manifest)
        return cls(recognizer, bundle.manifest, limits or Limits(**settings.section("limits")), observer, vocabulary)

    def check(self, language: str | None = None, model: str | None = None) -> None:
        """Raises LanguageError where no installed model serves the language or has the name."""
        if language and not same_language(language, self.manifest.language):
            raise LanguageError(f"language {language!r:.40} is not installed; installed is {self.manifest.language!r}")
        if model and model != self.manifest.name:
            raise LanguageError(f"model {model!r:.40} is not installed; installed is {self.manifest.name!r}")

    async def open(
        self,
        source: AudioFormat | None = None,
        bias: Bias | None = None,
        *,
        language: str | None = None,
        model: str | None = None,
        origin: str = "",
        endpointing: Endpointing | None = None,
    ) -> Utterance:
        """Opens an utterance; see Engine.open. `bias` may be as people write it. Raises as `check` and Engine.open do."""
        self.check(language, model)
        return await self.engine.open(source, bias and self.vocabulary.read(bias), origin=origin, endpointing=endpointing)

    async def refresh(self, *, anew: bool = False) -> Refreshed:
        """Reads vocabulary files and grammars that have changed, or, if `anew`, all of them, for utterances that open afterwards.

        Raises TimeLimitError where that takes too long.
        """
        return await self._watch.refresh(anew=anew)

    async def __aenter__(self) -> Self:
        self.engine.start()
        self._watch.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            await self._watch.close()
        finally:
            await self.engine.close()
            await self._observer.close()


def same_language(wanted: str, offered: str) -> bool:
    """True where two BCP 47 tags share their primary language: `EN_us` is served by `en`, and `en-GB` by `en-US`."""
    return _primary(wanted) == _primary(offered)


def _primary(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].strip().lower()


def _family(bundle: Bundle, hooks: Hooks) -> Any:
    families = hooks.model_families()
    name = bundle.manifest.family
    if name not in families:
        raise BundleError(f"{bundle.path.name}: no plugin loads models of family {name!r}; known are: {', '.join(sorted(families))}")
    return families[name]


def _chosen(key: str, name: str, known: dict[str, T]) -> T:
    if name not in known:
        raise ConfigError(f"{key}: {name!r:.40} is unknown; known are: {', '.join(sorted(known)) or 'none'}")
    return known[name]


def _runtime(settings: Settings) -> RuntimeOptions:
    threads = settings.get("threads")
    if threads < 1:
        raise ConfigError(f"threads must be above zero, got {threads}")
    return RuntimeOptions(threads, tuple(settings.get("providers")))
