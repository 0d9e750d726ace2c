"""Synthetic speech of which one knows when each word was said: a voice of festival and texts in, recordings with times out.

Voices of English tell the times of their words. The others are given their segments (see diphones.py), so that the times are ours.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ds_training.corpus import Recording
from ds_training.diphones import DIPHONES, Delivery, Diphones, Segment, scheme, segments
from ds_training.phone_sets import letters
from ds_training.sentences import DEVICES, Templates
from ds_training.synthesisers import TIMEOUT, dictionary

HELD_OUT = ("ked_diphone", "pc_diphone")  # heard in no training of the bundled model
WORDS = (3, 10)  # of a sentence, least and most
STRETCH = (0.8, 1.3)  # of the times of English voices

Times = tuple[tuple[float, float], ...]  # s from the first sample at which each word begins and ends
_SAID = re.compile(r"^word (\d+) (\S+) (\S+) (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Timed:
    """A recording, and when each word of its text is said."""

    recording: Recording
    times: Times


def commands(count: int, seed: int) -> list[str]:
    """So many different home commands that a voice says as they are written."""
    rng, templates = random.Random(seed), Templates(DEVICES)  # noqa: S311  # a draw that anybody can repeat
    found: dict[str, None] = {}
    while len(found) < count:
        text = templates.sample(rng)
        if WORDS[0] <= len(text.split()) <= WORDS[1] and text.replace(" ", "").isalpha():
            found[text] = None
    return list(found)


def spoken(voice: str, texts: Sequence[str], seed: int, folder: Path) -> Iterator[Timed]:
    """The voice says the texts into FOLDER/0.wav, 1.wav, ...; what it reads as other words is left out.

    Raises subprocess.SubprocessError where festival fails, OSError where there is none.
    """
    rng = random.Random(f"{voice}/{seed}")  # noqa: S311  # a draw that anybody can repeat
    speak = _abroad if voice in DIPHONES else _english
    for number, (text, times) in enumerate(zip(texts, speak(voice, texts, rng, folder), strict=True)):
        file = folder / f"{number}.wav"
        if times and file.exists():
            yield Timed(Recording(file, text, voice), times)


def _english(voice: str, texts: Sequence[str], rng: random.Random, folder: Path) -> list[Times]:
    """The times of each text, none where the voice says other words."""
    lines = [f"(voice_{voice})", f"(Parameter.set 'Duration_Stretch {rng.uniform(*STRETCH):.2f})"]
    for number, text in enumerate(texts):
        word = f"(format t \"word {number} %s %f %f\\n\" (item.name w) (item.feat w 'word_start) (item.feat w 'word_end))"
        lines += [
            f'(set! utterance (utt.synth (Utterance Text "{text}")))',
            f'(utt.save.wave utterance "{folder}/{number}.wav" \'riff)',
            f"(mapcar (lambda (w) {word}) (utt.relation.items utterance 'Word))",
        ]
    found: list[list[tuple[str, float, float]]] = [[] for _ in texts]
    for number, said, start, end in _SAID.findall(_festival(lines)):
        found[int(number)].append((said, float(start), float(end)))
    same = (text.split() == [said for said, _, _ in row] for text, row in zip(texts, found, strict=True))
    return [tuple((start, end) for _, start, end in row) if whole else () for whole, row in zip(same, found, strict=True)]


def _abroad(name: str, texts: Sequence[str], rng: random.Random, folder: Path) -> list[Times]:
    voice, known = DIPHONES[name], dictionary(texts)
    lines, times = [f"(voice_{name})"], []
    for number, text in enumerate(texts):
        words = [known[word] for word in text.split()]
        found = segments(words, voice, Delivery.draw(voice.pitch, rng), rng)
        lines.append(f'(utt.save.wave (utt.synth {scheme(found)}) "{folder}/{number}.wav" \'riff)')
        times.append(times_of(words, found, voice))
    _festival(lines)
    return times


def times_of(words: Sequence[Sequence[str]], found: Sequence[Segment], voice: Diphones) -> Times:
    """When each word of phones is said in the segments that were made of them."""
    times, now, place = [], found[0][1], 1  # after the first pause
    for word in words:
        count = sum(len(letters([phone], voice.table, voice.stress)) for phone in word)
        end = now + sum(seconds for _, seconds, _ in found[place : place + count])
        times.append((now, end))
        now, place = end, place + count
        if found[place][0] == voice.pause:
            now, place = now + found[place][1], place + 1
    return tuple(times)


def _festival(lines: Sequence[str]) -> str:
    command = ["festival", "--pipe"]
    return subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, timeout=TIMEOUT, check=True).stdout  # noqa: S603  # our own words
