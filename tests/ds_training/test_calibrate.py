"""The calibration stage on posteriors that are made to need a language model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ds_engine.alphabet import Alphabet
from ds_engine.bundle import Bundle
from ds_engine.decoder import Timing
from ds_engine.greedy import GreedyDecoder
from ds_engine.lm.counts import count, encode
from ds_engine.lm.estimation import estimate
from ds_engine.lm.files import searchable
from ds_engine.search.policy import SearchPolicy
from ds_engine.search.sources import of_ngram
from ds_training.calibrate import TOLERANCE, Tuning, measure, tune, write
from ds_training.corpus import Recording
from ds_training.posteriors import Posteriors, posteriors
from tests.ds_engine import bundles
from tests.ds_engine.fakes import CHARACTERS, ReplayModel

SENTENCES = ("turn on the light", "turn off the light", "turn on the bed light", "what time is it now")


def noisy(text: str, alphabet: Alphabet, seed: int) -> Posteriors:
    columns = [column for letter in text for column in (alphabet.symbols.index(letter), alphabet.blank)]
    logits = np.random.default_rng(seed).normal(0, 2.2, (len(columns), len(alphabet.symbols)))
    logits[np.arange(len(columns)), columns] += 4
    log_probs = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
    return Posteriors(log_probs, text, len(columns) * 0.04)


@pytest.fixture(scope="module")
def tuning() -> Tuning:
    model = searchable(estimate(count(encode(sentence.split() for sentence in SENTENCES), 3)))
    heard = [noisy(sentence, CHARACTERS, seed) for seed, sentence in enumerate(SENTENCES * 2)]
    return Tuning(CHARACTERS, Timing(0.04), of_ngram(model, CHARACTERS), heard)


def test_tuned_settings_are_better_than_greedy_and_stay_within_the_tolerance_of_the_best(tuning: Tuning) -> None:
    settings, figures = tune(tuning)
    greedy = measure(GreedyDecoder(CHARACTERS, Timing(0.04)), tuning.heard)
    assert figures.wer < greedy.wer
    SearchPolicy.of(settings)
    again = measure(tuning.decoder(settings), tuning.heard)
    assert (again.wer, again.cer) == (figures.wer, figures.cer)
    costly = {name: value for name, value in settings.items() if name in {"alpha", "beta"}}
    assert figures.wer <= measure(tuning.decoder(costly), tuning.heard).wer * (1 + TOLERANCE)


def test_the_manifest_keeps_everything_else(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path / "bundle")
    before = json.loads((folder / "manifest.json").read_text())
    write(folder, {"alpha": 0.9, "beam": 64})
    opened = Bundle.open(folder)
    assert opened.manifest.calibration.values["search"] == {"alpha": 0.9, "beam": 64}
    after = json.loads((folder / "manifest.json").read_text())
    assert {**after, "calibration": before["calibration"]} == before


def test_posteriors_are_what_the_stream_heard(tmp_path: Path) -> None:
    import soundfile

    model = ReplayModel()
    levels = np.repeat(np.array([3, 4, 0, 5] * 3) / 64, 160).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", levels, model.sample_rate, subtype="FLOAT")
    recordings = [Recording(tmp_path / "a.wav", "b c d"), Recording(tmp_path / "a.wav", "again")]
    first, second = posteriors(model, recordings)
    assert (first.text, second.text) == ("b c d", "again")
    assert first.seconds == pytest.approx(len(levels) / model.sample_rate)
    assert np.array_equal(first.log_probs, second.log_probs)
    assert first.log_probs[:4].argmax(axis=1).tolist() == [3, 4, 0, 5]
