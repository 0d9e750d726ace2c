"""The network, in the one form that training, evaluation and export share: features and states in, log-probs and states out.

`Network.forward(features [B, T, bands], states) -> (log_probs [B, T / 4, symbols], states)`, T a multiple of 4. Nothing is padded:
every block convolves the last input frames of the call before (its cache, zeros at first) with the new ones, so that one call with
a whole utterance and many calls with its pieces compute the same. Looking ahead is delay: the output at a step belongs to the
sound `look_ahead` feature frames earlier, and a block that adds its input to its output delays it by as much as its output.

States: for each block its cache [B, channels, kernel - stride], then hidden and cell of the LSTM [B, width].
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ds_training.text import SYMBOLS

States = list[Tensor]


@dataclass(frozen=True, slots=True)
class BlockSpec:
    """A convolution over `kernel` frames, `ahead` of them after the one it speaks of."""

    inputs: int  # channels
    outputs: int  # channels
    kernel: int  # frames of its own input
    stride: int
    ahead: int  # frames of its own input
    residual: bool = False  # adds its input; needs stride 1 and as many outputs as inputs

    @property
    def cache(self) -> int:
        """Input frames kept from call to call."""
        return self.kernel - self.stride


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """The sizes of a network, as they stand in checkpoints and in the metadata of `model.onnx`."""

    blocks: tuple[BlockSpec, ...]
    width: int  # of the LSTM
    symbols: tuple[str, ...] = SYMBOLS  # of the alphabet, by column of the log-probs; the blank first

    @property
    def stride(self) -> int:
        """Feature frames per output step."""
        product = 1
        for block in self.blocks:
            product *= block.stride
        return product

    @property
    def look_ahead(self) -> int:
        """Feature frames that follow a sound before its output appears."""
        frames, rate = 0, 1
        for block in self.blocks:
            frames += block.ahead * rate
            rate *= block.stride
        return frames

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> NetworkSpec:
        symbols = data["symbols"]
        if symbols == len(SYMBOLS):  # as checkpoints and bundles up to 0.2 tell English
            symbols = SYMBOLS
        return cls(tuple(BlockSpec(**block) for block in data["blocks"]), data["width"], tuple(symbols))


SMALL = NetworkSpec(
    (
        BlockSpec(80, 192, 11, 2, 3),
        BlockSpec(192, 320, 11, 2, 3),
        BlockSpec(320, 320, 7, 1, 2, residual=True),
        BlockSpec(320, 320, 7, 1, 2, residual=True),
    ),
    width=384,
)  # 3.5 million parameters, 40 ms steps, 250 ms look-ahead
DEEP = NetworkSpec(SMALL.blocks[:2] + 4 * (BlockSpec(320, 320, 5, 1, 1, residual=True),), width=384)  # 4.0 million, the same look-ahead
TINY = NetworkSpec((BlockSpec(80, 32, 11, 2, 3), BlockSpec(32, 48, 11, 2, 3)), width=32)  # to try a recipe out: 37,000 parameters
SIZES = {"tiny": TINY, "small": SMALL, "deep": DEEP}


class Block(nn.Module):  # type: ignore[misc]  # torch is Any to mypy, see pyproject.toml
    """Convolution, batch norm and ReLU over the cache and the new frames."""

    def __init__(self, spec: BlockSpec) -> None:
        super().__init__()
        self.spec = spec
        self.conv = nn.Conv1d(spec.inputs, spec.outputs, spec.kernel, spec.stride, bias=False)
        self.norm = nn.BatchNorm1d(spec.outputs, momentum=0.05)

    def forward(self, frames: Tensor, cache: Tensor) -> tuple[Tensor, Tensor]:
        """[B, inputs, T] and [B, inputs, cache] -> [B, outputs, T / stride] and the next cache."""
        window = torch.cat((cache, frames), 2)
        hidden = functional.relu(self.norm(self.conv(window)))
        if self.spec.residual:
            delay = self.spec.kernel - 1 - self.spec.ahead
            hidden = hidden + window[:, :, delay : delay + frames.shape[2]]
        return hidden, window[:, :, window.shape[2] - self.spec.cache :]


class Network(nn.Module):  # type: ignore[misc]  # as above
    """Convolution blocks, one LSTM, layer norm and a linear output."""

    def __init__(self, spec: NetworkSpec = SMALL, dropout: float = 0.1) -> None:
        super().__init__()
        self.spec = spec
        self.blocks = nn.ModuleList(Block(block) for block in spec.blocks)
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(spec.blocks[-1].outputs, spec.width, batch_first=True)
        self.norm = nn.LayerNorm(spec.width)
        self.head = nn.Linear(spec.width, len(spec.symbols))

    def forward(self, features: Tensor, states: States) -> tuple[Tensor, States]:
        heard, caches = self.hear(features, states[:-2])
        log_probs, spelling = self.spell(heard, states[-2:])
        return log_probs, [*caches, *spelling]

    def hear(self, features: Tensor, caches: States) -> tuple[Tensor, States]:
        """The convolutions: [B, T, bands] -> [B, T / 4, channels]."""
        if features.shape[1] % self.spec.stride:
            raise ValueError(f"features need a multiple of {self.spec.stride} frames, got shape {list(features.shape)}")
        frames = features.transpose(1, 2)
        following: States = []
        for block, cache in zip(self.blocks, caches, strict=True):
            frames, after = block(frames, cache)
            following.append(after)
        return frames.transpose(1, 2), following

    def spell(self, heard: Tensor, states: States) -> tuple[Tensor, States]:
        """LSTM and output: [B, T / 4, channels] -> log-probs [B, T / 4, symbols]."""
        steps, following = self.lstm(self.dropout(heard), (states[0][None], states[1][None]))
        logits = self.head(self.norm(steps.float()))
        return logits.float().log_softmax(-1), [state[0] for state in following]

    def zero_states(self, batch: int = 1) -> States:
        """What a stream begins with, before any silence has passed; on the network's device."""
        shapes = [*((block.inputs, block.cache) for block in self.spec.blocks), (self.spec.width,), (self.spec.width,)]
        return [torch.zeros(batch, *shape, device=self.head.weight.device) for shape in shapes]

    def silent_states(self, silence: float, frames: int, batch: int = 1) -> States:
        """What a stream meets its first sample with: the states after `frames` frames of features that all equal `silence`.

        In evaluation mode and without gradients, whatever the mode of the network.
        """
        training = self.training
        self.eval()
        features = torch.full((1, frames, self.spec.blocks[0].inputs), silence, device=self.head.weight.device)
        with torch.no_grad():
            _, states = self(features, self.zero_states())
        self.train(training)
        return [state.float().expand(batch, *state.shape[1:]).contiguous() for state in states]
