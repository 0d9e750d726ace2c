from __future__ import annotations

import itertools

import numpy as np
import pytest

from ds_engine.audio import to_mono
from ds_engine.endpoint import PRESETS
from ds_engine.errors import InputError
from ds_engine.features import FloatArray
from ds_plugin.measurement import load_clip
from ds_plugin.vad import FRAME_SAMPLES, RATE, SileroVoice, endpointing, voice_activity
from tests.ds_plugin.command_line import LIGHT

needs_package = pytest.mark.skipif(voice_activity() is None, reason="needs the extra mic")


def frames(samples: FloatArray) -> FloatArray:
    return samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)


def speech() -> FloatArray:
    """A recorded command between seconds of silence."""
    clip = load_clip(LIGHT)
    sound = to_mono(clip.data, clip.source)
    return np.concatenate([np.zeros(RATE, np.float32), sound, np.zeros(RATE, np.float32)])


@needs_package
def test_a_command_is_voice_and_the_silence_around_it_is_none() -> None:
    detector = SileroVoice(RATE)
    assert detector.frame_samples == FRAME_SAMPLES
    found = [detector.probability(frame) for frame in frames(speech())]
    assert all(0 <= probability <= 1 for probability in found)
    before, after = RATE // FRAME_SAMPLES, (RATE - 3_000) // FRAME_SAMPLES
    assert max(found[:before]) < 0.3
    assert max(found[-after:]) < 0.3
    voiced = [probability > 0.5 for probability in found]
    assert max(len(list(run)) for is_voice, run in itertools.groupby(voiced) if is_voice) * FRAME_SAMPLES / RATE > 1.0


@needs_package
def test_detectors_of_two_utterances_know_nothing_of_each_other() -> None:
    alone, one, other = (SileroVoice(RATE) for _ in range(3))
    noise = np.random.default_rng(1).normal(size=len(speech())).astype(np.float32) * np.float32(0.3)
    beside = [(one.probability(frame), other.probability(loud))[0] for frame, loud in zip(frames(speech()), frames(noise), strict=True)]
    assert beside == [alone.probability(frame) for frame in frames(speech())]


@needs_package
def test_another_rate_is_an_error_that_names_both() -> None:
    with pytest.raises(InputError, match="needs 16000 Hz, got 8000"):
        SileroVoice(8_000)


def test_without_the_package_there_is_no_detector_and_a_warning_says_what_brings_one(caplog: pytest.LogCaptureFixture) -> None:
    assert voice_activity("no_such_package") is None
    assert "pip install 'ds-plugin[mic]'" in caplog.text


def test_a_preset_by_name_off_and_none_of_these() -> None:
    chosen = endpointing("patient")
    assert chosen is not None
    assert chosen.settings is PRESETS["patient"]
    assert chosen.voice_activity is voice_activity()
    assert endpointing("off") is None
    with pytest.raises(InputError, match="'' is unknown"):
        endpointing("")
