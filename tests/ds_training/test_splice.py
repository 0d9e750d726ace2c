"""Splicing: where words lie, and new utterances of their pieces."""

# without torch the whole module is skipped

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from ds_engine.features import LogMel, LogMelSpec
from ds_training.checkpoint import load_network
from ds_training.corpus import CorpusError, Utterance, log_power, read_samples
from ds_training.splice import FRAMES, MARGIN, Cut, cut, splice
from tests.ds_engine.bundles import EN_SMALL

MEL = LogMel(LogMelSpec())
SAMPLES = sorted((Path(__file__).parents[2] / "ds_plugin/samples").glob("*.wav"))


def counted(words: int, frames: int, speaker: str = "s") -> Cut:
    """An utterance of words w0, w1, ... of so many frames each, every frame holding the number of its word."""
    power = np.repeat(np.arange(words, dtype=np.float16), frames)[:, None].repeat(80, 1)
    return Cut(Utterance(power, " ".join(f"w{index}" for index in range(words)), speaker), tuple(range(0, words * frames + 1, frames)))


def test_a_spliced_utterance_has_the_sound_of_its_words_in_order() -> None:
    for utterance in splice([counted(5, 20)], 50, np.random.default_rng(1)):
        words = [int(word[1:]) for word in utterance.text.split()]
        assert utterance.log_power[10::20, 0].tolist() == words
        assert FRAMES[0] <= len(utterance.log_power) < FRAMES[1] + 3 * 20


def test_a_spliced_utterance_has_one_speaker() -> None:
    cuts = [counted(3, 20, "one"), counted(4, 30, "other")]
    spoken = splice(cuts, 40, np.random.default_rng(1))
    assert {utterance.speaker for utterance in spoken} == {"one", "other"}
    for utterance in spoken:
        assert len(utterance.log_power) % (20 if utterance.speaker == "one" else 30) == 0


def test_the_silence_around_an_utterance_is_not_repeated() -> None:
    power = np.zeros((1000, 80), np.float16)
    quiet = Cut(Utterance(power, "a b", "s"), (0, 450, 1000))
    assert [len(quiet.piece(first, 1)[0]) for first in (0, 1)] == [MARGIN, MARGIN]
    assert len(quiet.piece(0, 2)[0]) == 2 * MARGIN


def test_a_single_word_may_be_a_piece() -> None:
    assert {utterance.text.split()[0] for utterance in splice([counted(1, 90)], 3, np.random.default_rng(1))} == {"w0"}


def test_the_same_seed_splices_the_same() -> None:
    one, same, other = (splice([counted(9, 20)], 5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert [each.text for each in one] == [each.text for each in same] != [each.text for each in other]


@pytest.mark.parametrize("cuts", [[], [counted(3, 2)]], ids=["nothing", "words without frames"])
def test_what_cannot_be_spliced_is_refused(cuts: list[Cut]) -> None:
    with pytest.raises(CorpusError, match="splicing needs"):
        splice(cuts, 1, np.random.default_rng(1))


def test_words_are_cut_where_it_is_quiet() -> None:
    powers = [log_power(MEL, read_samples(path, 16_000)) for path in SAMPLES[:2]]
    gap = np.full((50, 80), np.log(1e-9), np.float16)
    texts = [path.stem.replace("_", " ").replace("-", " ") for path in SAMPLES[:2]]
    joined = Utterance(np.concatenate([powers[0], gap, powers[1]]), " ".join(texts), "s")
    [found] = cut(load_network(EN_SMALL / "model.onnx"), [joined], MEL)
    assert list(found.places) == sorted(found.places)
    assert len(found.places) == len(joined.text.split()) + 1
    between = found.places[len(texts[0].split())]
    loud = [np.flatnonzero(power.astype(np.float32).mean(1) > -10) for power in powers]
    assert loud[0][-1] < between < len(powers[0]) + len(gap) + loud[1][0]
