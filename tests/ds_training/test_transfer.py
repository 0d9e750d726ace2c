"""Starting from what another network has learnt."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import onnx
from torch import Tensor

from ds_training.checkpoint import save_weights
from ds_training.corpus import CorpusError
from ds_training.model import SIZES, BlockSpec, Network, NetworkSpec
from ds_training.onnx_graph import to_graph
from ds_training.settings import SettingsError
from ds_training.text import SYMBOLS
from ds_training.trainer import Trainer
from ds_training.transfer import deeper, grow, keep_blocks, respell, symbols_of
from tests.ds_training.tiny import CPU, SILENCE, TINY, network, settings, taught

RESIDUAL = replace(TINY, blocks=(*TINY.blocks, BlockSpec(8, 8, 3, 1, 1, residual=True)))


def used(spec: NetworkSpec) -> Network:
    """A network with batch-norm statistics and weights that have been somewhere."""
    one = network(spec)
    with torch.no_grad():
        for value in (*one.parameters(), *(buffer for buffer in one.buffers() if buffer.is_floating_point())):
            value.add_(0.3 * torch.rand_like(value))
    one.eval()
    return one


def log_probs(one: Network, frames: int = 80) -> Tensor:
    features = torch.randn(2, frames, 80, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        found, _ = one.eval()(features, one.zero_states(2))
    return found


def test_shared_letters_keep_their_weights_under_another_alphabet() -> None:
    one = used(TINY)
    symbols = ("-", "ö", "b", " ", "a", "é")
    found = respell(one, symbols)
    assert found.spec == replace(TINY, symbols=symbols)
    for column, old in ((0, 0), (2, SYMBOLS.index("b")), (3, 1), (4, SYMBOLS.index("a"))):
        assert torch.equal(found.head.weight[column], one.head.weight[old])
        assert found.head.bias[column] == one.head.bias[old]
    assert not any((found.head.weight[column] == row).all() for column in (1, 5) for row in one.head.weight)
    assert torch.equal(found.lstm.weight_hh_l0, one.lstm.weight_hh_l0)
    assert torch.equal(found.blocks[1].norm.running_var, one.blocks[1].norm.running_var)


def test_the_same_alphabet_gives_an_equal_network_and_leaves_the_first_alone() -> None:
    one = used(TINY)
    found = respell(one, one.spec.symbols)
    assert torch.equal(log_probs(found), log_probs(one))
    with torch.no_grad():
        found.head.bias.zero_()
    assert one.head.bias.abs().min() > 0


def test_an_alphabet_that_shares_nothing_keeps_the_blank_alone() -> None:
    one = used(TINY)
    found = respell(one, ("<pad>", "ж", "ш"))
    assert torch.equal(found.head.weight[0], one.head.weight[0])
    assert found.head.weight.shape == (3, TINY.width)


def test_a_letter_named_like_the_blank_does_not_become_one() -> None:
    """In an alphabet whose blank is called otherwise, `<blank>` may be a symbol."""
    found = respell(used(TINY), ("_", "<blank>", " "))
    assert not torch.equal(found.head.weight[1], found.head.weight[0])


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_first_blocks_keep_their_weights_and_the_rest_begins_anew(count: int) -> None:
    one = used(TINY)
    found = keep_blocks(one, count)
    for index, (block, old) in enumerate(zip(found.blocks, one.blocks, strict=True)):
        for value, before in zip(block.state_dict().values(), old.state_dict().values(), strict=True):
            assert torch.equal(value, before) is (index < count) or not value.is_floating_point()
    assert not torch.equal(found.lstm.weight_ih_l0, one.lstm.weight_ih_l0)
    assert not torch.equal(found.head.weight, one.head.weight)


def test_more_kept_blocks_than_there_are_is_refused() -> None:
    with pytest.raises(SettingsError, match="at most the network's 2 blocks, got 3"):
        keep_blocks(used(TINY), 3)


@pytest.mark.parametrize("spec", [TINY, RESIDUAL, SIZES["small"]])
@pytest.mark.parametrize("added", [1, 3])
def test_a_grown_network_says_the_same(spec: NetworkSpec, added: int) -> None:
    one = used(spec)
    grown = grow(one, deeper(spec, added))
    assert len(grown.blocks) == len(one.blocks) + added
    assert grown.spec.look_ahead == spec.look_ahead
    assert (log_probs(grown) - log_probs(one)).abs().max() < 1e-5


def test_what_was_added_learns() -> None:
    """With a batch norm of exactly zero it never would: ReLU lets no gradient through at zero."""
    told = settings(hours=1.0, warm_up=0)
    one = Trainer(grow(used(TINY), deeper(TINY, 1)), told, SILENCE, CPU)
    before = {name: value.clone() for name, value in one.network.blocks[2].named_parameters()}
    taught(one, told, 3)
    for name, value in one.network.blocks[2].named_parameters():
        assert (value - before[name]).abs().mean() > 1e-4, name


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (replace(deeper(TINY, 1), width=7), "same sizes"),
        (replace(deeper(TINY, 1), symbols=("_", "a")), "same sizes"),
        (replace(TINY, blocks=TINY.blocks[:1]), "same sizes"),
        (replace(TINY, blocks=(*TINY.blocks, BlockSpec(8, 8, 5, 1, 1, residual=True))), "0 frames ahead"),
        (replace(TINY, blocks=(*TINY.blocks, BlockSpec(8, 8, 5, 1, 0))), "residual"),
        (replace(TINY, blocks=(*TINY.blocks, BlockSpec(8, 8, 5, 2, 0, residual=True))), "stride 1"),
    ],
)
def test_growing_into_something_else_is_refused(spec: NetworkSpec, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        grow(used(TINY), spec)


def test_symbols_come_from_networks_bundles_and_alphabet_files(tmp_path: Path) -> None:
    one = respell(used(TINY), ("_", *" äb"))
    save_weights(tmp_path / "one.pt", one)
    onnx.save(to_graph(one, 16), tmp_path / "model.onnx")
    (tmp_path / "alphabet.txt").write_text("# three letters\n \nä\nb\n", "utf-8")
    assert symbols_of(tmp_path / "one.pt") == symbols_of(tmp_path / "model.onnx") == ("_", *" äb")
    assert symbols_of(tmp_path / "alphabet.txt") == ("<blank>", *" äb")


@pytest.mark.parametrize("name", ["missing.pt", "missing.onnx", "missing.txt"])
def test_a_missing_alphabet_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CorpusError, match=name):
        symbols_of(tmp_path / name)
