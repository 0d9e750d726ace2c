"""One step of training after the other: batches in, losses out; what a checkpoint holds is the state in between.

The live network, its moving average, the optimizer and the position. On a GPU everything but the batches lies there.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ds_training.batches import Batch, Targets
from ds_training.evaluate import START_FRAMES
from ds_training.model import Network
from ds_training.phones import PHONES
from ds_training.schedule import Schedule
from ds_training.settings import Settings, SettingsError

LARGEST_GRADIENT = 2.0  # norm of all gradients together, beyond which they are scaled down
MOST_SKIPPED = 20  # batches in a row without a finite loss and gradient: the weights are lost


class DivergedError(ArithmeticError):
    """Batch after batch has had no finite loss: going on is useless. The last checkpoint is still good."""


@dataclass(slots=True)
class Position:
    """How far a run has come."""

    epoch: int = 0
    index: int = 0  # of the next batch in its epoch
    step: int = 0
    hours: float = 0.0  # of audio heard
    drawn: float = 0.0  # hours of the same audio before augmentation: known ahead, so the strength follows them
    seconds: float = 0.0  # of time
    evaluated: float = 0.0  # hours at the last evaluation
    snapshot: float = 0.0  # hours at the last snapshot
    best_cer: float = float("inf")
    goal_cer: float = float("inf")  # the CER that the next has to be better than, by `min_delta`
    stale: int = 0  # evaluations since one was
    factor: float = 1.0  # on the learning rate, lowered on a plateau
    skipped: int = 0  # batches
    unaligned: int = 0  # utterances heard that had more symbols than steps

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Self:
        """As a checkpoint has it; checkpoints up to 0.2 know epoch, index, step, hours and best_cer."""
        hours, best = saved["hours"], saved["best_cer"]
        return cls(**{"drawn": hours, "evaluated": hours, "snapshot": hours, "goal_cer": best, **saved})


class Trainer:
    """All that a checkpoint holds, and how a batch changes it. Raises SettingsError where the settings do not fit the network."""

    def __init__(self, network: Network, settings: Settings, silence: float, device: torch.device) -> None:
        """`silence` is the feature of digital silence. The network is taken over, not copied."""
        if settings.freeze > len(network.blocks):
            raise SettingsError(f"training: freeze needs at most the network's {len(network.blocks)} blocks, got {settings.freeze}")
        self.network, self.average = network.to(device), Network(network.spec).to(device)
        self.average.load_state_dict(network.state_dict())
        self.phones = nn.Linear(network.spec.blocks[-1].outputs, 1 + len(PHONES)).to(device)  # a second output, for training alone
        self.network.blocks[: settings.freeze].requires_grad_(False)
        self._trained = [*network.parameters(), *self.phones.parameters()]
        self.optimizer = torch.optim.AdamW(self._trained, settings.learning_rate, (0.9, 0.98), weight_decay=0.01, fused=True)
        self.position = Position()
        self.schedule, self._settings, self._silence, self._device = Schedule(settings), settings, silence, device
        self._kept_and_live = list(zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True))
        self._skipped_in_a_row = 0

    def strength(self, drawn: float) -> float:
        """The strength of augmentation after so many hours drawn, now."""
        return self.schedule.strength_at(self.schedule.reached(drawn, self.position.seconds))

    def rate(self) -> float:
        """The learning rate now."""
        position = self.position
        return self.schedule.rate_at(position.step, self.schedule.reached(position.hours, position.seconds)) * position.factor

    def step(self, batch: Batch) -> float | None:
        """Learn from one batch: its loss. None where that or a gradient is not finite: then it is skipped as if it had been empty.

        Raises DivergedError after too many skipped in a row.
        """
        position, (epoch, index, drawn) = self.position, batch.place
        loss = self._learn(batch)
        position.epoch, position.index, position.step, position.drawn = epoch, index + 1, position.step + 1, drawn
        position.hours += batch.hours
        position.unaligned += batch.unaligned
        position.skipped += loss is None
        self._skipped_in_a_row = self._skipped_in_a_row + 1 if loss is None else 0
        if self._skipped_in_a_row >= MOST_SKIPPED:
            raise DivergedError(f"training needs finite losses, got {MOST_SKIPPED} batches in a row without, up to step {position.step}")
        return loss

    def _learn(self, batch: Batch) -> float | None:
        torch.manual_seed(self._settings.seed * 1_000_003 + self.position.step)  # dropout depends on the step alone
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        statistics = [(buffer, buffer.clone()) for buffer in self.network.buffers()]
        loss = self._loss(batch)
        self.optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self._trained, LARGEST_GRADIENT)
        moved = [buffer.sum() for buffer, _ in statistics if buffer.is_floating_point()]  # a huge sound spoils these alone
        if not bool(torch.stack([loss.detach(), norm, *moved]).isfinite().all()):
            for buffer, before in statistics:
                buffer.copy_(before)
            return None
        self.optimizer.step()
        self._follow()
        return float(loss.detach())

    def _loss(self, batch: Batch) -> Tensor:
        states = self.network.silent_states(self._silence, START_FRAMES, len(batch.features))
        self._begin_training()
        features = torch.from_numpy(batch.features).to(self._device)
        steps = torch.from_numpy(batch.frames // self.network.spec.stride)
        on_processor = self._device.type == "cpu"
        with self._half():
            heard, _ = self.network.hear(features, states[:-2])
        with self._half() if on_processor else nullcontext():  # on a GPU an LSTM would become float16, in which gradients vanish
            log_probs, _ = self.network.spell(heard if on_processor else heard.float(), states[-2:])
        loss = self._ctc(log_probs, batch.symbols, steps)
        known = torch.from_numpy(np.flatnonzero(batch.phones.lengths))  # the others' phones are unknown
        if not self._settings.phones or not len(known):
            return loss
        with self._half():
            phone_log_probs = self.phones(heard).float().log_softmax(-1)
        of_known = Targets(batch.phones.indices, batch.phones.lengths[known.numpy()])
        return loss + self._settings.phones * self._ctc(phone_log_probs[known.to(self._device)], of_known, steps[known])

    def _half(self) -> AbstractContextManager[None]:
        """Within, what is heavy is computed in bfloat16, if the settings say so."""
        context: AbstractContextManager[None] = torch.autocast(self._device.type, torch.bfloat16, enabled=self._settings.half)
        return context

    def _begin_training(self) -> None:
        """Every part in training mode, but for those whose batch-norm statistics are to stay."""
        self.network.train()
        for block in self.network.blocks[: self._settings.freeze]:
            block.eval()
        if self._settings.norm_frozen:
            for block in self.network.blocks:
                block.norm.eval()

    def _ctc(self, log_probs: Tensor, targets: Targets, steps: Tensor) -> Tensor:
        """float32 [B, T, symbols]; the lengths stay on the processor, where CTC wants them."""
        indices, lengths = torch.from_numpy(targets.indices).to(self._device), torch.from_numpy(targets.lengths)
        return functional.ctc_loss(log_probs.transpose(0, 1), indices, steps, lengths, zero_infinity=True)

    def _follow(self) -> None:
        """Move the average a little towards the live weights, batch-norm statistics included."""
        share = 1 - min(self._settings.averaging, (1 + self.position.step) / (10 + self.position.step))  # quick at first
        for kept, live in self._kept_and_live:
            if kept.is_floating_point():
                kept.lerp_(live, share)
            else:
                kept.copy_(live)

    def checkpoint(self) -> dict[str, Any]:
        return {
            "spec": self.network.spec.to_json(),
            "weights": self.average.state_dict(),
            "live": self.network.state_dict(),
            "phones": self.phones.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "position": asdict(self.position),
        }

    def resume(self, checkpoint: dict[str, Any]) -> None:
        self.network.load_state_dict(checkpoint["live"])
        self.phones.load_state_dict(checkpoint["phones"])
        self.average.load_state_dict(checkpoint["weights"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.position = Position.of(checkpoint["position"])
