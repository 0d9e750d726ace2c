"""Synthetic speech: sentences in, shards of log mel power with their text and voice out (see corpus.py for the form of a shard).

A few sentences at a time are given to a voice (see synthesisers.py), spoken by somebody with an accent (see accents.py) or without.
Every utterance gets its own rate and pitch, and a resampling that moves formants, pitch and speed together.

    python -m ds_training.synthesis OUT_FOLDER --text FILE... --shards 8 --seed 1 [--accented 0.7] [--foreign 0.3] [--without VOICE]...

Run again, it makes the shards that are missing.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from ds_engine.features import FloatArray, LogMel, LogMelSpec
from ds_training.accents import Person
from ds_training.corpus import CorpusError, Utterance, hours, log_power, with_phones, write_shard
from ds_training.recipe_tables import from_table
from ds_training.sentences import sentences
from ds_training.synthesisers import Voice, accented, foreign_voices, voices

SECONDS = (0.2, 9.0)  # utterances outside are dropped
FORMANT_SHIFT = (0.88, 1.14)  # factor on formants, pitch and speed together
SHIFT_WITH_ACCENT = (0.88, 1.28)  # learners are children more often
BATCH = 8  # sentences that somebody says one after the other


@dataclass(frozen=True, slots=True)
class Cast:
    """Who may speak, and how often it is somebody with an accent, or a voice of another language."""

    voices: Sequence[Voice]
    foreign: Sequence[Voice] = ()
    accented_share: float = 0.0
    foreign_share: float = 0.0

    def draw(self, rng: random.Random) -> tuple[Voice, Person | None]:
        """A voice, and whose accent it has; shares of 0 draw nothing, so that older shards can be made again."""
        abroad = self.foreign_share > 0 and rng.random() < self.foreign_share
        chosen = self.foreign if abroad else self.voices
        voice = rng.choices(chosen, [voice.weight for voice in chosen])[0]
        return voice, Person.draw(rng) if self.accented_share > 0 and rng.random() < self.accented_share else None


def utterances(voice: Voice, texts: Sequence[str], rng: random.Random, mel: LogMel, person: Person | None = None) -> Iterator[Utterance]:
    """Speak the texts; what a synthesiser could not say, or said too long or too short, is left out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            voice.speak(texts, accented(texts, person, rng) if person else {}, rng, folder)
        except (subprocess.SubprocessError, ValueError) as error:
            print(f"{voice.name} failed: {error}", flush=True)
        for index, text in enumerate(texts):
            shift = rng.uniform(*(SHIFT_WITH_ACCENT if person else FORMANT_SHIFT))
            samples = _read(folder / f"{index}.wav", mel.spec.sample_rate, shift)
            if SECONDS[0] < len(samples) / mel.spec.sample_rate < SECONDS[1]:
                yield Utterance(log_power(mel, samples), text, voice.name)


def _read(path: Path, sample_rate: int, shift: float) -> FloatArray:
    """One channel at `sample_rate`, half of full scale, or nothing where there is no usable file."""
    if not path.exists() or path.stat().st_size < 1000:
        return np.zeros(0, np.float32)
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    moved: FloatArray = soxr.resample(samples[:, 0], rate * shift, sample_rate, quality="MQ")
    return moved * np.float32(0.5 / max(1e-4, float(np.abs(moved).max(initial=0.0))))


def shard(texts: Iterator[str], cast: Cast, rng: random.Random, mel: LogMel, size: int) -> list[Utterance]:
    """`size` utterances, a few sentences of one voice at a time."""
    spoken: list[Utterance] = []
    while len(spoken) < size:
        voice, person = cast.draw(rng)
        batch = [text for text in (next(texts) for _ in range(BATCH)) if 1 < len(text) < 120]
        spoken += utterances(voice, batch, rng, mel, person)
    return spoken[:size]


@dataclass(frozen=True, slots=True)
class Synthesis:
    """What is said, by whom, and how much of it. Shares are 0 to 1; a shard depends on its seed and its number alone."""

    text: tuple[Path, ...]  # files of sentences, one per line
    seeds: tuple[int, ...] = (1,)
    shards: int = 1  # for each seed
    size: int = 1000  # utterances in a shard
    commands: float = 0.4  # share of home commands
    random_words: float = 0.12  # share of random words and numbers
    everyday: float = 0.0  # share of digits, spelled words and short statements
    accented: float = 0.0  # share of people with an accent
    foreign: float = 0.0  # share of voices of other languages
    without: tuple[str, ...] = ()  # voices held out
    only: tuple[str, ...] = ()  # these voices alone; nothing: all

    def cast(self) -> Cast:
        """The voices of this machine that may speak. Raises CorpusError where there is none."""
        home, abroad = (
            [voice for voice in every if voice.name not in self.without and (not self.only or voice.name in self.only)]
            for every in (voices(), foreign_voices())
        )
        if not (home if self.foreign < 1 else abroad):
            raise CorpusError(f"synthesis needs a voice; none of {', '.join(self.only) or 'the programs'} is installed and wanted")
        return Cast(home, abroad, self.accented, self.foreign)


def synthesise(wanted: Synthesis, out: Path) -> list[Path]:
    """Makes the shards that `out` lacks, a line for each; gives the paths of all."""
    out.mkdir(parents=True, exist_ok=True)
    cast, mel = wanted.cast(), LogMel(LogMelSpec())
    paths = []
    for seed in wanted.seeds:
        for index in range(wanted.shards):
            path = out / f"synthetic-{seed}-{index}.npz"
            paths.append(path)
            if path.exists():  # of a run that was stopped
                continue
            rng = random.Random(f"{seed}/{index}")  # noqa: S311  # a draw that anybody can repeat
            started = time.monotonic()
            texts = sentences(wanted.text, rng, wanted.commands, wanted.random_words, wanted.everyday)
            spoken = shard(texts, cast, rng, mel, wanted.size)
            write_shard(path, with_phones(spoken))
            print(f"{path.name}: {len(spoken)} utterances, {hours(spoken):.2f} h in {time.monotonic() - started:.0f} s", flush=True)
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description="Synthetic speech into shards.")
    parser.add_argument("out", type=Path, help="folder for the shards")
    parser.add_argument("--text", type=Path, nargs="+", required=True, help="files of sentences, one per line")
    parser.add_argument("--shards", type=int, default=1, help="for each seed")
    parser.add_argument("--size", type=int, default=1000, help="utterances in a shard")
    parser.add_argument("--seed", type=int, nargs="+", dest="seeds", default=[1])
    parser.add_argument("--commands", type=float, default=0.4, help="share of home commands, 0 to 1")
    parser.add_argument("--random-words", type=float, default=0.12, help="share of random words and numbers, 0 to 1")
    parser.add_argument("--everyday", type=float, default=0.0, help="share of digits, spelled words and short statements, 0 to 1")
    parser.add_argument("--accented", type=float, default=0.0, help="share of people with an accent, 0 to 1")
    parser.add_argument("--foreign", type=float, default=0.0, help="share of voices of other languages, 0 to 1")
    parser.add_argument("--without", action="append", default=[], metavar="VOICE", help="a voice held out")
    parser.add_argument("--only", action="append", default=[], metavar="VOICE", help="only this voice")
    options = vars(parser.parse_args())
    out = options.pop("out")
    synthesise(from_table(Synthesis, options), out)


if __name__ == "__main__":
    main()
