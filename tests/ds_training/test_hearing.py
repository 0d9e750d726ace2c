"""Listeners: a network in PyTorch, a bundle through the engine."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ds_engine.errors import BundleError
from ds_engine.features import FloatArray, LogMel, LogMelSpec
from ds_training.checkpoint import save_checkpoint
from ds_training.corpus import CorpusError, log_power, read_samples
from ds_training.hearing import greedy, listener, log_probs, searching, transcripts
from ds_training.model import BlockSpec, Network, NetworkSpec
from ds_training.text import SYMBOLS
from ds_training.trials import MelPower, Samples
from tests.ds_engine import bundles
from tests.ds_engine.bundles import EN_SMALL

MEL = LogMel(LogMelSpec())
SAMPLES = [Samples(read_samples(path, 16_000), 16_000) for path in sorted((EN_SMALL.parents[1] / "samples").glob("*.wav"))]
TINY = NetworkSpec((BlockSpec(80, 8, 5, 2, 1), BlockSpec(8, 8, 5, 2, 1)), width=6)


def rows_saying(text: str) -> FloatArray:
    columns = [column for letter in text for column in (SYMBOLS.index(letter), 0)]
    rows = np.full((len(columns), len(SYMBOLS)), np.log(0.01), np.float32)
    rows[np.arange(len(columns)), columns] = np.log(0.7)
    return rows


def checkpoint(path: Path, spec: NetworkSpec = TINY) -> Path:
    torch.manual_seed(1)
    save_checkpoint(path, {"spec": spec.to_json(), "weights": Network(spec).state_dict()})
    return path


def test_greedy_writes_what_is_there() -> None:
    assert greedy(SYMBOLS)(rows_saying("turm on the light")) == "turm on the light"


def test_the_search_of_a_bundle_knows_words() -> None:
    assert searching(EN_SMALL)(rows_saying("turm on the light")) == "turn on the light"


def test_pytorch_and_the_engine_hear_the_same_in_recordings() -> None:
    network, engine = listener(EN_SMALL / "model.onnx", MEL), listener(EN_SMALL, MEL, alone=True)
    heard = network.hear(SAMPLES)
    assert heard == engine.hear(SAMPLES)
    assert all(heard)


def test_the_search_of_a_bundle_is_its_own_unless_it_is_left_out() -> None:
    searched = listener(EN_SMALL, MEL)
    assert searched.hear(SAMPLES) == listener(EN_SMALL / "model.onnx", MEL, search=EN_SMALL).hear(SAMPLES)
    assert searched.hear(SAMPLES) != listener(EN_SMALL, MEL, alone=True).hear(SAMPLES)


def test_a_network_hears_shards_and_recordings_alike() -> None:
    network = listener(EN_SMALL / "model.onnx", MEL)
    assert network.hear(SAMPLES) == network.hear([MelPower(log_power(MEL, sound.values)) for sound in SAMPLES])


def test_the_engine_needs_samples() -> None:
    with pytest.raises(CorpusError, match=r"needs samples of recordings.*model\.onnx"):
        listener(EN_SMALL, MEL).hear([MelPower(np.zeros((3, 80), np.float16))])


def test_the_engine_takes_minutes_nothing_and_what_passes_full_scale(tmp_path: Path) -> None:
    toy = listener(bundles.write(tmp_path / "toy"), MEL, alone=True)
    sounds = [np.zeros(0, np.float32), np.full(100, 7, np.float32), np.zeros(70 * 16_000, np.float32)]
    assert len(toy.hear([Samples(values, 16_000) for values in sounds])) == 3


def test_a_zip_is_a_bundle_too(tmp_path: Path) -> None:
    toy = bundles.write(tmp_path / "toy")
    zipped = listener(bundles.zipped(toy), MEL, alone=True)
    assert zipped.hear(SAMPLES[:1]) == listener(toy, MEL, alone=True).hear(SAMPLES[:1])


def test_names_tell_model_and_decoding_but_not_where_they_lie(tmp_path: Path) -> None:
    (tmp_path / "run1").mkdir()
    path = checkpoint(tmp_path / "run1/last.pt", NetworkSpec(TINY.blocks, TINY.width, SYMBOLS))
    assert listener(path, MEL).name == "run1/last.pt"
    assert listener(path, MEL, search=EN_SMALL).name == "run1/last.pt, search of en-small"
    toy = bundles.write(tmp_path / "toy")
    assert [listener(toy, MEL, alone=alone).name for alone in (True, False)] == ["toy 1, greedy", "toy 1, kernel"]


def test_a_listener_writes_with_the_alphabet_of_its_model(tmp_path: Path) -> None:
    symbols = ("<blank>", " ", "a", "é")
    network = listener(checkpoint(tmp_path / "c.pt", NetworkSpec(TINY.blocks, TINY.width, symbols)), MEL)
    assert network.orthography.plain("É a") == "é a"


def test_a_search_for_another_alphabet_is_refused(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "c.pt", NetworkSpec(TINY.blocks, TINY.width, ("<blank>", " ", "a", "b")))
    with pytest.raises(CorpusError, match="another alphabet"):
        listener(path, MEL, search=EN_SMALL)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"manifest\.json"):
        listener(tmp_path, MEL)
    shutil.copy(EN_SMALL / "manifest.json", tmp_path)
    with pytest.raises(BundleError):
        listener(tmp_path, MEL)


def test_log_probs_come_in_the_order_of_the_utterances_whatever_stands_beside_them() -> None:
    torch.manual_seed(1)
    network = Network(TINY)
    powers = [np.random.default_rng(seed).normal(-3, 3, (length, 80)).astype(np.float16) for seed, length in enumerate((50, 1, 33))]
    together = log_probs(network, powers, MEL)
    assert [len(rows) for rows in together] == [(length + 40) // 4 for length in (50, 1, 33)]
    for power, rows in zip(powers, together, strict=True):
        (alone,) = log_probs(network, [power], MEL)
        assert np.abs(alone - rows).max() < 1e-4
    assert transcripts(network, powers, MEL) == [greedy(SYMBOLS)(rows) for rows in together]
    assert log_probs(network, [], MEL) == transcripts(network, [], MEL) == []
