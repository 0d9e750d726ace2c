"""What can become a bundle: a network in, nothing out; what no file could hold or no stream could run raises ExportError."""

from __future__ import annotations

from itertools import pairwise

import torch

from ds_engine.alphabet import Alphabet
from ds_engine.errors import BundleError
from ds_engine.features import LogMelSpec
from ds_training.model import BlockSpec, Network, NetworkSpec
from ds_training.text import Orthography


class ExportError(ValueError):
    """A network, or something that goes into the bundle with it, that cannot be exported."""


def check_network(network: Network, chunk: int) -> None:
    """Sizes, alphabet and weights of a network that is to run in chunks of `chunk` feature frames. Raises ExportError."""
    check_spec(network.spec)
    if chunk < 1 or chunk % network.spec.stride:
        raise ExportError(f"a chunk needs a multiple of the stride of {network.spec.stride} frames, got {chunk}")
    for name, value in network.state_dict().items():
        if not torch.isfinite(value).all():
            raise ExportError(f"weights need to be finite, got NaN or infinity in {name}")
        if name.endswith("running_var") and (value < 0).any():
            raise ExportError(f"a variance needs to be at least 0, got {float(value.min()):g} in {name}")


def check_spec(spec: NetworkSpec) -> None:
    """Alphabet, chain of blocks and delays. Raises ExportError."""
    alphabet_of(spec)
    if not spec.blocks or spec.width < 1:
        raise ExportError(f"a network needs blocks and an LSTM, got {len(spec.blocks)} blocks and a width of {spec.width}")
    bands = LogMelSpec().bands
    if spec.blocks[0].inputs != bands:
        raise ExportError(f"the first block needs {bands} inputs, the bands of the features, got {spec.blocks[0].inputs}")
    for index, block in enumerate(spec.blocks):
        _check_block(f"block {index}", block)
    for index, (before, block) in enumerate(pairwise(spec.blocks), 1):
        if before.outputs != block.inputs:
            raise ExportError(f"block {index} needs {before.outputs} inputs, the outputs of the one before, got {block.inputs}")


def alphabet_of(spec: NetworkSpec) -> Alphabet:
    """The alphabet of the columns. Raises ExportError where the symbols make none."""
    if not all(isinstance(symbol, str) and _is_text(symbol) for symbol in spec.symbols):
        raise ExportError(f"symbols need to be strings of whole characters, got {spec.symbols!r:.80}")
    try:
        alphabet = Orthography(spec.symbols).alphabet
    except BundleError as error:
        raise ExportError(f"the symbols make no alphabet: {error}") from error
    if not any(alphabet.text([column]) for column in range(len(spec.symbols))):
        raise ExportError(f"an alphabet needs a letter beside blank and space, got {list(spec.symbols)}")
    return alphabet


def _is_text(symbol: str) -> bool:
    """False for half a surrogate pair, which no manifest can hold."""
    return not any("\ud800" <= character <= "\udfff" for character in symbol)


def _check_block(name: str, block: BlockSpec) -> None:
    if min(block.inputs, block.outputs, block.stride) < 1:
        raise ExportError(f"{name} needs inputs, outputs and a stride of at least 1, got {block}")
    if block.kernel < block.stride:
        raise ExportError(
            f"{name} needs a kernel of at least its stride of {block.stride} frames, got {block.kernel}: it would skip frames"
        )
    if not 0 <= block.ahead < block.kernel:
        raise ExportError(f"{name} needs 0 to {block.kernel - 1} frames ahead, those of its kernel, got {block.ahead}")
    if block.residual and (block.stride != 1 or block.inputs != block.outputs):
        raise ExportError(f"{name} adds its input: it needs stride 1 and as many outputs as inputs, got {block}")
