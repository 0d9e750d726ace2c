"""Recordings of people, where there are some: DS_PLUGIN_SPEECH names a manifest (columns file and text), or a folder with test.tsv."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ds_engine.audio import AudioFormat
from tests.ds_wyoming.serving import plain_text, serving_model, transcribed

SPEECH = os.environ.get("DS_PLUGIN_SPEECH")
RECORDINGS = 5

pytestmark = pytest.mark.skipif(not SPEECH, reason="DS_PLUGIN_SPEECH names no recordings of people")


def recordings() -> list[Path]:
    manifest = Path(SPEECH or "")
    manifest = manifest / "test.tsv" if manifest.is_dir() else manifest
    with manifest.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [manifest.parent / row["file"] for row in rows[:: max(1, len(rows) // RECORDINGS)][:RECORDINGS]]


async def test_recordings_of_people_give_the_text_that_the_host_hears() -> None:
    async with serving_model() as (address, host):
        for path in recordings():
            samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
            source, audio = AudioFormat(rate, 2, samples.shape[1]), np.ascontiguousarray(samples).tobytes()
            wanted = await plain_text(host, source, audio)
            for seconds in (0.01, 0.2, 60.0):
                assert await transcribed(address, audio, source, source.bytes_for(seconds)) == wanted
