"""The door of a voice detector: whatever is behind it, the utterance goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ds_engine.errors import InputError
from ds_engine.features import FloatArray
from ds_engine.voice_activity import Detector

RATE = 16_000
FRAME = np.zeros(512, np.float32)


class Fake:
    """A detector that does what a test gives it."""

    def __init__(self, probability: Callable[[FloatArray], Any] = lambda frame: 0.25, frame_samples: Any = 512) -> None:
        self.frame_samples = frame_samples
        self.probability = probability


def raising(error: BaseException) -> Callable[[Any], Any]:
    def fail(_: Any) -> Any:
        raise error

    return fail


def test_a_detector_says_what_it_says() -> None:
    detector = Detector(lambda rate: Fake(), RATE)
    assert detector.there
    assert (detector.frame_samples, detector.probability(FRAME)) == (512, 0.25)


@pytest.mark.parametrize("value", [0, 1, 0.0, 1.0, np.float32(0.5), np.float64(0.5)])
def test_probabilities_may_be_any_kind_of_number(value: float) -> None:
    assert Detector(lambda rate: Fake(lambda frame: value), RATE).probability(FRAME) == float(value)


def test_no_detector_is_none_and_nobody_is_warned(caplog: pytest.LogCaptureFixture) -> None:
    detector = Detector(None, RATE)
    assert not detector.there
    assert detector.probability(FRAME) is None
    assert not caplog.records


@pytest.mark.parametrize("error", [ImportError("no such library"), InputError("needs 16000 Hz"), SystemExit(1), ValueError()])
def test_a_detector_that_cannot_be_made_is_given_up_with_a_warning(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    detector = Detector(raising(error), RATE)
    assert not detector.there
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "the decoder alone" in caplog.text


@pytest.mark.parametrize("frame_samples", [0, -1, RATE + 1, 512.0, "512", None, True])
def test_a_frame_of_an_impossible_size_is_given_up(frame_samples: object, caplog: pytest.LogCaptureFixture) -> None:
    assert not Detector(lambda rate: Fake(frame_samples=frame_samples), RATE).there
    assert "a frame must have 1 to 16000 samples, got" in caplog.text


@pytest.mark.parametrize("value", [float("nan"), -0.1, 1.1, float("inf"), "0.5", None, np.zeros(2)])
def test_nonsense_is_given_up_once_and_for_all(value: object, caplog: pytest.LogCaptureFixture) -> None:
    answers = iter([0.25, value])
    detector = Detector(lambda rate: Fake(lambda frame: next(answers)), RATE)
    assert [detector.probability(FRAME) for _ in range(4)] == [0.25, None, None, None]
    assert not detector.there
    assert len(caplog.records) == 1
    assert "a probability must lie in 0..1, got" in caplog.text


@pytest.mark.parametrize("error", [RuntimeError("secret words"), SystemExit(2), KeyError("x")])
def test_a_detector_that_raises_is_given_up_and_its_message_kept_to_itself(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    detector = Detector(lambda rate: Fake(raising(error)), RATE)
    assert detector.probability(FRAME) is None
    assert not detector.there
    assert type(error).__name__ in caplog.text
    assert "secret" not in caplog.text
