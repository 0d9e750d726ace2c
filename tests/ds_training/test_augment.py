"""Augmentation of whole batches: bounds, repetition, strength, and what must not matter."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from ds_engine.features import FloatArray, LogMel, LogMelSpec
from ds_training.augment import Augmentation, AugmentationError, Augmenter
from ds_training.augment_settings import hints
from ds_training.corpus import HalfArray

MEL = LogMel(LogMelSpec())
AUGMENTER = Augmenter(MEL)
NAMES = tuple(hints(Augmentation))
NOTHING: dict[str, dict[str, Any]] = {name: {"chance": 0} for name in NAMES}
EVERYTHING: dict[str, dict[str, Any]] = {name: {"chance": 1} for name in NAMES}
SILENCE = float(MEL.normalise(np.zeros(1, np.float32))[0])


def utterances(*frames: int) -> list[HalfArray]:
    rng = np.random.default_rng(5)
    return [rng.normal(-3, 3, (count, 80)).astype(np.float16) for count in frames]


def augmenter(**tables: dict[str, Any]) -> Augmenter:
    """The defaults with these tables, and two recorded noises."""
    return Augmenter(MEL, Augmentation.of(tables), noises=utterances(30, 60))


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_any_strength_gives_finite_features_within_their_bounds(strength: float) -> None:
    for seed in range(5):
        features, frames = AUGMENTER(utterances(30, 200, 9), [1, 9, 1], utterances(40, 7), strength, np.random.default_rng(seed))
        assert features.shape == (3, max(frames), 80)
        assert features.dtype == np.float32
        assert np.isfinite(features).all()
        assert features.min() >= SILENCE - 1e-5
        assert features.max() < 8


def test_the_same_seed_gives_the_same_batch_and_another_another() -> None:
    everything = augmenter(**EVERYTHING)
    for each in (AUGMENTER, everything):
        first, again, other = (each(utterances(50, 80), [2, 3], utterances(40), 1.0, np.random.default_rng(seed))[0] for seed in (3, 3, 4))
        assert np.array_equal(first, again)
        assert first.shape != other.shape or not np.array_equal(first, other)


def test_an_augmenter_in_another_process_gives_the_same_batch() -> None:
    everything = augmenter(**EVERYTHING)
    copy = pickle.loads(pickle.dumps(everything))  # noqa: S301  # our own
    first, again = (each(utterances(50, 80), [2, 3], utterances(40), 1.0, np.random.default_rng(3)) for each in (everything, copy))
    assert np.array_equal(first[0], again[0])
    assert first[1] == again[1]


@pytest.mark.parametrize("tables", [{}, EVERYTHING])
def test_every_utterance_ends_in_digital_silence_as_in_the_engine(tables: dict[str, dict[str, Any]]) -> None:
    for seed in range(5):
        features, frames = augmenter(**tables)(utterances(30, 200), [2, 9], utterances(40), 1.0, np.random.default_rng(seed))
        for row, count in zip(features, frames, strict=True):
            assert (row[count - 26 :] == np.float32(SILENCE)).all()


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_with_all_chances_at_nothing_the_features_are_those_of_the_recording_bit_for_bit(strength: float) -> None:
    items = utterances(50, 200, 8)
    features, frames = augmenter(**NOTHING)(items, [1, 1, 1], utterances(40), strength, np.random.default_rng(1))
    for row, item, count in zip(features, items, frames, strict=True):
        assert np.array_equal(row[: len(item)], MEL.normalise(np.exp(item.astype(np.float32))))
        assert (row[len(item) :] == np.float32(SILENCE)).all()
        assert 26 <= count - len(item) <= 40


@pytest.mark.parametrize("name", NAMES)
def test_an_augmentation_without_a_chance_changes_nothing_bit_for_bit(name: str) -> None:
    """Its other settings do not matter, nor that it is there: nobody else's draws move."""
    kind = hints(Augmentation)[name]
    ranges = {setting: 1 for setting in hints(kind) if setting in {"points", "count", "layers", "voices", "bands"}}
    others = {each: table for each, table in EVERYTHING.items() if each != name}
    batches = [
        augmenter(**others | {name: table})(utterances(60, 90), [2, 3], utterances(40), 1.0, np.random.default_rng(3))
        for table in ({"chance": 0}, {"chance": [1, 0], **ranges})
    ]
    assert np.array_equal(batches[0][0], batches[1][0])
    assert batches[0][1] == batches[1][1]


@pytest.mark.parametrize("name", ["microphone", "telephone", "resample", "codec", "band_masks", "dropout", "multiply", "add"])
def test_switching_one_on_leaves_the_draws_of_all_others_as_they_were(name: str) -> None:
    """Length and place of the speech, and where somebody hears nothing, stay; and the sound does change."""
    without, with_it = (
        augmenter(**{name: {"chance": chance}})(utterances(60, 90), [2, 3], utterances(40), 0.6, np.random.default_rng(3))
        for chance in (0, 1)
    )
    assert without[1] == with_it[1]
    assert not np.array_equal(without[0], with_it[0])


def test_half_a_strength_is_half_a_chance() -> None:
    """Loudness at the chance 0 to 1: at 0.3 it reaches three in ten."""
    items = [np.zeros((8, 80), np.float16)] * 1000
    plain = augmenter(**NOTHING | {"loudness": {"chance": [0, 1], "peak": -60}})
    for strength in (0.0, 0.3, 1.0):
        features, _ = plain(items, [1] * 1000, [], strength, np.random.default_rng(1))
        reached = (features[:, 0, 0] < MEL.normalise(np.ones(1, np.float32))[0] - 0.1).mean()
        assert reached == pytest.approx(strength, abs=0.04)


def test_a_range_moves_with_the_strength() -> None:
    moving = augmenter(**NOTHING | {"tempo": {"chance": 1, "speed": [[1, 1], [2, 2]]}, "silence": {"chance": 0, "end": 0}})
    lengths = [moving(utterances(300), [1], [], strength, np.random.default_rng(1))[1][0] for strength in (0.0, 0.5, 1.0)]
    assert lengths == [300, 200, 150]


LOUD, INFINITE = np.full((30, 80), 11, np.float16), np.full((30, 80), np.inf, np.float16)
QUIET = np.log(np.full((30, 80), 1e-9)).astype(np.float16)
ONE_FRAME, CLICK = utterances(1)[0], np.concatenate([QUIET, LOUD[:1], QUIET])


@pytest.mark.parametrize("settings", [{}, EVERYTHING, NOTHING], ids=["defaults", "everything", "nothing"])
@pytest.mark.parametrize(
    "items",
    [[QUIET], [ONE_FRAME], [LOUD], [INFINITE], [CLICK], [-INFINITE], [CLICK, QUIET, ONE_FRAME, LOUD, INFINITE]],
    ids=["silence", "one frame", "loud", "infinite", "click", "nothing", "all"],
)
def test_features_are_finite_for_any_recording(items: list[HalfArray], settings: dict[str, dict[str, Any]]) -> None:
    each = augmenter(**settings)
    for seed in range(5):
        for babble in ([QUIET], [ONE_FRAME, LOUD]):
            features, frames = each(items, [3] * len(items), babble, 1.0, np.random.default_rng(seed))
            assert np.isfinite(features).all()
            assert min(frames) >= 3 / 15 * 100


def test_an_utterance_longer_than_the_pool_of_noise_is_heard() -> None:
    items = [np.zeros((21_000, 80), np.float16)]
    features, _ = augmenter(noise={"chance": 1}, tempo={"chance": 0})(items, [1], items, 1.0, np.random.default_rng(1))
    assert np.isfinite(features).all()


def test_recordings_are_left_as_they_are() -> None:
    items, babble, noises = utterances(40, 60), utterances(30), utterances(20)
    kept = [item.copy() for item in (*items, *babble, *noises)]
    Augmenter(MEL, Augmentation.of(EVERYTHING), noises=noises)(items, [1, 1], babble, 1.0, np.random.default_rng(1))
    assert all(np.array_equal(item, copy) for item, copy in zip((*items, *babble, *noises), kept, strict=True))


def test_what_cannot_be_augmented_is_refused() -> None:
    rng, item = np.random.default_rng(1), utterances(20)[0]
    with pytest.raises(AugmentationError, match=r"strength of augmentation needs a number in 0\.\.1, got 1\.5"):
        AUGMENTER([item], [1], [item], 1.5, rng)
    with pytest.raises(AugmentationError, match="needs utterances, and symbols for each, got 0 and 0"):
        AUGMENTER([], [], [item], 1.0, rng)
    with pytest.raises(AugmentationError, match="needs utterances, and symbols for each, got 1 and 2"):
        AUGMENTER([item], [1, 2], [item], 1.0, rng)
    wrongs: list[Any] = [item[:0], item[:, :79], item[0], item.astype(np.float32)]
    for wrong in wrongs:
        with pytest.raises(AugmentationError, match=r"an utterance needs float16 \[frames >= 1, 80\], got float"):
            AUGMENTER([wrong], [1], [item], 1.0, rng)
    with pytest.raises(AugmentationError, match=r"augmentation\.babble needs people .*, got \[\]"):
        AUGMENTER([item], [1], [], 1.0, rng)


def test_recorded_noises_are_asked_for_before_training_starts() -> None:
    settings = Augmentation.of({"overlay": {"chance": [0, 0.1]}})
    with pytest.raises(AugmentationError, match=r"augmentation\.overlay needs recorded noises .*, got none"):
        Augmenter(MEL, settings)
    with pytest.raises(AugmentationError, match=r"a recorded noise needs float16 \[frames >= 1, 80\], got float16 \[0, 80\]"):
        Augmenter(MEL, settings, noises=[np.zeros((0, 80), np.float16)])


def test_what_the_network_hears_of_two_utterances_is_what_it_hears_of_each() -> None:
    """Without chance, the other utterances of a batch do not matter but by style."""
    plain = augmenter(**NOTHING | {"silence": {"chance": 0, "end": 0.3}})
    items = utterances(40, 120)
    both, _ = plain(items, [1, 1], [], 1.0, np.random.default_rng(1))
    alone: list[FloatArray] = [plain([item], [1], [], 1.0, np.random.default_rng(2))[0][0] for item in items]
    assert all(np.array_equal(row[: len(single)], single) for row, single in zip(both, alone, strict=True))
