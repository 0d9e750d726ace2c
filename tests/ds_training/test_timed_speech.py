"""Synthetic speech with known times, against festival's own tables and its waves."""

from __future__ import annotations

import random
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("hassil")
pytest.importorskip("home_assistant_intents")
import numpy as np
import soundfile

from ds_training.diphones import DIPHONES, Delivery, segments
from ds_training.timed_speech import HELD_OUT, WORDS, commands, spoken, times_of

TURN, LAMP = ("t", "ˈɜː", "n"), ("l", "ˈæ", "m", "p")


def test_commands_are_short_different_and_the_same_for_a_seed() -> None:
    found = commands(30, 1)
    assert len(set(found)) == 30
    assert all(WORDS[0] <= len(text.split()) <= WORDS[1] and text.replace(" ", "").isalpha() for text in found)
    assert found == commands(30, 1) != commands(30, 2)


@pytest.mark.parametrize("name", DIPHONES)
@pytest.mark.parametrize("pauses", [0.0, 1.0])
def test_words_lie_in_the_segments_that_were_made_of_them(name: str, pauses: float) -> None:
    voice = DIPHONES[name]
    delivery = Delivery(1.0, 1.0, 120.0, 0.0, 0.0, pauses)
    found = segments([TURN, LAMP, TURN], voice, delivery, random.Random(1))  # noqa: S311  # a draw that anybody can repeat
    times = times_of([TURN, LAMP, TURN], found, voice)
    edges = np.cumsum([0.0, *(seconds for _, seconds, _ in found)])
    silent = [place for place, (letter, _, _) in enumerate(found) if letter == voice.pause]
    assert len(silent) == 2 + 2 * bool(pauses)
    assert times[0][0] == pytest.approx(edges[1])
    assert times[-1][1] == pytest.approx(edges[-2])
    gaps = [later[0] - earlier[1] for earlier, later in pairwise(times)]
    assert gaps == pytest.approx([found[place][1] for place in silent[1:-1]] if pauses else [0.0, 0.0])


@pytest.mark.skipif(not (shutil.which("festival") and shutil.which("espeak-ng")), reason="needs festival and espeak-ng")
@pytest.mark.parametrize("voice", HELD_OUT)
def test_festival_says_words_at_their_times(voice: str, tmp_path: Path) -> None:
    texts = ["turn on the lamp", "anna's lamp is off", "close the door now"]
    found = list(spoken(voice, texts, 1, tmp_path))
    if not found:
        pytest.skip(f"needs festival's voice {voice}")
    assert {each.recording.text for each in found} >= {texts[0], texts[2]}
    for each in found:
        samples, rate = soundfile.read(each.recording.file)
        edges = [time for word in each.times for time in word]
        assert len(each.times) == len(each.recording.text.split())
        assert edges == sorted(edges)
        said = samples[round(edges[0] * rate) : round(edges[-1] * rate)]
        before = samples[: round((edges[0] - 0.05) * rate)]
        assert np.sqrt(np.mean(said**2)) > 5 * np.sqrt(np.mean(before**2))
        assert 0.0 < len(samples) / rate - edges[-1] < 0.4  # a pause at the end
    again = list(spoken(voice, texts, 1, tmp_path))
    assert [each.times for each in again] == [each.times for each in found]
