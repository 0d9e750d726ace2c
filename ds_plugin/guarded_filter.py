"""A plugin's audio filter, guarded: one that raises, hangs or returns nonsense lets the audio through unchanged from then on."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from ds_engine.errors import PluginError

if TYPE_CHECKING:
    from ds_engine.features import FloatArray
    from ds_engine.stream import AudioFilter, AudioFilterFactory

    from ds_plugin.guard import Guard

BLOCK_DEADLINE = 0.1  # s, for a block of 10 ms; a filter that needs nearly as much could not keep up anyway


class GuardedFilter:
    """See ds_engine.stream.AudioFilter. Called from the engine's worker threads, so it may wait for the plugin's."""

    def __init__(self, guard: Guard, name: str, factory: AudioFilterFactory, rate: int) -> None:
        self._guard = guard
        self._what = f"audio filter {name}"
        self._factory = factory
        self._rate = rate
        self._filter: AudioFilter | None = None
        self._passing = False

    @classmethod
    def factory(cls, guard: Guard, name: str, factory: AudioFilterFactory) -> AudioFilterFactory:
        """A factory of guarded filters."""
        return functools.partial(cls, guard, name, factory)

    def process(self, block: FloatArray) -> FloatArray:
        """The filtered block, or the block itself once the filter has failed."""
        if not self._passing:
            try:
                return self._filtered(block)
            except PluginError:
                self._passing = True
        return block

    def _filtered(self, block: FloatArray) -> FloatArray:
        filtered = self._guard.call(self._what, functools.partial(self._run, block.copy()), BLOCK_DEADLINE)
        if (
            isinstance(filtered, np.ndarray)
            and filtered.dtype == np.float32
            and filtered.shape == block.shape
            and np.isfinite(filtered).all()
        ):
            return filtered
        raise self._guard.refuse(self._what, f"must return finite float32 {list(block.shape)}")

    def _run(self, block: FloatArray) -> FloatArray:
        if self._filter is None:  # made on first use, in the plugin's own thread: its constructor may fail or hang, too
            self._filter = self._factory(self._rate)
        return self._filter.process(block)
