"""Loading: settings and plugins in, recognizers out, of the first model at once and of further ones when they are asked for."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, TypeVar

from ds_engine.acoustic import RuntimeOptions
from ds_engine.bundle import Bundle
from ds_engine.errors import BundleError
from ds_engine.manifest import Manifest
from ds_engine.recognizer import Recognizer
from ds_engine.search.hybrid import GrammarPolicy
from ds_engine.stream import AudioFilterFactory
from ds_plugin.config import ConfigError, Settings
from ds_plugin.hooks import Hooks
from ds_plugin.models import ModelStore
from ds_plugin.offers import Offer, Served
from ds_plugin.vocabulary.settings import load_vocabulary

T = TypeVar("T")

ALL_MODELS = "*"  # in the setting `models`


class Loading:
    """Loads what the settings name. Raises ConfigError for what is unknown."""

    def __init__(self, settings: Settings, hooks: Hooks) -> None:
        self.store = ModelStore.standard(settings.get("models_folder"))
        self._settings = settings
        self._hooks = hooks
        self._families = hooks.model_families()
        self._decoder = _chosen("decoder", settings.get("decoder"), hooks.decoders())
        self._search = {name: value for name, value in settings.section("search").items() if value is not None}
        self._grammar = settings.section("grammar")
        GrammarPolicy.of(self._grammar)  # a wrong value is told whatever the decoder makes of it
        self._runtime = _runtime(settings)

    def filters(self) -> tuple[AudioFilterFactory, ...]:
        """The audio filters, in order. Raises ConfigError for an unknown one."""
        known = self._hooks.audio_filters()
        return tuple(_chosen("audio_filters", name, known) for name in self._settings.get("audio_filters"))

    def recognizer(self, bundle: Bundle, language_model: Path | None = None) -> Recognizer:
        """Raises BundleError, or what the decoder makes of settings that cannot be."""
        family = self._family(bundle)
        return Recognizer.load(bundle, family, self._decoder, self._runtime, language_model, self._search, self._grammar)

    def further(self, first: Manifest) -> list[Offer]:
        """The models beside the first, each name once. Raises BundleError for one that is named and cannot be opened."""
        names = self._settings.get("models")
        bundles = [self.store.open(name) for name in names if name != ALL_MODELS]
        if ALL_MODELS in names:
            bundles += [stored.bundle for stored in self.store.list() if stored.bundle is not None and self._known(stored.bundle)]
        for bundle in bundles:
            self._family(bundle)
        named: dict[str, Bundle] = {}
        for bundle in bundles:
            if bundle.manifest.name != first.name:
                named.setdefault(bundle.manifest.name, bundle)
        return [Offer(bundle.manifest, functools.partial(self._served, bundle)) for bundle in named.values()]

    def _served(self, bundle: Bundle) -> Served:
        vocabulary = load_vocabulary(self._settings, bundle.manifest, grammars=False)
        served = Served.of(bundle.manifest, self.recognizer(bundle), vocabulary)
        served.watch.prepare()
        return served

    def _known(self, bundle: Bundle) -> bool:
        return bundle.manifest.family in self._families

    def _family(self, bundle: Bundle) -> Any:
        name = bundle.manifest.family
        if not self._known(bundle):
            known = ", ".join(sorted(self._families))
            raise BundleError(f"{bundle.path.name}: no plugin loads models of family {name!r}; known are: {known}")
        return self._families[name]


def _chosen(key: str, name: str, known: dict[str, T]) -> T:
    if name not in known:
        raise ConfigError(f"{key}: {name!r:.40} is unknown; known are: {', '.join(sorted(known)) or 'none'}")
    return known[name]


def _runtime(settings: Settings) -> RuntimeOptions:
    threads = settings.get("threads")
    if threads < 1:
        raise ConfigError(f"threads must be above zero, got {threads}")
    return RuntimeOptions(threads, tuple(settings.get("providers")))
