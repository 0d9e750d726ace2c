"""What the measurements feed, and that their figures are those of the clock."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ds_engine.audio import AudioFormat
from ds_engine.errors import AudioError
from ds_plugin import measurement
from ds_plugin.measurement import Clip, final_latency, load_clip, measure, peak_memory_mib, real_time_factor
from tests.ds_engine.fakes import said
from tests.ds_plugin.helpers import hosted, plugin

CLIP = Clip(AudioFormat(), said("on"))


@pytest.mark.parametrize("seconds", [0.001, 0.02, 0.08, 1.234])
def test_a_clip_is_repeated_and_cut(seconds: float) -> None:
    longer = CLIP.lasting(seconds)
    assert len(longer.data) == CLIP.source.bytes_for(seconds)
    assert longer.data == (CLIP.data * 100)[: len(longer.data)]


def test_the_sample_is_there() -> None:
    clip = load_clip()
    assert clip.source.seconds(len(clip.data)) > 1
    with pytest.raises(AudioError):
        load_clip(Path("/nowhere"))


async def test_a_short_measurement_has_every_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "SHORT_SECONDS", 0.1)
    monkeypatch.setattr(measurement, "LONG_SECONDS", 0.2)
    opened: list[str] = []
    async with hosted(plugin(ds_utterance_started=lambda utterance: opened.append(utterance.origin))) as host:
        figures = await measure(host, CLIP, 3)
    assert opened == ["benchmark"] * 6
    assert figures.streams == 3
    assert figures.streams_per_core == pytest.approx(1 / figures.rtf)
    timed = {name: value for name, value in figures.as_json().items() if name not in {"bundle_mb", "largest_mb", "look_ahead"}}
    assert all(value > 0 for value in timed.values())
    assert (figures.bundle_mb, figures.largest_mb, figures.look_ahead) == (0, 0, host.engine.recognizer.model.timing.delay)  # no files


async def test_a_piece_is_fed_when_it_would_have_been_spoken() -> None:
    async with hosted() as host:
        loop = asyncio.get_running_loop()
        began = loop.time()
        latency = await final_latency(host, CLIP.lasting(0.2))
        assert loop.time() - began >= 0.2 - measurement.PIECE_SECONDS
        assert 0 < latency < 0.2 + loop.time() - began
        assert await real_time_factor(host, CLIP) > 0


def test_memory_is_of_this_process() -> None:
    assert 10 < peak_memory_mib() < 100_000
