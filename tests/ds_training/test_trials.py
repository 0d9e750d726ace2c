"""Trials and their sounds, clean and with noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ds_engine.features import FloatArray, LogMel, LogMelSpec
from ds_training.corpus import CorpusError, Recording, Utterance, log_power
from ds_training.trials import (
    Booth,
    Kind,
    MelPower,
    Noise,
    Samples,
    Sound,
    Trial,
    log_power_of,
    of_recordings,
    of_utterances,
    refuse_trained,
    seconds_of,
)

MEL = LogMel(LogMelSpec())
RATE = 16_000


def tone(hertz: float, seconds: float = 0.5) -> FloatArray:
    return (0.1 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def recordings(folder: Path, tones: dict[str, float]) -> list[Recording]:
    """One file for each voice, named like it."""
    for voice, hertz in tones.items():
        soundfile.write(folder / f"{voice}.wav", tone(hertz), RATE, subtype="FLOAT")
    return [Recording(folder / f"{voice}.wav", "hello", voice) for voice in tones]


def banded(voice: str, band: int) -> Utterance:
    """A voice that has power in one band only."""
    power = np.full((40, 80), -20.7, np.float16)
    power[5:35, band] = 0
    return Utterance(power, "hello", voice)


def samples(sound: Sound) -> FloatArray:
    assert isinstance(sound, Samples)
    return sound.values


def power(sound: Sound) -> FloatArray:
    assert isinstance(sound, MelPower)
    return np.asarray(np.exp(sound.log_power.astype(np.float32)), np.float32)


def share(values: FloatArray, hertz: float) -> float:
    """Of the power within 20 Hz of a frequency."""
    spectrum = np.square(np.abs(np.fft.rfft(values)))
    near = np.abs(np.fft.rfftfreq(len(values), 1 / RATE) - hertz) < 20
    return float(spectrum[near].sum() / spectrum.sum())


def test_a_trial_knows_what_its_recording_or_utterance_knows(tmp_path: Path) -> None:
    (spoken,) = of_recordings([Recording(tmp_path / "a.wav", "hello", "anna", labels={"age": "7"})], "kids/test")
    (stored,) = of_utterances([Utterance(np.zeros((3, 80), np.float16), "hello", "anna", "h ə l oʊ", {"age": "7"})], "shards/1")
    for trial, source in ((spoken, "kids/test"), (stored, "shards/1")):
        reference = trial.reference
        assert (reference.text, reference.source, reference.speaker, reference.labels) == ("hello", source, "anna", {"age": "7"})
    assert stored.reference.phones == "h ə l oʊ"


def test_the_clean_sound_is_that_of_the_file_or_shard(tmp_path: Path) -> None:
    trials = of_recordings(recordings(tmp_path, {"a": 200.0}), "x") + of_utterances([banded("b", 3)], "y")
    booth = Booth(trials, MEL)
    assert np.array_equal(samples(booth.sound(trials[0])), tone(200))
    assert booth.sound(trials[1]) is trials[1].origin


def test_a_part_of_a_file_is_heard_alone(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.concatenate([tone(200), tone(300)]), RATE, subtype="FLOAT")
    parts = of_recordings([Recording(tmp_path / "a.wav", "hello", start=0.5), Recording(tmp_path / "a.wav", "hello", end=0.5)], "x")
    assert np.array_equal(samples(Booth(parts, MEL).sound(parts[0])), tone(300))
    assert parts[0].key != parts[1].key


@pytest.mark.parametrize("kind", list(Kind))
def test_noise_is_the_same_each_time_and_only_louder_at_a_lower_ratio(kind: Kind, tmp_path: Path) -> None:
    trials = of_recordings(recordings(tmp_path, {"a": 200.0, "b": 300.0, "c": 410.0}), "x")
    clean, trial = tone(200), trials[0]
    twenty, zero = (samples(Booth(trials, MEL).sound(trial, Noise(kind, ratio))) - clean for ratio in (20, 0))
    assert np.array_equal(twenty, samples(Booth(trials, MEL).sound(trial, Noise(kind, 20))) - clean)
    assert np.abs(10 * twenty - zero).max() < 1e-5
    assert not np.allclose(zero, samples(Booth(trials, MEL, seed=2).sound(trial, Noise(kind, 0))) - clean, atol=1e-3)


def test_coloured_noise_does_not_depend_on_what_else_is_evaluated(tmp_path: Path) -> None:
    trials = of_recordings(recordings(tmp_path, {"a": 200.0, "b": 300.0}), "x")
    disturbance = Noise(Kind.COLOURED, 5)
    alone, beside = (samples(Booth(some, MEL).sound(trials[0], disturbance)) for some in (trials[:1], trials))
    assert np.array_equal(alone, beside)


def test_babble_of_recordings_is_of_others_only(tmp_path: Path) -> None:
    tones = {"a": 200.0, "b": 300.0, "c": 410.0}
    made = recordings(tmp_path, tones)
    trials = of_recordings([*made, *made], "x")
    booth = Booth(trials, MEL)
    for trial in trials:
        own = tones[trial.reference.speaker]
        added = samples(booth.sound(trial, Noise(Kind.BABBLE, 0))) - tone(own)
        assert share(added, own) < 0.01
        assert sum(share(added, other) for other in tones.values()) > 0.9


def test_babble_of_shards_is_of_others_only() -> None:
    trials = of_utterances([banded("a", 10), banded("b", 20), banded("a", 10), banded("c", 30)], "x")
    booth = Booth(trials, MEL)
    for trial, band in zip(trials, (10, 20, 10, 30), strict=True):
        mixed = power(booth.sound(trial, Noise(Kind.BABBLE, 0)))
        assert mixed[5:35, band] == pytest.approx(1, rel=0.01)
        others = [other for other in (10, 20, 30) if other != band]
        assert mixed[:, others].sum() == pytest.approx(40, rel=0.05)  # 0 dB over all frames


@pytest.mark.parametrize("kind", list(Kind))
def test_mel_power_with_noise_keeps_its_shape_and_type(kind: Kind) -> None:
    trials = of_utterances([banded("a", 10), banded("b", 20), Utterance(np.zeros((1, 80), np.float16), "x", "c")], "x")
    for trial in trials:
        sound = Booth(trials, MEL).sound(trial, Noise(kind, 5))
        assert isinstance(sound, MelPower)
        assert isinstance(trial.origin, MelPower)
        assert sound.log_power.shape == trial.origin.log_power.shape
        assert sound.log_power.dtype == np.float16
        assert np.isfinite(sound.log_power).all()


@pytest.mark.parametrize("speakers", [("a", "a"), ("", "")])
def test_babble_needs_a_second_voice_and_a_file_without_names_is_one(speakers: tuple[str, str]) -> None:
    trials = of_utterances([banded(speaker, 3) for speaker in speakers], "x")
    with pytest.raises(CorpusError, match="babble needs other voices"):
        Booth(trials, MEL).sound(trials[0], Noise(Kind.BABBLE, 5))


def test_recordings_and_shards_make_no_babble_for_each_other(tmp_path: Path) -> None:
    trials: list[Trial] = of_recordings(recordings(tmp_path, {"a": 200.0}), "x") + of_utterances([banded("b", 3)], "y")
    for trial in trials:
        with pytest.raises(CorpusError, match="babble needs other voices"):
            Booth(trials, MEL).sound(trial, Noise(Kind.BABBLE, 5))


def test_a_ratio_needs_to_be_a_number() -> None:
    for ratio in (float("nan"), float("inf")):
        with pytest.raises(CorpusError, match="finite"):
            Noise(Kind.COLOURED, ratio)


def test_sounds_become_log_power_and_tell_their_seconds() -> None:
    stored = MelPower(np.zeros((50, 80), np.float16))
    assert log_power_of(stored, MEL) is stored.log_power
    assert np.array_equal(log_power_of(Samples(tone(200), RATE), MEL), log_power(MEL, tone(200)))
    assert (seconds_of(stored, MEL), seconds_of(Samples(tone(200), RATE), MEL)) == (0.5, 0.5)


def test_another_rate_and_other_bands_are_refused() -> None:
    with pytest.raises(CorpusError, match="need 16000 Hz, got 8000"):
        log_power_of(Samples(tone(200), 8000), MEL)
    with pytest.raises(CorpusError, match=r"needs to be \[frames, 80\], got \[3, 40\]"):
        log_power_of(MelPower(np.zeros((3, 40), np.float16)), MEL)


def test_speakers_who_were_trained_on_are_refused_by_name() -> None:
    trials = of_utterances([banded("anna", 3), banded("", 3), banded("otto", 3)], "x")
    refuse_trained(trials, {"", "emil"})
    with pytest.raises(CorpusError, match="never trained on, got 1 that were: anna"):
        refuse_trained(trials, {"", "anna"})
