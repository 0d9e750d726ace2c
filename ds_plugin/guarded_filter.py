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
    from ds_plugin.hooks import Deadlines


class GuardedFilter:
    """See ds_engine.stream.AudioFilter. Called from the engine's worker threads, so it may wait for the plugin's."""

    def __init__(self, guard: Guard, name: str, factory: AudioFilterFactory, deadlines: Deadlines, rate: int) -> None:
        self._guard = guard
        self._what = f"audio filter {name}"
        self._factory = functools.partial(factory, rate)
        self._deadlines = deadlines
        self._filter: AudioFilter | None = None
        self._passing = False

    def process(self, block: FloatArray) -> FloatArray:
        """The filtered block, or the block itself once the filter has failed."""
        if not self._passing:
            try:
                return self._filtered(block)
            except PluginError:
                self._passing = True
        return block

    def _filtered(self, block: FloatArray) -> FloatArray:
        if self._filter is None:  # made on first use, in the plugin's own thread: its constructor may fail or hang, too
            self._filter = self._guard.call(self._what, self._factory, self._deadlines.filter_start)
        filtered = self._guard.call(
            self._what, functools.partial(_process, self._filter, block), self._deadlines.filter_block, private=True
        )
        if (
            isinstance(filtered, np.ndarray)
            and filtered.dtype == np.float32
            and filtered.shape == block.shape
            and np.isfinite(filtered).all()
        ):
            return filtered
        raise self._guard.refuse(self._what, f"must return finite float32 {list(block.shape)}")


def _process(audio_filter: AudioFilter, block: FloatArray) -> object:
    """The filter's answer to a copy of the block, copied: it may change what it is given, and use its own memory again."""
    filtered: object = audio_filter.process(block.copy())
    return filtered.copy() if isinstance(filtered, np.ndarray) else filtered
