"""The end of an utterance, between the decoded transcript and the one that goes out: what the observer may do to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ds_engine.audio import AudioFormat
from ds_engine.engine import Engine
from ds_engine.errors import ClosedError, InternalError, PluginError, SpeechError, TimeLimitError
from ds_engine.observer import Preparation, Recording, UtteranceInfo
from ds_engine.transcript import Event, Final, Transcript
from ds_engine.utterance import Utterance
from tests.ds_engine.fakes import Witness, cut, replaying, said, silence, until

SECOND = silence(1.0)


async def told(utterance: Utterance) -> list[Event]:
    return [event async for event in utterance.events()]


async def test_recordings_are_kept_only_when_asked_for() -> None:
    witness = Witness(Preparation(record=True), rewrites=True)
    async with Engine(replaying(), observer=witness) as engine:
        source = AudioFormat(8_000)
        utterance = await engine.open(source)
        assert utterance.rewrites
        for piece in cut(SECOND, [999]):
            await utterance.feed(piece)
        await utterance.finish()
    assert witness.completed[0][2] == Recording(source, SECOND)
    assert utterance._recording is None


class Completing(Witness):
    """An observer whose `complete` does what a test gives it."""

    def __init__(self, complete: Callable[[Transcript], Awaitable[Transcript]]) -> None:
        super().__init__()
        self._complete = complete

    async def complete(self, info: UtteranceInfo, transcript: Transcript, recording: Recording | None) -> Transcript:
        return await self._complete(transcript)


async def test_the_observer_may_change_the_transcript() -> None:
    async def louder(transcript: Transcript) -> Transcript:
        return transcript.with_text("ON")

    witness = Completing(louder)
    async with Engine(replaying(), observer=witness) as engine:
        utterance = await engine.open()
        await utterance.feed(said("on"))
        transcript = await utterance.finish()
        assert transcript.text == "ON"
        assert (await told(utterance))[-1] == Final(transcript)
    assert witness.ends[0][1] == transcript


@pytest.mark.parametrize(("error", "kind"), [(KeyError("x"), InternalError), (PluginError("x"), PluginError)])
async def test_an_observer_that_cannot_complete_ends_the_utterance_with_a_typed_error(error: Exception, kind: type[SpeechError]) -> None:
    async def fail(transcript: Transcript) -> Transcript:
        raise error

    witness = Completing(fail)
    async with Engine(replaying(), observer=witness) as engine:
        utterance = await engine.open()
        with pytest.raises(kind):
            await utterance.finish()
        with pytest.raises(kind):
            await told(utterance)
    assert [type(error) for error in witness.errors] == [kind]


@pytest.mark.parametrize("fails", [False, True])
async def test_an_utterance_closed_while_it_completes_has_no_transcript(fails: bool) -> None:  # noqa: FBT001
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(transcript: Transcript) -> Transcript:
        begun.set()
        await go_on.wait()
        return transcript

    witness = Completing(wait)
    async with Engine(replaying(), observer=witness) as engine:
        utterance = await engine.open()
        finishing = asyncio.create_task(utterance.finish())
        await begun.wait()
        if fails:
            utterance.fail(TimeLimitError("late"))
        await utterance.close()
        go_on.set()
        with pytest.raises(TimeLimitError if fails else ClosedError):
            await finishing
        with pytest.raises(TimeLimitError if fails else ClosedError):
            await told(utterance)
    assert [(transcript, type(error)) for _, transcript, error in witness.ends] == [(None, TimeLimitError if fails else type(None))]


async def test_an_utterance_closed_between_decoding_and_completing_is_not_completed(engine: Engine, witness: Witness) -> None:
    utterance = await engine.open()
    finishing = asyncio.create_task(utterance.finish())
    await until(lambda: utterance._decoded is not None or finishing.done())
    await utterance.close()
    with pytest.raises(ClosedError):
        await finishing
    assert witness.completed == []
    assert len(witness.ends) == 1
