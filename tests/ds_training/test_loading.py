"""Batches made in other processes."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

psutil = pytest.importorskip("psutil")
pytest.importorskip("torch")

from ds_training.augment import AugmentationError, Augmenter
from ds_training.batches import Batches, Draw, Preparer
from ds_training.loading import AHEAD, WorkerError, prepared
from ds_training.text import ENGLISH
from tests.ds_training.test_batches import equal, full
from tests.ds_training.tiny import MEL, REAL, SYNTHETIC, data, utterances

PREPARER = Preparer(Augmenter(MEL), ENGLISH, 1, 4)


def draws() -> Iterator[Draw]:
    return Batches(REAL, lambda: SYNTHETIC, seed=1, frames=400).draws(0, 0, 0.0, full)


@pytest.mark.process
def test_other_processes_make_the_same_batches_in_the_same_order_and_are_gone_afterwards() -> None:
    asked: list[int] = []

    def noted() -> Iterator[Draw]:
        for draw in draws():
            asked.append(draw.index)
            yield draw

    with closing(prepared(noted(), PREPARER, 2)) as batches:
        found = list(islice(batches, 9))
        assert len(asked) <= 9 + AHEAD + 2 + 1  # so many are made ahead, and no more: the last is being asked for
        assert len(multiprocessing.active_children()) == 2
    assert all(equal(one, other) for one, other in zip(found, prepared(draws(), PREPARER, 0), strict=False))
    assert not multiprocessing.active_children()


@pytest.mark.process
def test_an_error_in_another_process_arrives_and_leaves_none_behind() -> None:
    broken = replace(next(draws()), strength=2.0)
    with pytest.raises(AugmentationError, match="strength"), closing(prepared(iter([broken]), PREPARER, 1)) as batches:
        next(batches)
    assert not multiprocessing.active_children()


@pytest.mark.process
def test_a_process_that_is_killed_is_noticed_and_the_others_end() -> None:
    with closing(prepared(draws(), PREPARER, 2)) as batches:
        next(batches)
        multiprocessing.active_children()[0].kill()
        with pytest.raises(WorkerError, match=r"before its time \(status -9\)"):
            list(islice(batches, 20))
    assert not multiprocessing.active_children()


@pytest.mark.process
def test_all_batches_come_out_where_the_draws_end() -> None:
    few = list(islice(draws(), 3))
    assert len(list(prepared(iter(few), PREPARER, 2))) == 3


def survivors(pids: list[int]) -> list[int]:
    """Those still alive after some seconds in which they might end."""
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=10)
    return [process.pid for process in alive]


@pytest.mark.process
def test_a_signal_to_all_processes_of_a_training_ends_it_in_order(tmp_path: Path) -> None:
    shards = data(tmp_path)
    code = "from ds_training.train import main; main()"  # with -m every process would import PyTorch, too
    command = [sys.executable, "-c", code, str(tmp_path / "out"), "--workers", "1", "--hours", "1000", "--every", "0.002"]
    command += ["--real", str(shards.real[0]), "--development", str(shards.real[0]), "--frames", "300", "--threads", "1", "--device", "cpu"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("{")
        workers = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
        os.killpg(process.pid, signal.SIGTERM)
        said, complained = process.communicate(timeout=60)
    assert workers
    assert (process.returncode, complained) == (0, "")
    assert "ended (stopped)" in said.splitlines()[-1]
    assert (tmp_path / "out" / "last.pt").exists()
    assert not survivors(workers)


KILLED = """
import numpy as np
from ds_engine.features import LogMel, LogMelSpec
from ds_training.augment import Augmenter
from ds_training.batches import Batches, Preparer
from ds_training.corpus import Utterance
from ds_training.loading import AHEAD, WorkerError, prepared
from ds_training.text import ENGLISH

order = Batches([Utterance(np.zeros((50, 80), np.float16), "on")], list, seed=1)
for batch in prepared(order.draws(0, 0, 0.0, lambda drawn: 0.0), Preparer(Augmenter(LogMel(LogMelSpec())), ENGLISH, 1, 4), 2):
    print(batch.place[0], flush=True)
"""


@pytest.mark.process
def test_no_process_outlives_one_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert [process.stdout.readline() for _ in range(3)] == ["0\n", "1\n", "2\n"]
        workers = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
        process.kill()
    assert len(workers) >= 2
    assert not survivors(workers)


def test_without_workers_nothing_is_made_ahead() -> None:
    asked = 0

    def noted() -> Iterator[Draw]:
        nonlocal asked
        for draw in draws():
            asked += 1
            yield draw

    list(islice(prepared(noted(), PREPARER, 0), 2))
    assert asked == 2


def test_sizes_of_what_is_heard_do_not_matter() -> None:
    one = utterances(1, 9)
    assert next(prepared(Batches(one, list, seed=1, frames=1).draws(0, 0, 0.0, full), PREPARER, 0)).features.shape[0] == 1
