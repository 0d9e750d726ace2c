"""Error rates, their intervals and differences, against jiwer and against what must hold."""

from __future__ import annotations

from collections.abc import Sequence

import jiwer
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_training.corpus import CorpusError
from ds_training.figures import Edits, Figures, Interval, Reference, Result, compare, figures_of, results_of

TEXT = st.text(alphabet="ab 'é", max_size=12).map(lambda text: " ".join(text.split()))


def results(said: Sequence[str], found: Sequence[str], speakers: Sequence[str] | None = None) -> list[Result]:
    names = speakers or [f"s{index}" for index in range(len(said))]
    references = [Reference(text, "corpus", speaker) for text, speaker in zip(said, names, strict=True)]
    return results_of(references, found, [1.8] * len(said))


def of_voices(voices: int, seed: int = 1, error: float = 0.3) -> list[Result]:
    """Four utterances of each voice, each of which has an error rate of its own around `error`."""
    rng = np.random.default_rng(seed)
    said, found, speakers = [], [], []
    for voice in range(voices):
        rate = min(0.95, error * rng.uniform(0.2, 1.8))
        for _ in range(4):
            words = np.array(["a", "bee", "see", "dee", "ef"] * 2)
            said.append(" ".join(words))
            found.append(" ".join(words[rng.random(10) > rate]))
            speakers.append(f"voice {voice}")
    return results(said, found, speakers)


def width(interval: Interval | None) -> float:
    assert interval
    return interval.high - interval.low


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8))
def test_rates_and_kinds_of_errors_are_jiwers(pairs: list[tuple[str, str]]) -> None:
    said, found = [one for one, _ in pairs], [other for _, other in pairs]
    figures = figures_of(results(said, found))
    assert figures.cer == pytest.approx(jiwer.cer(said, found))
    assert figures.wer == pytest.approx(jiwer.wer(said, found))
    for edits, output in ((figures.characters, jiwer.process_characters(said, found)), (figures.words, jiwer.process_words(said, found))):
        assert (edits.substitutions, edits.deletions, edits.insertions) == (output.substitutions, output.deletions, output.insertions)
        assert edits.reference == output.hits + output.substitutions + output.deletions


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8))
def test_the_edits_of_all_are_the_sum_of_the_edits_of_each(pairs: list[tuple[str, str]]) -> None:
    each = [result for one, other in pairs for result in results([one], [other])]
    together = figures_of(results([one for one, _ in pairs], [other for _, other in pairs]))
    assert together.words.errors == sum(result.words.errors for result in each)
    assert together.characters.errors == sum(result.characters.errors for result in each)


def test_figures_count_utterances_voices_hours_and_sentences() -> None:
    figures = figures_of(results(["a b", "c", "d"], ["a b", "x", "d"], ["one", "one", "two"]))
    assert (figures.utterances, figures.speakers, figures.hours) == (3, 2, 0.002)  # 5.4 s
    assert (figures.wer, figures.sentences_right) == (0.25, 2 / 3)
    assert figures.words == Edits(4, 1, 0, 0)


def test_utterances_without_a_speaker_are_one_voice_per_file() -> None:
    references = [Reference("a", source) for source in ("x", "x", "y")] + [Reference("a", "y", "anna")]
    figures = figures_of(results_of(references, ["a"] * 4, [1.0] * 4))
    assert figures.speakers == 3


def test_a_name_is_one_voice_in_all_files() -> None:
    figures = figures_of(results_of([Reference("a", source, "anna") for source in "xy"], ["a", "b"], [1.0, 1.0]))
    assert (figures.speakers, figures.wer_interval) == (1, None)


def test_words_where_nothing_was_said_are_errors() -> None:
    figures = figures_of(results(["", "a"], ["oh no", "a"]))
    assert (figures.wer, figures.words.insertions) == (2.0, 2)
    assert figures_of(results([""], [""])).cer == 0
    assert figures_of(results([""], ["oh"])).cer == 2


def test_nothing_to_evaluate_is_an_error() -> None:
    with pytest.raises(CorpusError, match="at least one utterance"):
        figures_of([])
    with pytest.raises(CorpusError, match="at least one utterance"):
        compare([], [])
    assert results_of([], [], []) == []


@given(st.integers(2, 30), st.integers(0, 50))
def test_an_interval_contains_its_figure(voices: int, seed: int) -> None:
    figures = figures_of(of_voices(voices, seed))
    for value, interval in ((figures.cer, figures.cer_interval), (figures.wer, figures.wer_interval)):
        assert interval
        assert interval.low <= value <= interval.high


def test_an_interval_shrinks_with_more_voices() -> None:
    widths = [np.mean([width(figures_of(of_voices(voices, seed)).wer_interval) for seed in range(5)]) for voices in (4, 16, 64)]
    assert widths[0] > 1.5 * widths[1] > 2.25 * widths[2]


def test_more_utterances_of_the_same_voices_do_not_narrow_an_interval() -> None:
    few = of_voices(12)
    many = [*few, *few, *few]
    assert width(figures_of(many).wer_interval) == pytest.approx(width(figures_of(few).wer_interval))


def test_one_voice_has_no_interval() -> None:
    figures = figures_of(of_voices(1))
    assert figures.cer_interval is figures.wer_interval is None


def test_an_interval_depends_on_the_seed_alone_and_not_on_the_order() -> None:
    utterances = of_voices(10)

    def interval(items: Sequence[Result], seed: int) -> Interval | None:
        figures: Figures = figures_of(items, seed)
        return figures.wer_interval

    assert interval(utterances, 3) == interval(utterances[::-1], 3)
    assert interval(utterances, 3) != interval(utterances, 4)


def test_a_model_does_not_differ_from_itself() -> None:
    comparison = compare(of_voices(8), of_voices(8))
    assert (comparison.wer.value, comparison.wer.interval, comparison.wer.below_zero) == (0, Interval(0, 0), 0)


def test_a_difference_is_that_of_the_rates_and_its_interval_is_paired() -> None:
    bad = of_voices(20)
    good = results_of(
        [each.reference for each in bad],
        [f"{each.found} ef" if not each.found.endswith("ef") else each.found for each in bad],
        [1.0] * len(bad),
    )
    comparison, figures, others = compare(good, bad), figures_of(good), figures_of(bad)
    assert comparison.wer.value == pytest.approx(figures.wer - others.wer)
    assert comparison.cer.value == pytest.approx(figures.cer - others.cer)
    interval = comparison.wer.interval
    assert interval
    assert interval.low <= comparison.wer.value <= interval.high < 0
    assert comparison.wer.below_zero == 1
    assert width(interval) < 0.5 * width(figures.wer_interval)


def test_swapping_the_models_turns_the_sign() -> None:
    one, other = of_voices(9, seed=1), of_voices(9, seed=2)
    forth, back = compare(one, other).wer, compare(other, one).wer
    assert forth.value == -back.value
    assert forth.interval
    assert back.interval
    assert (forth.interval.low, forth.interval.high) == pytest.approx((-back.interval.high, -back.interval.low))


def test_one_voice_has_a_difference_without_interval() -> None:
    difference = compare(of_voices(1), of_voices(1)).cer
    assert (difference.value, difference.interval, difference.below_zero) == (0, None, None)


def test_only_the_same_utterances_can_be_compared() -> None:
    with pytest.raises(CorpusError, match="same utterances"):
        compare(of_voices(3), of_voices(4))
    with pytest.raises(CorpusError, match="same utterances"):
        compare(results(["a", "b"], ["a", "b"]), results(["b", "a"], ["a", "b"]))
