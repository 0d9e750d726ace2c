"""The models that a host offers: the first is loaded, the others are once somebody asks for them."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from ds_engine.errors import BundleError, ClosedError, LanguageError, SpeechError, TimeLimitError, kind_and_place
from ds_engine.manifest import Manifest
from ds_engine.recognizer import Recognizer
from ds_engine.threads import Threads
from ds_plugin.languages import best_language
from ds_plugin.vocabulary.current import Vocabulary
from ds_plugin.vocabulary.watch import Watch

LOAD_SECONDS = 120.0  # that loading a model may take, on small machines too

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Served:
    """A model that is loaded, and what biases its decoder."""

    manifest: Manifest
    recognizer: Recognizer
    vocabulary: Vocabulary
    watch: Watch

    @classmethod
    def of(cls, manifest: Manifest, recognizer: Recognizer, vocabulary: Vocabulary) -> Served:
        """With a watch of its own."""
        return cls(manifest, recognizer, vocabulary, Watch(vocabulary, recognizer.decoder.start))


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that can be loaded."""

    manifest: Manifest
    load: Callable[[], Served]  # raises BundleError; it runs in a thread


class Offers:
    """Belongs to one event loop."""

    def __init__(self, first: Served, further: Iterable[Offer], begin: Callable[[Served], Awaitable[None]]) -> None:
        """`further` are other models than the first, each of a name of its own; `begin` is awaited with one that has just been loaded."""
        self._first = first
        self._begin = begin
        self._offers = {offer.manifest.name: offer for offer in further}
        self._loading: dict[str, asyncio.Task[Served]] = {}
        self._loaded = {first.manifest.name: first}
        self._threads = Threads(1, "ds-models")
        self._making = 0  # in the thread, or waiting for it
        self._closed = False

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """Of all that are offered, the first one first. One that turned out broken is among them no more."""
        return (self._first.manifest, *(offer.manifest for offer in self._offers.values()))

    @property
    def loaded(self) -> tuple[Served, ...]:
        """Those that are loaded."""
        return tuple(self._loaded.values())

    def choose(self, language: str | None = None, model: str | None = None) -> Manifest:
        """The model of that name, or the one that serves the language best. Raises LanguageError where there is none."""
        known = {manifest.name: manifest for manifest in self.manifests}
        if model and model not in known:
            raise LanguageError(f"model {model!r:.40} is not installed; installed is {_listed(known)}")
        candidates = [known[model]] if model else list(known.values())
        if not language:
            return candidates[0]
        best = best_language(language, (manifest.language for manifest in candidates))
        if best is None:
            raise LanguageError(f"language {language!r:.40} is not installed; installed is {_listed(each.language for each in candidates)}")
        return next(manifest for manifest in candidates if manifest.language == best)

    async def served(self, manifest: Manifest) -> Served:
        """The model, loaded now if it must be. Raises what loading raises, such as BundleError, which ends the offer, or ClosedError."""
        name = manifest.name
        if name not in self._loading:
            if name in self._loaded:
                return self._loaded[name]
            if self._closed:
                raise ClosedError("the host is not running")
            if name not in self._offers:
                raise LanguageError(f"model {name!r:.40} is not installed any more")
            self._loading[name] = asyncio.create_task(self._load(self._offers[name]), name=f"loading {name}")
        return await _finished(self._loading[name])

    async def close(self) -> None:
        """Loads no more; what loads just now is left to its thread, and whoever waits for it gets ClosedError."""
        self._closed = True
        loading = list(self._loading.values())
        for task in loading:
            task.cancel()
        await asyncio.gather(*loading, return_exceptions=True)
        if not self._making:
            self._threads.close()

    async def _load(self, offer: Offer) -> Served:
        name = offer.manifest.name
        try:
            return await self._begun(name, await self._made(offer))
        finally:
            self._loading.pop(name, None)

    async def _made(self, offer: Offer) -> Served:
        name = offer.manifest.name
        self._making += 1
        try:
            return await self._threads.run(functools.partial(_made, offer), LOAD_SECONDS)
        except asyncio.CancelledError:
            self._making += 1  # its thread goes on
            raise
        except TimeLimitError:
            self._withdraw(name, f"took longer than {LOAD_SECONDS:g} s to load")
            raise
        except SpeechError as error:
            self._withdraw(name, str(error))
            raise
        finally:
            self._making -= 1

    async def _begun(self, name: str, served: Served) -> Served:
        self._loaded[name] = served
        await self._begin(served)
        return served

    def _withdraw(self, name: str, why: str) -> None:
        self._offers.pop(name, None)
        _log.warning("model %s is offered no more: %s", name, why)


def _made(offer: Offer) -> Served:
    try:
        return offer.load()
    except SpeechError:
        raise
    except BaseException as error:  # a model family of a plugin may raise anything, SystemExit too
        raise BundleError(f"model {offer.manifest.name!r:.40} cannot be loaded: {kind_and_place(error)}") from error


async def _finished(loading: asyncio.Task[Served]) -> Served:
    try:
        return await asyncio.shield(loading)
    except asyncio.CancelledError:
        if loading.cancelled() and (task := asyncio.current_task()) is not None and not task.cancelling():
            raise ClosedError("the host is closing") from None
        raise


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in dict.fromkeys(names))
