"""The synthesisers and their voices: texts in, one WAV for each out. All are free programs of Debian, with voices of their own.

espeak-ng makes formants (accents, a hundred variants, and other languages' sounds); flite and festival have recorded people, of
English and, for festival, of Italian, Czech, Finnish and Hindi.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ds_training.accents import Person, simple
from ds_training.diphones import DIPHONES, Delivery, scheme, segments
from ds_training.phone_sets import ESPEAK_WORLD, american_word, espeak_word
from ds_training.phones import pronounce

TIMEOUT = 60.0  # seconds for one call of a synthesiser
_PEOPLE_F0 = {"awb": 130, "rms": 100, "slt": 180, "kal16": 110, "kal": 110}  # Hz, mean pitch of flite's speakers
_ACCENTS = ["en-us"] * 6 + ["en-gb", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029", "en-us-nyc"]
_LANGUAGES = (  # noqa: SIM905  # a table of espeak-ng's; Mandarin, Cantonese's neighbour Hakka and other Asian ones more often
    "cmn cmn cmn cmn hak hak vi vi th ko ko ja ja id ms hi hi ta bn de nl es es-419 it fr-fr pt-br pl ru tr sw sv fi hu ar el"
).split()

Spoken = Mapping[str, tuple[str, ...]]  # words that are not said as a synthesiser would, and their phones
Speak = Callable[[Sequence[str], Spoken, random.Random, Path], None]  # texts -> FOLDER/0.wav, 1.wav, ...


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice by name ("flite:rms"), how often it is drawn, and how it speaks."""

    name: str
    weight: float
    speak: Speak


def voices() -> list[Voice]:
    """The voices of English; espeak-ng's variants count as one voice, of which each utterance draws its own."""
    people = [Voice(f"flite:{name}", weight, partial(_flite, name)) for name, weight in zip(_PEOPLE_F0, (12, 12, 10, 6, 4), strict=True)]
    diphones = [Voice(f"festival:{name}", 5, partial(_festival, name)) for name in ("kal_diphone", "ked_diphone")]
    return [Voice("espeak-ng", 42, _espeak), *people, *diphones, Voice("festival:slt_hts", 9, partial(_festival, "cmu_us_slt_arctic_hts"))]


def foreign_voices() -> list[Voice]:
    """The voices of other languages, made to speak English."""
    return [Voice("espeak-ng:foreign", 8, _espeak_foreign), *(Voice(f"festival:{name}", 2, partial(_diphones, name)) for name in DIPHONES)]


def accented(texts: Sequence[str], person: Person, rng: random.Random) -> Spoken:
    """The words that this person says otherwise than a synthesiser would."""
    plain = dictionary(texts)
    said = {word: person.say(phones, rng) for word, phones in plain.items()}
    return {word: phones for word, phones in said.items() if phones != plain[word]}


def dictionary(texts: Sequence[str]) -> Spoken:
    """Every word of the texts with its phones, each said alone."""
    words = sorted({word for text in texts for word in text.split()})
    lines = pronounce(words, stress=True)
    return {word: tuple(simple(line.split())) for word, line in zip(words, lines, strict=True)}


def hesitant(text: str, rng: random.Random) -> str:
    """The text with commas at which a synthesiser pauses: none mostly, or after every third word, or nearly all."""
    chance = rng.choice((0.0, 0.0, 0.12, 0.35))
    first, *words = text.split()
    return first + "".join((", " if rng.random() < chance else " ") + word for word in words)


def _espeak(texts: Sequence[str], spoken: Spoken, rng: random.Random, folder: Path) -> None:
    for index, text in enumerate(texts):
        voice = f"{rng.choice(_ACCENTS)}+{rng.choice(_variants())}"
        rate = ["-p", str(rng.randint(15, 85)), "-s", str(rng.randint(115, 225)), "-g", str(rng.choice((0, 0, 0, 2, 5)))]
        words = [f"[[{espeak_word(spoken[word])}]]" if word in spoken else word for word in text.split()]
        said = hesitant(" ".join(words), rng) if spoken else text
        _call(["espeak-ng", "-v", voice, *rate, "-w", str(folder / f"{index}.wav"), said])


def _espeak_foreign(texts: Sequence[str], spoken: Spoken, rng: random.Random, folder: Path) -> None:
    words = {**dictionary(texts), **spoken}
    for index, text in enumerate(texts):
        voice = f"{rng.choice(_LANGUAGES)}+{rng.choice(_variants())}"
        rate = ["-p", str(rng.randint(15, 90)), "-s", str(rng.randint(100, 180)), "-g", str(rng.choice((0, 0, 2, 8)))]
        said = " ".join(f"[[{espeak_word(words[word], ESPEAK_WORLD)}]]" for word in text.split())
        _call(["espeak-ng", "-v", voice, *rate, "-w", str(folder / f"{index}.wav"), hesitant(said, rng)])


def _variants() -> list[str]:
    if not _VARIANTS:
        listing = _call(["espeak-ng", "--voices=variant"]).splitlines()[1:]
        _VARIANTS.extend(sorted(line.split("!v/")[1].split("  ")[0].strip() for line in listing))
    return _VARIANTS


_VARIANTS: list[str] = []


def _flite(name: str, texts: Sequence[str], spoken: Spoken, rng: random.Random, folder: Path) -> None:
    lexicon = folder / "lexicon.txt"
    lexicon.write_text("".join(f'"{word}" nil : {" ".join(american_word(phones))}\n' for word, phones in spoken.items()), "utf-8")
    for index, text in enumerate(texts):
        settings = {
            "duration_stretch": rng.uniform(0.75, 1.3),
            "int_f0_target_mean": _PEOPLE_F0[name] * rng.uniform(0.8, 1.25),
            "int_f0_target_stddev": rng.uniform(10, 35),
        }
        options = [part for key, value in settings.items() for part in ("--setf", f"{key}={value:.2f}")]
        added = ["-add_lex", str(lexicon)] if spoken else []
        said = hesitant(text, rng) if spoken else text
        _call(["flite", "-voice", name, *added, *options, "-t", said, "-o", str(folder / f"{index}.wav")])


def _festival(name: str, texts: Sequence[str], spoken: Spoken, rng: random.Random, folder: Path) -> None:
    lines = [f"(voice_{name})", f"(Parameter.set 'Duration_Stretch {rng.uniform(0.8, 1.3):.2f})"]
    if name.endswith("diphone"):
        pitch = f"((target_f0_mean {rng.uniform(85, 150):.0f}) (target_f0_std {rng.uniform(8, 25):.0f})"
        lines.append(f"(set! int_lr_params '{pitch} (model_f0_mean 170) (model_f0_std 34)))")
    for word, phones in spoken.items():
        lines.append(f'(lex.add.entry (list "{word}" nil (lex.syllabify.phstress \'({" ".join(american_word(phones))}))))')
    for index, text in enumerate(texts):
        said = hesitant(text, rng) if spoken else text
        lines.append(f'(utt.save.wave (utt.synth (Utterance Text "{said}")) "{folder}/{index}.wav" \'riff)')
    _call(["festival", "--pipe"], "\n".join(lines))


def _diphones(name: str, texts: Sequence[str], spoken: Spoken, rng: random.Random, folder: Path) -> None:
    words = {**dictionary(texts), **spoken}
    lines = [f"(voice_{name})"]
    for index, text in enumerate(texts):
        found = segments([words[word] for word in text.split()], DIPHONES[name], Delivery.draw(DIPHONES[name].pitch, rng), rng)
        lines.append(f'(utt.save.wave (utt.synth {scheme(found)}) "{folder}/{index}.wav" \'riff)')
    _call(["festival", "--pipe"], "\n".join(lines))


def _call(command: list[str], stdin: str = "") -> str:
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=TIMEOUT, check=True).stdout  # noqa: S603  # our own words
