"""The lag stage on a network that writes tones a known while after they were heard."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ds_engine.bundle import Bundle
from ds_engine.search.timeline import Lag
from ds_training import lag
from ds_training.corpus import Recording
from ds_training.lag import Lateness, lateness, main, write
from ds_training.timed_speech import HELD_OUT, Timed
from tests.ds_engine import bundles
from tests.ds_engine.fakes import CHARACTERS, ROW, ReplayModel

LETTERS = "abc"


@dataclass(frozen=True)
class Sentence:
    """Words of the letters, each symbol so many rows long."""

    words: tuple[str, ...]
    rows: int


def recorded(sentence: Sentence, folder: Path, model: ReplayModel, early: int) -> Timed:
    """A recording from which ReplayModel reads the sentence, and times that lie `early` rows before."""
    levels, times = [0] * 10, []
    for word in sentence.words:
        begin = len(levels)
        for letter in word:
            levels += [CHARACTERS.symbols.index(letter)] * sentence.rows + [0]
        times.append(((begin - early) * step(model), (len(levels) - 1 - early) * step(model)))
        levels += [CHARACTERS.symbols.index(" "), 0]
    samples = np.repeat(np.array(levels) / 64, ROW).astype(np.float32)
    path = folder / f"{'-'.join(sentence.words)}.wav"
    soundfile.write(path, samples, model.sample_rate, subtype="FLOAT")
    return Timed(Recording(path, " ".join(sentence.words)), tuple(times))


def step(model: ReplayModel) -> float:
    return float(model.timing.step)


@pytest.mark.parametrize("early", [0, 3, 5])
def test_the_lag_is_found(tmp_path: Path, early: int) -> None:
    model = ReplayModel()
    speech = [recorded(Sentence(words, rows), tmp_path, model, early) for words, rows in ((("ab", "c", "ba"), 2), (("cab", "a"), 1))]
    found = lateness(model, CHARACTERS, speech)
    late = early * step(model) - model.timing.delay
    assert len(found.starts) == len(found.ends) == 5
    assert found.starts.tolist() == pytest.approx([late] * 5, abs=1e-6)
    assert found.ends.tolist() == pytest.approx([late] * 5, abs=1e-6)
    assert found.median() == Lag(round(late, 3), round(late, 3))


def test_the_lag_of_most_words_counts() -> None:
    found = Lateness(np.array([0.2, 0.21, 0.22, 9.0]), np.array([0.1004] * 4))
    assert found.median() == Lag(0.215, 0.1)


def test_no_speech_has_no_lag() -> None:
    with pytest.raises(ValueError, match="needs speech, got none"):
        lateness(ReplayModel(), CHARACTERS, [])


def test_the_manifest_keeps_everything_else(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path / "bundle")
    before = json.loads((folder / "manifest.json").read_text())
    write(folder, Lag(0.2, 0.125))
    assert Lag.of(Bundle.open(folder).manifest) == Lag(0.2, 0.125)
    after = json.loads((folder / "manifest.json").read_text())
    assert {**after, "calibration": before["calibration"]} == before


def test_the_command_writes_what_it_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    folder = bundles.write(tmp_path / "bundle")
    asked: list[tuple[tuple[str, ...], int, int]] = []

    def measured(_: Path, voices: Sequence[str], sentences: int, seed: int) -> Lateness:
        asked.append((tuple(voices), sentences, seed))
        return Lateness(np.array([0.2, 0.3]), np.array([0.1, 0.1]))

    monkeypatch.setattr(lag, "measure", measured)
    before = (folder / "manifest.json").read_text()
    monkeypatch.setattr(sys, "argv", ["lag", str(folder), "--dry-run"])
    main()
    assert (folder / "manifest.json").read_text() == before
    monkeypatch.setattr(sys, "argv", ["lag", str(folder), "--voice", "kal_diphone", "--sentences", "7", "--seed", "3"])
    main()
    assert asked == [(lag.VOICES, 40, 1), (("kal_diphone",), 7, 3)]
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last == {"times": {"start": 0.25, "end": 0.1}, "words": 2, "start_deviation": 0.05, "end_deviation": 0.0}
    assert Lag.of(Bundle.open(folder).manifest) == Lag(0.25, 0.1)


@pytest.mark.parametrize("voice", HELD_OUT)
def test_voices_that_are_held_out_are_refused(tmp_path: Path, voice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert voice not in lag.VOICES
    monkeypatch.setattr(sys, "argv", ["lag", str(tmp_path), "--voice", voice])
    with pytest.raises(SystemExit):
        main()
