from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ds_engine.audio import AudioFormat
from ds_engine.engine import Engine
from ds_engine.errors import AudioTooLongError, BusyError, ClosedError, SpeechError
from ds_engine.limits import Limits
from ds_engine.sync import SyncEngine, SyncUtterance
from tests.ds_engine.fakes import Gate, GatedModel, cut, replaying, said, silence


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def make(limits: Limits | None = None) -> Engine:
    return Engine(replaying(), limits)


def test_an_utterance_is_recognised_without_an_event_loop() -> None:
    with SyncEngine(make) as engine, engine.open(AudioFormat(), origin="test") as utterance:
        for piece in cut(said("turn on") + silence(0.2), [999]):
            utterance.feed(piece)
        transcript = utterance.finish()
        assert transcript.text == "turn on"
        assert utterance.text


def test_errors_cross_the_threads() -> None:
    with SyncEngine(lambda: make(Limits(utterances=1, utterance_seconds=0.5))) as engine:
        utterance = engine.open()
        with pytest.raises(BusyError):
            engine.open()
        utterance.feed(silence(1.0))
        with pytest.raises(AudioTooLongError):
            utterance.finish()
        engine.open().close()


def test_an_engine_that_cannot_be_made_leaves_no_thread() -> None:
    def fail() -> Engine:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        SyncEngine(fail)


def test_closing_twice_is_harmless_and_everything_later_is_refused() -> None:
    engine = SyncEngine(lambda: make(Limits(shutdown_seconds=0.01)))
    utterance = engine.open()
    engine.close()
    engine.close()
    for verb in (engine.open, utterance.finish, lambda: utterance.feed(b""), utterance.close):
        with pytest.raises(ClosedError):
            verb()


def test_many_threads_share_an_engine() -> None:
    def transcribe(engine: SyncEngine, text: str) -> str:
        with engine.open() as utterance:
            utterance.feed(said(text))
            return utterance.finish().text

    texts = ["on", "off", "turn on", "turn off", "light", "lamp"]
    with SyncEngine(make) as engine, ThreadPoolExecutor(6) as threads:
        assert list(threads.map(lambda text: transcribe(engine, text), texts)) == texts


def test_several_threads_may_close_at_once() -> None:
    for _ in range(10):
        engine = SyncEngine(make)
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(lambda engine: engine.close(), [engine] * 4)) == [None] * 4


def ending(utterance: SyncUtterance) -> type[SpeechError] | None:
    try:
        utterance.finish()
    except SpeechError as error:
        return type(error)
    return None


def test_closing_frees_threads_that_wait_for_a_transcript() -> None:
    gate = Gate()
    engine = SyncEngine(lambda: Engine(replaying(GatedModel(gate)), Limits(shutdown_seconds=0.01)))
    utterances = [engine.open() for _ in range(8)]
    with ThreadPoolExecutor(9) as threads:
        waiting = [threads.submit(ending, utterance) for utterance in utterances]
        assert gate.waiting.wait(10)
        closing = threads.submit(engine.close)
        assert [future.result(10) for future in waiting] == [ClosedError] * 8
        gate.open()
        closing.result(10)
