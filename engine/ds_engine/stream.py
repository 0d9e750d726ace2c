"""One utterance, without I/O: bytes in, events out.

The flow has three buffers, each fed at once and each holding only what its next step needs. Bytes become samples
(`PcmDecoder` keeps an unfinished frame and the resampler's tail); samples pass the audio filters in blocks of 10 ms and wait
until the model's next chunk is whole; a chunk becomes rows of log-probs (the acoustic state carries the network's memory), and
rows advance the decoder. What has been understood is a query on the decoder's state, so partial and final text come from one
path, and after the last byte only one unfinished chunk and the model's padding remain to be computed.

Every chunk of every utterance has the same shape: streaming equals offline bit for bit, however the bytes were cut. `feed` and
`finish` do everything for one stream; `advance_together` takes the acoustic step of several streams at once.

A stream that is told to `listen` for the endpoint has a second reader of the same samples and rows, which changes neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ds_engine.audio import PcmDecoder
from ds_engine.errors import AudioTooLongError, ClosedError, PluginError
from ds_engine.listener import Listener
from ds_engine.transcript import Final, Hypothesis, Partial, Progress, Transcript

if TYPE_CHECKING:
    from ds_engine.acoustic import AcousticState
    from ds_engine.audio import AudioFormat
    from ds_engine.bias import Bias
    from ds_engine.features import FloatArray
    from ds_engine.limits import Limits
    from ds_engine.listener import Endpointing
    from ds_engine.recognizer import Recognizer

FILTER_BLOCKS_PER_SECOND = 100  # audio filters get blocks of 10 ms


class AudioFilter(Protocol):
    """Something that changes samples on their way in (noise suppression, gain); made anew for every utterance."""

    def process(self, block: FloatArray) -> FloatArray:
        """float32 [n] -> float32 [n], n being 10 ms of samples but for a shorter last block."""
        ...


AudioFilterFactory = Callable[[int], AudioFilter]  # takes the sample rate in Hz


class Stream:
    """The state of one utterance, opened by Recognizer.stream and thrown away at its end. Not safe for two threads at once."""

    def __init__(self, recognizer: Recognizer, source: AudioFormat, bias: Bias, filters: Sequence[AudioFilter], limits: Limits) -> None:
        self.recognizer = recognizer
        self._source = source
        self._max_bytes = source.bytes_for(limits.utterance_seconds)
        self._bytes = 0
        self._pcm = PcmDecoder(source, recognizer.model.sample_rate)
        self._filters = _FilterChain(filters, recognizer.model.sample_rate)
        self._samples = np.zeros(0, np.float32)
        self.acoustic = recognizer.model.initial_state()
        self._decoder = recognizer.decoder.start(bias)
        self._partial = Partial()
        self._listener: Listener | None = None
        self._finished = False

    @property
    def audio_seconds(self) -> float:
        """Audio taken so far."""
        return self._source.seconds(self._bytes)

    def listen(self, endpointing: Endpointing) -> None:
        """Tells from here on, which is before the first byte, when speech starts and ends. It ends nothing itself."""
        self._listener = Listener(endpointing, self.recognizer)

    def feed(self, data: bytes) -> list[Progress]:
        """Takes bytes and decodes what they complete; returns what is new: see `changes`."""
        self.push(data)
        while self.ready:
            advance_together([self])
        return self.changes()

    def finish(self) -> Final:
        """Decodes the rest and ends the utterance. Raises ClosedError the second time."""
        self._open_or_raise()
        self._finished = True
        self._take(self._filters.process(self._pcm.flush()), self._filters.flush())
        while self.ready:
            advance_together([self])
        self._advance(self.recognizer.model.flush(self._samples, self.acoustic))
        best, *alternatives = (_within(found, self.audio_seconds) for found in self.recognizer.decoder.finish(self._decoder))
        names = self.recognizer
        return Final(Transcript(best, tuple(alternatives), names.language, names.name, self.audio_seconds))

    def push(self, data: bytes) -> None:
        """Takes bytes without decoding. Raises AudioTooLongError past the limit, AudioError for broken audio."""
        self._open_or_raise()
        if self._bytes + len(data) > self._max_bytes:
            raise AudioTooLongError(f"utterance_seconds: an utterance may last {self._source.seconds(self._max_bytes):g} s")
        self._bytes += len(data)
        samples = self._filters.process(self._pcm.decode(data))
        self._take(samples)
        if self._listener is not None:
            self._listener.hear(samples)

    @property
    def ready(self) -> bool:
        """True while a whole chunk of samples waits for an acoustic step."""
        return len(self._samples) >= self.recognizer.model.chunk_samples

    @property
    def chunk(self) -> FloatArray:
        """The samples of the next acoustic step, float32 [chunk_samples], where the stream is `ready`."""
        return self._samples[: self.recognizer.model.chunk_samples]

    def stepped(self, log_probs: FloatArray, acoustic: AcousticState) -> None:
        """Takes in an acoustic step: its rows float32 [steps, symbols] and the state after it."""
        self._samples = self._samples[self.recognizer.model.shift_samples :]
        self.acoustic = acoustic
        self._advance(log_probs)
        if self._listener is not None:
            self._listener.understand(self._decoder, len(log_probs))

    def changes(self) -> list[Progress]:
        """Whether speech has started or ended since the last call, and the current partial, if it differs from the last one."""
        new: list[Progress] = [] if self._listener is None else [*self._listener.events()]
        partial = self.recognizer.decoder.partial(self._decoder)
        if partial != self._partial:
            self._partial = partial
            new.append(partial)
        return new

    def _advance(self, log_probs: FloatArray) -> None:
        self._decoder = self.recognizer.decoder.advance(self._decoder, log_probs)

    def _take(self, *samples: FloatArray) -> None:
        self._samples = np.concatenate([self._samples, *samples])

    def _open_or_raise(self) -> None:
        if self._finished:
            raise ClosedError("this utterance has already been finished")


def _within(hypothesis: Hypothesis, seconds: float) -> Hypothesis:
    """The last word may have been heard in the padding at the end: its times stay within the audio."""
    words = (replace(word, start=min(word.start, seconds), end=min(word.end, seconds)) for word in hypothesis.words)
    return replace(hypothesis, words=tuple(words))


def advance_together(streams: Sequence[Stream]) -> None:
    """One acoustic step for streams that are all `ready` and share one recognizer; at most `max_batch` of them."""
    for stream, (log_probs, state) in zip(streams, acoustic_steps(streams), strict=True):
        stream.stepped(log_probs, state)


def acoustic_steps(streams: Sequence[Stream]) -> list[tuple[FloatArray, AcousticState]]:
    """What `advance_together` hands to each stream's `stepped`; changes no stream."""
    model = streams[0].recognizer.model
    log_probs, states = model.step(np.stack([stream.chunk for stream in streams]), [stream.acoustic for stream in streams])
    return list(zip(log_probs, states, strict=True))


class _FilterChain:
    """Cuts samples into blocks of 10 ms, so that a filter, too, sees the same whatever the cutting of the input."""

    def __init__(self, filters: Sequence[AudioFilter], rate: int) -> None:
        self._filters = filters
        self._block = rate // FILTER_BLOCKS_PER_SECOND
        self._rest = np.zeros(0, np.float32)

    def process(self, samples: FloatArray) -> FloatArray:
        if not self._filters:
            return samples
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) - len(samples) % self._block
        self._rest = samples[whole:]
        return np.concatenate([samples[:0], *(self._filtered(samples[i : i + self._block]) for i in range(0, whole, self._block))])

    def flush(self) -> FloatArray:
        return self._filtered(self._rest) if len(self._rest) else self._rest

    def _filtered(self, block: FloatArray) -> FloatArray:
        for audio_filter in self._filters:
            block = _checked(audio_filter.process(block), block, type(audio_filter).__name__)
        return block


def _checked(filtered: FloatArray, block: FloatArray, name: str) -> FloatArray:
    if not isinstance(filtered, np.ndarray) or filtered.dtype != np.float32 or filtered.shape != block.shape:
        raise PluginError(f"audio filter {name} must return float32 {list(block.shape)}")
    if not np.isfinite(filtered).all():
        raise PluginError(f"audio filter {name} returned NaN or infinity")
    return filtered
