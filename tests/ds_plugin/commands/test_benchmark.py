from __future__ import annotations

import pytest

from ds_plugin.commands.benchmark import _readable
from ds_plugin.measurement import Measurement
from tests.ds_plugin.command_line import run


def test_the_readable_form_has_every_figure() -> None:
    text = _readable(Measurement(0.005, 200, 0.0041, 0.0042, 8, 0.0243, 111.4, 0.25, 14.7, 8.87))
    assert [word for word in text.split() if word in {"0.0050", "(200", "4.1", "4.2", "8", "24.3", "111", "250", "14.7", "8.9"}] == [
        "0.0050", "(200", "4.1", "4.2", "8", "24.3", "111", "14.7", "8.9", "250",
    ]  # fmt: skip


@pytest.mark.parametrize("streams", ["0", "65", "many"])
def test_an_impossible_number_of_streams_is_refused(streams: str) -> None:
    done = run("benchmark", "--streams", streams)
    assert (done.returncode, "--streams" in done.stderr) == (2, True)


def test_audio_that_is_none_is_refused_before_anything_is_measured() -> None:
    assert run("benchmark", "--audio", "gone.wav").returncode == 2
