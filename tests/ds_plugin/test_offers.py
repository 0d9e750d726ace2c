"""Models beside the first one are loaded once, when they are asked for, and one that cannot be loaded is offered no more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from ds_engine.errors import BiasError, BundleError, ClosedError, LanguageError, SpeechError, TimeLimitError
from ds_engine.manifest import Manifest
from ds_plugin import offers as module
from ds_plugin.offers import Offer, Offers, Served
from ds_plugin.vocabulary.current import Vocabulary
from tests.ds_engine.fakes import replaying, turns, until
from tests.ds_plugin.helpers import MANIFEST
from tests.ds_plugin.vocabulary.households import ENGLISH


@pytest.fixture(autouse=True)
async def quiet() -> AsyncIterator[None]:
    """No task is left behind."""
    yield
    await turns()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def manifest(name: str, language: str) -> Manifest:
    return replace(MANIFEST, name=name, language=language)


def served(about: Manifest) -> Served:
    return Served.of(about, replaying(), Vocabulary(ENGLISH, language=about.language))


class Loading:
    """A model's loading, which counts, waits at a gate and does what a test gives it."""

    def __init__(self, name: str = "german", language: str = "de", fault: Callable[[], object] = lambda: None) -> None:
        self.offer = Offer(manifest(name, language), self._load)
        self.times = 0
        self.begun = threading.Event()
        self.may_go_on = threading.Event()
        self._fault = fault

    def _load(self) -> Served:
        self.times += 1
        self.begun.set()
        assert self.may_go_on.wait(20)
        self._fault()
        return served(self.offer.manifest)


def at_once(name: str = "german", language: str = "de", fault: Callable[[], object] = lambda: None) -> Loading:
    loading = Loading(name, language, fault)
    loading.may_go_on.set()
    return loading


def raising(error: BaseException) -> Callable[[], None]:
    def fault() -> None:
        raise error

    return fault


async def nothing(_: Served) -> None:
    """Begins nothing."""


FIRST = served(manifest("english", "en-US"))


@asynccontextmanager
async def offering(*loadings: Loading, begin: Callable[[Served], object] = nothing) -> AsyncIterator[Offers]:
    offers = Offers(FIRST, [loading.offer for loading in loadings], begin)  # type: ignore[arg-type]
    try:
        yield offers
    finally:
        await offers.close()
        for loading in loadings:
            loading.may_go_on.set()


async def test_the_first_is_there_and_the_others_are_offered() -> None:
    german, british = at_once(), at_once("british", "en-GB")
    async with offering(german, british) as offers:
        assert [each.name for each in offers.manifests] == ["english", "german", "british"]
        assert offers.loaded == (FIRST,)
        assert await offers.served(offers.choose()) is FIRST
        assert german.times == british.times == 0


@pytest.mark.parametrize(
    ("language", "model", "chosen"),
    [
        (None, None, "english"),
        ("", "", "english"),
        ("en-GB", None, "british"),
        ("EN_gb", None, "british"),
        ("en", None, "english"),
        ("en-AU", None, "english"),
        ("de-AT", None, "german"),
        (None, "british", "british"),
        ("en-US", "british", "british"),
    ],
)
async def test_a_model_is_chosen_by_name_or_by_the_language_that_serves_best(language: str, model: str, chosen: str) -> None:
    async with offering(Loading(), Loading("british", "en-GB")) as offers:
        assert offers.choose(language, model).name == chosen


@pytest.mark.parametrize(
    ("language", "model", "message"),
    [
        ("fr", None, "language 'fr' is not installed; installed is 'en-US', 'de'"),
        (None, "french", "model 'french' is not installed; installed is 'english', 'german'"),
        ("de", "english", "language 'de' is not installed; installed is 'en-US'"),
        ("x" * 1000, None, f"language '{'x' * 39} is not installed"),
    ],
)
async def test_what_is_not_offered_is_refused_with_what_is(language: str, model: str, message: str) -> None:
    async with offering(Loading()) as offers:
        with pytest.raises(LanguageError) as caught:
            offers.choose(language, model)
        assert str(caught.value).startswith(message)


async def test_one_that_is_asked_for_several_times_at_once_is_loaded_once_and_begun_once() -> None:
    begun: list[str] = []

    async def begin(model: Served) -> None:
        begun.append(model.manifest.name)
        await asyncio.sleep(0)

    german = Loading()
    async with offering(german, begin=begin) as offers:
        asking = [asyncio.create_task(offers.served(german.offer.manifest)) for _ in range(5)]
        await until(german.begun.is_set)
        asking += [asyncio.create_task(offers.served(german.offer.manifest))]
        await turns()
        german.may_go_on.set()
        found = await asyncio.gather(*asking)
        assert len(set(map(id, found))) == 1
        assert await offers.served(german.offer.manifest) is found[0]
        assert (german.times, begun, offers.loaded) == (1, ["german"], (FIRST, found[0]))


async def test_no_thread_is_left_once_nothing_is_loaded_any_more() -> None:
    before = set(threading.enumerate())
    german, broken = at_once(), at_once("french", "fr", raising(BundleError("broken")))
    async with offering(german, broken) as offers:
        await offers.served(german.offer.manifest)
        with pytest.raises(BundleError):
            await offers.served(broken.offer.manifest)
    assert set(threading.enumerate()) <= before


async def test_nobody_gets_a_model_before_it_has_begun() -> None:
    may_begin = asyncio.Event()

    async def begin(_: Served) -> None:
        await may_begin.wait()

    german = at_once()
    async with offering(german, begin=begin) as offers:
        early = asyncio.create_task(offers.served(german.offer.manifest))
        await until(lambda: len(offers.loaded) == 2)
        late = asyncio.create_task(offers.served(german.offer.manifest))
        await turns()
        assert not early.done()
        assert not late.done()
        may_begin.set()
        assert await early is await late


async def test_whoever_asks_for_another_does_not_wait() -> None:
    german = Loading()
    async with offering(german) as offers:
        asking = asyncio.create_task(offers.served(german.offer.manifest))
        await until(german.begun.is_set)
        assert await offers.served(offers.choose("en")) is FIRST
        german.may_go_on.set()
        await asking


async def test_whoever_stops_waiting_stops_nobody_elses_loading() -> None:
    german = Loading()
    async with offering(german) as offers:
        leaving, staying = (asyncio.create_task(offers.served(german.offer.manifest)) for _ in range(2))
        await until(german.begun.is_set)
        leaving.cancel()
        german.may_go_on.set()
        assert (await staying).manifest.name == "german"
        assert leaving.cancelled()
        assert german.times == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (BundleError("german: broken"), BundleError),
        (BiasError("home.txt, line 1: no"), BiasError),
        (ZeroDivisionError("what is it"), BundleError),
        (SystemExit(3), BundleError),
        (asyncio.CancelledError(), BundleError),
        (KeyboardInterrupt(), BundleError),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_one_that_cannot_be_loaded_is_offered_no_more(
    error: BaseException, kind: type[SpeechError], caplog: pytest.LogCaptureFixture
) -> None:
    german = at_once(fault=raising(error))
    async with offering(german, at_once("french", "fr")) as offers:
        asking = (offers.served(german.offer.manifest) for _ in range(3))
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
        assert [type(each) for each in outcomes] == [kind] * 3
        assert [each.name for each in offers.manifests] == ["english", "french"]
        with pytest.raises(LanguageError, match="language 'de' is not installed; installed is 'en-US', 'fr'"):
            offers.choose("de")
        with pytest.raises(LanguageError, match="not installed any more"):
            await offers.served(german.offer.manifest)
        assert (await offers.served(offers.choose("fr"))).manifest.name == "french"
    assert german.times == 1
    [told] = [record.message for record in caplog.records if record.name == "ds_plugin.offers"]
    assert told.startswith("model german is offered no more: ")


async def test_one_that_takes_too_long_is_offered_no_more_and_the_next_can_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOAD_SECONDS", 0.05)
    german = Loading()
    async with offering(german) as offers:
        with pytest.raises(TimeLimitError):
            await offers.served(german.offer.manifest)
        assert [each.name for each in offers.manifests] == ["english"]
        monkeypatch.setattr(module, "LOAD_SECONDS", 20.0)
        another = at_once("french", "fr").offer
        offers._offers["french"] = another
        assert (await offers.served(another.manifest)).manifest.name == "french"


async def test_leaving_while_one_loads_waits_for_nothing_and_tells_who_waits() -> None:
    german = Loading()
    async with offering(german) as offers:
        asking = asyncio.create_task(offers.served(german.offer.manifest))
        await until(german.begun.is_set)
        await asyncio.wait_for(offers.close(), 5)
        with pytest.raises(ClosedError, match="the host is closing"):
            await asking
        with pytest.raises(ClosedError, match="the host is not running"):
            await offers.served(german.offer.manifest)
        assert offers.loaded == (FIRST,)
        assert await offers.served(FIRST.manifest) is FIRST
