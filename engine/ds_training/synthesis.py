"""Synthetic speech: sentences in, shards of log mel power with their text and voice out (see corpus.py for the form of a shard).

Three free synthesisers are asked, as programs: espeak-ng (formants; accents and a hundred variants), flite and festival (recorded
people). Every utterance gets its own rate and pitch, and a resampling that moves formants, pitch and speed together.

    python -m ds_training.synthesis OUT_FOLDER --text FILE... --shards 8 --seed 1 [--without VOICE]... [--only VOICE]...
"""

from __future__ import annotations

import argparse
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
import soxr

from ds_engine.features import FloatArray, LogMel, LogMelSpec
from ds_training.corpus import Utterance, log_power, with_phones, write_shard
from ds_training.sentences import sentences

SECONDS = (0.2, 9.0)  # utterances outside are dropped
FORMANT_SHIFT = (0.88, 1.14)  # factor on formants, pitch and speed together
TIMEOUT = 60.0  # seconds for one call of a synthesiser
_PEOPLE_F0 = {"awb": 130, "rms": 100, "slt": 180, "kal16": 110, "kal": 110}  # Hz, mean pitch of flite's speakers
_ACCENTS = ["en-us"] * 6 + ["en-gb", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029", "en-us-nyc"]

Speak = Callable[[Sequence[str], random.Random, Path], None]  # texts -> FOLDER/0.wav, 1.wav, ...


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice by name ("flite:rms"), how often it is drawn, and how it speaks."""

    name: str
    weight: float
    speak: Speak


def voices() -> list[Voice]:
    """Every voice of this module; espeak-ng's variants count as one voice, of which each utterance draws its own."""
    people = [Voice(f"flite:{name}", weight, partial(_flite, name)) for name, weight in zip(_PEOPLE_F0, (12, 12, 10, 6, 4), strict=True)]
    diphones = [Voice(f"festival:{name}", 5, partial(_festival, name)) for name in ("kal_diphone", "ked_diphone")]
    return [Voice("espeak-ng", 42, _espeak), *people, *diphones, Voice("festival:slt_hts", 9, partial(_festival, "cmu_us_slt_arctic_hts"))]


def _espeak(texts: Sequence[str], rng: random.Random, folder: Path) -> None:
    for index, text in enumerate(texts):
        voice = f"{rng.choice(_ACCENTS)}+{rng.choice(_variants())}"
        rate = ["-p", str(rng.randint(15, 85)), "-s", str(rng.randint(115, 225)), "-g", str(rng.choice((0, 0, 0, 2, 5)))]
        _call(["espeak-ng", "-v", voice, *rate, "-w", str(folder / f"{index}.wav"), text])


def _variants() -> list[str]:
    if not _VARIANTS:
        listing = _call(["espeak-ng", "--voices=variant"]).splitlines()[1:]
        _VARIANTS.extend(sorted(line.split("!v/")[1].split("  ")[0].strip() for line in listing))
    return _VARIANTS


_VARIANTS: list[str] = []


def _flite(name: str, texts: Sequence[str], rng: random.Random, folder: Path) -> None:
    for index, text in enumerate(texts):
        settings = {
            "duration_stretch": rng.uniform(0.75, 1.3),
            "int_f0_target_mean": _PEOPLE_F0[name] * rng.uniform(0.8, 1.25),
            "int_f0_target_stddev": rng.uniform(10, 35),
        }
        options = [part for key, value in settings.items() for part in ("--setf", f"{key}={value:.2f}")]
        _call(["flite", "-voice", name, *options, "-t", text, "-o", str(folder / f"{index}.wav")])


def _festival(name: str, texts: Sequence[str], rng: random.Random, folder: Path) -> None:
    lines = [f"(voice_{name})", f"(Parameter.set 'Duration_Stretch {rng.uniform(0.8, 1.3):.2f})"]
    if name.endswith("diphone"):
        pitch = f"((target_f0_mean {rng.uniform(85, 150):.0f}) (target_f0_std {rng.uniform(8, 25):.0f})"
        lines.append(f"(set! int_lr_params '{pitch} (model_f0_mean 170) (model_f0_std 34)))")
    lines += [f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{folder}/{index}.wav" \'riff)' for index, text in enumerate(texts)]
    _call(["festival", "--pipe"], "\n".join(lines))


def _call(command: list[str], stdin: str = "") -> str:
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=TIMEOUT, check=True).stdout  # noqa: S603  # our own words


def utterances(voice: Voice, texts: Sequence[str], rng: random.Random, mel: LogMel) -> Iterator[Utterance]:
    """Speak the texts; what a synthesiser could not say, or said too long or too short, is left out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            voice.speak(texts, rng, folder)
        except subprocess.SubprocessError as error:
            print(f"{voice.name} failed: {error}", flush=True)
        for index, text in enumerate(texts):
            samples = _read(folder / f"{index}.wav", mel.spec.sample_rate, rng.uniform(*FORMANT_SHIFT))
            if SECONDS[0] < len(samples) / mel.spec.sample_rate < SECONDS[1]:
                yield Utterance(log_power(mel, samples), text, voice.name)


def _read(path: Path, sample_rate: int, shift: float) -> FloatArray:
    """One channel at `sample_rate`, half of full scale, or nothing where there is no usable file."""
    if not path.exists() or path.stat().st_size < 1000:
        return np.zeros(0, np.float32)
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    moved: FloatArray = soxr.resample(samples[:, 0], rate * shift, sample_rate, quality="MQ")
    return moved * np.float32(0.5 / max(1e-4, float(np.abs(moved).max(initial=0.0))))


def shard(texts: Iterator[str], chosen: Sequence[Voice], rng: random.Random, mel: LogMel, size: int) -> list[Utterance]:
    """`size` utterances of voices drawn by weight, a few sentences at a time."""
    spoken: list[Utterance] = []
    while len(spoken) < size:
        voice = rng.choices(chosen, [voice.weight for voice in chosen])[0]
        batch = [text for text in (next(texts) for _ in range(8)) if 1 < len(text) < 120]
        spoken += utterances(voice, batch, rng, mel)
    return spoken[:size]


def main() -> None:
    parser = argparse.ArgumentParser(description="Synthetic speech into shards.")
    parser.add_argument("out", type=Path, help="folder for the shards")
    parser.add_argument("--text", type=Path, nargs="+", required=True, help="files of sentences, one per line")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--size", type=int, default=1000, help="utterances in a shard")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commands", type=float, default=0.4, help="share of home commands, 0 to 1")
    parser.add_argument("--random-words", type=float, default=0.12, help="share of random words and numbers, 0 to 1")
    parser.add_argument("--without", action="append", default=[], metavar="VOICE", help="a voice held out")
    parser.add_argument("--only", action="append", default=[], metavar="VOICE", help="only this voice")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    chosen = [voice for voice in voices() if voice.name not in options.without and (not options.only or voice.name in options.only)]
    mel = LogMel(LogMelSpec())
    for index in range(options.shards):
        rng = random.Random(f"{options.seed}/{index}")  # noqa: S311  # a draw that anybody can repeat
        started = time.monotonic()
        texts = sentences(options.text, rng, options.commands, options.random_words)
        spoken = shard(texts, chosen, rng, mel, options.size)
        write_shard(options.out / f"synthetic-{options.seed}-{index}.npz", with_phones(spoken))
        hours = sum(len(utterance.log_power) for utterance in spoken) * mel.spec.hop / mel.spec.sample_rate / 3600
        print(f"shard {index}: {len(spoken)} utterances, {hours:.2f} h in {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
