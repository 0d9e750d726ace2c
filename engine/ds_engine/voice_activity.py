"""Voice activity: samples in, for every frame the probability that somebody speaks in it. The contract of a detector, and its door.

A detector is made anew for every utterance. It is a help, never a need: one that cannot be made, fails or returns nonsense is given
up for this utterance with a warning, and the utterance goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ds_engine.errors import PluginError, kind_and_place

if TYPE_CHECKING:
    from ds_engine.features import FloatArray

MAX_FRAME_SECONDS = 1.0

_log = logging.getLogger(__name__)


class VoiceActivity(Protocol):
    """A voice detector with the memory of one utterance."""

    @property
    def frame_samples(self) -> int:
        """Samples of a frame; at most MAX_FRAME_SECONDS of them."""
        ...

    def probability(self, frame: FloatArray) -> float:
        """float32 [frame_samples], the frames of an utterance in order -> probability of speech in [0, 1]."""
        ...


VoiceActivityFactory = Callable[[int], VoiceActivity]  # takes the sample rate in Hz; raises where it does not know that rate


class Detector:
    """A detector behind its door. `probability` gives None from the moment that there is none."""

    def __init__(self, factory: VoiceActivityFactory | None, rate: int) -> None:
        self._detector: VoiceActivity | None = None
        self.frame_samples = 0  # without a detector there are no frames
        if factory is None:
            return
        try:
            detector = factory(rate)
            self.frame_samples = _checked_frame(detector.frame_samples, rate)
            self._detector = detector
        except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's code may raise anything
            self._give_up(error)

    @property
    def there(self) -> bool:
        """False without a detector, and once it has failed."""
        return self._detector is not None

    def probability(self, frame: FloatArray) -> float | None:
        """float32 [frame_samples] -> probability of speech, or None."""
        if self._detector is None:
            return None
        try:
            return _checked_probability(self._detector.probability(frame))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            self._give_up(error)
            return None

    def _give_up(self, error: BaseException) -> None:
        self._detector = None
        why = str(error) if isinstance(error, PluginError) else kind_and_place(error)
        _log.warning("voice activity: %s; the decoder alone tells when speech ends", why)


def _checked_frame(samples: int, rate: int) -> int:
    if type(samples) is not int or not 0 < samples <= rate * MAX_FRAME_SECONDS:
        raise PluginError(f"a frame must have 1 to {rate * MAX_FRAME_SECONDS:.0f} samples, got {samples!r:.40}")
    return samples


def _checked_probability(value: float) -> float:
    if not isinstance(value, float | int | np.floating) or not 0 <= value <= 1:
        raise PluginError(f"a probability must lie in 0..1, got {value!r:.40}")
    return float(value)
