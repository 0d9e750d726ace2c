"""The host's side of an utterance: notices in order, bias merged, transforms and fallback at the end, and nothing said in the logs."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ds_engine.bias import Bias, Phrase
from ds_engine.errors import AudioTooLongError
from ds_engine.limits import Limits
from ds_engine.observer import Recording
from ds_engine.transcript import Partial, Transcript
from ds_plugin import observer as observers
from ds_plugin.guard import MAX_FAULTS
from ds_plugin.observer import MAX_NOTICES, FallbackRule, HookObserver
from tests.ds_engine.fakes import said, silence, until
from tests.ds_plugin.helpers import INFO, LONG, RECORDING, SHORT, heard, hooked, hosted, plugin, transcript

ALWAYS = FallbackRule(enabled=True, below=2.0)


@pytest.fixture
def over() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def listener(told: list[Any]) -> object:
    """A plugin that writes down every notice."""
    return plugin(
        ds_utterance_started=lambda utterance: told.append(("started", utterance.id)),
        ds_partial=lambda partial: told.append(("partial", partial.text)),
        ds_final=lambda transcript: told.append(("final", transcript.text)),
        ds_utterance_ended=lambda error: told.append(("ended", error)),
    )


async def test_notices_come_in_order_and_all_before_the_host_has_closed() -> None:
    told: list[Any] = []
    async with hosted(listener(told)) as host:
        assert (await heard(host, "on off")).text == "on off"
    names = [name for name, _ in told]
    assert [names[0], *names[-2:]] == ["started", "final", "ended"]
    assert set(names[1:-2]) == {"partial"}
    assert told[-2:] == [("final", "on off"), ("ended", None)]


async def test_the_end_is_told_with_its_error_and_no_transcript() -> None:
    told: list[Any] = []
    async with hosted(listener(told), limits=Limits(utterance_seconds=0.1)) as host, await host.open() as utterance:
        await utterance.feed(silence(1))
        with pytest.raises(AudioTooLongError) as caught:
            await utterance.finish()
    assert [name for name, _ in told] == ["started", "ended"]
    assert told[-1][1] is caught.value


async def test_an_abandoned_utterance_ends_with_neither() -> None:
    told: list[Any] = []
    async with hosted(listener(told)) as host, await host.open():
        pass
    assert [name for name, _ in told] == ["started", "ended"]
    assert told[-1] == ("ended", None)


async def test_a_slow_plugin_misses_partials_but_neither_the_end_nor_anybody_else() -> None:
    told: list[Any] = []
    gate = asyncio.Event()

    async def slow(partial: Partial) -> None:
        await gate.wait()
        told.append(partial.text)

    observer = HookObserver(hooked(plugin(ds_partial=slow, ds_final=lambda transcript: told.append(transcript.text))))
    await observer.prepare(INFO)
    for number in range(3 * MAX_NOTICES):
        observer.partial(INFO, Partial(str(number), ""))
    observer.ended(INFO, transcript("end"), None)
    gate.set()
    await observer.close()
    assert told == [*map(str, range(len(told) - 1)), "end"]
    assert MAX_NOTICES - 1 <= len(told) <= MAX_NOTICES + 1


async def test_a_plugin_that_hangs_in_every_notice_delays_no_transcript(over: threading.Event) -> None:
    bad = plugin(ds_utterance_started=lambda: over.wait(60), ds_partial=lambda: over.wait(60), ds_final=lambda: over.wait(60))
    told: list[Any] = []
    async with hosted(listener(told), bad, deadlines=SHORT) as host:
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert (await heard(host)).text == "hello"
        assert loop.time() - began < MAX_FAULTS * SHORT.notice
    assert told[-1] == ("ended", None)


async def test_closing_gives_up_on_a_plugin_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observers, "CLOSE_SECONDS", 0.01)
    cancelled = asyncio.Event()

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    observer = HookObserver(hooked(plugin(ds_utterance_started=never), deadlines=LONG))
    await observer.prepare(INFO)
    await observer.close()
    await cancelled.wait()
    await until(lambda: not observer._tellers)


async def test_closing_without_utterances_is_quick() -> None:
    await HookObserver(hooked()).close()


async def test_the_bias_of_all_plugins_joins_the_callers_own() -> None:
    biases: list[Bias] = []
    one = plugin(ds_bias=lambda: Bias((Phrase("lamp", 1.0), Phrase("door", 2.0))))
    two = plugin(ds_bias=lambda utterance: Bias((Phrase(utterance.origin),)))
    bad = plugin(ds_bias=lambda: 1 / 0)
    host = hosted(one, two, bad)
    start = host.engine.recognizer.decoder.start

    class Recording(type(host.engine.recognizer.decoder)):  # type: ignore[misc]
        def start(self, bias: Bias) -> Any:
            biases.append(bias)
            return start(bias)

    host.engine.recognizer.decoder.__class__ = Recording
    async with host, await host.open(bias=Bias((Phrase("lamp", 5.0), Phrase("mine"))), origin="test"):
        pass
    assert biases == [Bias((Phrase("lamp", 5.0), Phrase("mine"), Phrase("test"), Phrase("door", 2.0)))]


async def test_transforms_change_what_goes_out() -> None:
    changing = plugin(ds_transform_transcript=lambda transcript: transcript.with_text("changed"))
    async with hosted(changing) as host, await host.open() as utterance:
        assert utterance.rewrites
        await utterance.feed(said("hello"))
        assert (await utterance.finish()).text == "changed"


async def test_nothing_rewrites_without_a_transform() -> None:
    async with hosted(plugin(ds_fallback=lambda: None)) as host, await host.open() as utterance:
        assert not utterance.rewrites


@pytest.mark.parametrize(
    ("rule", "asked"),
    [
        (None, False),
        (FallbackRule(enabled=False, below=2.0), False),
        (FallbackRule(enabled=True, below=0.0), False),
        (FallbackRule(enabled=True, below=2.0), True),
    ],
)
async def test_the_fallback_is_asked_only_where_it_is_enabled_and_confidence_is_low(rule: FallbackRule | None, *, asked: bool) -> None:
    questions: list[tuple[str, Recording]] = []

    def fallback(transcript: Transcript, recording: Recording) -> Transcript:
        questions.append((transcript.text, recording))
        return transcript.with_text("better")

    async with hosted(plugin(ds_fallback=fallback), fallback=rule) as host, await host.open() as utterance:
        assert utterance.rewrites == (rule is not None and rule.enabled)
        await utterance.feed(said("hel"))
        await utterance.feed(said("lo"))
        assert (await utterance.finish()).text == ("better" if asked else "hello")
    assert questions == ([("hello", Recording(utterance.info.source, said("hello")))] if asked else [])


async def test_audio_is_recorded_only_where_a_plugin_may_be_asked() -> None:
    assert not (await HookObserver(hooked(), (), ALWAYS).prepare(INFO)).record
    fallback = plugin(ds_fallback=lambda: None)
    assert not (await HookObserver(hooked(fallback)).prepare(INFO)).record
    assert (await HookObserver(hooked(fallback), (), ALWAYS).prepare(INFO)).record


async def test_the_fallback_keeps_its_deadline_and_transforms_follow_it(over: threading.Event) -> None:
    late = plugin(ds_fallback=lambda: over.wait(60))
    shouting = plugin(ds_transform_transcript=lambda transcript: transcript.with_text(transcript.text.upper()))
    rule = FallbackRule(enabled=True, below=2.0, deadline=0.01)
    assert (await HookObserver(hooked(late, shouting), (), rule).complete(INFO, transcript("bad"), RECORDING)).text == "BAD"
    good = plugin(ds_fallback=lambda transcript: transcript.with_text("better"))
    assert (await HookObserver(hooked(good, shouting), (), ALWAYS).complete(INFO, transcript("bad"), RECORDING)).text == "BETTER"


async def test_no_transcript_and_no_audio_get_into_the_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def blabbing(transcript: Transcript) -> None:
        raise ValueError(transcript.text)

    async def blabbing_too(partial: Partial) -> None:
        raise ValueError(partial.text)

    def shouting(transcript: Transcript, recording: Recording) -> None:
        raise ValueError(transcript.text, recording)

    told: list[Any] = []
    plugins = plugin(ds_transform_transcript=blabbing, ds_final=blabbing), plugin(ds_partial=blabbing_too), plugin(ds_fallback=shouting)
    async with hosted(*plugins, listener(told), fallback=ALWAYS) as host:
        assert (await heard(host, "secretword")).text == "secretword"
    assert "raised ValueError (test_observer.py, line " in caplog.text
    assert ("final", "secretword") in told
    assert "secret" not in caplog.text
    assert repr(said("s")[640:660])[2:-1] not in caplog.text
