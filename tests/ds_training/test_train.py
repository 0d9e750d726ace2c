"""A whole training, from shards to checkpoints."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from ds_training.augment import AugmentationError
from ds_training.augmentations import Augmentation, Overlay
from ds_training.checkpoint import CheckpointError, load_checkpoint, load_network, save_checkpoint
from ds_training.corpus import CorpusError, write_shard
from ds_training.evaluate import transcripts
from ds_training.model import SIZES
from ds_training.run import Ended
from ds_training.settings import SettingsError
from ds_training.shards import Data
from ds_training.text import SYMBOLS, Orthography
from ds_training.train import begin, choose_device, main, stop_on_signals, train
from ds_training.transfer import symbols_of
from tests.ds_training.tiny import MEL, SYNTHETIC, data, network, settings


def same_weights(one: Path, other: Path) -> bool:
    states = [load_checkpoint(path)["live"].values() for path in (one, other)]
    return all(torch.equal(*pair) for pair in zip(*states, strict=True))


def test_a_training_ends_with_its_outcome_and_its_files(tmp_path: Path) -> None:
    outcome = train(tmp_path / "out", data(tmp_path), settings(), network())
    assert outcome.ended is Ended.HOURS
    assert 0.01 <= outcome.hours < 0.013
    assert outcome.figures
    assert outcome.best_cer <= outcome.figures.cer
    assert (outcome.skipped, outcome.unaligned) == (0, 0)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["best.pt", "last.pt", "log.jsonl"]
    assert load_network(tmp_path / "out" / "best.pt").spec == network().spec


def test_stopped_and_called_again_it_comes_to_the_same_weights(tmp_path: Path) -> None:
    shards = data(tmp_path)
    train(tmp_path / "whole", shards, settings(), network())
    asked = count()
    outcome = train(tmp_path / "parts", shards, settings(), network(), stop=lambda: next(asked) == 4)
    assert (outcome.ended, outcome.step, outcome.figures) == (Ended.STOPPED, 4, None)
    assert train(tmp_path / "parts", shards, settings(), network(seed=9)).ended is Ended.HOURS  # the start does not matter any more
    assert same_weights(tmp_path / "whole" / "last.pt", tmp_path / "parts" / "last.pt")


@pytest.mark.process
def test_with_workers_it_comes_to_the_same_weights(tmp_path: Path) -> None:
    shards = data(tmp_path)
    for workers in (0, 2):
        train(tmp_path / str(workers), shards, settings(workers=workers), network())
    assert same_weights(tmp_path / "0" / "last.pt", tmp_path / "2" / "last.pt")


def test_the_network_that_it_starts_from_is_left_alone(tmp_path: Path) -> None:
    start = network()
    train(tmp_path / "out", data(tmp_path), settings(), start)
    assert all(torch.equal(*pair) for pair in zip(start.state_dict().values(), network().state_dict().values(), strict=True))


def test_shards_that_come_into_a_folder_are_heard_from_the_next_epoch_on(tmp_path: Path) -> None:
    shards, folder = data(tmp_path), tmp_path / "growing"
    folder.mkdir()
    write_shard(folder / "a.npz", SYNTHETIC[:1])
    asked = count()

    def stop() -> bool:
        if next(asked) == 1:
            write_shard(folder / "b.npz", [replace(SYNTHETIC[0], text="b")])
        return False

    growing = Data(shards.development, (), (folder,))
    train(tmp_path / "out", growing, settings(frames=100), network(), stop=stop)
    position = load_checkpoint(tmp_path / "out" / "last.pt")["position"]
    assert position["step"] > position["epoch"] + 1  # two utterances, two batches: more than one in an epoch


def test_another_alphabet_keeps_what_both_share(tmp_path: Path) -> None:
    symbols = ("-", " ", "o", "ü", "n", "a", "b")
    trained = train(tmp_path / "out", data(tmp_path), settings(every=1.0), network(), orthography=Orthography(symbols))
    found = load_network(tmp_path / "out" / "last.pt")
    assert trained.ended is Ended.HOURS
    assert found.spec.symbols == symbols
    with pytest.raises(CheckpointError, match="needs the alphabet"):
        train(tmp_path / "out", data(tmp_path), settings(), orthography=Orthography(SYMBOLS))


def test_a_new_network_has_the_size_and_the_alphabet_asked_for() -> None:
    found = begin(None, settings(size="deep", dropout=0.3), ("-", " ", "a"))
    assert found.spec == replace(SIZES["deep"], symbols=("-", " ", "a"))
    assert found.dropout.p == 0.3


def test_a_start_may_keep_blocks_and_grow() -> None:
    start = network()
    found = begin(start, settings(keep=1, grow=2), None)
    assert len(found.blocks) == 4
    assert torch.equal(found.blocks[0].conv.weight, start.blocks[0].conv.weight)
    assert not torch.equal(found.blocks[1].conv.weight, start.blocks[1].conv.weight)


@pytest.mark.parametrize("changes", [{"keep": 1}, {"grow": 1}])
def test_keeping_and_growing_need_a_start(changes: dict[str, int]) -> None:
    with pytest.raises(SettingsError, match="need a network to start from"):
        begin(None, settings(**changes), None)


def test_recorded_noises_are_overlaid(tmp_path: Path) -> None:
    shards = data(tmp_path)
    loud = Augmentation(overlay=Overlay(chance=(1.0, 1.0)))
    with pytest.raises(AugmentationError, match="overlay needs recorded noises"):
        train(tmp_path / "out", shards, settings(), network(), augmentation=loud)
    outcome = train(tmp_path / "out", replace(shards, noises=shards.real), settings(), network(), augmentation=loud)
    assert outcome.ended is Ended.HOURS


def test_input_that_cannot_be_used_is_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    shards = data(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match="at least one development utterance"):
        train(tmp_path / "out", replace(shards, development=(tmp_path / "empty",)), settings(), network())
    assert not (tmp_path / "out").exists()
    with pytest.raises(CorpusError, match="at least one utterance"):
        train(tmp_path / "out", Data(shards.development), settings(), network())


def test_a_checkpoint_that_cannot_be_gone_on_from_is_refused(tmp_path: Path) -> None:
    shards = data(tmp_path)
    (tmp_path / "out").mkdir()
    last = tmp_path / "out" / "last.pt"
    last.write_bytes(b"rubbish")
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        train(tmp_path / "out", shards, settings(), network())
    save_checkpoint(last, {"spec": network().spec.to_json(), "weights": network().state_dict()})
    with pytest.raises(CheckpointError, match="a checkpoint of training to go on from"):
        train(tmp_path / "out", shards, settings(), network())


def test_settings_that_do_not_fit_an_unfinished_run_are_told_as_such(tmp_path: Path) -> None:
    shards = data(tmp_path)
    train(tmp_path / "out", shards, settings(hours=0.001), network())
    with pytest.raises(SettingsError, match="at most the network's 2 blocks, got 5"):
        train(tmp_path / "out", shards, settings(freeze=5), network())


def test_a_device_that_is_not_there_is_refused() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    if not torch.cuda.is_available():
        assert choose_device("auto") == torch.device("cpu")
        with pytest.raises(SettingsError, match="needs a GPU"):
            choose_device("cuda")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_noted_and_the_second_acts_as_ever(number: signal.Signals) -> None:
    heard: list[int] = []
    before = signal.signal(number, lambda signum, _frame: heard.append(signum))
    try:
        with stop_on_signals() as stop:
            assert not stop()
            os.kill(os.getpid(), number)
            assert stop()
            assert heard == []
            os.kill(os.getpid(), number)
            assert heard == [number]
        os.kill(os.getpid(), number)
        assert heard == [number, number]
    finally:
        signal.signal(number, before)


def command(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["train", *map(str, words)])
    main()


def test_the_command_trains_and_says_how_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shards = data(tmp_path)
    save_checkpoint(tmp_path / "start.pt", {"spec": network().spec.to_json(), "weights": network().state_dict()})
    (tmp_path / "alphabet.txt").write_text("# letters\n \na\nb\no\nn\n")
    options = ["--start", tmp_path / "start.pt", "--symbols-from", tmp_path / "alphabet.txt", "--hours", "0.005", "--every", ".002"]
    paths = ["--real", *shards.real, "--synthetic", tmp_path / "synthetic.npz", "--development", *shards.development]
    command(monkeypatch, tmp_path / "out", *paths, *options, "--frames", 400, "--device", "cpu", "--threads", 1)
    *lines, last = capsys.readouterr().out.splitlines()
    assert "".join(f"{line}\n" for line in lines) == (tmp_path / "out" / "log.jsonl").read_text()
    assert last.startswith(f"{tmp_path / 'out'}: ended (hours) after 0.01 hours of audio, best CER 0.")
    assert symbols_of(tmp_path / "out" / "best.pt") == ("<blank>", *" abon")


def test_the_command_tells_an_error_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        command(monkeypatch, tmp_path / "out", "--development", tmp_path / "missing.npz", "--share", "0")
    assert capsys.readouterr().err.splitlines()[-1] == "train: error: training: share needs to lie in 0.001..1, got 0.0"


def test_neighbours_in_a_batch_do_not_change_what_is_recognised() -> None:
    one, powers = network(), [item.log_power for item in SYNTHETIC]
    assert transcripts(one, powers, MEL, batch=20) == transcripts(one, powers, MEL, batch=1)
