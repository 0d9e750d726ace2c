"""Synthetic utterances, from a synthesiser that is faked: it writes tones."""

# ruff: noqa: S311  # draws that anybody can repeat

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ds_engine.features import LogMel, LogMelSpec
from ds_training.synthesis import Voice, shard, utterances, voices

MEL = LogMel(LogMelSpec())


def tones(texts: Sequence[str], rng: random.Random, folder: Path) -> None:
    """A second of tone for each text, a very short one for "hush", none for "mute"."""
    for index, text in enumerate(texts):
        seconds = 0.05 if text == "hush" else 1.0
        if text != "mute":
            soundfile.write(folder / f"{index}.wav", np.sin(np.arange(int(22_050 * seconds)) / 9) * 0.2, 22_050)


def broken(texts: Sequence[str], rng: random.Random, folder: Path) -> None:
    raise subprocess.CalledProcessError(1, ["broken"])


def test_what_could_not_be_said_or_was_too_short_is_left_out() -> None:
    spoken = list(utterances(Voice("tones", 1, tones), ["hello", "mute", "hush", "bye"], random.Random(1), MEL))
    assert [(item.text, item.speaker) for item in spoken] == [("hello", "tones"), ("bye", "tones")]


def test_a_synthesiser_that_fails_is_reported_and_gives_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert not list(utterances(Voice("broken", 1, broken), ["hello"], random.Random(1), MEL))
    assert "broken failed" in capsys.readouterr().out


def test_a_shard_has_its_size_and_is_the_same_for_the_same_seed() -> None:
    first, again = (shard(iter(["one", "two", "three four"] * 9), [Voice("tones", 1, tones)], random.Random(2), MEL, 10) for _ in range(2))
    assert len(first) == 10
    assert all(np.array_equal(one.log_power, other.log_power) for one, other in zip(first, again, strict=True))


def test_the_held_out_voice_of_the_english_model_can_be_named() -> None:
    assert "festival:ked_diphone" in {voice.name for voice in voices()}
