"""The kernel's decoder with calibrated confidences, over long and ambiguous utterances."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from ds_engine.alphabet import Alphabet, Boundary, BoundaryRule
from ds_engine.bias import Bias, Phrase
from ds_engine.decoder import Timing
from ds_engine.features import FloatArray
from ds_engine.search.confidence import KNOWN, Confidence, of_utterance
from ds_engine.search.decoder import KernelDecoder
from ds_engine.search.lattice import SHARPNESS
from ds_engine.search.policy import SearchPolicy
from ds_engine.search.timeline import Calibration, Lag
from ds_engine.transcript import Hypothesis
from tests.ds_engine.tables import vocabulary

STEP = 0.04  # s
NO_BIAS = Bias()
SPACED = Alphabet(("_", " ", "a", "t", "o"))
PIECED = Alphabet(("_", "▁a", "▁b", "a", "b"), boundary=Boundary(BoundaryRule.WORD_INITIAL, "▁"))
JOINED = Alphabet(("_", "a", "b", "c"), boundary=Boundary(BoundaryRule.NONE, ""))
KINDS = {
    "spaced": (SPACED, ("a", "at", "tat", "to", "ta", "o", "too")),
    "pieced": (PIECED, ("a", "ab", "ba", "bb", "aba")),
    "joined": (JOINED, ("a", "ab", "b", "bc", "abc", "cc")),
}
POLICIES: dict[str, dict[str, Any]] = {"known words": {}, "unknown words": {"unknown": 0.5}, "exact": {"recombine": False, "unknown": 1.0}}
WEIGHTS = {"bias": 0.3, "share": 0.5, "path": 0.15, "others": -1.0, "stretch": -0.5, "before": 0.6, "after": 0.8, "beside": 0.5}
CALIBRATION = Calibration(Lag(0.02, 0.01), Confidence(WEIGHTS))
ONLY_SHARES = Calibration(confidence=Confidence({**dict.fromkeys(KNOWN, 0.0), "share": 1.0}))

each_kind = pytest.mark.parametrize(("alphabet", "words"), KINDS.values(), ids=KINDS)
each_policy = pytest.mark.parametrize("changes", POLICIES.values(), ids=POLICIES)


def decoder_of(alphabet: Alphabet, words: tuple[str, ...], calibration: Calibration | None = CALIBRATION, **changes: Any) -> KernelDecoder:
    policy = SearchPolicy.of({"beam": 24}, changes)
    return KernelDecoder(alphabet, Timing(STEP), vocabulary(alphabet, words, policy), policy, calibration)


def noise(seed: int, rows: int, alphabet: Alphabet) -> FloatArray:
    logits = np.random.default_rng(seed).normal(0, 1.5, (rows, len(alphabet.symbols)))
    result: FloatArray = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
    return result


def pieces(rows: FloatArray, seed: int) -> Iterator[FloatArray]:
    random, position = np.random.default_rng(seed), 0
    while position < len(rows):
        size = int(random.choice([0, 1, 1, 2, 3, 7, 24, 25, 26, 60]))
        yield rows[position : position + size]
        position += size


def decoded(decoder: KernelDecoder, rows: FloatArray, bias: Bias = NO_BIAS) -> tuple[Hypothesis, ...]:
    return decoder.finish(decoder.advance(decoder.start(bias), rows))


def said(path: str, probability: float = 0.9999) -> FloatArray:
    """Rows of SPACED; "?" is either "a" or "o"."""
    rows = np.full((len(path), len(SPACED.symbols)), (1 - probability) / (len(SPACED.symbols) - 1))
    for row, symbol in zip(rows, path, strict=True):
        if symbol == "?":
            row[[SPACED.symbols.index("a"), SPACED.symbols.index("o")]] = probability / 2
        else:
            row[SPACED.symbols.index(symbol)] = probability
    result: FloatArray = np.log(rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
    return result


@each_kind
@each_policy
def test_the_cutting_of_rows_changes_no_probability_to_the_last_bit(
    alphabet: Alphabet, words: tuple[str, ...], changes: dict[str, Any]
) -> None:
    decoder, rows, bias = decoder_of(alphabet, words, **changes), noise(1, 300, alphabet), Bias((Phrase(" ".join(words[:2]), 2.0),))
    state = decoder.start(bias)
    for piece in pieces(rows, 2):
        state = decoder.advance(state, piece)
        decoder.partial(state)
    found = decoder.finish(state)
    assert found == decoded(decoder, rows, bias)
    for one in found:
        assert one.confidence == of_utterance([word.confidence for word in one.words])
        assert all(0 < word.confidence < 1 for word in one.words)
        times = [time for word in one.words for time in (word.start, word.end)]
        assert times == sorted(times)


def test_nor_does_it_where_histories_are_forgotten_on_the_way() -> None:
    decoder, rows = decoder_of(*KINDS["spaced"], beam=48, unknown=0.5), noise(3, 1500, SPACED)
    state, sizes = decoder.start(NO_BIAS), []
    for piece in pieces(rows, 4):
        state = decoder.advance(state, piece)
        sizes.append(len(state.language))
    assert sum(after < before for before, after in itertools.pairwise(sizes)) >= 2
    assert decoder.finish(state) == decoded(decoder, rows)


@each_kind
@each_policy
def test_a_calibration_changes_no_word_and_no_score(alphabet: Alphabet, words: tuple[str, ...], changes: dict[str, Any]) -> None:
    rows = noise(7, 200, alphabet)
    with_it = decoded(decoder_of(alphabet, words, **changes), rows)
    without = decoded(decoder_of(alphabet, words, None, **changes), rows)
    assert [(one.text, one.score) for one in with_it] == [(one.text, one.score) for one in without]


def test_nothing_was_said() -> None:
    decoder = decoder_of(*KINDS["spaced"])
    for rows in (said(""), said("_"), said("_" * 120), said(" _ ")):
        best = decoded(decoder, rows)[0]
        assert (best.text, best.words, best.confidence) == ("", (), 0.0)


def test_a_word_that_could_as_well_be_another_is_half_as_probable() -> None:
    """Spelled freely, with nothing that speaks for one of them but the rows."""
    decoder = KernelDecoder(SPACED, Timing(STEP), None, SearchPolicy(), ONLY_SHARES)
    first, second, third = decoded(decoder, said("_t_ _?_ _t_"))[0].words
    assert second.confidence == pytest.approx(0.5, abs=0.05)
    assert min(first.confidence, third.confidence) > 0.95


def test_a_share_is_that_of_the_tempered_likelihoods() -> None:
    decoder = KernelDecoder(SPACED, Timing(STEP), None, SearchPolicy(), ONLY_SHARES)
    rows = np.log(np.array([[1e-9, 1e-9, 0.7, 1e-9, 0.3]])).astype(np.float32)
    found = {one.text: one.words[0].confidence for one in decoded(decoder, rows) if one.words}
    powers = {"a": 0.7**SHARPNESS, "o": 0.3**SHARPNESS}
    assert found["a"] == pytest.approx(powers["a"] / sum(powers.values()), rel=0.01)
    assert found["o"] == pytest.approx(powers["o"] / sum(powers.values()), rel=0.01)


def test_words_that_the_language_model_cannot_tell_apart_later_still_share() -> None:
    """A bigram forgets "?" two words on, and the search goes on with one of both; the other is not forgotten."""
    decoder = decoder_of(SPACED, ("a", "o", "t"), ONLY_SHARES, alpha=0.0, beta=0.0)
    for tail in ("", " _t_", " _t_ _t_ _t_", " _t_" * 20):
        first = decoded(decoder, said("_?_" + tail))[0].words[0]
        assert first.text in {"a", "o"}
        assert first.confidence == pytest.approx(0.5, abs=0.05), tail


def test_a_word_that_was_settled_long_ago_keeps_its_probability() -> None:
    decoder = decoder_of(*KINDS["spaced"])
    beginning, end = "_t_a_t_ _o_ _t_o_ ", "__t_a_ "
    found = [decoded(decoder, said(beginning + end * count))[0] for count in (12, 40)]
    first, second = ([(word.text, word.confidence) for word in one.words[:3]] for one in found)
    assert [text for text, _ in first] == ["tat", "o", "to"]
    assert first == second


def test_the_end_came_in_the_middle_of_a_word() -> None:
    """No hypothesis is a whole sentence."""
    decoder = decoder_of(SPACED, ("tat",), recombine=True)
    for path in ("_t", "_t_a_t_ _t_a"):
        for one in decoded(decoder, said(path, 0.9999999)):
            assert all(0 < word.confidence < 1 and math.isfinite(one.score) for word in one.words)


def test_the_end_in_the_middle_of_a_word_leaves_the_words_before_as_they_are() -> None:
    """Nothing that could be read to its end is left in the beam."""
    decoder = decoder_of(SPACED, ("a", "o", "tat"), ONLY_SHARES, alpha=0.0, beta=0.0, threshold=5.0)
    best = decoded(decoder, said("_?_ _t_a_"))[0]
    assert [word.text for word in best.words] in (["a"], ["o"])
    assert best.words[0].confidence == pytest.approx(0.5, abs=0.05)


def judged(decoder: KernelDecoder, rows: FloatArray) -> list[float]:
    return [word.confidence for word in decoded(decoder, rows)[0].words]


def test_forgetting_histories_changes_hardly_any_probability(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = decoder_of(*KINDS["spaced"])
    utterances = [noise(seed, 120, SPACED) for seed in range(6)]
    remembered = [judged(decoder, rows) for rows in utterances]
    monkeypatch.setattr("ds_engine.search.decoder.FORGET_HISTORIES", 3)  # every second, then
    forgotten = [judged(decoder, rows) for rows in utterances]
    off = [abs(one - other) for pair in zip(remembered, forgotten, strict=True) for one, other in zip(*pair, strict=True)]
    assert len(off) > 80
    assert np.mean(off) < 0.02  # a rival that had little to hope for may be gone
