"""What every decoder must keep. A new decoder is added to CASES and has to pass all of it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.alphabet import Alphabet
from ds_engine.bias import Bias, Phrase
from ds_engine.decoder import Decoder, DecoderState, Timing
from ds_engine.features import FloatArray
from ds_engine.greedy import GreedyDecoder
from ds_engine.pyctcdecode import PyctcdecodeDecoder, Settings
from ds_engine.search.decoder import KernelDecoder
from ds_engine.search.policy import SearchPolicy
from ds_engine.transcript import Hypothesis
from tests.ds_engine.fakes import BYTES, CHARACTERS, NO_BIAS, PIECES
from tests.ds_engine.tables import vocabulary

TIMING = Timing(0.04, 0.1)


@dataclass(frozen=True)
class Case:
    """A decoder, and words that it can recognise."""

    name: str
    make: Callable[[], Decoder]
    alphabet: Alphabet
    words: tuple[str, ...]


def _kernel(alphabet: Alphabet, words: tuple[str, ...], **policy: float) -> Callable[[], Decoder]:
    return lambda: kernel(alphabet, words, **policy)


def kernel(alphabet: Alphabet, words: tuple[str, ...], **policy: float) -> KernelDecoder:
    chosen = SearchPolicy.of(policy)
    return KernelDecoder(alphabet, TIMING, vocabulary(alphabet, words, chosen), chosen)


def _greedy(alphabet: Alphabet) -> Callable[[], Decoder]:
    return lambda: GreedyDecoder(alphabet, TIMING)


HOME = ("turn", "on", "the", "bed", "light")
PIECED = ("turn", "on", "bed", "eat", "bread")
BYTED = ("grün", "öl", "¿dónde", "日本")
CASES = (
    Case("greedy, characters", _greedy(CHARACTERS), CHARACTERS, HOME),
    Case("greedy, word pieces", _greedy(PIECES), PIECES, PIECED),
    Case("greedy, bytes", _greedy(BYTES), BYTES, BYTED),
    Case("kernel, characters", _kernel(CHARACTERS, HOME), CHARACTERS, HOME),
    Case("kernel, word pieces", _kernel(PIECES, PIECED), PIECES, PIECED),
    Case("kernel, bytes", _kernel(BYTES, BYTED), BYTES, BYTED),
    Case("kernel with unknown words", _kernel(CHARACTERS, HOME[1:], unknown=0.5), CHARACTERS, HOME),
    Case("kernel, a beam of two", _kernel(CHARACTERS, HOME, beam=2, threshold=5), CHARACTERS, HOME),
    Case("kernel, exact", _kernel(CHARACTERS, HOME, recombine=False), CHARACTERS, HOME),
    Case("kernel without a language model", lambda: KernelDecoder(CHARACTERS, TIMING, None, SearchPolicy()), CHARACTERS, HOME),
)

NEEDS_PYCTCDECODE = pytest.mark.skipif(importlib.util.find_spec("pyctcdecode") is None, reason="needs the extra 'pyctcdecode'")
OPTIONAL = pytest.param(
    Case("pyctcdecode", lambda: PyctcdecodeDecoder(CHARACTERS, TIMING, settings=Settings(beam=8)), CHARACTERS, HOME),
    marks=NEEDS_PYCTCDECODE,
    id="pyctcdecode",
)

each_case = pytest.mark.parametrize("case", [*CASES, OPTIONAL], ids=lambda case: case.name)
cuttings = st.lists(st.integers(0, 5), min_size=1, max_size=6)
seeds = st.integers(0, 2**16)


def spoken(alphabet: Alphabet, words: tuple[str, ...], noise: float, seed: int, times: int = 2) -> FloatArray:
    """Log-probs in which `words` are said: each symbol `times` rows and a blank, with `noise` over all."""
    columns: list[int] = []
    for position, word in enumerate(words):
        if position and alphabet.separator is not None:
            columns += [alphabet.separator]
        columns += alphabet.spell(word)[0]
    path = [row for column in columns for row in [column] * times + [alphabet.blank]]
    random = np.random.default_rng(seed)
    logits = random.normal(size=(len(path), len(alphabet.symbols))) * noise
    logits[np.arange(len(path)), path] += 6
    log_probs: FloatArray = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
    return log_probs


def decoded(decoder: Decoder, rows: FloatArray, sizes: list[int], bias: Bias = NO_BIAS) -> tuple[Hypothesis, ...]:
    return decoder.finish(fed(decoder, decoder.start(bias), rows, sizes))


def fed(decoder: Decoder, state: DecoderState, rows: FloatArray, sizes: list[int]) -> DecoderState:
    position = turn = 0
    while position < len(rows):
        size = max(sizes[turn % len(sizes)], 1 if turn % len(sizes) == 0 else 0)
        state = decoder.advance(state, rows[position : position + size])
        position, turn = position + size, turn + 1
    return state


@each_case
class TestEveryDecoder:
    def test_it_recognises_its_words(self, case: Case) -> None:
        best, *_ = decoded(case.make(), spoken(case.alphabet, case.words[:3], 0.1, 0), [4])
        assert best.text == " ".join(case.words[:3])
        assert [word.text for word in best.words] == list(case.words[:3])

    @settings(max_examples=8, deadline=None)
    @given(sizes=cuttings, seed=seeds)
    def test_the_cutting_of_rows_changes_nothing(self, case: Case, sizes: list[int], seed: int) -> None:
        decoder, rows = case.make(), spoken(case.alphabet, case.words[:2], 2.0, seed)
        assert decoded(decoder, rows, sizes) == decoded(decoder, rows, [len(rows)])

    def test_no_rows_change_nothing(self, case: Case) -> None:
        decoder, rows = case.make(), spoken(case.alphabet, case.words[:2], 1.0, 3)
        state = fed(decoder, decoder.start(NO_BIAS), rows, [3])
        before = decoder.partial(state)
        state = decoder.advance(state, rows[:0])
        assert decoder.partial(state) == before
        assert decoder.finish(state) == decoded(decoder, rows, [3])

    def test_partial_may_be_asked_twice_and_changes_nothing(self, case: Case) -> None:
        decoder, rows = case.make(), spoken(case.alphabet, case.words, 1.0, 4)
        state = decoder.start(NO_BIAS)
        for row in rows:
            state = decoder.advance(state, row[None])
            assert decoder.partial(state) == decoder.partial(state)
        assert decoder.finish(state) == decoded(decoder, rows, [7])

    @settings(max_examples=8, deadline=None)
    @given(seed=seeds, noise=st.floats(0, 3))
    def test_stable_text_only_grows_and_begins_every_later_text(self, case: Case, seed: int, noise: float) -> None:
        decoder, rows = case.make(), spoken(case.alphabet, case.words[:3], noise, seed)
        state, stable = decoder.start(NO_BIAS), ""
        for row in rows:
            state = decoder.advance(state, row[None])
            partial = decoder.partial(state)
            assert partial.stable.startswith(stable)
            assert partial.text.startswith(partial.stable)
            stable = partial.stable
        assert decoder.finish(state)[0].text.startswith(stable)

    def test_an_utterance_without_rows_gives_one_empty_hypothesis(self, case: Case) -> None:
        decoder = case.make()
        assert decoder.partial(decoder.start(NO_BIAS)).text == ""
        best, *rest = decoder.finish(decoder.start(NO_BIAS))
        assert (best.text, best.words, rest) == ("", (), [])

    @settings(max_examples=8, deadline=None)
    @given(seed=seeds)
    def test_hypotheses_come_best_first_and_are_distinct(self, case: Case, seed: int) -> None:
        found = decoded(case.make(), spoken(case.alphabet, case.words[:2], 2.5, seed), [5])
        assert found
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        assert len({one.text for one in found}) == len(found)

    @settings(max_examples=8, deadline=None)
    @given(seed=seeds)
    def test_text_times_and_confidences_are_in_order(self, case: Case, seed: int) -> None:
        rows = spoken(case.alphabet, case.words[:3], 2.0, seed)
        for found in decoded(case.make(), rows, [5]):
            assert "" not in found.text.split(" ") or not found.text
            assert found.text == case.alphabet.join(word.text for word in found.words)
            times = [time for word in found.words for time in (word.start, word.end)]
            assert times == sorted(times)
            assert all(0 <= time <= len(rows) * TIMING.step for time in times)
            assert all(0 <= confidence <= 1 for confidence in (found.confidence, *(word.confidence for word in found.words)))

    def test_two_utterances_in_turns_do_not_disturb_each_other(self, case: Case) -> None:
        decoder = case.make()
        all_rows = [spoken(case.alphabet, case.words[:2], 1.0, 1), spoken(case.alphabet, case.words[1:3], 1.0, 2)]
        states = [decoder.start(NO_BIAS), decoder.start(Bias((Phrase("turn", 1.0),)))]
        for position in range(max(map(len, all_rows))):
            for which, rows in enumerate(all_rows):
                states[which] = decoder.advance(states[which], rows[position : position + 1])
        assert decoder.finish(states[0]) == decoded(decoder, all_rows[0], [9])
        assert decoder.finish(states[1]) == decoded(decoder, all_rows[1], [9], Bias((Phrase("turn", 1.0),)))

    def test_a_phrase_that_cannot_be_spelled_is_no_error(self, case: Case) -> None:
        rows = spoken(case.alphabet, case.words[:1], 0.1, 0)
        assert decoded(case.make(), rows, [4], Bias((Phrase("\ud800☎"),)))[0].text == case.words[0]


class TestOverlays:
    """A bias makes words known that the base cannot spell, for one utterance, and leaves the base as it is."""

    @pytest.mark.parametrize(("alphabet", "name"), [(CHARACTERS, "zyx"), (PIECES, "nadu"), (BYTES, "größe")])
    def test_a_phrase_is_recognised_in_its_own_utterance_only(self, alphabet: Alphabet, name: str) -> None:
        decoder = kernel(alphabet, ("on", "bed"))
        rows = spoken(alphabet, ("on", name), 0.1, 0)
        bias = Bias((Phrase(f"bed {name}", 1.0),))
        assert decoded(decoder, rows, [3], bias)[0].text == f"on {name}"
        assert name not in decoded(decoder, rows, [3])[0].text

    def test_a_biased_and_a_plain_utterance_run_side_by_side(self) -> None:
        decoder = kernel(CHARACTERS, ("on",))
        rows = spoken(CHARACTERS, ("on", "max"), 0.1, 0)
        biased, plain = decoder.start(Bias((Phrase("max"),))), decoder.start(NO_BIAS)
        for row in rows:
            biased, plain = decoder.advance(biased, row[None]), decoder.advance(plain, row[None])
        assert decoder.finish(biased)[0].text == "on max"
        assert "max" not in decoder.finish(plain)[0].text

    def test_a_boost_decides_between_words_that_sound_alike(self) -> None:
        decoder = kernel(CHARACTERS, ("be", "bee", "on"))
        rows = spoken(CHARACTERS, ("be", "on"), 4.5, 11)
        plain, boosted = decoded(decoder, rows, [3]), decoded(decoder, rows, [3], Bias((Phrase("bee", 20.0),)))
        assert plain[0].text != boosted[0].text
        assert "bee" in boosted[0].text
