"""Training: shards in, checkpoints and a log out; stopped at any time, it goes on from `last.pt` as if it had not been.

Progress is counted in hours of audio passed, in time only where `--minutes` bounds it: the learning rate rises over the first steps,
stays, and falls to nothing over the last part; the strength of augmentation rises. What is evaluated and kept is a moving average of
the weights.

    python -m ds_training.train OUT --real SHARD... --synthetic SHARD... --development SHARD... --start MODEL --hours 300

Run again with the same OUT, it resumes; `--hours` may then be another total. OUT/best.pt is best on the development speakers.
A SHARD may be a folder. One of synthetic shards is listed again at every epoch, so that a synthesis may still be filling it; then, as
with `--minutes`, a resumed run is not bit for bit what it would have been.
"""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch

from ds_engine.features import LogMel, LogMelSpec
from ds_training.augment import Augmentation, Augmenter
from ds_training.batches import Batch, Batches, Preparer
from ds_training.checkpoint import CheckpointError, first_line, load_checkpoint, load_network
from ds_training.corpus import CorpusError, read_shard
from ds_training.evaluate import Figures, measure
from ds_training.loading import WorkerError, prepared
from ds_training.model import SIZES, Network, NetworkSpec
from ds_training.progress import Display
from ds_training.run import Ended, Run
from ds_training.settings import Settings, SettingsError, add_options, from_options
from ds_training.shards import Data, Shards
from ds_training.text import SYMBOLS, Orthography
from ds_training.trainer import DivergedError, Trainer
from ds_training.transfer import deeper, grow, keep_blocks, respell, symbols_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: why it ended, how far it came, the figures of its last evaluation if there was one, and its best CER."""

    ended: Ended
    step: int
    hours: float  # of audio
    seconds: float  # of all stretches of the run together
    figures: Figures | None
    best_cer: float  # of best.pt; infinite before any evaluation
    skipped: int  # batches
    unaligned: int  # utterances


def train(
    out: Path,
    data: Data,
    settings: Settings,
    start: Network | Path | None = None,
    *,
    orthography: Orthography | None = None,
    augmentation: Augmentation | None = None,
    stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Train into the folder `out`, or go on with the unfinished run in it, whose network then counts instead of `start`.

    `orthography` spells the texts, by default with the alphabet of the start (English without one); a start with another alphabet keeps
    the letters that both share. `stop` is asked after every step. Raises CorpusError (CheckpointError and SettingsError among them) for
    input that cannot be used, DivergedError, and WorkerError.
    """
    began = clock()
    device = choose_device(settings.device)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    mel = LogMel(LogMelSpec())
    trainer = make_trainer(out, settings, start, orthography, mel, device)
    spec = trainer.network.spec
    orthography = orthography or Orthography(spec.symbols)
    development = Shards(data.development, orthography).utterances()
    if not development:
        raise CorpusError("training needs at least one development utterance, got none")
    out.mkdir(parents=True, exist_ok=True)
    noises = [noise.log_power for path in data.noises for noise in read_shard(path)]
    augmenter = Augmenter(mel, augmentation, settings.seed, noises=noises)
    preparer = Preparer(augmenter, orthography, settings.seed, spec.stride)
    with Display(settings.hours) as display, closing(_batches(data, settings, trainer, orthography, preparer)) as batches:
        run = Run(trainer, out, settings, lambda network: measure(network, development, mel)[0], lambda: clock() - began, display)
        ended = run.train(batches, stop)
    position = trainer.position
    totals = (position.best_cer, position.skipped, position.unaligned)
    return Outcome(ended, position.step, position.hours, position.seconds, run.figures, *totals)


def choose_device(name: str) -> torch.device:
    """The device of that name, see `DEVICES`. Raises SettingsError where there is no such one."""
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise SettingsError("training: device cuda needs a GPU that PyTorch can use, got none; cpu and auto work here")
    return torch.device("cuda" if there and name != "cpu" else "cpu")


def make_trainer(
    out: Path, settings: Settings, start: Network | Path | None, orthography: Orthography | None, mel: LogMel, device: torch.device
) -> Trainer:
    """A trainer that goes on from `out` if there is something, else one of the network that `begin` gives."""
    silence = float(mel.normalise(np.zeros(1, np.float32))[0])
    symbols = orthography.alphabet.symbols if orthography else None
    if not (out / "last.pt").exists():
        return Trainer(begin(start, settings, symbols), settings, silence, device)
    path = out / "last.pt"
    checkpoint = load_checkpoint(path)
    try:
        spec = NetworkSpec.from_json(checkpoint["spec"])
        trainer = Trainer(Network(spec, settings.dropout), settings, silence, device)
        trainer.resume(checkpoint)
    except SettingsError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path}: needs a checkpoint of training to go on from ({first_line(error)})") from error
    if symbols and symbols != spec.symbols:
        raise CheckpointError(f"{path}: needs the alphabet {''.join(symbols)!r} to go on, got {''.join(spec.symbols)!r}")
    return trainer


def begin(start: Network | Path | None, settings: Settings, symbols: Sequence[str] | None) -> Network:
    """The network that a run starts from: a new one, or what is kept of another (see transfer.py)."""
    if start is None:
        if settings.keep is not None or settings.grow:
            raise SettingsError("training: keep and grow need a network to start from, got none")
        return Network(replace(SIZES[settings.size], symbols=tuple(symbols or SYMBOLS)), settings.dropout)
    network = load_network(start) if isinstance(start, Path) else start
    if settings.keep is not None:
        network = keep_blocks(network, settings.keep)
    network = respell(network, symbols or network.spec.symbols)
    if settings.grow:
        network = grow(network, deeper(network.spec, settings.grow))
    network.dropout.p = settings.dropout
    return network


def _batches(
    data: Data, settings: Settings, trainer: Trainer, orthography: Orthography, preparer: Preparer
) -> Generator[Batch, None, None]:
    """All batches from the trainer's position on."""
    real, synthetic = Shards(data.real, orthography).utterances(), Shards(data.synthetic, orthography)
    batches = Batches(real, synthetic.utterances, settings.seed, settings.frames, settings.share, settings.short_first)
    position = trainer.position
    draws = batches.draws(position.epoch, position.index, position.drawn, trainer.strength)
    yield from prepared(draws, preparer, settings.workers)


@contextmanager
def stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Within, SIGINT and SIGTERM are only noted: the function that is given tells so. A second one acts as ever."""
    noted: list[int] = []
    before: dict[int, Any] = {}

    def note(number: int, _frame: FrameType | None) -> None:
        noted.append(number)
        for each, handler in before.items():
            signal.signal(each, handler)

    before.update({number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)})
    try:
        yield lambda: bool(noted)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a streaming CTC network.")
    parser.add_argument("out", type=Path, help="folder of checkpoints and log; an unfinished run in it is resumed")
    parser.add_argument("--real", type=Path, nargs="*", default=[], help="shards of which every utterance is heard in every epoch")
    parser.add_argument("--synthetic", type=Path, nargs="*", default=[], help="shards, or folders of them, from which each epoch draws")
    parser.add_argument("--development", type=Path, nargs="+", required=True, help="shards of speakers never trained on")
    parser.add_argument(
        "--noises", type=Path, nargs="*", default=[], help="shards of recorded noises, for the augmentation that overlays them"
    )
    parser.add_argument("--start", type=Path, help="weights to start from: a checkpoint or the model.onnx of a bundle")
    parser.add_argument("--symbols-from", type=Path, metavar="FILE", help="the alphabet: alphabet.txt, or another network's .pt or .onnx")
    add_options(parser)
    options = parser.parse_args()
    data = Data(*(tuple(paths) for paths in (options.development, options.real, options.synthetic, options.noises)))
    try:
        orthography = Orthography(symbols_of(options.symbols_from)) if options.symbols_from else None
        with stop_on_signals() as stop:
            outcome = train(options.out, data, from_options(options), options.start, orthography=orthography, stop=stop)
    except (CorpusError, DivergedError, WorkerError) as error:
        parser.error(str(error))
    print(f"{options.out}: ended ({outcome.ended.value}) after {outcome.hours:.2f} hours of audio, best CER {outcome.best_cer:.4f}")


if __name__ == "__main__":
    main()
