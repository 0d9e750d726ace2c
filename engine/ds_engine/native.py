"""Family `native`: the streaming log-mel networks that ds_training exports, on ONNX Runtime.

The network maps features float32 [B, chunk_frames, bands] and states to log-probs float32 [B, steps, symbols] and new states;
its states are inputs `state_N` and outputs `next_state_N`. The utterance is taken to begin and end in digital silence:
`start_chunks` of it make the initial state, `end_frames` of it push the last word through the look-ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ds_engine.acoustic import RuntimeOptions, checked_log_probs, flush_by_silence
from ds_engine.decoder import Timing
from ds_engine.errors import BundleError
from ds_engine.features import FloatArray, LogMel, LogMelSpec
from ds_engine.onnx_session import first_line, open_session

if TYPE_CHECKING:
    from ds_engine.bundle import Bundle
    from ds_engine.manifest import Section

MODEL_FILE = "model.onnx"
MAX_START_CHUNKS = 1_000
MAX_FEATURE_SIZE = 65_536  # points or bands: what a manifest may make us allocate at load

NetworkState = tuple[FloatArray, ...]


class NativeModel:
    """See ds_engine.acoustic.AcousticModel."""

    def __init__(self, bundle: Bundle, options: RuntimeOptions) -> None:
        acoustic = bundle.manifest.acoustic
        self._features = LogMel(_log_mel_spec(acoustic))
        self._symbols = len(bundle.manifest.alphabet.symbols)
        self._chunk_frames = acoustic.positive("chunk_frames")
        self._end_frames = acoustic.positive("end_frames")
        self._network = _Network(bundle.read(MODEL_FILE), options, (self._chunk_frames, self._features.spec.bands))
        self.max_batch = acoustic.positive("max_batch")
        self.timing = _timing(acoustic, self._features.spec)
        self._initial = self._padded_start(acoustic.get("start_chunks", int), acoustic.positive("frames_per_step"))

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self._features.spec.sample_rate

    @property
    def chunk_samples(self) -> int:
        """Samples that `chunk_frames` frames cover."""
        return self._features.spec.samples_for(self._chunk_frames)

    @property
    def shift_samples(self) -> int:
        """Samples between the first frames of two steps."""
        return self._chunk_frames * self._features.spec.hop

    def initial_state(self) -> NetworkState:
        """The state after `start_chunks` of silence."""
        return self._initial

    def step(self, chunks: FloatArray, states: Sequence[NetworkState]) -> tuple[FloatArray, list[NetworkState]]:
        """See AcousticModel.step."""
        features = np.stack([self._features(chunk) for chunk in chunks])
        log_probs, after = self._network.run(features, states)
        return checked_log_probs(log_probs, len(chunks), self._symbols), after

    def flush(self, tail: FloatArray, state: NetworkState) -> FloatArray:
        """See AcousticModel.flush."""
        return flush_by_silence(self, tail, state, self._features.spec.samples_for(self._end_frames))

    def _padded_start(self, chunks: int, frames_per_step: int) -> NetworkState:
        if not 0 <= chunks <= MAX_START_CHUNKS:
            raise BundleError(f"manifest: acoustic.start_chunks must lie in 0..{MAX_START_CHUNKS}, got {chunks}")
        state = self._network.zero_state()
        silence = np.zeros((1, self.chunk_samples), np.float32)
        rows = self.step(silence, [state])[0].shape[1]  # tried once in any case: a network that cannot run is found at load
        if rows * frames_per_step != self._chunk_frames:
            raise BundleError(f"{MODEL_FILE}: {rows} rows for {self._chunk_frames} frames, the manifest says one for {frames_per_step}")
        for _ in range(chunks):
            _, (state,) = self.step(silence, [state])
        return state


class _Network:
    """An ONNX session whose states are stacked along the axis that the file calls `batch`."""

    def __init__(self, model: bytes, options: RuntimeOptions, frame_shape: tuple[int, int]) -> None:
        self._session = open_session(MODEL_FILE, model, options)
        inputs = {value.name: value for value in self._session.get_inputs()}
        outputs = {value.name for value in self._session.get_outputs()}
        count = sum(name.startswith("state_") for name in inputs)
        self._states = [f"state_{index}" for index in range(count)]
        self._outputs = ["log_probs", *(f"next_state_{index}" for index in range(count))]
        if set(inputs) != {"features", *self._states} or not outputs.issuperset(self._outputs):
            raise BundleError(f"{MODEL_FILE}: unexpected inputs {sorted(inputs)} or outputs {sorted(outputs)}")
        if tuple(inputs["features"].shape[1:]) != frame_shape:
            raise BundleError(f"{MODEL_FILE}: takes features {inputs['features'].shape}, the manifest says [batch, {frame_shape}]")
        self._shapes = [list(inputs[name].shape) for name in self._states]
        self._axes = [_batch_axis(name, shape) for name, shape in zip(self._states, self._shapes, strict=True)]

    def zero_state(self) -> NetworkState:
        """Zeros, batch 1."""
        return tuple(np.zeros([size if isinstance(size, int) else 1 for size in shape], np.float32) for shape in self._shapes)

    def run(self, features: FloatArray, states: Sequence[NetworkState]) -> tuple[FloatArray, list[NetworkState]]:
        """Features [B, frames, bands] and B states -> log_probs [B, steps, symbols] and B states."""
        feed: dict[str, Any] = {"features": features}
        for index, (name, axis) in enumerate(zip(self._states, self._axes, strict=True)):
            feed[name] = np.concatenate([state[index] for state in states], axis=axis)
        try:
            log_probs, *after = self._session.run(self._outputs, feed)
        except Exception as error:  # see open_session
            raise BundleError(f"{MODEL_FILE}: {first_line(error)}") from error
        if len(states) == 1:
            return log_probs, [tuple(after)]
        parts = [np.split(value, len(states), axis) for value, axis in zip(after, self._axes, strict=True)]
        return log_probs, [tuple(part[index] for part in parts) for index in range(len(states))]


def _batch_axis(name: str, shape: list[int | str]) -> int:
    axes = [axis for axis, size in enumerate(shape) if not isinstance(size, int)]
    if len(axes) != 1:
        raise BundleError(f"{MODEL_FILE}: {name} must have one dynamic axis, the batch, got {shape}")
    return axes[0]


def _log_mel_spec(acoustic: Section) -> LogMelSpec:
    features = acoustic.section("features")
    if features.get("type", str) != "log-mel":
        raise BundleError(f"manifest: {features.path}type must be 'log-mel', got {features.values['type']!r:.60}")
    spec = LogMelSpec(
        sample_rate=acoustic.positive("sample_rate"),
        window=features.positive("window"),
        hop=features.positive("hop"),
        fft=features.positive("fft"),
        bands=features.positive("bands"),
        low_hz=features.get("low_hz", float),
        high_hz=features.get("high_hz", float),
        floor=features.get("floor", float),
        scale=features.get("scale", float),
        offset=features.get("offset", float),
    )
    sizes_agree = spec.hop <= spec.window <= spec.fft <= MAX_FEATURE_SIZE and spec.bands <= spec.fft // 2
    if not (sizes_agree and 0 <= spec.low_hz < spec.high_hz <= spec.sample_rate / 2 and spec.floor > 0):
        raise BundleError(f"manifest: {features.path[:-1]} contradicts itself: {spec}")
    return spec


def _timing(acoustic: Section, spec: LogMelSpec) -> Timing:
    frame = spec.hop / spec.sample_rate
    return Timing(acoustic.positive("frames_per_step") * frame, acoustic.get("look_ahead_frames", int) * frame)
