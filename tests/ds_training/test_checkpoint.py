"""Files of weights."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from ds_training.checkpoint import CheckpointError, load_checkpoint, load_network, save_checkpoint, save_weights
from ds_training.model import SIZES, Network
from tests.ds_training.tiny import TINY, network

CARRIED_BYTES = 16 * 2**20  # what the way out of a box without a network lets through


def test_weights_alone_are_read_back_as_float16_has_them(tmp_path: Path) -> None:
    one = network()
    one.blocks[0].norm.running_var.fill_(1e6)  # beyond float16
    save_weights(tmp_path / "small.pt", one)
    found = load_network(tmp_path / "small.pt")
    assert found.spec == TINY
    for (name, value), other in zip(one.named_parameters(), found.parameters(), strict=True):
        assert torch.equal(value.half().float(), other), name
    for value, other in zip(one.buffers(), found.buffers(), strict=True):
        assert torch.equal(value, other)
    assert [path.name for path in tmp_path.iterdir()] == ["small.pt"]


@pytest.mark.parametrize("size", sorted(SIZES))
def test_weights_alone_of_every_size_can_be_carried_away(tmp_path: Path, size: str) -> None:
    save_weights(tmp_path / "small.pt", Network(SIZES[size]))
    assert (tmp_path / "small.pt").stat().st_size <= CARRIED_BYTES


@pytest.mark.parametrize("value", [1e5, float("nan")])
def test_a_weight_that_float16_cannot_hold_is_refused_before_anything_is_written(tmp_path: Path, value: float) -> None:
    one = network()
    with torch.no_grad():
        one.head.bias[3] = value
    with pytest.raises(CheckpointError, match=r"head\.bias needs finite weights"):
        save_weights(tmp_path / "small.pt", one)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04rubbish"])
@pytest.mark.parametrize("name", ["broken.pt", "broken.onnx"])
def test_what_is_no_file_of_weights_is_refused_in_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=name) as caught:
        load_network(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing.pt", "missing.onnx"])
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match=name):
        load_network(tmp_path / name)


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    wrong: list[dict[str, Any]] = [{}, {"spec": 3, "weights": {}}, {"spec": TINY.to_json(), "weights": {}}]
    for number, content in enumerate(wrong):
        save_checkpoint(tmp_path / f"{number}.pt", content)
        with pytest.raises(CheckpointError, match="not the weights of a network"):
            load_network(tmp_path / f"{number}.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(CheckpointError, match="needs a table, got list"):
        load_checkpoint(tmp_path / "list.pt")


def test_a_checkpoint_that_was_cut_off_or_altered_is_refused(tmp_path: Path) -> None:
    save_weights(tmp_path / "whole.pt", network())
    content = (tmp_path / "whole.pt").read_bytes()
    for broken in (content[:-200], content[: len(content) // 2], content.replace(b"data.pkl", b"date.pkl")):
        (tmp_path / "broken.pt").write_bytes(broken)
        with pytest.raises(CheckpointError, match="broken"):
            load_network(tmp_path / "broken.pt")


def test_a_strangers_file_runs_no_code(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"spec": Trap()}, tmp_path / "trap.pt")
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / "trap.pt")
    assert not (tmp_path / "sprung").exists()
