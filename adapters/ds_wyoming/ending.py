"""Where the server tells when a speaker has finished: its option and what a client wishes in, what an utterance is opened with out."""

from __future__ import annotations

from ds_engine.endpoint import PRESETS
from ds_engine.listener import Endpointing
from ds_plugin.vad import OFF, voice_activity

_WISHES = {"relaxed": "patient", "aggressive": "quick"}  # `vad_sensitivity` of `transcribe`; anything else is "default"


class Ending:
    """The option `endpoint`, ready for use. It is asked once for every utterance."""

    def __init__(self, preset: str) -> None:
        """`preset` is one of PRESETS, or OFF. Without a voice detector the log says so, once."""
        self._usual = preset
        detector = voice_activity() if self.on else None
        self._presets = {name: Endpointing(settings, detector) for name, settings in PRESETS.items()}

    @property
    def on(self) -> bool:
        """False where clients tell themselves when speech has ended."""
        return self._usual != OFF

    def chosen(self, sensitivity: str | None) -> Endpointing | None:
        """What serves the client's wish best; None where endpointing is off, whatever it wishes."""
        return self._presets[_WISHES.get(sensitivity or "", self._usual)] if self.on else None
