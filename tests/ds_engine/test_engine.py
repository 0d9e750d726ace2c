"""Many utterances on one engine: places, turns, batches, faults that stay with their utterance, and the end."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest

from ds_engine.acoustic import RuntimeOptions
from ds_engine.alphabet import Alphabet
from ds_engine.bias import Bias, Phrase
from ds_engine.bundle import Bundle
from ds_engine.decoder import DecoderState
from ds_engine.engine import Engine
from ds_engine.errors import BiasError, BundleError, BusyError, ClosedError, InternalError, SpeechError
from ds_engine.greedy import GreedyDecoder
from ds_engine.limits import Limits
from ds_engine.native import NativeModel
from ds_engine.observer import Preparation, UtteranceInfo
from ds_engine.recognizer import Recognizer
from ds_engine.transcript import Transcript
from tests.ds_engine import bundles
from tests.ds_engine.fakes import (
    CHARACTERS,
    BrokenDecoder,
    BrokenModel,
    Gate,
    GatedModel,
    ReplayModel,
    Witness,
    babble,
    cut,
    pcm16,
    replaying,
    said,
    silence,
    turns,
    until,
)

QUICK = Limits(workers=1, shutdown_seconds=0.01)


@pytest.fixture(autouse=True)
async def quiet() -> AsyncIterator[None]:
    """No task, thread or complaint is left behind."""
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
    before = set(threading.enumerate())
    yield
    await turns()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert set(threading.enumerate()) <= before
    assert faults == []


async def transcribed(engine: Engine, data: bytes, sizes: tuple[int, ...] = (100_000,), bias: Bias | None = None) -> Transcript:
    async with await engine.open(bias=bias) as utterance:
        for piece in cut(data, sizes):
            await utterance.feed(piece)
        return await utterance.finish()


async def outcome(engine: Engine, data: bytes) -> str | type[SpeechError]:
    try:
        return (await transcribed(engine, data)).text
    except SpeechError as error:
        return type(error)


async def test_utterances_at_once_do_not_mix() -> None:
    texts = ["on", "off", "turn on", "turn off", "light", "lamp", "a", ""]
    async with Engine(replaying(ReplayModel(max_batch=3))) as engine:
        found = await asyncio.gather(*(transcribed(engine, said(text), (640 * i + 2,)) for i, text in enumerate(texts)))
    assert [transcript.text for transcript in found] == texts


@pytest.mark.parametrize(("workers", "max_batch"), [(1, 1), (1, 3), (3, 1), (3, 4)])
async def test_utterances_of_two_recognizers_side_by_side_get_their_own_texts(workers: int, max_batch: int) -> None:
    letters = Alphabet(("_", " ", *reversed(CHARACTERS.symbols[2:])))  # the same audio is other words to the other model
    model = ReplayModel(max_batch=max_batch)
    own, other = replaying(ReplayModel(max_batch=max_batch)), Recognizer(model, GreedyDecoder(letters, model.timing), "other 2", "de")
    witness = Witness()

    async def heard(number: int) -> tuple[UtteranceInfo, Transcript]:
        recognizer = None if number % 2 else other
        async with await engine.open(recognizer=recognizer) as utterance:
            for piece in cut(said(f"a{'bcdefghij'[number]}"), (640 + 2 * number,)):
                await utterance.feed(piece)
            return utterance.info, await utterance.finish()

    async with Engine(own, Limits(workers=workers, shutdown_seconds=0.01), witness) as engine:
        found = await asyncio.gather(*map(heard, range(8)))
    mirrored = dict(zip(letters.symbols, CHARACTERS.symbols, strict=True))
    for number, (info, transcript) in enumerate(found):
        text = f"a{'bcdefghij'[number]}"
        assert transcript.text == (text if number % 2 else "".join(mirrored[letter] for letter in text))
        assert (info.model, info.language) == (("replay 1", "en") if number % 2 else ("other 2", "de"))
        assert (transcript.model, transcript.language) == (info.model, info.language)
    assert {info.model for info in witness.prepared} == {"replay 1", "other 2"}
    assert {info.id: info.model for info, *_ in witness.ends} == {info.id: info.model for info, _ in found}


async def test_a_model_that_breaks_harms_no_utterance_of_another() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    broken = replaying(BrokenModel(fail, max_batch=4))

    async def heard(recognizer: Recognizer | None) -> str | type[SpeechError]:
        async with await engine.open(recognizer=recognizer) as utterance:
            await utterance.feed(np.full(16_000, 32_000, "<i2").tobytes() if recognizer else said("lamp"))
            try:
                return (await utterance.finish()).text
            except SpeechError as error:
                return type(error)

    async with Engine(replaying(ReplayModel(max_batch=4)), QUICK) as engine:
        assert await asyncio.gather(*(heard(which) for which in (broken, None, broken, None))) == [InternalError, "lamp"] * 2


@pytest.mark.parametrize("max_batch", [1, 8])
async def test_a_quiet_stream_beside_seven_loud_ones_equals_itself_alone(max_batch: int) -> None:
    recognizer = replaying(ReplayModel(max_batch=max_batch))
    quiet, loud = pcm16(babble(0.8, 0, 0.05)), [pcm16(babble(0.9, seed, 0.95)) for seed in range(1, 8)]
    async with Engine(recognizer, QUICK) as engine:
        alone = await transcribed(engine, quiet)
        beside, *_ = await asyncio.gather(*(transcribed(engine, data, (3_000,)) for data in (quiet, *loud)))
    assert beside.best == alone.best


async def test_eight_streams_of_the_bundled_model_equal_themselves_alone() -> None:
    recognizer = Recognizer.load(Bundle.open(bundles.EN_SMALL), NativeModel, GreedyDecoder.make, RuntimeOptions())
    sounds = [pcm16(babble(1.0, seed, 0.1 if seed == 0 else 0.95)) for seed in range(8)]
    async with Engine(recognizer) as engine:
        alone = [await transcribed(engine, data) for data in sounds]
        beside = await asyncio.gather(*(transcribed(engine, data, (5_000,)) for data in sounds))
    assert [transcript.best for transcript in beside] == [transcript.best for transcript in alone]


async def test_a_minute_fed_at_once_does_not_delay_a_live_utterance() -> None:
    gate = Gate()
    async with Engine(replaying(GatedModel(gate)), Limits(workers=1, slice_seconds=1.0)) as engine:
        long, live = await engine.open(), await engine.open()
        await long.feed(silence(60))
        await until(gate.waiting.is_set)
        await live.feed(silence(0.2))
        finishing = asyncio.create_task(live.finish())
        await turns()
        gate.open()
        await finishing
        before = gate.passed.index(1)
        assert before <= 25  # steps of 40 ms: not more than the second that was already being computed
        assert (await long.finish()).audio_seconds == 60
    last_of_live = len(gate.passed) - gate.passed[::-1].index(1)
    assert last_of_live <= 2 * 25 + 10


async def test_no_more_utterances_open_than_allowed() -> None:
    async with Engine(replaying(), Limits(utterances=2, shutdown_seconds=0.01)) as engine:
        first, _ = await engine.open(), await engine.open()
        with pytest.raises(BusyError, match="utterances: 2 are open already"):
            await engine.open()
        await first.close()
        assert engine.utterances == 1
        await (await engine.open()).close()


class Preparing(Witness):
    """An observer whose `prepare` waits until it may go on, then does what a test gives it."""

    def __init__(self, prepare: Callable[[], Preparation]) -> None:
        super().__init__()
        self.may_go_on = asyncio.Event()
        self._prepare = prepare

    async def prepare(self, info: UtteranceInfo) -> Preparation:
        await super().prepare(info)
        await self.may_go_on.wait()
        return self._prepare()


async def test_an_utterance_that_is_being_prepared_takes_its_place_and_frees_it_when_cancelled() -> None:
    witness = Preparing(Preparation)
    async with Engine(replaying(), Limits(utterances=1), witness) as engine:
        opening = asyncio.create_task(engine.open())
        await turns()
        with pytest.raises(BusyError):
            await engine.open()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert engine.utterances == 0
    assert witness.ends == []


async def test_an_observer_that_cannot_prepare_frees_the_place() -> None:
    def fail() -> Preparation:
        raise BiasError("no")

    witness = Preparing(fail)
    witness.may_go_on.set()
    async with Engine(replaying(), observer=witness) as engine:
        with pytest.raises(BiasError):
            await engine.open()
        assert engine.utterances == 0
    assert witness.ends == []


async def test_an_engine_that_closes_while_an_utterance_is_prepared_does_not_open_it() -> None:
    witness = Preparing(Preparation)
    engine = Engine(replaying(), QUICK, witness)
    engine.start()
    opening = asyncio.create_task(engine.open())
    await turns()
    await engine.close()
    witness.may_go_on.set()
    with pytest.raises(ClosedError):
        await opening
    assert engine.utterances == 0
    assert [type(error) for error in witness.errors] == [ClosedError]


@pytest.mark.parametrize(("error", "kind"), [(KeyError("x"), InternalError), (BiasError("x"), BiasError)])
async def test_an_utterance_that_was_prepared_but_cannot_open_is_told_to_have_ended(error: Exception, kind: type[SpeechError]) -> None:
    class Refusing(GreedyDecoder):
        def start(self, bias: Bias) -> DecoderState:
            raise error

    witness = Witness()
    async with Engine(replaying(decoder=Refusing(CHARACTERS, ReplayModel().timing)), observer=witness) as engine:
        with pytest.raises(kind):
            await engine.open()
        assert engine.utterances == 0
    assert [type(error) for error in witness.errors] == [kind]


async def test_the_callers_bias_and_the_hosts_are_merged() -> None:
    seen: list[Bias] = []

    class Noting(GreedyDecoder):
        def start(self, bias: Bias) -> DecoderState:
            seen.append(bias)
            return super().start(bias)

    witness = Witness(Preparation(Bias((Phrase("host"),))))
    async with Engine(replaying(decoder=Noting(CHARACTERS, ReplayModel().timing)), observer=witness) as engine:
        await transcribed(engine, said("on"), bias=Bias((Phrase("caller", 2.0),)))
    assert seen == [Bias((Phrase("caller", 2.0), Phrase("host")))]


@pytest.mark.parametrize("max_batch", [1, 8])
@pytest.mark.parametrize("error", [KeyError("secret"), SystemExit(3), MemoryError()])
async def test_a_decoder_that_breaks_ends_its_own_utterance_only(
    max_batch: int, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    column = CHARACTERS.symbols.index("x")
    recognizer = replaying(ReplayModel(max_batch=max_batch), BrokenDecoder(error, column))
    witness = Witness()
    with caplog.at_level(logging.ERROR):
        async with Engine(recognizer, QUICK, witness) as engine:
            found = await asyncio.gather(*(outcome(engine, said(text)) for text in ("on", "axe", "off", "turn it on")))
            assert await outcome(engine, said("still here")) == "still here"
    assert found == ["on", InternalError, "off", "turn it on"]
    assert re.search(rf"{type(error).__name__} \(fakes.py, line \d+\) while decoding\n  File ", caplog.text)
    assert "secret" not in caplog.text
    assert sorted(type(error).__name__ for error in witness.errors) == ["InternalError"] + ["NoneType"] * 4


@pytest.mark.parametrize("max_batch", [1, 8])
async def test_a_model_that_breaks_on_one_stream_ends_that_one_only(max_batch: int) -> None:
    def fail() -> None:
        raise BundleError("the network gave NaN")

    async with Engine(replaying(BrokenModel(fail, max_batch=max_batch)), QUICK) as engine:
        loud = pcm16(np.full(5_000, 0.9, np.float32))
        found = await asyncio.gather(*(outcome(engine, data) for data in (said("on"), loud, said("turn off"))))
    assert found == ["on", BundleError, "turn off"]


async def test_an_observer_that_raises_when_told_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Rude(Witness):
        def partial(self, *_: object) -> None:
            raise KeyError

        def ended(self, *_: object) -> None:
            raise KeyError

    async with Engine(replaying(), QUICK, Rude()) as engine:
        assert [await outcome(engine, said(text)) for text in ("on", "off")] == ["on", "off"]
        assert engine.utterances == 0
    assert "the observer raised" in caplog.text


async def test_an_engine_that_is_not_running_opens_nothing() -> None:
    engine = Engine(replaying(), QUICK)
    with pytest.raises(ClosedError, match="not running"):
        await engine.open()
    async with engine:
        pass
    with pytest.raises(ClosedError, match="not running"):
        await engine.open()
    await engine.close()
