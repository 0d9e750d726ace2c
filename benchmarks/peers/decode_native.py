"""One of the native decoders over some matrices at once; used by check_scorer. Runs on Python 3.9.

    FOLDER/native/bin/python -m benchmarks.peers.decode_native ds_ctcdecoder MATRICES.npz SCORER ALPHA BETA LABELS

MATRICES.npz holds probabilities float64 [rows, labels + 1], blank last. LABELS are the alphabet's in one string; an empty one
means bytes mode. Prints [confidence, text] of the five best readings for each matrix, as JSON.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from typing import Any

import numpy as np

BEAM, READINGS = 500, 5


def alphabet_of(library: Any, labels: str) -> Any:
    if not labels:
        return library.UTF8Alphabet()
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("".join(f"{label}\n" for label in labels))
        file.flush()
        return library.Alphabet(file.name)


def main(name: str, matrices: str, scorer_path: str, alpha: str, beta: str, labels: str) -> None:
    library = importlib.import_module(name)
    alphabet = alphabet_of(library, labels)
    scorer = library.Scorer(float(alpha), float(beta), scorer_path, alphabet)
    with np.load(matrices) as file:
        for matrix in file.values():
            found = library.ctc_beam_search_decoder(matrix, alphabet, BEAM, scorer=scorer, num_results=READINGS)
            sys.stdout.write(json.dumps([list(reading[:2]) for reading in found]) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
