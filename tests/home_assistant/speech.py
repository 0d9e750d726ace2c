"""What somebody says: text in, PCM of 16 kHz, 16 bits, mono out, by Debian's espeak-ng."""

from __future__ import annotations

import io
import shutil
import subprocess

import numpy as np
import pytest
import soundfile
import soxr

from ds_engine.audio import AudioFormat

RATE = AudioFormat().rate  # Hz
VOICE = "en-us"
WORDS_PER_MINUTE = 150

needs_voice = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")


def spoken(text: str) -> bytes:
    """The text, with half a second of silence around it."""
    command = ["espeak-ng", "-v", VOICE, "-s", str(WORDS_PER_MINUTE), "--stdout", text]
    wav = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
    quiet = np.zeros(RATE // 2, np.float32)
    heard = np.concatenate([quiet, soxr.resample(samples, rate, RATE), quiet])
    return (heard.clip(-1.0, 1.0) * 32_767).astype("<i2").tobytes()
