"""Several snapshots in, one network out whose weights are their mean: it often errs less than any of them.

    python -m ds_training.average OUT.pt IN.pt...

OUT.pt holds float16 weights alone (see checkpoint.py). With one IN.pt, a checkpoint is only made small enough to carry away.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ds_training.checkpoint import CheckpointError, load_network, save_weights
from ds_training.corpus import CorpusError
from ds_training.model import Network


def average(paths: Sequence[Path]) -> Network:
    """The mean of parameters and batch-norm statistics. Raises CheckpointError where sizes or alphabets differ, or nothing is given."""
    if not paths:
        raise CheckpointError("an average needs at least one file of weights, got none")
    networks = [load_network(path) for path in paths]
    for path, network in zip(paths, networks, strict=True):
        if network.spec != networks[0].spec:
            raise CheckpointError(f"{path}: an average needs equal sizes and alphabets, got {network.spec} beside {networks[0].spec}")
    return mixed(networks, [1 / len(networks)] * len(networks))


def mixed(networks: Sequence[Network], shares: Sequence[float]) -> Network:
    """Networks of one spec, each counting by its share; the shares add up to 1.

    A network and what fine-tuning made of it, mixed, keep most of what was learnt and forget less (Wortsman et al. 2022, "Robust
    fine-tuning of zero-shot models").
    """
    states = [network.state_dict() for network in networks]
    mean = {name: sum(share * state[name].double() for share, state in zip(shares, states, strict=True)) for name in states[0]}
    result = Network(networks[0].spec)
    result.load_state_dict(mean)  # rounds to the type of each
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description="Average the weights of checkpoints.")
    parser.add_argument("out", type=Path)
    parser.add_argument("inputs", type=Path, nargs="+", metavar="IN.pt")
    options = parser.parse_args()
    try:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        save_weights(options.out, average(options.inputs))
    except CorpusError as error:
        parser.error(str(error))
    print(f"{options.out}: {options.out.stat().st_size / 2**20:.1f} MiB, the mean of {len(options.inputs)}")


if __name__ == "__main__":
    main()
