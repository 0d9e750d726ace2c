"""Starting from what another network has learnt: a network in, one with other letters, fewer kept layers or more blocks out.

The network that is handed in is never changed. What begins anew is drawn as in any new network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from ds_engine.errors import InputError
from ds_training.checkpoint import load_network
from ds_training.corpora.characters import alphabet_from_file
from ds_training.corpus import CorpusError
from ds_training.model import BlockSpec, Network, NetworkSpec
from ds_training.settings import SettingsError

GROWN = 1e-7  # scale and shift of an added block's batch norm: changes log-probs by less than 1e-5, but lets gradients through, as 0 cannot
GROWN_KERNEL = 5  # steps


def symbols_of(path: Path) -> tuple[str, ...]:
    """The symbols of a network's file (`.pt`, `.onnx`), or of DeepSpeech's alphabet.txt with the blank before them. Raises CorpusError."""
    if path.suffix in {".pt", ".onnx"}:
        return load_network(path).spec.symbols
    try:
        return alphabet_from_file(path)
    except InputError as error:
        raise CorpusError(str(error)) from error


def respell(network: Network, symbols: Sequence[str]) -> Network:
    """The same network over another alphabet: symbols that both have keep their weights in the output, others begin anew."""
    fresh = Network(replace(network.spec, symbols=tuple(symbols)), network.dropout.p)
    weights = {name: value for name, value in network.state_dict().items() if not name.startswith("head.")}
    fresh.load_state_dict(weights, strict=False)
    known = {symbol: column for column, symbol in enumerate(network.spec.symbols)}
    pairs = [(column, known[symbol]) for column, symbol in enumerate(symbols) if symbol in known]
    pairs = [(0, 0), *((new, old) for new, old in pairs if new and old)]  # blanks answer to each other, whatever they are called
    new, old = (torch.tensor(columns) for columns in zip(*pairs, strict=True))
    with torch.no_grad():
        for ours, theirs in zip(fresh.head.parameters(), network.head.parameters(), strict=True):
            ours[new] = theirs[old]
    return fresh


def keep_blocks(network: Network, count: int) -> Network:
    """The same network of which the first `count` blocks keep their weights; the others, LSTM and output begin anew.

    DeepSpeech's `drop_source_layers` from the other end. Raises SettingsError where there are fewer blocks.
    """
    if count > len(network.blocks):
        raise SettingsError(f"training: keep needs at most the network's {len(network.blocks)} blocks, got {count}")
    fresh = Network(network.spec, network.dropout.p)
    fresh.blocks[:count].load_state_dict(network.blocks[:count].state_dict())
    return fresh


def deeper(spec: NetworkSpec, count: int) -> NetworkSpec:
    """A spec with `count` residual blocks more at the end, which look no further ahead."""
    channels = spec.blocks[-1].outputs
    return replace(spec, blocks=spec.blocks + count * (BlockSpec(channels, channels, GROWN_KERNEL, 1, 0, residual=True),))


def grow(network: Network, spec: NetworkSpec) -> Network:
    """The network with the blocks that `spec` has more, at the end; they begin as (all but) the identity, so the outputs stay.

    Raises SettingsError unless the rest is the same and what is added is residual and looks no further ahead.
    """
    count = len(network.spec.blocks)
    added = spec.blocks[count:]
    if replace(spec, blocks=spec.blocks[:count]) != network.spec:
        raise SettingsError(f"training: growing needs the same sizes but for added blocks, got {spec} for {network.spec}")
    if not all(block.residual and block.stride == 1 and block.ahead == 0 and block.inputs == block.outputs for block in added):
        raise SettingsError(f"training: growing needs residual blocks of stride 1 that look 0 frames ahead, got {added}")
    grown = Network(spec, network.dropout.p)
    grown.load_state_dict(network.state_dict(), strict=False)
    for block in grown.blocks[count:]:
        torch.nn.init.constant_(block.norm.weight, GROWN)
        torch.nn.init.constant_(block.norm.bias, GROWN)
    return grown
