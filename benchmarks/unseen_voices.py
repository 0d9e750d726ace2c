"""Ten voices that no model here was trained on, as their synthesisers speak them: texts in, recordings out, each made once.

Five women and five men, each a speaker of their own. All are synthetic; no such voice is as hard to hear as a person in a room. Debian has
them, most in its parts `contrib` and `non-free`, because nobody can build them anew, and MBROLA's for what is not commercial:

    apt-get install espeak-ng festival festvox-kdlpc16k libttspico-utils rhvoice rhvoice-english mbrola mbrola-{en1,us1,us2}
    apt-get install festvox-itapc16k mbrola-us3      # for TUNING

What was trained on was made by espeak-ng's formants, flite and festival (see ds_training.synthesisers): none of these voices, and of their
programs only espeak-ng's rules of spelling and festival's engine. `TUNING` are three more, for whoever chooses a setting by them.

Each speaks at its own default pace, 12 to 20 characters a second, but MBROLA's: espeak-ng drives those to 24, which no person does, so they
are slowed down to 18.
"""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import soundfile
import soxr

from benchmarks.spoken_sets import PEAK, SAMPLE_RATE
from ds_engine.features import FloatArray
from ds_training.corpus import Recording, read_manifest
from ds_training.synthesisers import foreign_voices

TIMEOUT = 60.0  # seconds for one sentence
MBROLA_PACE = 130  # what espeak-ng calls words per minute; its default is 175

Speak = Callable[[str, Path], None]  # text -> WAV


def _call(command: Sequence[str], stdin: str = "") -> None:
    try:
        subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    except FileNotFoundError:
        raise SystemExit(f"{command[0]} is not installed: see benchmarks/unseen_voices.py") from None


def _rhvoice(name: str, text: str, path: Path) -> None:
    _call(["RHVoice-test", "-p", name, "-o", str(path)], text)


def _mbrola(name: str, text: str, path: Path) -> None:
    _call(["espeak-ng", "-v", f"mb-{name}", "-s", str(MBROLA_PACE), "-w", str(path), text])


def _pico(language: str, text: str, path: Path) -> None:
    _call(["pico2wave", "-l", language, "-w", str(path), text])


def _italian(text: str, path: Path) -> None:
    """An Italian man who is made to speak English, as in benchmarks/spoken_sets.py."""
    with tempfile.TemporaryDirectory() as name:
        voice = next(voice for voice in foreign_voices() if voice.name == "festival:pc_diphone")
        voice.speak([text], {}, random.Random(text), Path(name))  # noqa: S311  # a draw that anybody can repeat
        (Path(name) / "0.wav").replace(path)


def _festival(name: str, text: str, path: Path) -> None:
    _call(["festival", "--pipe"], f'(voice_{name})\n(utt.save.wave (utt.synth (Utterance Text "{text}")) "{path}" \'riff)')


UNSEEN: Mapping[str, Speak] = {
    "rhvoice:alan (Scottish man)": partial(_rhvoice, "alan"),
    "rhvoice:bdl (American man)": partial(_rhvoice, "bdl"),
    "rhvoice:clb (American woman)": partial(_rhvoice, "clb"),
    "rhvoice:lyubov (Russian woman)": partial(_rhvoice, "lyubov"),
    "mbrola:en1 (British man)": partial(_mbrola, "en1"),
    "mbrola:us1 (American woman)": partial(_mbrola, "us1"),
    "mbrola:us2 (American man)": partial(_mbrola, "us2"),
    "pico:en-GB (British woman)": partial(_pico, "en-GB"),
    "pico:en-US (American woman)": partial(_pico, "en-US"),
    "festival:ked (American man)": partial(_festival, "ked_diphone"),
}
TUNING: Mapping[str, Speak] = {
    "rhvoice:evgeniy (Russian man)": partial(_rhvoice, "evgeniy-eng"),
    "mbrola:us3 (American man)": partial(_mbrola, "us3"),
    "festival:pc (Italian man)": _italian,
}


def recordings(texts: Sequence[str], voices: Mapping[str, Speak], sets: Path) -> list[Recording]:
    """Voice by voice, in the order of the texts; spoken now where `sets` does not hold them. Ends where a synthesiser fails."""
    drawn = json.dumps([list(texts), list(voices), MBROLA_PACE])
    folder = sets / f"unseen-{hashlib.sha256(drawn.encode()).hexdigest()[:12]}"
    manifest = folder / "manifest.tsv"
    if not manifest.exists():
        folder.mkdir(parents=True, exist_ok=True)
        rows = [("file", "speaker", "text"), *_spoken(texts, voices, folder)]
        manifest.write_text("".join("\t".join(row) + "\n" for row in rows), "utf-8")
    return read_manifest(manifest)


def _spoken(texts: Sequence[str], voices: Mapping[str, Speak], folder: Path) -> Iterator[tuple[str, str, str]]:
    for name, speak in voices.items():
        for place, text in enumerate(texts):
            file = f"{name.partition(' ')[0].replace(':', '-')}-{place:03}.wav"
            soundfile.write(folder / file, _said(speak, text), SAMPLE_RATE, subtype="PCM_16")
            yield file, name, text


def _said(speak: Speak, text: str) -> FloatArray:
    """float32 [n] at SAMPLE_RATE, at most PEAK."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "said.wav"
        speak(text, path)
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    moved: FloatArray = soxr.resample(samples[:, 0], rate, SAMPLE_RATE)
    return moved * (PEAK / max(1e-4, float(abs(moved).max(initial=0.0))))
