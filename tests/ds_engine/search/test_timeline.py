from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.alphabet import Alphabet, Boundary, BoundaryRule
from ds_engine.bundle import Bundle
from ds_engine.decoder import Timing
from ds_engine.errors import BundleError
from ds_engine.features import FloatArray
from ds_engine.search.alignment import align
from ds_engine.search.confidence import KNOWN, Belief, Confidence
from ds_engine.search.language import Said
from ds_engine.search.timeline import MAX_LAG, Calibration, Lag, Timeline
from ds_engine.transcript import Word
from tests.ds_engine import bundles

TIMING = Timing(0.1, 0.25)
SPACED = Alphabet(("_", " ", "a", "b", "c"))
PIECED = Alphabet(("▁a", "▁b", "a", "b", "_"), blank=4, boundary=Boundary(BoundaryRule.WORD_INITIAL, "▁"))
JOINED = Alphabet(("_", "a", "b", "c"), boundary=Boundary(BoundaryRule.NONE, ""))
ALPHABETS = {"spaced": SPACED, "pieced": PIECED, "joined": JOINED}

each_alphabet = pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS)
texts = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=5)
seeds = st.integers(0, 2**16)


def said(alphabet: Alphabet, words: Sequence[str]) -> list[Said]:
    return [Said(word, alphabet.spell(word)[0]) for word in words]


def spoken(alphabet: Alphabet, words: Sequence[Said], seed: int, silence: float, lead: int = 0) -> FloatArray:
    """Rows in which words are said, each symbol one to three rows; `silence` is the probability of a blank between them."""
    random = np.random.default_rng(seed)
    path: list[int] = [alphabet.blank] * lead
    for number, word in enumerate(words):
        if number and alphabet.separator is not None:
            path += [alphabet.separator] * int(random.integers(1, 3))
        for column in word.spelling:
            path += [column] * int(random.integers(1, 4)) + [alphabet.blank] * int(random.integers(1, 6))
    probabilities = random.uniform(0.6, 0.9, len(path))
    probabilities[np.array(path) == alphabet.blank] = silence
    noise = random.random((len(path), len(alphabet.symbols)))
    noise[np.arange(len(path)), path] = 0.0
    rows = noise / noise.sum(axis=1, keepdims=True) * (1 - probabilities[:, None])
    rows[np.arange(len(path)), path] = probabilities
    result: FloatArray = np.log(rows).astype(np.float32)
    return result


def untouched(alphabet: Alphabet, rows: FloatArray, words: Sequence[Said]) -> list[Word]:
    """What alignment with all rows at once says."""
    spans = align(rows, [words], alphabet)[0]
    return [
        Word(word.text, TIMING.start(span.first), TIMING.start(span.last + 1), span.fit.evenness)
        for word, span in zip(words, spans, strict=True)
    ]


def times(words: Sequence[Word]) -> list[float]:
    return [time for word in words for time in (word.start, word.end)]


@each_alphabet
@settings(max_examples=60, deadline=None)
@given(words=texts, seed=seeds, silence=st.sampled_from([0.7, 0.99, 0.996, 0.99999]))
def test_dropping_rows_that_are_surely_blank_does_not_change_the_alignment(
    alphabet: Alphabet, words: list[str], seed: int, silence: float
) -> None:
    reading = said(alphabet, words)
    rows = spoken(alphabet, reading, seed, silence, lead=5)
    timeline = Timeline(alphabet, TIMING)
    timeline.hear(rows)
    assert timeline.finish([reading])[0] == untouched(alphabet, rows, reading)


@each_alphabet
@settings(max_examples=60, deadline=None)
@given(words=texts, seed=seeds, sizes=st.lists(st.integers(0, 7), min_size=1, max_size=5))
def test_rows_may_come_in_any_pieces(alphabet: Alphabet, words: list[str], seed: int, sizes: list[int]) -> None:
    reading = said(alphabet, words)
    rows = spoken(alphabet, reading, seed, 0.997)
    whole, pieces = Timeline(alphabet, TIMING), Timeline(alphabet, TIMING)
    whole.hear(rows)
    position = 0
    for size in itertools.cycle([*sizes, 1]):
        pieces.hear(rows[position : position + size])
        position += size
        if position >= len(rows):
            break
    assert whole.finish([reading, reading[:-1]]) == pieces.finish([reading, reading[:-1]])


@each_alphabet
@settings(max_examples=80, deadline=None)
@given(words=texts, seed=seeds, late=st.lists(st.integers(0, 12), min_size=5, max_size=5), silence=st.sampled_from([0.8, 0.999]))
def test_words_have_the_same_times_however_early_or_late_they_are_settled(
    alphabet: Alphabet, words: list[str], seed: int, late: list[int], silence: float
) -> None:
    reading = said(alphabet, words)
    rows = spoken(alphabet, reading, seed, silence)
    expected = untouched(alphabet, rows, reading)
    begins = [span.first for span in align(rows, [reading], alphabet)[0]]
    timeline, heard, settled = Timeline(alphabet, TIMING), 0, 0
    for number, more in enumerate(late[: len(reading) - 1], 1):
        upto = max(heard, min(len(rows), begins[number] + more + 1))
        timeline.hear(rows[heard:upto])
        heard = upto
        if more % 3:
            timeline.settle(reading[settled:number], begun(rows, begins, reading, number, upto))
            settled = number
            assert timeline.settled == expected[:settled]
    timeline.hear(rows[heard:])
    assert timeline.finish([reading[settled:]])[0] == expected


def begun(rows: FloatArray, begins: Sequence[int], reading: Sequence[Said], number: int, upto: int) -> list[Said]:
    """What was said of the words from `number` on before row `upto`; of the last one, the symbols that had begun."""
    following: list[Said] = []
    for place in range(number, len(reading)):
        end = begins[place + 1] if place + 1 < len(reading) else len(rows)
        heard = rows[begins[place] : min(upto, end)].argmax(axis=1)
        collapsed = [column for column, _ in itertools.groupby(heard.tolist())]
        spelling = tuple(column for column in collapsed if column in reading[place].spelling)
        if spelling:
            following.append(Said(reading[place].text, spelling))
    return following


@each_alphabet
@settings(max_examples=150, deadline=None)
@given(
    seed=seeds,
    doings=st.lists(
        st.one_of(
            st.tuples(st.just("hear"), st.integers(0, 6)),
            st.tuples(st.just("silence"), st.integers(0, 4)),
            st.tuples(st.just("settle"), st.integers(0, 3)),
        ),
        max_size=12,
    ),
)
def test_whatever_is_settled_words_stay_and_their_times_are_in_order(alphabet: Alphabet, seed: int, doings: list[tuple[str, int]]) -> None:
    """Words that were never said and more symbols than rows among it."""
    random, timeline, heard = np.random.default_rng(seed), Timeline(alphabet, Timing(1.0)), 0
    before: list[Word] = []
    for doing, count in doings:
        if doing == "settle":
            words = ["".join(random.choice(["a", "b"], int(random.integers(1, 4)))) for _ in range(count)]
            timeline.settle(said(alphabet, words), said(alphabet, ["ab"] * int(random.integers(0, 3))))
            assert timeline.settled[: len(before)] == before
            assert [word.text for word in timeline.settled[len(before) :]] == words
            before = list(timeline.settled)
        else:
            logits = random.normal(0, 2, (count, len(alphabet.symbols)))
            logits[:, alphabet.blank] += 20 * (doing == "silence")
            timeline.hear((logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32))
            heard += count
    readings = [said(alphabet, words) for words in ([], ["a"], ["ab", "ba", "b"])]
    found = timeline.finish(readings)
    assert timeline.settled == before
    for words_found, reading in zip(found, readings, strict=True):
        assert words_found[: len(before)] == before
        assert [word.text for word in words_found[len(before) :]] == [word.text for word in reading]
        assert times(words_found) == sorted(times(words_found))
        assert all(0 <= time <= max(heard, 1) for time in times(words_found))
        assert all(0 <= word.confidence <= 1 for word in words_found)


def test_words_lie_where_their_symbols_are() -> None:
    """Rows of 0.1 s that trail the audio by 0.25 s."""
    rows = np.full((40, 5), np.log(0.001), np.float32)
    path = [0] * 10 + [2, 2, 0, 3] + [0] * 6 + [1] + [0] * 6 + [4, 4, 4] + [0] * 10
    rows[np.arange(40), path] = np.log(0.996)
    for parts in ([40], [22, 18], [1] * 40):
        timeline, heard = Timeline(SPACED, TIMING), 0
        for part in parts:
            timeline.hear(rows[heard : heard + part])
            heard += part
            if heard == 22:
                timeline.settle(said(SPACED, ["ab"]), [])
        found = timeline.finish([said(SPACED, ["c"] if timeline.settled else ["ab", "c"])])[0]
        assert times(found) == pytest.approx([0.75, 1.15, 2.45, 2.75])
        assert [word.confidence for word in found] == pytest.approx([0.996] * 2)


def test_nothing_heard_and_nothing_said() -> None:
    timeline = Timeline(SPACED, TIMING)
    timeline.settle([], [])
    timeline.settle([], said(SPACED, ["a"]))
    timeline.hear(np.zeros((0, 5), np.float32))
    assert timeline.finish([[], []]) == [[], []]
    assert timeline.settled == []


def test_a_settled_word_lies_where_it_was_said_however_unclear_what_followed_was() -> None:
    """The rows of "c" could be anything; only that something was said in them keeps "ab" from being said there too."""
    rows = np.log(
        np.array([[0.3, 0.0, 0.7, 0.0, 0.0], [0.3, 0.0, 0.0, 0.7, 0.0], [0.1, 0.9, 0, 0, 0], *[[0.5, 0, 0.2, 0.2, 0.1]] * 4]) + 1e-6
    )
    timeline = Timeline(SPACED, Timing(1.0))
    timeline.hear(rows.astype(np.float32))
    timeline.settle(said(SPACED, ["ab"]), said(SPACED, ["c"]))
    assert times(timeline.settled) == [0.0, 2.0]


@each_alphabet
def test_times_do_not_drift_in_a_long_noisy_utterance_whose_words_are_settled_as_they_come(alphabet: Alphabet) -> None:
    random = np.random.default_rng(0)
    parts = [said(alphabet, [str(random.choice(["ab", "ba", "a"]))]) for _ in range(150)]
    timeline, heard = Timeline(alphabet, Timing(1.0)), 0
    for number, part in enumerate(parts):
        rows = spoken(alphabet, part, number, 0.8)
        if number and alphabet.separator is not None:
            rows = np.concatenate((spoken(alphabet, [Said(" ", (alphabet.separator,))], number, 0.8), rows))
        noise = random.normal(0, 1.5, rows.shape)
        timeline.hear((rows + noise - np.log(np.exp(rows + noise).sum(axis=1, keepdims=True))).astype(np.float32))
        if number:
            timeline.settle(parts[number - 1], part)
            assert timeline.settled[-1].end <= heard + 40
            assert timeline.settled[-1].start >= heard - 40
        heard += len(rows)


def test_words_without_any_rows_are_no_trouble() -> None:
    timeline = Timeline(SPACED, TIMING)
    timeline.settle(said(SPACED, ["a", "b"]), said(SPACED, ["b"]))
    found = timeline.finish([said(SPACED, ["c"])])[0]
    assert [word.text for word in found] == ["a", "b", "c"]
    assert times(found) == sorted(times(found))


def test_the_rows_that_were_heard_stay_the_callers() -> None:
    words = said(SPACED, ["ab", "c"])
    rows = spoken(SPACED, words, 0, 0.8)
    expected = untouched(SPACED, rows, words)
    buffer, timeline = rows.copy(), Timeline(SPACED, TIMING)
    timeline.hear(buffer)
    assert np.array_equal(buffer, rows)
    buffer[:] = 0.0  # the next rows are written to the same place
    assert timeline.finish([words])[0] == expected


def test_a_long_silence_costs_one_row() -> None:
    """However long it is: what is aligned in the end is what was said after it."""
    timeline = Timeline(SPACED, Timing(0.04))
    silence = np.log(np.array([[0.998, 0.0005, 0.0005, 0.0005, 0.0005]], np.float32)).repeat(1000, axis=0)
    for _ in range(100):
        timeline.hear(silence)
    words = said(SPACED, ["ab"])
    timeline.hear(spoken(SPACED, words, 0, 0.9))
    found = timeline.finish([words])[0]
    assert found[0].start == pytest.approx(100_000 * 0.04)


JUDGED = Calibration(confidence=Confidence({name: 0.3 * number - 0.5 for number, name in enumerate(KNOWN)}))


def beliefs(words: Sequence[Said], first: int) -> list[Belief]:
    """Those that each word has by its number in the utterance."""
    return [Belief(0.1 + 0.7 * ((first + number) % 4) / 4, -0.5 * ((first + number) % 3)) for number in range(len(words))]


def probabilities(alphabet: Alphabet, rows: FloatArray, reading: Sequence[Said]) -> list[float]:
    """Of the words, where all are aligned in the end."""
    [spans] = align(rows, [reading], alphabet)
    confidence = JUDGED.confidence
    assert confidence
    return confidence.words([span.fit for span in spans], [*beliefs(reading, 0), Belief(1.0, -3.0)])


@each_alphabet
@settings(max_examples=80, deadline=None)
@given(words=texts, seed=seeds, late=st.lists(st.integers(0, 12), min_size=5, max_size=5))
def test_words_have_the_same_probabilities_however_early_or_late_they_are_settled(
    alphabet: Alphabet, words: list[str], seed: int, late: list[int]
) -> None:
    reading = said(alphabet, words)
    rows = spoken(alphabet, reading, seed, 0.8)
    begins = [span.first for span in align(rows, [reading], alphabet)[0]]
    timeline, heard, settled = Timeline(alphabet, TIMING, JUDGED), 0, 0
    for number, more in enumerate(late[: len(reading) - 1], 1):
        upto = max(heard, min(len(rows), begins[number] + more + 1))
        timeline.hear(rows[heard:upto])
        heard = upto
        if more % 3:
            sure = reading[settled:number]
            timeline.settle(sure, begun(rows, begins, reading, number, upto), beliefs(sure, settled))
            settled = number
    timeline.hear(rows[heard:])
    rest = reading[settled:]
    found, shorter = timeline.finish([rest, rest[:-1]], [[*beliefs(each, settled), Belief(1.0, -3.0)] for each in (rest, rest[:-1])])
    assert [word.confidence for word in found] == pytest.approx(probabilities(alphabet, rows, reading), rel=1e-5)
    assert len(shorter) == len(found) - 1


def test_all_words_were_settled_before_the_end() -> None:
    """The utterance's end speaks for the last of them, too."""
    reading = said(SPACED, ["ab", "c"])
    rows = spoken(SPACED, reading, 0, 0.9)
    timeline = Timeline(SPACED, TIMING, JUDGED)
    timeline.hear(rows)
    timeline.settle(reading, [], beliefs(reading, 0))
    [found] = timeline.finish([[]], [[Belief(1.0, -3.0)]])
    assert [word.confidence for word in found] == pytest.approx(probabilities(SPACED, rows, reading), rel=1e-5)
    assert [word.text for word in found] == ["ab", "c"]


def test_a_judged_timeline_has_the_times_of_another() -> None:
    reading = said(SPACED, ["ab", "c", "ba"])
    rows = spoken(SPACED, reading, 4, 0.8)
    timeline = Timeline(SPACED, TIMING, JUDGED)
    timeline.hear(rows)
    [found] = timeline.finish([reading], [[*beliefs(reading, 0), Belief(1.0, 0.0)]])
    assert times(found) == times(untouched(SPACED, rows, reading))


def test_words_without_any_rows_can_be_judged() -> None:
    timeline = Timeline(SPACED, TIMING, JUDGED)
    words = said(SPACED, ["a", "b"])
    timeline.settle(words, [], beliefs(words, 0))
    [found] = timeline.finish([words], [[*beliefs(words, 2), Belief(1.0, 0.0)]])
    assert all(0 < word.confidence < 1 for word in found)
    assert len(found) == 4


def test_words_are_said_before_their_symbols_come() -> None:
    """Rows of 0.1 s that trail the audio by 0.25 s."""
    rows = np.full((40, 5), np.log(0.001), np.float32)
    path = [0] * 10 + [2, 2, 0, 3] + [0] * 6 + [1] + [0] * 6 + [4, 4, 4] + [0] * 10
    rows[np.arange(40), path] = np.log(0.996)
    timeline = Timeline(SPACED, TIMING, Calibration(Lag(0.2, 0.15)))
    timeline.hear(rows)
    assert times(timeline.finish([said(SPACED, ["ab", "c"])])[0]) == pytest.approx([0.55, 1.0, 2.25, 2.6])


@each_alphabet
@settings(max_examples=60, deadline=None)
@given(words=texts, seed=seeds, start=st.floats(-1, 1), end=st.floats(-1, 1), settled=st.integers(0, 3))
def test_words_begin_one_after_the_other_and_never_before_the_utterance_whatever_the_lag(
    alphabet: Alphabet, words: list[str], seed: int, start: float, end: float, settled: int
) -> None:
    reading = said(alphabet, words)
    timeline = Timeline(alphabet, TIMING, Calibration(Lag(start, end)))
    timeline.hear(spoken(alphabet, reading, seed, 0.9))
    timeline.settle(reading[:settled], reading[settled:])
    [found] = timeline.finish([reading[settled:]])
    assert times(found) == sorted(times(found))
    assert times(found)[0] >= 0.0


def calibrated(folder: Path, **calibration: Any) -> Calibration:
    def edit(values: dict[str, Any]) -> None:
        values["calibration"].update(calibration)

    return Calibration.of(Bundle.open(bundles.write(folder / "bundle", edit=edit)).manifest)


def test_a_bundle_may_say_nothing_about_its_words(tmp_path: Path) -> None:
    assert calibrated(tmp_path) == Calibration()


def test_a_bundle_says_how_late_its_symbols_come_and_how_sure_its_words_are(tmp_path: Path) -> None:
    weights = dict.fromkeys(KNOWN, 0.5)
    found = calibrated(tmp_path, times={"start": 0.2, "end": 0}, confidence=weights)
    assert found == Calibration(Lag(0.2, 0.0), Confidence(weights))


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (3, "calibration.times must be dict"),
        ({"start": 0.2}, "calibration.times.end must be float"),
        ({"start": "0.2", "end": 0.1}, "calibration.times.start must be float"),
        ({"start": MAX_LAG + 0.1, "end": 0.1}, "calibration.times must lie in -1..1 s, got 1.1, 0.1"),
        ({"start": 0.1, "end": float("nan")}, "calibration.times must lie in"),
    ],
)
def test_a_lag_that_cannot_be_is_refused(tmp_path: Path, broken: object, said: str) -> None:
    with pytest.raises(BundleError, match=said):
        calibrated(tmp_path, times=broken)
