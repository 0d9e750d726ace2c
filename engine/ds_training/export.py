"""A checkpoint in, a model bundle out: `model.onnx`, `manifest.json`, `LICENSE` and `MODEL_CARD.md` in one folder.

Nothing is written unless the graph computes what the network computes (see parity.py), and what is written is a whole bundle or none
(see bundle_folder.py). A language model that lies in the folder is of the bundle before: it stays, but the new manifest does not list
it unless it is carried along.

    python -m ds_training.export CHECKPOINT OUT_FOLDER --name en-small --version 0.1.0 --description "..." --card CARD.md
        [--weights float16] [--license-file FILE]... [--keep-language-model BUNDLE_FOLDER]

`--card FACTS.toml` makes the card of facts, see card.py. `--license-file` is needed for other languages than English; a network that
was started from a bundle needs the notice of that bundle, too: notices that are given one after the other become one file.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ds_engine.alphabet import Alphabet
from ds_engine.bundle import Bundle
from ds_engine.features import LogMelSpec
from ds_engine.native import MODEL_FILE
from ds_engine.search.sources import BUNDLED
from ds_training import bundle_folder
from ds_training.card import CARD_FILE
from ds_training.card import card as card_of
from ds_training.card_facts import Facts, read_facts, sizes_of
from ds_training.checkpoint import load_network
from ds_training.exportable import ExportError, alphabet_of
from ds_training.hearing import END_FRAMES, START_FRAMES
from ds_training.model import Network, NetworkSpec
from ds_training.onnx_graph import to_graph
from ds_training.parity import check_parity
from ds_training.weights import WeightFormat

CHUNK_FRAMES = 16
ENGLISH_NOTICE = Path(__file__).parent / "en-small" / "LICENSE.txt"  # of en-small and what is trained on from it


@dataclass(frozen=True, slots=True)
class Identity:
    """What names a bundle."""

    name: str
    version: str
    language: str  # BCP 47
    description: str
    license: str  # SPDX


@dataclass(frozen=True, slots=True)
class Kept:
    """What a bundle takes over from an older one: its language model and the calibration that goes with it."""

    language_model: bytes
    calibration: Mapping[str, Any]


def write_bundle(
    network: Network,
    folder: Path,
    identity: Identity,
    card: str | Facts,
    *,
    notice: str | None = None,
    weights: WeightFormat = WeightFormat.FLOAT16,
    keep_language_model: Path | None = None,
) -> float:
    """Check, then write all files. Returns the largest difference that the check found.

    `notice` is the text of LICENSE, for English by default that of en-small. `keep_language_model` is an older bundle of the same
    alphabet. Raises ExportError for what cannot become a bundle, ParityError, and BundleError for a broken older bundle.
    """
    _check_silence(network.spec)
    kept = kept_from(keep_language_model, alphabet_of(network.spec)) if keep_language_model else None
    notice = notice_for(identity.language) if notice is None else notice
    graph = to_graph(network, CHUNK_FRAMES, weights)
    difference = check_parity(network, graph)
    content = graph.SerializeToString()
    if isinstance(card, Facts):
        card = card_of(card.about(identity.name, identity.version, sizes_of(network, weights, len(content), CHUNK_FRAMES)))
    files = {MODEL_FILE: content, "LICENSE": notice.encode(), CARD_FILE: card.encode()}
    if kept:
        files[BUNDLED] = kept.language_model
    bundle_folder.write(folder, manifest_of(network.spec, identity, kept.calibration if kept else {}), files)
    return difference


def _check_silence(spec: NetworkSpec) -> None:
    """What a stream begins and ends with must suit the network. Raises ExportError."""
    if spec.look_ahead > END_FRAMES:
        raise ExportError(f"a look-ahead needs at most the {END_FRAMES} frames that follow the last sample, got {spec.look_ahead}")


def notice_for(language: str) -> str:
    """The LICENSE of a bundle for which nobody gave one. Raises ExportError but for English."""
    if language.partition("-")[0].lower() != "en":
        raise ExportError(f"a bundle for {language!r} needs its own licence notice, there is none to fall back on")
    return ENGLISH_NOTICE.read_text("utf-8")


def notices(files: Sequence[Path]) -> str:
    """The texts of these files, one after the other; one alone stays as it is."""
    return "\n".join(file.read_text("utf-8") for file in files)


def kept_from(folder: Path, alphabet: Alphabet) -> Kept:
    """The language model and calibration of a bundle. Raises ExportError where it has none or another alphabet, BundleError."""
    bundle = Bundle.open(folder)
    if BUNDLED not in bundle.manifest.files:
        raise ExportError(f"{folder} has no language model to keep, it lists {sorted(bundle.manifest.files)}")
    if bundle.manifest.alphabet != alphabet:
        raise ExportError(f"the language model of {folder} is for the alphabet {bundle.manifest.alphabet}, the network needs {alphabet}")
    return Kept(bundle.read(BUNDLED), bundle.manifest.calibration.values)


def manifest_of(spec: NetworkSpec, identity: Identity, calibration: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a native bundle but for its files."""
    alphabet, features = alphabet_of(spec), asdict(LogMelSpec())
    sample_rate = features.pop("sample_rate")
    return {
        "format": 1,
        **asdict(identity),
        "family": "native",
        "alphabet": {
            "symbols": list(alphabet.symbols),
            "blank": alphabet.blank,
            "ignored": sorted(alphabet.ignored),
            "boundary": {"rule": alphabet.boundary.rule.value, "symbol": alphabet.boundary.symbol},
            "bytes": alphabet.bytes_mode,
        },
        "acoustic": {
            "sample_rate": sample_rate,
            "features": {"type": "log-mel", **features},
            "chunk_frames": CHUNK_FRAMES,
            "frames_per_step": spec.stride,
            "look_ahead_frames": spec.look_ahead,
            "start_chunks": START_FRAMES // CHUNK_FRAMES,
            "end_frames": END_FRAMES,
            "output": "log_probs",
            "max_batch": 1,
        },
        "calibration": dict(calibration),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a model bundle.")
    parser.add_argument("checkpoint", type=Path, help="or the model.onnx of a bundle")
    parser.add_argument("out", type=Path, help="folder of the bundle")
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", default="0.1.0")
    parser.add_argument("--language", default="en")
    parser.add_argument("--description", required=True)
    parser.add_argument("--license", default="CC-BY-4.0")
    parser.add_argument("--card", type=Path, required=True, help="the model card in Markdown, or its facts in TOML or JSON")
    parser.add_argument("--weights", type=WeightFormat, choices=list(WeightFormat), default=WeightFormat.FLOAT16)
    parser.add_argument("--license-file", type=Path, action="append", help="the text of LICENSE; several follow one another")
    parser.add_argument("--keep-language-model", type=Path, metavar="BUNDLE_FOLDER", help="with its calibration, of the same alphabet")
    options = parser.parse_args()
    difference = write_bundle(
        load_network(options.checkpoint),
        options.out,
        Identity(options.name, options.version, options.language, options.description, options.license),
        read_facts(options.card) if options.card.suffix in {".toml", ".json"} else options.card.read_text("utf-8"),
        notice=notices(options.license_file) if options.license_file else None,
        weights=options.weights,
        keep_language_model=options.keep_language_model,
    )
    print(f"{options.out}: PyTorch and ONNX Runtime agree within {difference:.2g}")


if __name__ == "__main__":
    main()
