"""The acoustic contract: samples in, log-probs out, for any model family.

A family owns everything between 16 kHz (or other) samples and log-probs: its features, the size of a step, the padding at both
ends, and whether its network gives logits or probabilities. The stream only counts samples: a step looks at `chunk_samples`
and moves on by `shift_samples`, so that every step of every utterance has one shape and the cutting of the input cannot matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ds_engine.errors import BundleError

if TYPE_CHECKING:
    from ds_engine.bundle import Bundle
    from ds_engine.decoder import Timing
    from ds_engine.features import FloatArray

AcousticState = Any  # opaque and never changed in place: a step returns a new one


class AcousticModel(Protocol):
    """One loaded model: immutable, shared by all streams, safe to call from several threads at once."""

    @property
    def sample_rate(self) -> int:
        """Hz of the samples it takes."""
        ...

    @property
    def chunk_samples(self) -> int:
        """Samples that one step looks at."""
        ...

    @property
    def shift_samples(self) -> int:
        """Samples by which the next step starts later; at most `chunk_samples`."""
        ...

    @property
    def timing(self) -> Timing:
        """When the rows of log-probs were said."""
        ...

    @property
    def max_batch(self) -> int:
        """How many streams one step may take together without any of them coming out different; 1 if in doubt."""
        ...

    def initial_state(self) -> AcousticState:
        """The state before the first sample, padding at the start included."""
        ...

    def step(self, chunks: FloatArray, states: Sequence[AcousticState]) -> tuple[FloatArray, list[AcousticState]]:
        """float32 [B, chunk_samples], B states -> natural-log probabilities float32 [B, steps, symbols], B new states."""
        ...

    def flush(self, tail: FloatArray, state: AcousticState) -> FloatArray:
        """The end: float32 [n < chunk_samples] -> float32 [steps, symbols], padding and look-ahead included."""
        ...


class ModelFamily(Protocol):
    """What the hook `ds_register_model_family` registers."""

    def __call__(self, bundle: Bundle, options: RuntimeOptions) -> AcousticModel:
        """Loads the network of a verified bundle. Raises BundleError where it contradicts the manifest."""
        ...


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """How the network is run; a property of the machine, not of the model."""

    threads: int = 1  # of one step; streams run side by side, so more rarely helps
    providers: tuple[str, ...] = ("CPUExecutionProvider",)  # ONNX Runtime's execution providers, in order of preference


def flush_by_silence(model: AcousticModel, tail: FloatArray, state: AcousticState, silence: int) -> FloatArray:
    """A flush for families that end in silence: pads `tail` until `silence` zero samples have followed it, in whole steps."""
    overlap = model.chunk_samples - model.shift_samples
    steps = max(1, -(-(len(tail) + silence - overlap) // model.shift_samples))
    padded = np.zeros(overlap + steps * model.shift_samples, np.float32)
    padded[: len(tail)] = tail
    rows = []
    for step in range(steps):
        chunk = padded[step * model.shift_samples :][: model.chunk_samples]
        log_probs, (state,) = model.step(chunk[None], [state])
        rows.append(log_probs[0])
    return np.concatenate(rows)


def checked_log_probs(log_probs: FloatArray, batch: int, symbols: int) -> FloatArray:
    """Returns `log_probs` if it is float32 [batch, steps, symbols] without NaN; raises BundleError with got and needed."""
    if log_probs.ndim != 3 or log_probs.shape[0] != batch or log_probs.shape[2] != symbols or log_probs.dtype != np.float32:
        raise BundleError(f"the network gave {log_probs.dtype} {list(log_probs.shape)}, needed float32 [{batch}, steps, {symbols}]")
    if np.isnan(log_probs).any():
        raise BundleError("the network gave NaN")
    return log_probs
