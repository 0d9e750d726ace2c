"""The lag stage: a bundle in, how much later than words its network's symbols come into the manifest's `calibration.times`.

A network that is trained with CTC may write a symbol when it likes, as long as the order is right, and most wait. Synthetic speech whose
words' times are known tells by how much: the median, over all words, by which the row of a word's first symbol comes after the
word's start, and the end of its last symbol's row after its end, where the true text is aligned. It can be run again for any model; only
the manifest changes.

    python -m ds_training.lag BUNDLE_FOLDER [--voice FESTIVAL_VOICE]... [--sentences 40] [--seed 1] [--dry-run]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ds_engine.acoustic import AcousticModel, RuntimeOptions
from ds_engine.alphabet import Alphabet
from ds_engine.bundle import Bundle
from ds_engine.native import NativeModel
from ds_engine.search.alignment import align
from ds_engine.search.language import Said
from ds_engine.search.timeline import Lag
from ds_training import bundle_folder
from ds_training.posteriors import posteriors
from ds_training.timed_speech import HELD_OUT, Timed, commands, spoken

VOICES = ("kal_diphone", "lp_diphone", "czech_dita", "czech_machac", "suo_fi_lj_diphone", "hy_fi_mv_diphone")
TIMES = "times"  # key of the manifest's calibration


@dataclass(frozen=True, slots=True)
class Lateness:
    """Seconds by which the symbols of words come later than the words."""

    starts: npt.NDArray[np.float64]  # [words]
    ends: npt.NDArray[np.float64]  # [words]

    def median(self) -> Lag:
        """That of most words, to the millisecond."""
        return Lag(*(round(float(np.median(values)), 3) for values in (self.starts, self.ends)))


def lateness(model: AcousticModel, alphabet: Alphabet, speech: Sequence[Timed]) -> Lateness:
    """Of every word, where the true text is aligned. Raises ValueError where there is no speech."""
    if not speech:
        raise ValueError("a lag needs speech, got none")
    starts, ends = [], []
    for timed, heard in zip(speech, posteriors(model, [each.recording for each in speech]), strict=True):
        [spans] = align(heard.log_probs, [[Said(word, alphabet.spell(word)[0]) for word in heard.text.split()]], alphabet)
        starts += [model.timing.start(span.first) - start for span, (start, _) in zip(spans, timed.times, strict=True)]
        ends += [model.timing.start(span.last + 1) - end for span, (_, end) in zip(spans, timed.times, strict=True)]
    return Lateness(np.array(starts), np.array(ends))


def measure(folder: Path, voices: Sequence[str], sentences: int, seed: int) -> Lateness:
    """Of a bundle, with so many sentences of each voice. Raises ValueError, BundleError, and as `spoken` does."""
    bundle = Bundle.open(folder)
    model = NativeModel(bundle, RuntimeOptions())
    found = []
    for number, voice in enumerate(voices):
        with tempfile.TemporaryDirectory() as place:
            speech = list(spoken(voice, commands(sentences, seed + number), seed, Path(place)))
            found.append(lateness(model, bundle.manifest.alphabet, speech))
    return Lateness(np.concatenate([each.starts for each in found]), np.concatenate([each.ends for each in found]))


def write(folder: Path, lag: Lag) -> None:
    """Puts it into the manifest of a bundle."""
    calibration = bundle_folder.manifest_in(folder)["calibration"]
    bundle_folder.change(folder, {}, calibration={**calibration, TIMES: asdict(lag)})


def main() -> None:
    parser = argparse.ArgumentParser(description="Find how much later than words a bundle's symbols come.")
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument("--voice", action="append", dest="voices", default=[], help=f"of festival; by default {', '.join(VOICES)}")
    parser.add_argument("--sentences", type=int, default=40, help="of each voice")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dry-run", action="store_true", help="print, and leave the bundle as it is")
    options = parser.parse_args()
    if held := [voice for voice in options.voices if voice in HELD_OUT]:
        parser.error(f"voices are for measuring only, never for fitting: {', '.join(held)}")
    found = measure(options.bundle, options.voices or VOICES, options.sentences, options.seed)
    lag = found.median()
    deviations = {"start_deviation": found.starts.std(), "end_deviation": found.ends.std()}
    print(
        json.dumps({TIMES: asdict(lag), "words": len(found.starts)} | {name: round(float(value), 3) for name, value in deviations.items()})
    )
    if not options.dry_run:
        write(options.bundle, lag)


if __name__ == "__main__":
    main()
