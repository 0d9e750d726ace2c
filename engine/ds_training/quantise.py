"""The quantisation stage: a bundle in, the same bundle with its weights in another format out, and what that changes.

Only the network's file changes, and its line in the manifest; language model, calibration, licence and card stay. The differences are
those between the network before and after, on the features of the utterances of a shard or, without any, on noise.

    python -m ds_training.quantise BUNDLE_FOLDER OUT_FOLDER [--weights int8] [--checkpoint CHECKPOINT] [--shard SHARD.npz]... [--every 1]

With `--checkpoint` the weights come from there instead of from the bundle, whose weights are rounded already. One JSON object is
printed. OUT_FOLDER may be BUNDLE_FOLDER. A card that tells sizes is made anew by ds_training.card.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ds_engine.bundle import Bundle
from ds_engine.features import LogMel, LogMelSpec
from ds_engine.native import MODEL_FILE
from ds_training import bundle_folder
from ds_training.checkpoint import load_network
from ds_training.corpus import Utterance, read_shard
from ds_training.evaluate import measure
from ds_training.hearing import log_probs
from ds_training.model import Network
from ds_training.onnx_graph import chunk_of, from_graph, parse_graph, to_graph, weights_of
from ds_training.parity import Difference, check_parity, check_rounding, in_one, noise
from ds_training.weights import WeightFormat


@dataclass(frozen=True, slots=True)
class Errors:
    """Greedy error rates as fractions of reference characters and words."""

    cer: float
    wer: float


@dataclass(frozen=True, slots=True)
class Side:
    """The bundle before or after; its errors where utterances were given."""

    weights: WeightFormat
    network_bytes: int
    bundle_bytes: int  # of all files that the manifest lists
    errors: Errors | None


@dataclass(frozen=True, slots=True)
class Quantisation:
    """What the format changes. `difference` is of log-probs, after against before."""

    before: Side
    after: Side
    difference: Difference
    utterances: int  # 0: the difference is on noise


def quantise(
    folder: Path,
    out: Path,
    weights: WeightFormat,
    utterances: Sequence[Utterance] = (),
    network: Network | None = None,
) -> Quantisation:
    """Writes the bundle of `folder` to `out` with these weights, taken from `network` where one is given.

    Raises BundleError and GraphError for a broken bundle, ExportError for weights that the format cannot hold, ParityError where
    `network` is not what the bundle was exported from or the new graph computes something else; nothing is written then.
    """
    bundle = Bundle.open(folder)
    contents = {name: bundle.read(name) for name in bundle.manifest.files}
    old = parse_graph(bundle.read(MODEL_FILE))
    stored = from_graph(old)
    if network is not None:
        check_rounding(network, stored, weights_of(old), noise(stored, chunk_of(old)))
    source = network or stored
    new = to_graph(source, chunk_of(old), weights)
    check_parity(source, new)
    rounded, changed = from_graph(new), {**contents, MODEL_FILE: new.SerializeToString()}
    report = Quantisation(
        _side(stored, weights_of(old), contents, utterances),
        _side(rounded, weights, changed, utterances),
        _difference(stored, rounded, chunk_of(old), utterances),
        len(utterances),
    )
    bundle_folder.write(out, bundle_folder.manifest_in(folder), changed)
    return report


def _side(network: Network, weights: WeightFormat, contents: Mapping[str, bytes], utterances: Sequence[Utterance]) -> Side:
    errors = None
    if utterances:
        figures, _ = measure(network, utterances, LogMel(LogMelSpec()))
        errors = Errors(figures.cer, figures.wer)
    return Side(weights, len(contents[MODEL_FILE]), sum(map(len, contents.values())), errors)


def _difference(before: Network, after: Network, chunk: int, utterances: Sequence[Utterance]) -> Difference:
    if not utterances:
        features = noise(before, chunk)
        return Difference.of(in_one(before, features), in_one(after, features))
    mel, powers = LogMel(LogMelSpec()), [utterance.log_power for utterance in utterances]
    one, other = (np.concatenate(log_probs(network, powers, mel)) for network in (before, after))
    return Difference.of(one, other)


def main() -> None:
    parser = argparse.ArgumentParser(description="Store the weights of a bundle in another format.")
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument("out", type=Path, help="folder to write, which may be the same")
    parser.add_argument("--weights", type=WeightFormat, choices=list(WeightFormat), default=WeightFormat.INT8)
    parser.add_argument("--checkpoint", type=Path, help="what the bundle was exported from: weights that are not rounded yet")
    parser.add_argument("--shard", type=Path, action="append", default=[], help="utterances to measure the difference on")
    parser.add_argument("--every", type=int, default=1, help="take each n-th utterance only")
    options = parser.parse_args()
    utterances = [utterance for path in options.shard for utterance in read_shard(path)][:: options.every]
    network = load_network(options.checkpoint) if options.checkpoint else None
    print(json.dumps(asdict(quantise(options.bundle, options.out, options.weights, utterances, network))))


if __name__ == "__main__":
    main()
