"""The host: settings and plugins in, a running engine out; what adapters and commands work with.

`Host.load` configures the plugins, finds the models, and makes the recognizer, the vocabulary and the engine's observer. Entering the
host starts the engine, leaving it lets open utterances finish within `limits.shutdown_seconds`. Every utterance is biased by the
vocabulary as it is when it opens; what changes in files, or what sources of plugins publish, is taken in while the host runs. Further
models are loaded when they are first asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Self

from ds_engine.audio import AudioFormat
from ds_engine.bias import Bias
from ds_engine.engine import Engine
from ds_engine.limits import Limits
from ds_engine.listener import Endpointing
from ds_engine.manifest import Manifest
from ds_engine.recognizer import Recognizer
from ds_engine.search.hybrid import GrammarPolicy
from ds_engine.search.policy import SearchPolicy
from ds_engine.threads import Threads
from ds_engine.utterance import Utterance
from ds_plugin.config import Kind, Option, Settings
from ds_plugin.hooks import Hooks
from ds_plugin.loading import Loading
from ds_plugin.models import DEFAULT_MODEL
from ds_plugin.observer import FallbackRule, HookObserver
from ds_plugin.offers import Offer, Offers, Served
from ds_plugin.spoken import Reader
from ds_plugin.vocabulary.background import faults_logged
from ds_plugin.vocabulary.contents import Refreshed
from ds_plugin.vocabulary.current import Vocabulary
from ds_plugin.vocabulary.following import Following
from ds_plugin.vocabulary.observer import VocabularyObserver
from ds_plugin.vocabulary.settings import load_vocabulary
from ds_plugin.vocabulary.source import Household, VocabularySource

_log = logging.getLogger(__name__)

MANY_PHRASES = 50  # of one utterance's own bias, from which on reading them would hold up others
_KINDS: dict[str, Kind] = {"int": int, "float": float, "bool": bool}

HOST_OPTIONS: dict[str, tuple[Option, ...]] = {
    "": (
        Option("model", str, DEFAULT_MODEL, "name or path of the model bundle"),
        Option("models", list[str], [], "further models, loaded when first asked for by language or name; * for all that are installed"),
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
        self,
        recognizer: Recognizer,
        manifest: Manifest,
        limits: Limits,
        observer: HookObserver,
        vocabulary: Vocabulary | None = None,
        *,
        further: Iterable[Offer] = (),
        sources: Sequence[VocabularySource] = (),
    ) -> None:
        """`further` models are offered beside the first; `sources` are followed while the host runs."""
        self.manifest = manifest
        self.vocabulary = vocabulary or Vocabulary(Reader(manifest.alphabet, manifest.language), language=manifest.language)
        self._first = Served.of(manifest, recognizer, self.vocabulary)
        self._offers = Offers(self._first, further, self._begin)
        self.engine = Engine(recognizer, limits, VocabularyObserver(observer, self._vocabulary_of))
        self._observer = observer
        self._households: dict[str, Household] = {}  # the newest of each source
        self._following = Following(sources, self._hear)
        self._readers = Threads(1, "ds-phrases")

    @classmethod
    def load(cls, settings: Settings, hooks: Hooks, limits: Limits | None = None) -> Host:
        """Loads the model that the settings name; `limits` replaces theirs. Raises BundleError, ConfigError or InputError."""
        hooks.configure(settings)
        loading = Loading(settings, hooks)
        bundle = loading.store.open(settings.get("model"))
        observer = HookObserver(hooks, loading.filters(), FallbackRule(**settings.section("fallback")))
        language_model = Path(settings.get("language_model")) if settings.get("language_model") else None
        recognizer = loading.recognizer(bundle, language_model)
        vocabulary = load_vocabulary(settings, bundle.manifest)
        chosen = limits or Limits(**settings.section("limits"))
        further = loading.further(bundle.manifest)
        host = cls(recognizer, bundle.manifest, chosen, observer, vocabulary, further=further, sources=hooks.vocabulary_sources())
        host._recall()
        host._first.watch.prepare()
        return host

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """Of the models that are offered, `manifest` first. A further one that turns out broken when it is loaded is so no more."""
        return self._offers.manifests

    def choose(self, language: str | None = None, model: str | None = None) -> Manifest:
        """The model of that name, or that serves the language best. Raises LanguageError where none is offered."""
        return self._offers.choose(language, model)

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
        """Opens an utterance of the model that `choose` chooses; see Engine.open.

        `bias` may be as people write it. Raises as `choose` and Engine.open do, and BundleError where a further model cannot be loaded.
        """
        served = await self._offers.served(self.choose(language, model))
        read = bias and await self._read(served.vocabulary, bias)
        return await self.engine.open(source, read, origin=origin, endpointing=endpointing, recognizer=served.recognizer)

    async def refresh(self, *, anew: bool = False) -> Refreshed:
        """Reads vocabulary files and grammars that have changed, or, if `anew`, all of them, for utterances that open afterwards.

        Raises TimeLimitError where that takes too long.
        """
        for further in self._offers.loaded[1:]:
            await further.watch.refresh(anew=anew)
        return await self._first.watch.refresh(anew=anew)

    async def __aenter__(self) -> Self:
        self.engine.start()
        self._first.watch.start()
        self._following.start(self._languages)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            await self._following.close()
            await self._offers.close()
            for served in self._offers.loaded:
                await served.watch.close()
        finally:
            await self.engine.close()
            await self._observer.close()
            self._readers.close()

    async def _read(self, vocabulary: Vocabulary, bias: Bias) -> Bias:
        """A bias as the model hears it. One of many phrases is read in a thread: others are speaking."""
        if len(bias.phrases) + len(bias.pronunciations) <= MANY_PHRASES:
            return vocabulary.read(bias)
        return await self._readers.run(lambda: vocabulary.read(bias), self.engine.limits.turn_seconds)

    @property
    def _languages(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(manifest.language for manifest in self.manifests))

    def _recall(self) -> None:
        """Takes in what sources knew the last time."""
        for source in self._following.sources:
            if (household := source.stored(self._languages)) is not None:
                self._households[source.name] = household
                self.vocabulary.hear(source.name, household)

    async def _hear(self, source: str, household: Household) -> None:
        self._households[source] = household
        for served in self._offers.loaded:
            await _told(served, source, household)

    async def _begin(self, served: Served) -> None:
        """With a model that has just been loaded."""
        served.watch.start()
        for source in list(self._households):
            await _told(served, source, self._households[source])  # the newest, which may have come while others were read

    def _vocabulary_of(self, model: str) -> Vocabulary:
        return next((served.vocabulary for served in self._offers.loaded if served.recognizer.name == model), self.vocabulary)


async def _told(served: Served, source: str, household: Household) -> None:
    """Tells one model's vocabulary. A fault there is no other model's, and nobody's who waits for this one to be loaded."""
    with faults_logged(_log, source):
        await served.watch.hear(source, household)
