"""Speech with pauses in it, for benchmarks/endpointing.py: recordings and spoken commands in, samples with known pauses and ends out.

A pause is the recording's own room: noise with the spectrum and the level of its quietest 200 ms, put in where two words meet.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ds_engine.acoustic import AcousticModel
from ds_engine.alphabet import Alphabet
from ds_engine.audio import AudioFormat
from ds_engine.features import FloatArray
from ds_engine.recognizer import Recognizer
from ds_engine.search.alignment import align
from ds_engine.search.language import Said
from ds_training.corpus import Recording, samples_of
from ds_training.posteriors import posteriors
from ds_training.synthesisers import foreign_voices, voices

RATE = 16_000  # Hz
HOP = 160  # samples, 10 ms
ROOM = 3_200  # samples of which a room is learnt
FADE = 80  # samples
LEAD, TAIL = 0.5, 4.0  # s of room before and after
NEAR = 0.08  # s around a boundary in which the quietest place is taken
QUIET = 30.0  # dB below the loudest: speech has ended
LATE = 0.25  # s by which speech may end after its last letter was recognised; what is louder later is no speech
HISS = -60.0  # dB of full scale, added to synthetic voices, which have no room

COMMANDS = (
    "turn on the light",
    "turn on the light in the kitchen",
    "turn off the light in the bedroom",
    "turn off all the lights",
    "turn off all the lights in the living room",
    "set the brightness of the lamp to fifty percent",
    "open the curtains in the living room",
    "close the garage door",
    "close the garage door now",
    "what is the temperature in the bathroom",
    "what time is it",
    "set a timer for ten minutes",
    "set a timer for ten minutes and thirty seconds",
    "cancel the timer",
    "add milk to my shopping list",
    "play some music in the kitchen",
    "pause the music",
    "lock the front door",
    "is the back door locked",
    "turn the heating down to eighteen degrees",
)
VOICES = ("festival:ked_diphone", "festival:pc_diphone")  # heard in no training


@dataclass(frozen=True, slots=True)
class Speech:
    """One utterance as it is: samples at RATE, its words, and the second at which each of them ends."""

    name: str
    samples: FloatArray
    words: tuple[str, ...]
    ends: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Paused:
    """One utterance in its room with pauses in it; times from its first sample."""

    samples: FloatArray
    words: tuple[str, ...]
    ends: tuple[float, ...]  # s, of the words
    end: float  # s, of the speech


class Room:
    """The noise of one recording."""

    def __init__(self, samples: FloatArray, seed: int) -> None:
        starts = range(0, max(1, len(samples) - ROOM), HOP)
        quietest = min(starts, key=lambda start: float(np.mean(samples[start : start + ROOM] ** 2)))
        noise = samples[quietest : quietest + ROOM]
        self._level = float(np.sqrt(np.mean(noise**2)))
        self._spectrum = np.abs(np.fft.rfft(noise * np.hanning(len(noise))))
        self._random = np.random.default_rng(seed)

    def noise(self, seconds: float, louder: float = 0.0) -> FloatArray:
        """float32 [seconds * RATE], `louder` by so many dB."""
        count = round(seconds * RATE)
        spectrum = np.fft.rfft(self._random.normal(size=count))
        places = np.linspace(0, 1, len(spectrum)), np.linspace(0, 1, len(self._spectrum))
        shaped = np.fft.irfft(spectrum * np.interp(*places, self._spectrum), count)
        level = self._level * 10 ** (louder / 20) / (np.sqrt(np.mean(shaped**2)) + 1e-12)
        noise: FloatArray = (shaped * level).astype(np.float32)
        return noise


def recorded(recordings: Sequence[Recording], recognizer: Recognizer, alphabet: Alphabet) -> Iterator[Speech]:
    """Recordings of at least four words, aligned with their texts."""
    for recording in recordings:
        if len(recording.text.split()) >= 4:
            samples = samples_of(recording, RATE)
            [found] = posteriors(recognizer.model, [recording])
            yield aligned(recording.file.stem, samples, recording.text, found.log_probs, recognizer.model, alphabet)


def commands(recognizer: Recognizer, alphabet: Alphabet, seed: int) -> Iterator[Speech]:
    """COMMANDS in all VOICES, with a little hiss."""
    known = {voice.name: voice for voice in (*voices(), *foreign_voices())}
    random_numbers = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        for name in VOICES:
            known[name].speak(COMMANDS, {}, random.Random(seed), Path(folder))  # noqa: S311  # a draw that anybody can repeat
            for number, text in enumerate(COMMANDS):
                recording = Recording(Path(folder) / f"{number}.wav", text)
                hiss = random_numbers.normal(size=len(spoken := samples_of(recording, RATE))) * 10 ** (HISS / 20)
                [found] = posteriors(recognizer.model, [recording])
                samples = (spoken * 0.5 + hiss).astype(np.float32)
                yield aligned(f"{name} {number}", samples, text, found.log_probs, recognizer.model, alphabet)


def aligned(name: str, samples: FloatArray, text: str, log_probs: FloatArray, model: AcousticModel, alphabet: Alphabet) -> Speech:
    """Finds when each word of the true text was said."""
    said = [Said(word, alphabet.spell(word)[0]) for word in text.split()]
    [spans] = align(log_probs, [said], alphabet)
    ends = tuple(min(model.timing.start(span.last + 1), len(samples) / RATE) for span in spans)
    return Speech(name, samples, tuple(text.split()), ends)


def paused(speech: Speech, pause: float, count: int, seed: int) -> Paused:
    """The speech with `count` pauses between its words, as evenly as they go, in its room."""
    room = Room(speech.samples, seed)
    places = [min(len(speech.ends) - 1, round((number + 1) * len(speech.ends) / (count + 1))) - 1 for number in range(count)]
    cuts = sorted({quietest(speech.samples, speech.ends[place]) for place in places}) if pause else []
    pieces, before = [room.noise(LEAD)], 0
    for cut in cuts:
        pieces += [speech.samples[before:cut], room.noise(pause)]
        before = cut
    pieces += [speech.samples[before:], room.noise(TAIL)]
    added = [LEAD + pause * sum(cut <= end * RATE for cut in cuts) for end in speech.ends]
    ends = tuple(end + more for end, more in zip(speech.ends, added, strict=True))
    return Paused(joined(pieces), speech.words, ends, speech_end(speech) + LEAD + pause * len(cuts))


def quietest(samples: FloatArray, time: float) -> int:
    """The sample in the middle of the quietest 10 ms near a time."""
    first, last = max(0, round((time - NEAR) * RATE)), min(len(samples) - HOP, round((time + NEAR) * RATE))
    return min(range(first, max(first + 1, last), HOP // 2), key=lambda start: float(np.mean(samples[start : start + HOP] ** 2))) + HOP // 2


def joined(pieces: Sequence[FloatArray]) -> FloatArray:
    """One after the other; every seam fades in and out, so that it is no click."""
    ramp = np.linspace(0, 1, FADE, dtype=np.float32)
    faded = []
    for piece in pieces:
        copy = piece.copy()
        if len(copy) >= 2 * FADE:
            copy[:FADE] *= ramp
            copy[-FADE:] *= ramp[::-1]
        faded.append(copy)
    return np.concatenate(faded)


def speech_end(speech: Speech) -> float:
    """The second after which nothing is louder than QUIET below the loudest, over 30 ms, near the end of the last word."""
    samples = speech.samples
    power = np.array([float(np.mean(samples[start : start + HOP] ** 2)) for start in range(0, len(samples) - HOP + 1, HOP)])
    smooth = 10 * np.log10(np.convolve(power, np.ones(3) / 3, "same") + 1e-12)
    loud = (np.flatnonzero(smooth > smooth.max() - QUIET) + 1) * HOP / RATE
    return float(loud[loud <= speech.ends[-1] + LATE][-1])


def as_bytes(samples: FloatArray) -> bytes:
    """16-bit PCM, as AudioFormat() describes it."""
    return (np.clip(samples, -1, 1 - 2**-15) * 2**15).round().astype("<i2").tobytes()


PCM = AudioFormat(RATE)
