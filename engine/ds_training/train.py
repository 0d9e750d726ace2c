"""Training: shards in, checkpoints and a log out; stopped at any time, it goes on from `last.pt` as if it had not been.

Progress is counted in hours of audio passed, never in time: the learning rate rises over the first steps, stays, and falls to
nothing over the last part; the strength of augmentation rises. What is evaluated and kept is a moving average of the weights.

    python -m ds_training.train OUT --real SHARD... --synthetic SHARD... --development SHARD... --start MODEL --hours 300

Run again with the same OUT, it resumes; `--hours` may then be another total. OUT/best.pt is best on the development speakers.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ds_engine.features import LogMel, LogMelSpec
from ds_training.augment import FRAMES_PER_SECOND, Augmenter
from ds_training.batches import Batch, Batches, Targets
from ds_training.checkpoint import load_checkpoint, load_network, save_checkpoint
from ds_training.corpus import Utterance, read_shard
from ds_training.evaluate import START_FRAMES, Figures, measure
from ds_training.model import SIZES, Network
from ds_training.phones import PHONES


@dataclass(frozen=True, slots=True)
class Schedule:
    """How learning rate and augmentation follow the hours of audio passed."""

    hours: float = 300.0
    learning_rate: float = 1e-3
    warm_up: int = 200  # steps
    cool_down: float = 0.25  # last share of the hours
    strength: tuple[float, float] = (0.5, 1.0)  # of augmentation, at the start and from `ramp` on
    ramp: float = 100.0  # hours
    averaging: float = 0.999  # decay per step of the moving average
    phones: float = 0.3  # weight of the loss on phones

    def rate_at(self, step: int, hours: float) -> float:
        falling = max(0.0, self.hours - hours) / (self.hours * self.cool_down)
        return self.learning_rate * min(1.0, (step + 1) / self.warm_up, 0.01 + falling)

    def strength_at(self, hours: float) -> float:
        first, last = self.strength
        return first + (last - first) * min(1.0, hours / self.ramp)


@dataclass(slots=True)
class Position:
    """How far a run has come."""

    epoch: int = 0
    index: int = 0  # of the next batch in its epoch
    step: int = 0
    hours: float = 0.0
    best_cer: float = float("inf")


class Trainer:
    """The live network, its moving average, the optimizer and the position: all that a checkpoint holds."""

    def __init__(self, network: Network, batches: Batches, schedule: Schedule, mel: LogMel, seed: int = 1, *, half: bool = False) -> None:
        self.network, self.average = network, Network(network.spec)
        self.average.load_state_dict(network.state_dict())
        self.phones = nn.Linear(network.spec.blocks[-1].outputs, 1 + len(PHONES))  # a second output, for training alone
        self._trained = [*network.parameters(), *self.phones.parameters()]
        self.optimizer = torch.optim.AdamW(self._trained, schedule.learning_rate, (0.9, 0.98), weight_decay=0.01, fused=True)
        self.position = Position()
        self._batches, self._schedule, self._seed = batches, schedule, seed
        self._half = half  # bfloat16 for convolutions and LSTM
        self._silence = float(mel.normalise(np.zeros(1, np.float32))[0])

    def steps(self) -> Iterator[float]:
        """Train to the end of the schedule; yields the loss after each step."""
        while self.position.hours < self._schedule.hours:
            epoch = self._batches.epoch(self.position.epoch)
            while self.position.index < len(epoch) and self.position.hours < self._schedule.hours:
                yield self._step(epoch[self.position.index])
            if self.position.index >= len(epoch):
                self.position.epoch, self.position.index = self.position.epoch + 1, 0

    def _step(self, utterances: Sequence[Utterance]) -> float:
        position, schedule = self.position, self._schedule
        strength = schedule.strength_at(position.hours)
        batch = self._batches.batch(utterances, position.epoch, position.index, strength, self.network.spec.stride)
        torch.manual_seed(self._seed * 1_000_003 + position.step)  # dropout depends on the step alone
        for group in self.optimizer.param_groups:
            group["lr"] = schedule.rate_at(position.step, position.hours)
        self.network.train()
        loss = self._loss(batch)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._trained, 2.0)
        self.optimizer.step()
        self._follow()
        position.index, position.step = position.index + 1, position.step + 1
        position.hours += float(batch.frames.sum()) / FRAMES_PER_SECOND / 3600
        return float(loss.detach())

    def _loss(self, batch: Batch) -> Tensor:
        states = self.network.silent_states(self._silence, START_FRAMES, len(batch.features))
        with torch.autocast("cpu", torch.bfloat16, enabled=self._half):
            heard, _ = self.network.hear(batch.features, states[:-2])
            log_probs, _ = self.network.spell(heard, states[-2:])
            phone_log_probs = self.phones(heard).float().log_softmax(-1)
        steps = batch.frames // self.network.spec.stride
        return _ctc(log_probs, batch.symbols, steps) + self._schedule.phones * _ctc(phone_log_probs, batch.phones, steps)

    def _follow(self) -> None:
        """Move the average a little towards the live weights, batch-norm statistics included."""
        share = 1 - min(self._schedule.averaging, (1 + self.position.step) / (10 + self.position.step))  # quick at first
        for kept, live in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            kept.copy_(kept.lerp(live, share) if kept.is_floating_point() else live)

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
        self.position = Position(**checkpoint["position"])


def _ctc(log_probs: Tensor, targets: Targets, steps: Tensor) -> Tensor:
    return functional.ctc_loss(log_probs.transpose(0, 1), targets.indices, steps, targets.lengths, zero_infinity=True)


def run(trainer: Trainer, out: Path, development: Sequence[Utterance], mel: LogMel, every: float) -> None:
    """Train to the end; every `every` hours of audio evaluate, log one JSON line and write the checkpoints."""
    started, losses = time.monotonic(), list[float]()
    due = trainer.position.hours + every
    for loss in trainer.steps():
        losses.append(loss)
        if trainer.position.hours >= due:
            _report(trainer, out, development, mel, losses, time.monotonic() - started)
            due, losses = trainer.position.hours + every, []
    if losses:
        _report(trainer, out, development, mel, losses, time.monotonic() - started)


def _report(trainer: Trainer, out: Path, development: Sequence[Utterance], mel: LogMel, losses: Sequence[float], seconds: float) -> None:
    figures, _ = measure(trainer.average, development, mel)
    better = figures.cer < trainer.position.best_cer
    trainer.position.best_cer = min(figures.cer, trainer.position.best_cer)
    for name in ("last.pt", "best.pt") if better else ("last.pt",):
        save_checkpoint(out / name, trainer.checkpoint())
    line = json.dumps(_progress(trainer.position, figures, losses, seconds))
    with (out / "log.jsonl").open("a") as log:
        print(line, file=log)
    print(line, flush=True)


def _progress(position: Position, figures: Figures, losses: Sequence[float], seconds: float) -> dict[str, float]:
    loss = sum(losses) / len(losses)
    place = {"step": position.step, "hours": round(position.hours, 2), "seconds": round(seconds)}
    return {**place, "loss": round(loss, 4), "cer": round(figures.cer, 4), "wer": round(figures.wer, 4)}


def main() -> None:
    default = Schedule()
    parser = argparse.ArgumentParser(description="Train a streaming CTC network.")
    parser.add_argument("out", type=Path, help="folder of checkpoints and log; an unfinished run in it is resumed")
    parser.add_argument("--real", type=Path, nargs="*", default=[], help="shards of which every utterance is heard in every epoch")
    parser.add_argument("--synthetic", type=Path, nargs="*", default=[], help="shards from which each epoch draws")
    parser.add_argument("--development", type=Path, nargs="+", required=True, help="shards of speakers never trained on")
    parser.add_argument("--start", type=Path, help="weights to start from: a checkpoint or the model.onnx of a bundle")
    parser.add_argument("--size", choices=sorted(SIZES), default="small", help="of a network that starts from nothing, see model.py")
    parser.add_argument("--share", type=float, default=0.5, help="share of real utterances in an epoch, 0 to 1")
    parser.add_argument("--frames", type=int, default=6000, help="feature frames in a batch")
    parser.add_argument("--hours", type=float, default=default.hours, help="of audio, in all")
    parser.add_argument("--learning-rate", type=float, default=default.learning_rate)
    parser.add_argument("--cool-down", type=float, default=default.cool_down, help="last share of the hours, 0 to 1")
    parser.add_argument("--strength", type=float, nargs=2, default=default.strength, help="of augmentation, at the start and later")
    parser.add_argument("--ramp", type=float, default=default.ramp, help="hours until the later strength")
    parser.add_argument("--phones", type=float, default=default.phones, help="weight of the loss on phones; 0: none")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--every", type=float, default=5.0, help="hours of audio between evaluations")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as PyTorch likes")
    parser.add_argument("--half", action="store_true", help="bfloat16 for the heavy parts, where the processor has it")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    mel = LogMel(LogMelSpec())
    real, synthetic, development = (
        [utterance for path in paths for utterance in read_shard(path)] for paths in (options.real, options.synthetic, options.development)
    )
    network = load_network(options.start) if options.start else Network(SIZES[options.size])
    network.dropout.p = options.dropout
    schedule = Schedule(
        hours=options.hours,
        learning_rate=options.learning_rate,
        cool_down=options.cool_down,
        strength=tuple(options.strength),
        ramp=options.ramp,
        phones=options.phones,
    )
    batches = Batches(real, synthetic, Augmenter(mel, seed=options.seed), options.seed, options.frames, options.share)
    trainer = Trainer(network, batches, schedule, mel, options.seed, half=options.half)
    options.out.mkdir(parents=True, exist_ok=True)
    if (options.out / "last.pt").exists():
        trainer.resume(load_checkpoint(options.out / "last.pt"))
    run(trainer, options.out, development, mel, options.every)


if __name__ == "__main__":
    main()
