"""The confidence stage on a toy bundle: evidence, weights, figures and the manifest."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jiwer")
import soundfile

from ds_engine.bias import Bias
from ds_engine.bundle import Bundle
from ds_engine.decoder import DecoderContext, Timing
from ds_engine.search.confidence import EVIDENCE, KNOWN, Confidence
from ds_engine.search.decoder import KernelDecoder
from ds_engine.search.timeline import Calibration
from ds_training.acceptance import decoded
from ds_training.confidence import LEAST_WORDS, Heard, figures, fit, hear, main, right_words, write
from ds_training.logistic import probabilities
from ds_training.posteriors import Posteriors
from tests.ds_engine import bundles

STEP = 0.04  # s
WEIGHTS = {name: 0.2 * number - 0.4 for number, name in enumerate(KNOWN)}


def narrow(manifest: dict[str, Any]) -> None:
    """A search that takes no time."""
    manifest["calibration"]["search"] = {"beam": 12, "threshold": 6.0}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> DecoderContext:
    bundle = Bundle.open(bundles.write(tmp_path_factory.mktemp("toy") / "bundle", edit=narrow))
    return DecoderContext(bundle.manifest.alphabet, Timing(STEP), bundle)


def noisy(text: str, seed: int, symbols: tuple[str, ...] = bundles.SYMBOLS) -> Posteriors:
    columns = [column for letter in text for column in (symbols.index(letter), 0)]
    logits = np.random.default_rng(seed).normal(0, 1.5, (len(columns), len(symbols)))
    logits[np.arange(len(columns)), columns] += 4
    log_probs = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
    return Posteriors(log_probs, text, len(columns) * STEP)


def utterances(count: int, seed: int) -> list[Posteriors]:
    random = np.random.default_rng(seed)
    texts = [" ".join("".join(random.choice(list("abc"), int(random.integers(1, 4)))) for _ in range(6)) for _ in range(count)]
    return [noisy(text, seed + number) for number, text in enumerate(texts)]


def made(count: int, seed: int) -> Heard:
    """Words of which the shares alone tell whether they are right."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(count, len(EVIDENCE)))
    right = random.random(count) < probabilities(1.5 * numbers[:, 0] + 0.5)
    return Heard(numbers, random.random(count), right, np.arange(count) // 5)


def test_the_evidence_of_a_word_is_what_its_probability_is_made_of(context: DecoderContext) -> None:
    """Words that were settled long before the end among them."""
    heard = [*utterances(3, 1), noisy("ab ba c " * 40 + "a", 9)]
    found = hear(context, heard)
    plain = KernelDecoder.make(context)
    calibrated = Calibration(confidence=Confidence(WEIGHTS))
    decoder = KernelDecoder(context.alphabet, context.timing, plain.vocabulary, plain.policy, calibrated)
    words = [word for each in heard for word in decoded(decoder, each, Bias())[0].words]
    assert found.probabilities(WEIGHTS).tolist() == pytest.approx([word.confidence for word in words])
    uncalibrated = [word for each in heard for word in decoded(plain, each, Bias())[0].words]
    assert found.evenness.tolist() == pytest.approx([word.confidence for word in uncalibrated])
    assert len(found.right) == len(words) == len(found.utterances)
    assert set(found.utterances.tolist()) == {0, 1, 2, 3}


def test_words_are_right_where_they_match_what_was_said(context: DecoderContext) -> None:
    assert right_words(["turn", "of", "the", "light"], "turn off the light") == [True, False, True, True]
    assert right_words(["the", "turn", "light"], "turn the light") == [False, True, True]
    assert right_words([], "turn") == []
    assert right_words(["turn"], "") == [False]
    heard = [noisy("ab c ba", 1), noisy("ab c ba", 1)]
    changed = [heard[0], Posteriors(heard[1].log_probs, "ab b ba", heard[1].seconds)]
    found = hear(context, changed)
    assert found.right.tolist() == [True, True, True, True, False, True]


def test_what_speaks_for_a_word_gets_a_positive_weight() -> None:
    weights = fit(made(4000, 1))
    assert set(weights) == set(KNOWN)
    assert weights["share"] == pytest.approx(1.5, abs=0.2)
    assert weights["bias"] == pytest.approx(0.5, abs=0.15)
    assert all(abs(weights[name]) < 0.15 for name in EVIDENCE if name != "share")


def test_probabilities_hold_for_others() -> None:
    told = figures(made(4000, 2), fit(made(4000, 1)))
    assert told["words"]["auc"] > 0.75
    assert told["words"]["ece"] < 0.03
    assert told["words_uncalibrated"]["auc"] == pytest.approx(0.5, abs=0.03)
    assert told["utterances"]["count"] == 800
    assert told["utterances"]["ece_by_count"] < 0.05
    assert told["utterances"]["correlation"] > 0.3


def test_too_few_words_or_one_kind_of_them_are_refused() -> None:
    with pytest.raises(ValueError, match=f"at least {LEAST_WORDS} words to be fitted on, got 7"):
        fit(made(7, 1))
    same = made(200, 1)
    with pytest.raises(ValueError, match="both kinds"):
        fit(Heard(same.evidence, same.evenness, np.ones(200, bool), same.utterances))


def test_nothing_was_recognised(context: DecoderContext) -> None:
    silence = Posteriors(np.log(np.array([[0.9996, 1e-4, 1e-4, 1e-4, 1e-4]] * 9, np.float32)), "a", 0.4)
    found = hear(context, [silence])
    assert found.evidence.shape == (0, len(EVIDENCE))
    assert len(found.right) == len(found.evenness) == 0
    assert hear(context, []).evidence.shape == (0, len(EVIDENCE))


def test_the_manifest_keeps_everything_else(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path / "bundle")
    before = json.loads((folder / "manifest.json").read_text())
    write(folder, WEIGHTS)
    assert Confidence.of(Bundle.open(folder).manifest) == Confidence(WEIGHTS)
    after = json.loads((folder / "manifest.json").read_text())
    assert {**after, "calibration": before["calibration"]} == before
    assert {**after["calibration"], "confidence": None} == {**before["calibration"], "confidence": None}


def recordings(folder: Path, name: str, seed: int) -> Path:
    """A manifest of tones, in which the toy network hears many words."""
    random = np.random.default_rng(seed)
    lines = ["file\tspeaker\ttext"]
    for number in range(6):
        tones = [random.uniform(0.01, 0.5) * np.sin(np.arange(800) * random.uniform(0.05, 3.0)) for _ in range(60)]  # of 50 ms
        soundfile.write(folder / f"{name}{number}.wav", np.concatenate(tones), 16_000)
        lines.append(f"{name}{number}.wav\t{number % 3}\t{' '.join(random.choice(['a', 'b', 'c', 'ab'], 40))}")
    (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    (folder / "split.tsv").write_text("speaker\tpart\n0\tcalibration\n1\tdevelopment\n2\ttest\n")
    return folder / f"{name}.tsv"


def test_the_command_fits_draws_and_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    folder = bundles.write(tmp_path / "bundle", edit=narrow)
    train, test = recordings(tmp_path, "train", 1), recordings(tmp_path, "test", 2)
    parts = ["--split", str(tmp_path / "split.tsv"), "--part", "calibration", "--part", "development", "--also", str(test)]
    command = ["confidence", str(folder), str(train), *parts, "--test", str(test), "--plot", str(tmp_path / "out.png")]
    before = (folder / "manifest.json").read_text()
    monkeypatch.setattr(sys, "argv", [*command, "--dry-run"])
    main()
    dry = json.loads(capsys.readouterr().out)
    assert (folder / "manifest.json").read_text() == before
    monkeypatch.setattr(sys, "argv", command)
    main()
    told = json.loads(capsys.readouterr().out)
    assert told == dry
    assert set(told) == {"confidence", "fitted", "test"}
    assert told["fitted"]["words"]["count"] > told["test"]["words"]["count"] > 0  # four of the one, and all of the other
    assert json.loads((folder / "manifest.json").read_text())["calibration"]["confidence"] == told["confidence"]
    assert (tmp_path / "out.png").exists()
