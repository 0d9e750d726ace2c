"""Tiny networks to export, of one shape and of any, and facts for a card."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

from ds_training.card_facts import facts_of
from ds_training.export import Identity
from ds_training.model import BlockSpec, Network, NetworkSpec

TINY = NetworkSpec((BlockSpec(80, 12, 5, 2, 1), BlockSpec(12, 10, 5, 2, 1), BlockSpec(10, 10, 3, 1, 1, residual=True)), width=6)
IDENTITY = Identity("en-tiny", "0.0.1", "en", "for tests", "CC-BY-4.0")
ALPHABETS = (("<blank>", " ", "a"), ("<blank>", "あ", "い"), ("_", " ", "ä", "ß", "'", "🙂"))

TABLE: dict[str, Any] = {
    "name": "de-haus",
    "version": "1.0",
    "licence": "CC0",
    "summary": "Ein kleines Modell.",
    "badly": "- Children.",
    "reproduce": "    python -m ds_training.run haus.toml",
    "corpora": [{"name": "Haus | Hof", "licence": "CC0", "hours": 1, "speakers": 3, "note": "zwei\nZeilen"}],
    "training": {"hours": 12.5, "start": "en-small 0.2.0", "recipe": "haus.toml"},
    "figures": [{"name": "test", "speakers": 2, "utterances": 10, "cer": 0.25, "wer": 1.5}],
}
FACTS = facts_of(TABLE)


def experienced(spec: NetworkSpec = TINY, seed: int = 3) -> Network:
    """A network whose batch norms have seen something, and of which no two parameters are alike."""
    torch.manual_seed(seed)
    network = Network(spec)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    network.train()
    for _ in range(3):
        network(torch.randn(4, 8 * spec.stride, 80) * 2 - 1, network.zero_states(4))
    network.eval()
    return network


@st.composite
def specs(draw: st.DrawFn) -> NetworkSpec:
    """One to three blocks of any kernel, stride and look-ahead, residual ones among them, and any alphabet."""
    blocks, inputs = list[BlockSpec](), 80
    for _ in range(draw(st.integers(1, 3))):
        residual = bool(blocks) and draw(st.booleans())
        stride = 1 if residual else draw(st.integers(1, 3))
        kernel = draw(st.integers(stride, 6))
        outputs = inputs if residual else draw(st.integers(1, 6))
        blocks.append(BlockSpec(inputs, outputs, kernel, stride, draw(st.integers(0, kernel - 1)), residual))
        inputs = outputs
    return NetworkSpec(tuple(blocks), draw(st.integers(1, 5)), draw(st.sampled_from(ALPHABETS)))
