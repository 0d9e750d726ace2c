"""The verification stage: a bundle in, and its network before export if there is one; a report of what holds out.

The bundle is opened as the product opens it. Its network must compute the same whole, in chunks and on ONNX Runtime, the same as the
checkpoint but for rounding, and through the stream that a client uses the same as PyTorch from the same samples, digital silence at
both ends included. And network, bundle and look-ahead must stay within their limits.

    python -m ds_training.verify BUNDLE [--checkpoint CHECKPOINT] [--manifest MANIFEST.tsv [--most 20]] [--limits report]

One JSON object is printed; the exit status is 1 where something does not hold. `--limits report` tells of limits and lets them be.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx

from ds_engine.bundle import MANIFEST, Bundle
from ds_engine.decoder import DecoderContext, Timing
from ds_engine.errors import BundleError, SpeechError
from ds_engine.features import FloatArray
from ds_engine.native import MODEL_FILE
from ds_engine.search.decoder import KernelDecoder
from ds_engine.search.sources import BUNDLED
from ds_training.checkpoint import load_network
from ds_training.corpus import read_manifest, samples_of
from ds_training.model import Network
from ds_training.onnx_graph import GraphError, chunk_of, from_graph, parse_graph, weights_of
from ds_training.parity import TOLERANCE, ParityError, check_computations, check_rounding, noise
from ds_training.streamed import Pair, batch_difference, log_mel_spec, made_sounds
from ds_training.text import Orthography
from ds_training.verification import Check, Outcome, Report, VerificationError, check

MAX_NETWORK_BYTES = 10 * 10**6  # of model.onnx
MAX_BUNDLE_BYTES = 25 * 10**6  # of all files that the manifest lists, and itself
MAX_LOOK_AHEAD_MS = 320


@dataclass(frozen=True, slots=True)
class _Opened:
    """A bundle, its graph, the network of that graph in PyTorch, and both ready to hear."""

    bundle: Bundle
    graph: onnx.ModelProto
    network: Network
    pair: Pair

    @classmethod
    def of(cls, folder: Path) -> _Opened:
        """Raises BundleError or GraphError."""
        bundle = Bundle.open(folder)
        if bundle.manifest.family != "native":
            raise BundleError(f"manifest: family needs to be 'native', got {bundle.manifest.family!r:.60}")
        graph = parse_graph(bundle.read(MODEL_FILE))
        network = from_graph(graph)
        return cls(bundle, graph, network, Pair(bundle, network))


def verify(folder: Path, network: Network | None = None, utterances: Iterable[FloatArray] = (), *, enforce_limits: bool = True) -> Report:
    """What `examine` reports. Raises VerificationError where something does not hold."""
    report = examine(folder, network, utterances, enforce_limits=enforce_limits)
    if not report.passed:
        raise VerificationError(report)
    return report


def examine(folder: Path, network: Network | None = None, utterances: Iterable[FloatArray] = (), *, enforce_limits: bool = True) -> Report:
    """All checks of a bundle (folder or zip), whatever they come to.

    `network` is what it was exported from. `utterances` are float32 [n] in [-1, 1] at the bundle's sample rate; a few made sounds are
    always tried. Without `enforce_limits` a limit that is not kept is reported and no fault.
    """
    try:
        opened = _Opened.of(folder)
    except (BundleError, GraphError) as error:
        return Report(folder.name, (check("bundle", str(error), "to open as the product opens it", holds=False),))
    manifest = opened.bundle.manifest
    checks = _checks(opened, network, utterances, Outcome.FAILED if enforce_limits else Outcome.REPORTED)
    return Report(f"{manifest.name} {manifest.version}", tuple(checks))


def _checks(opened: _Opened, network: Network | None, utterances: Iterable[FloatArray], beyond: Outcome) -> Iterator[Check]:
    yield check("bundle", f"{len(opened.bundle.manifest.files)} files with their checksums", "to open as the product opens it", holds=True)
    yield _unlisted(opened.bundle)
    yield _manifest(opened)
    yield _computations(opened)
    yield _weights(opened, network)
    yield _search(opened.bundle)
    yield from _streams(opened.pair, utterances)
    yield _batch(opened.pair)
    yield from _limits(opened.bundle, beyond)


def _unlisted(bundle: Bundle) -> Check:
    """Files beside those of the manifest: they are not part of the bundle, but would be copied with it."""
    listed = {MANIFEST, *bundle.manifest.files}
    others = sorted(path.name for path in bundle.path.iterdir() if path.name not in listed) if bundle.path.is_dir() else []
    return check(
        "files", ", ".join(others) or "none", "no files that the manifest does not list", holds=not others, otherwise=Outcome.REPORTED
    )


def _manifest(opened: _Opened) -> Check:
    """What the engine cannot know: whether the manifest tells of this network."""
    spec, acoustic = opened.network.spec, opened.bundle.manifest.acoustic
    needed = {"symbols": spec.symbols, "look_ahead_frames": spec.look_ahead, "frames_per_step": spec.stride}
    told = {name: acoustic.get(name, int) for name in ("look_ahead_frames", "frames_per_step", "end_frames")}
    found = {**told, "symbols": opened.bundle.manifest.alphabet.symbols}
    wrong = [name for name in needed if found[name] != needed[name]]
    if told["end_frames"] < spec.look_ahead:
        wrong.append("end_frames")
    wanted = f"{spec.look_ahead} frames of look-ahead and at least as many at the end, {spec.stride} per step, the network's symbols"
    return check("manifest", ", ".join(f"{name} {found[name]}" for name in wrong) or "the same", wanted, holds=not wrong)


def _computations(opened: _Opened) -> Check:
    needed = f"PyTorch whole, PyTorch in chunks and ONNX Runtime within {TOLERANCE:g} of each other"
    try:
        largest = check_computations(opened.network, opened.graph, noise(opened.network, chunk_of(opened.graph)))
    except ParityError as error:
        return check("computations", str(error), needed, holds=False)
    return check("computations", largest, needed, holds=True)


def _weights(opened: _Opened, network: Network | None) -> Check:
    weights = weights_of(opened.graph)
    needed = f"the network before export but for rounding to {weights}"
    if network is None:
        return Check("weights", Outcome.SKIPPED, "no network to compare with", needed)
    try:
        difference = check_rounding(network, opened.network, weights, noise(opened.network, chunk_of(opened.graph)))
    except ParityError as error:
        return check("weights", str(error), needed, holds=False)
    told = f"{difference.moved:.1%} of the probability moved, log-probs up to {difference.largest:.2g} apart"
    return check("weights", told, needed, holds=True)


def _search(bundle: Bundle) -> Check:
    needed = "the search to open with the bundle's language model and calibration"
    if BUNDLED not in bundle.manifest.files:
        return Check("search", Outcome.SKIPPED, "no language model", needed)
    try:
        KernelDecoder.make(DecoderContext(bundle.manifest.alphabet, Timing(1.0), bundle))  # nobody asks for times
    except SpeechError as error:
        return check("search", str(error), needed, holds=False)
    return check("search", "opened", needed, holds=True)


def _streams(pair: Pair, utterances: Iterable[FloatArray]) -> Iterator[Check]:
    """One check for the made sounds and one for the utterances."""
    yield _stream("stream of made sounds", pair, made_sounds(pair.model.sample_rate).values())
    yield _stream("stream of utterances", pair, utterances)


def _stream(name: str, pair: Pair, sounds: Iterable[FloatArray]) -> Check:
    """What was understood is nobody's business here: texts are counted, not told."""
    needed = f"the engine within {TOLERANCE:g} of PyTorch, and the same texts"
    try:
        found = [pair.compare(samples) for samples in sounds]
    except BundleError as error:
        return check(name, str(error), needed, holds=False)
    if not found:
        return Check(name, Outcome.SKIPPED, "none given", needed)
    largest, others = max(each.largest for each in found), sum(not each.same_text for each in found)
    told = f"log-probs {largest:.2g} apart, {others} of {len(found)} texts differ"
    return check(name, told, needed, holds=not others and largest <= TOLERANCE)


def _batch(pair: Pair) -> Check:
    needed = "streams that step together to come out as each alone, bit for bit"
    if pair.model.max_batch == 1:
        return Check("batch", Outcome.SKIPPED, "max_batch is 1: the engine steps each stream alone", needed)
    try:
        largest = batch_difference(pair.model)
    except BundleError as error:
        return check("batch", str(error), needed, holds=False)
    return check("batch", largest, needed, holds=largest == 0)


def _limits(bundle: Bundle, beyond: Outcome) -> Iterator[Check]:
    mel, look_ahead = log_mel_spec(bundle.manifest.acoustic), bundle.manifest.acoustic.get("look_ahead_frames", int)
    sizes = {name: entry.size for name, entry in bundle.manifest.files.items()}
    whole = sum(sizes.values()) + (len((bundle.path / MANIFEST).read_bytes()) if bundle.path.is_dir() else 0)
    for name, found, limit in (
        ("network_bytes", sizes[MODEL_FILE], MAX_NETWORK_BYTES),
        ("bundle_bytes", whole, MAX_BUNDLE_BYTES),
        ("look_ahead_ms", 1000 * look_ahead * mel.hop / mel.sample_rate, MAX_LOOK_AHEAD_MS),
    ):
        yield check(name, found, f"at most {limit}", holds=found <= limit, otherwise=beyond)


def main() -> None:
    parser = argparse.ArgumentParser(description="Check a bundle.")
    parser.add_argument("bundle", type=Path, help="folder or zip")
    parser.add_argument("--checkpoint", type=Path, help="what it was exported from")
    parser.add_argument("--manifest", type=Path, help="TSV of recordings to stream")
    parser.add_argument("--most", type=int, default=20, help="recordings, the first of the manifest")
    parser.add_argument("--limits", choices=("enforce", "report"), default="enforce")
    options = parser.parse_args()
    network = load_network(options.checkpoint) if options.checkpoint else None
    utterances = recordings(options.bundle, options.manifest, options.most) if options.manifest else ()
    report = examine(options.bundle, network, utterances, enforce_limits=options.limits == "enforce")
    print(json.dumps(report.to_json(), ensure_ascii=False))
    if not report.passed:
        sys.exit(1)


def recordings(folder: Path, manifest: Path, most: int) -> Iterator[FloatArray]:
    """The samples of the first recordings of a manifest, as a bundle needs them. Raises CorpusError, BundleError."""
    opened = Bundle.open(folder).manifest
    for recording in read_manifest(manifest, Orthography(opened.alphabet.symbols))[:most]:
        yield samples_of(recording, opened.acoustic.positive("sample_rate"))


if __name__ == "__main__":
    main()
