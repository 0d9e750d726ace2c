from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ds_engine.acoustic import RuntimeOptions
from ds_engine.audio import AudioFormat
from ds_engine.bundle import Bundle
from ds_engine.errors import BundleError
from ds_engine.features import FloatArray
from ds_engine.greedy import GreedyDecoder
from ds_engine.native import NativeModel
from ds_engine.recognizer import Recognizer
from tests.ds_engine import bundles
from tests.ds_engine.fakes import babble, cut, pcm16

OPTIONS = RuntimeOptions()


def load(folder: Path) -> NativeModel:
    return NativeModel(Bundle.open(folder), OPTIONS)


@pytest.fixture(scope="module")
def english() -> NativeModel:
    return load(bundles.EN_SMALL)


def rows_of(model: NativeModel, samples: FloatArray) -> FloatArray:
    state, rows, start = model.initial_state(), [], 0
    while len(samples) - start >= model.chunk_samples:
        log_probs, (state,) = model.step(samples[start : start + model.chunk_samples][None], [state])
        rows.append(log_probs[0])
        start += model.shift_samples
    return np.concatenate([*rows, model.flush(samples[start:], state)])


@pytest.mark.parametrize("states", [0, 1, 2])
def test_a_small_network_gives_log_probs_and_carries_its_states(tmp_path: Path, states: int) -> None:
    model = load(bundles.write(tmp_path / "toy", bundles.checked(bundles.network(states))))
    assert (model.sample_rate, model.chunk_samples, model.shift_samples, model.max_batch) == (16_000, 880, 640, 4)
    assert (model.timing.step, model.timing.delay) == (0.01, 0.02)
    rows = rows_of(model, babble(0.5))
    assert rows.shape[1] == len(bundles.SYMBOLS)
    np.testing.assert_allclose(np.exp(rows).sum(axis=1), 1, atol=1e-5)
    assert len(model.initial_state()) == states


@pytest.mark.parametrize("batch", ["batch", None])
@pytest.mark.parametrize("states", [0, 2])
def test_streams_stepped_together_come_out_as_alone(tmp_path: Path, states: int, batch: str | None) -> None:
    model = load(bundles.write(tmp_path / "toy", bundles.network(states, batch=batch)))
    chunks = np.stack([babble(0.055, seed, 0.1 + 0.2 * seed) for seed in range(4)])
    before = [model.step(chunks[i : i + 1], [model.initial_state()])[1][0] for i in range(4)]
    together, after = model.step(chunks, before)
    for i in range(4):
        alone, (state,) = model.step(chunks[i : i + 1], [before[i]])
        np.testing.assert_array_equal(together[i], alone[0])
        assert all(np.array_equal(a, b) for a, b in zip(state, after[i], strict=True))


def test_a_step_changes_no_state_in_place(english: NativeModel) -> None:
    state = english.initial_state()
    kept = [value.copy() for value in state]
    chunk = babble(1.0)[: english.chunk_samples][None]
    first, _ = english.step(chunk, [state])
    again, _ = english.step(chunk, [state])
    np.testing.assert_array_equal(first, again)
    assert all(np.array_equal(a, b) for a, b in zip(kept, state, strict=True))


@pytest.mark.parametrize("length", [0, 1, 399, 3_000])
def test_the_flush_covers_the_tail_and_the_look_ahead(english: NativeModel, length: int) -> None:
    rows = english.flush(babble(1.0)[:length], english.initial_state())
    assert np.isfinite(rows).all()
    assert len(rows) * english.timing.step >= length / english.sample_rate + english.timing.delay


@pytest.mark.parametrize("sizes", [[1, 7, 640], [3_200], [31]])
def test_the_bundled_model_streams_as_it_decodes_offline(english: NativeModel, sizes: list[int]) -> None:
    bundle = Bundle.open(bundles.EN_SMALL)
    recognizer = Recognizer.load(bundle, NativeModel, GreedyDecoder.make, OPTIONS)
    data = pcm16(babble(1.5, 3))
    streamed, offline = recognizer.stream(AudioFormat()), recognizer.stream(AudioFormat())
    for piece in cut(data, sizes):
        streamed.feed(piece)
    offline.feed(data)
    assert streamed.finish() == offline.finish()


def section(key: str, value: Any, *path: str) -> bundles.Edit:
    def edit(manifest: dict[str, Any]) -> None:
        values = manifest["acoustic"]
        for name in path:
            values = values[name]
        values[key] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (section("type", "mfcc", "features"), "type must be 'log-mel'"),
        (section("hop", 401, "features"), "contradicts itself"),
        (section("fft", 10**12, "features"), "contradicts itself"),
        (section("bands", 300, "features"), "contradicts itself"),
        (section("high_hz", 8_001, "features"), "contradicts itself"),
        (section("floor", 0, "features"), "contradicts itself"),
        (section("low_hz", float("nan"), "features"), "contradicts itself"),
        (section("bands", 0, "features"), "features.bands must be above zero"),
        (section("start_chunks", -1), "start_chunks must"),
        (section("start_chunks", 10**9), "start_chunks must"),
        (section("frames_per_step", 2), "the manifest says one for 2"),
        (section("chunk_frames", 5), "takes features"),
        (section("max_batch", "8"), "max_batch must be int"),
        (section("look_ahead_frames", None), "look_ahead_frames must be int"),
    ],
)
def test_a_manifest_at_odds_with_itself_or_the_network_is_named(tmp_path: Path, edit: bundles.Edit, told: str) -> None:
    with pytest.raises(BundleError, match=told):
        load(bundles.write(tmp_path / "toy", edit=edit))


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (b"", "cannot load it"),
        (b"not an ONNX file", "cannot load it"),
        (bundles.network()[:200], "cannot load it"),
        (bundles.network(feature_name="audio"), "unexpected inputs"),
        (bundles.network(bands=9), "takes features"),
        (bundles.network(symbols=4), r"gave float32 \[1, 4, 4\], needed float32 \[1, steps, 5\]"),
        (bundles.network(symbols=6), "needed float32"),
        (bundles.network(state_batch=1), "must have one dynamic axis"),
        (bundles.network(nan=True), "gave NaN"),
    ],
)
@pytest.mark.parametrize("start_chunks", [0, 1])
def test_a_network_at_odds_with_the_manifest_is_found_at_load(tmp_path: Path, network: bytes, told: str, start_chunks: int) -> None:
    with pytest.raises(BundleError, match=told):
        load(bundles.write(tmp_path / "toy", network, section("start_chunks", start_chunks)))


def test_a_network_that_fails_while_it_runs_is_a_bundle_error(tmp_path: Path) -> None:
    model = load(bundles.write(tmp_path / "toy"))
    wrong = (np.zeros((1, 2, 5), np.float32),)
    with pytest.raises(BundleError, match=r"^model"):
        model.step(np.zeros((1, 880), np.float32), [wrong])


def test_an_alphabet_of_another_size_is_found_at_load(tmp_path: Path) -> None:
    def shorter(manifest: dict[str, Any]) -> None:
        manifest["alphabet"]["symbols"].pop()

    with pytest.raises(BundleError, match="needed float32"):
        load(bundles.write(tmp_path / "toy", edit=shorter))
