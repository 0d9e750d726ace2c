"""Do DeepSpeech's and Coqui's libraries decode alike with a scorer that we wrote? Each published scorer beside our rewriting of it.

    python -m benchmarks.peers.check_scorer PEERS SCORER... [--letters LETTERS] [--posteriors POSTERIORS.npz]

A scorer's language model is taken apart into n-grams, its automaton into words; `write_scorer` makes a new file of them, and both
libraries decode noisy matrices, in which words of the scorer are said, with either file; real ones, too, where they are given (and the
letters are English). Prints, for each library, in how many matrices the five best readings were the same and by how much their scores
differed. Ends with 1 where a reading differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.kenlm_dump import taken_apart
from benchmarks.peers.worker import Posteriors
from ds_engine.lm.scorer import Scorer, write_scorer
from ds_training.text import LETTERS

ROOT = Path(__file__).resolve().parent.parent.parent
LIBRARIES = {"DeepSpeech 0.9.3": "ds_ctcdecoder", "Coqui STT 1.4.0": "coqui_stt_ctcdecoder"}
BYTES = 255  # labels in bytes mode: bytes 1 to 255
MATRICES, WORDS, SEED = 20, 6, 0
ROUNDING = 1e-3  # of a score, natural logarithm

Readings = list[list[tuple[float, str]]]  # [matrix][reading]


def main() -> int:
    """Prints a line per scorer and library."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peers", type=Path, help="the folder that benchmarks/peers/setup made")
    parser.add_argument("scorers", type=Path, nargs="+")
    parser.add_argument("--letters", default=LETTERS, help="the alphabet's labels, without the blank (default: English)")
    parser.add_argument("--posteriors", type=Path, help="what benchmarks/posteriors.py wrote")
    options = parser.parse_args()
    real = probabilities(options.posteriors) if options.posteriors and options.letters == LETTERS else []
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in options.scorers:
            wrong += compare(options, path, real, Path(folder))
    return 1 if wrong else 0


def compare(options: argparse.Namespace, path: Path, real: list[Any], folder: Path) -> int:
    """How many matrices were decoded differently."""
    scorer, letters = Scorer.open(path), options.letters
    words = scorer.words(letters)
    ours, matrices = folder / "ours.scorer", folder / "matrices.npz"
    model = taken_apart(path, words)
    if skipped := write_scorer(ours, model, words, letters, scorer.alpha, scorer.beta, bytes_mode=scorer.bytes_mode):
        raise SystemExit(f"{path.name}: {len(skipped)} words cannot be written again")
    labels = "" if scorer.bytes_mode else letters
    np.savez(matrices, *spoken(words, labels), *(real if labels else []))
    weights = [str(scorer.alpha), str(scorer.beta), labels]
    print(f"{path.name}: {len(words)} words, {sum(len(level.ids) for level in model.orders)} n-grams")
    wrong = 0
    for name, library in LIBRARIES.items():
        theirs, found = (decoded(options.peers, library, [matrices, file, *weights]) for file in (path, ours))
        same = sum([text for _, text in one] == [text for _, text in other] for one, other in zip(theirs, found, strict=True))
        apart = max(abs(one - other) for pair in zip(theirs, found, strict=True) for (one, _), (other, _) in zip(*pair, strict=False))
        print(f"  {name}: {same}/{len(theirs)} alike, scores up to {apart:.1e} apart; {sum(bool(one[0][1]) for one in found)} with text")
        wrong += len(theirs) - same + (apart > ROUNDING)
    return wrong


def decoded(peers: Path, library: str, arguments: list[Any]) -> Readings:
    command = [peers / "native" / "bin" / "python", "-m", "benchmarks.peers.decode_native", library, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    return [json.loads(line) for line in done.stdout.splitlines()]


def spoken(words: list[str], letters: str) -> list[Any]:
    """Probabilities [rows, labels + 1] in which words are said, two rows a label and a blank, under noise of growing strength."""
    labels, random = len(letters) or BYTES, np.random.default_rng(SEED)
    matrices = []
    for number in range(MATRICES):
        text = (" " if letters else "").join(random.choice(words, WORDS))
        said = [letters.index(letter) for letter in text] if letters else [byte - 1 for byte in text.encode()]
        path = [row for label in said for row in (label, label, labels)]
        logits = random.normal(size=(len(path), labels + 1)) * (0.5 + 2 * number / MATRICES)
        logits[np.arange(len(path)), path] += 5
        exponentials = np.exp(logits)
        matrices.append(exponentials / exponentials.sum(axis=1, keepdims=True))
    return matrices


def probabilities(path: Path) -> list[Any]:
    """Some recorded utterances in the same form."""
    posteriors = Posteriors.read(path)
    columns = [column for column in range(len(posteriors.symbols)) if column != posteriors.blank] + [posteriors.blank]
    return [np.exp(log_probs[:, columns].astype(np.float64)) for log_probs in posteriors.log_probs[:MATRICES]]


if __name__ == "__main__":
    sys.exit(main())
