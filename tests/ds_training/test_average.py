"""Averages of snapshots."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from ds_training.average import average, main, mixed
from ds_training.checkpoint import CheckpointError, load_network, save_checkpoint, save_weights
from ds_training.model import Network
from tests.ds_training.tiny import TINY, network


def written(folder: Path, *seeds: int) -> list[Path]:
    paths = []
    for seed in seeds:
        one = network(seed=seed)
        one.blocks[0].norm.running_mean.fill_(seed)
        save_checkpoint(folder / f"{seed}.pt", {"spec": one.spec.to_json(), "weights": one.state_dict()})
        paths.append(folder / f"{seed}.pt")
    return paths


def test_parameters_and_statistics_are_the_mean_of_all(tmp_path: Path) -> None:
    paths = written(tmp_path, 1, 2, 6)
    found, singles = average(paths), [load_network(path) for path in paths]
    assert torch.equal(found.blocks[0].norm.running_mean, torch.full((8,), 3.0))
    for name, value in found.named_parameters():
        expected = sum(single.get_parameter(name) for single in singles) / 3
        assert torch.allclose(value, expected, atol=1e-6), name


def test_networks_are_mixed_by_their_shares() -> None:
    one, other = network(seed=1), network(seed=2)
    found = mixed([one, other], [0.75, 0.25])
    for name, value in found.named_parameters():
        assert torch.allclose(value, 0.75 * one.get_parameter(name) + 0.25 * other.get_parameter(name), atol=1e-6), name
    assert torch.equal(one.head.weight, network(seed=1).head.weight)


def test_the_average_of_one_is_the_one(tmp_path: Path) -> None:
    [path] = written(tmp_path, 4)
    states = (average([path, path]).state_dict(), network(seed=4).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0] if "running_mean" not in name)


def test_snapshots_of_float16_weights_and_checkpoints_go_together(tmp_path: Path) -> None:
    [path] = written(tmp_path, 4)
    save_weights(tmp_path / "small.pt", network(seed=4))
    assert torch.allclose(average([path, tmp_path / "small.pt"]).head.weight, network(seed=4).head.weight, atol=1e-3)


def test_networks_of_other_sizes_or_alphabets_are_refused(tmp_path: Path) -> None:
    [path] = written(tmp_path, 4)
    save_weights(tmp_path / "other.pt", Network(replace(TINY, symbols=("_", *" abcdefghijklmnopqrstuvwxyz-"))))
    with pytest.raises(CheckpointError, match=r"other\.pt: an average needs equal sizes"):
        average([path, tmp_path / "other.pt"])


def test_an_average_of_nothing_is_refused() -> None:
    with pytest.raises(CheckpointError, match="at least one"):
        average([])


def test_the_command_writes_weights_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    paths = written(tmp_path, 1, 3)
    monkeypatch.setattr(sys, "argv", ["average", str(tmp_path / "mean.pt"), *map(str, paths)])
    main()
    assert capsys.readouterr().out == f"{tmp_path / 'mean.pt'}: 0.0 MiB, the mean of 2\n"
    assert torch.equal(load_network(tmp_path / "mean.pt").blocks[0].norm.running_mean, torch.full((8,), 2.0))


def test_the_command_tells_an_error_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["average", str(tmp_path / "mean.pt"), str(tmp_path / "missing.pt")])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "missing.pt: not a checkpoint" in capsys.readouterr().err.splitlines()[-1]
