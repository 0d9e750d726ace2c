"""Sentences in voices that no model here was trained on: texts in, recordings and their log-probs out, each made once.

A set lies in a folder of its own, with a manifest, so that `ds-plugin evaluate` and benchmarks/posteriors.py can read it too. The
voices are festival's `ked_diphone` (an American man) and `pc_diphone` (an Italian man who is made to speak English); rate, melody and,
by resampling, formants are drawn for each utterance, as for the training material of ds_training.synthesis.
"""

from __future__ import annotations

import hashlib
import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from benchmarks.peers.worker import Posteriors
from ds_engine.acoustic import RuntimeOptions
from ds_engine.bundle import Bundle
from ds_engine.features import FloatArray, LogMel, LogMelSpec
from ds_engine.native import NativeModel
from ds_training.corpus import Recording, read_manifest
from ds_training.posteriors import posteriors
from ds_training.synthesisers import Voice, foreign_voices, voices
from ds_training.trials import Booth, Noise, Samples, Trial, of_recordings

HELD_OUT = ("festival:ked_diphone", "festival:pc_diphone")
SAMPLE_RATE = 16_000  # Hz
FORMANT_SHIFT = (0.88, 1.14)  # factor on formants, pitch and speed together, as in ds_training.synthesis
PEAK = 0.5  # of full scale
BATCH = 8  # sentences to one call of a synthesiser


@dataclass(frozen=True, slots=True)
class SpokenSet:
    """Texts, who says each of them, and the seed of how: every voice says every text."""

    name: str
    texts: Sequence[str]
    voices: Sequence[str] = HELD_OUT
    seed: int = 1

    def recordings(self, sets: Path) -> list[Recording]:
        """Voice by voice, in the order of the texts; spoken now where `sets` does not hold them. Ends where a synthesiser fails."""
        folder = sets / f"{self.name}-{_digest(list(self.texts), list(self.voices), self.seed)}"
        if not (folder / "manifest.tsv").exists():
            with _whole(folder) as made:
                _write(made, [line for name in self.voices for line in self._said(name, made)])
        return read_manifest(folder / "manifest.tsv")

    def _said(self, name: str, folder: Path) -> Iterator[tuple[str, str, str]]:
        rng = random.Random(f"{self.seed}/{name}")  # noqa: S311  # a draw that anybody can repeat
        voice = _voice(name)
        for first in range(0, len(self.texts), BATCH):
            batch = self.texts[first : first + BATCH]
            for place, samples in enumerate(_speak(voice, batch, rng)):
                file = f"{name.partition(':')[2]}-{first + place:04}.wav"
                soundfile.write(folder / file, samples, SAMPLE_RATE, subtype="PCM_16")
                yield file, name, batch[place]


def noisy(recordings: Sequence[Recording], noise: Noise, sets: Path, babble: Sequence[Recording] = ()) -> list[Recording]:
    """The same with noise (see ds_training.noise); `babble` are people to make it of, beside those of the recordings."""
    parts = [[str(each.file) for each in recordings], [str(each.file) for each in babble], str(noise.kind), noise.ratio]
    folder = sets / f"{noise.kind}-{noise.ratio:g}-{_digest(*parts)}"
    if not (folder / "manifest.tsv").exists():
        trials = of_recordings(recordings, "spoken")
        with _whole(folder) as made:
            _write(made, list(_disturbed(trials, Booth([*trials, *of_recordings(babble, "babble")], LogMel(LogMelSpec())), noise, made)))
    return read_manifest(folder / "manifest.tsv")


def heard(recordings: Sequence[Recording], bundle: Bundle, sets: Path) -> Posteriors:
    """What the bundle's network makes of them, in the form of benchmarks/posteriors.py."""
    network = bundle.manifest.files["model.onnx"].sha256
    path = sets / f"posteriors-{_digest([[str(each.file), each.text] for each in recordings], network)}.npz"
    if not path.exists():
        model = NativeModel(bundle, RuntimeOptions())
        found = list(posteriors(model, recordings))
        beside = path.with_name(f"partial-{path.name}")
        np.savez_compressed(
            beside,
            ids=np.array([each.file.stem for each in recordings]),
            texts=np.array([each.text for each in found]),
            speakers=np.array([each.speaker for each in recordings]),
            seconds=np.array([each.seconds for each in found]),
            rows=np.array([len(each.log_probs) for each in found]),
            log_probs=np.concatenate([each.log_probs for each in found]),
            symbols=np.array(bundle.manifest.alphabet.symbols),
            blank=np.array(bundle.manifest.alphabet.blank),
            step=np.array(model.timing.step),
        )
        beside.rename(path)
    return Posteriors.read(path)


def _voice(name: str) -> Voice:
    for voice in (*voices(), *foreign_voices()):
        if voice.name == name:
            return voice
    raise SystemExit(f"no voice is called {name}")


def _speak(voice: Voice, texts: Sequence[str], rng: random.Random) -> Iterator[FloatArray]:
    """float32 [n] of each text."""
    with tempfile.TemporaryDirectory() as folder:
        voice.speak(texts, {}, rng, Path(folder))
        for place in range(len(texts)):
            samples, rate = soundfile.read(Path(folder) / f"{place}.wav", dtype="float32", always_2d=True)
            moved: FloatArray = soxr.resample(samples[:, 0], rate * rng.uniform(*FORMANT_SHIFT), SAMPLE_RATE)
            yield moved * np.float32(PEAK / max(1e-4, float(np.abs(moved).max(initial=0.0))))


def _disturbed(trials: Sequence[Trial], booth: Booth, noise: Noise, folder: Path) -> Iterator[tuple[str, str, str]]:
    for place, trial in enumerate(trials):
        sound = booth.sound(trial, noise)
        if not isinstance(sound, Samples):
            raise SystemExit("noise needs recordings")
        soundfile.write(folder / f"{place:04}.wav", sound.values, sound.rate, subtype="PCM_16")
        yield f"{place:04}.wav", trial.reference.speaker, trial.reference.text


def _write(folder: Path, lines: Sequence[tuple[str, str, str]]) -> None:
    rows = ["\t".join(line) for line in (("file", "speaker", "text"), *lines)]
    (folder / "manifest.tsv").write_text("".join(f"{row}\n" for row in rows), "utf-8")


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A folder that gets its name when it is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        made = Path(name) / folder.name
        made.mkdir()
        yield made
        made.rename(folder)


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
