"""The network in streaming form."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

import itertools

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings
from hypothesis import strategies as st

from ds_training.model import SIZES, SMALL, BlockSpec, Network, NetworkSpec
from ds_training.text import SYMBOLS

TINY = NetworkSpec(
    (BlockSpec(8, 12, 5, 2, 1), BlockSpec(12, 10, 5, 2, 1), BlockSpec(10, 10, 3, 1, 1, residual=True)),
    width=6,
    symbols=("_", " ", "a", "b", "c"),
)
FRAMES = 40


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(1)
    tiny = Network(TINY)
    tiny.eval()
    return tiny


@settings(deadline=None, max_examples=40)
@given(cuts=st.sets(st.integers(1, FRAMES // 4 - 1)))
def test_any_chunking_in_multiples_of_four_frames_gives_the_same_log_probs(network: Network, cuts: set[int]) -> None:
    features = torch.randn(2, FRAMES, 8, generator=torch.Generator().manual_seed(2))
    states, pieces = network.zero_states(2), []
    with torch.no_grad():
        whole, _ = network(features, network.zero_states(2))
        borders = [0, *(4 * cut for cut in sorted(cuts)), FRAMES]
        for start, end in itertools.pairwise(borders):
            log_probs, states = network(features[:, start:end], states)
            pieces.append(log_probs)
    assert torch.allclose(torch.cat(pieces, 1), whole, atol=1e-5)


def test_outputs_are_log_probabilities_one_per_four_frames(network: Network) -> None:
    with torch.no_grad():
        log_probs, states = network(torch.randn(3, FRAMES, 8), network.zero_states(3))
    assert log_probs.shape == (3, FRAMES // 4, 5)
    assert torch.allclose(log_probs.exp().sum(-1), torch.ones(3, FRAMES // 4), atol=1e-5)
    assert [state.shape for state in states] == [state.shape for state in network.zero_states(3)]


def test_an_odd_number_of_frames_is_refused(network: Network) -> None:
    with pytest.raises(ValueError, match="multiple of 4 frames"):
        network(torch.randn(1, 10, 8), network.zero_states())


def test_silent_states_are_those_after_silence_and_leave_the_mode_alone(network: Network) -> None:
    network.train()
    states = network.silent_states(-2.5, 16, batch=3)
    assert network.training
    network.eval()
    with torch.no_grad():
        _, expected = network(torch.full((1, 16, 8), -2.5), network.zero_states())
    for state, one in zip(states, expected, strict=True):
        assert torch.allclose(state, one.expand_as(state), atol=1e-6)


def test_the_output_looks_ahead_as_far_as_stated_and_no_further(network: Network) -> None:
    """What follows a step's frames changes nothing: the look-ahead is delay."""
    features = torch.randn(1, FRAMES, 8)
    changed = features.clone()
    changed[:, 20:] += 1
    with torch.no_grad():
        one, other = (network(item, network.zero_states())[0] for item in (features, changed))
    assert torch.equal(one[:, :5], other[:, :5])
    assert not torch.allclose(one[:, 5:], other[:, 5:])


def test_the_sizes_of_the_english_model_are_those_of_its_manifest() -> None:
    assert (SMALL.stride, SMALL.look_ahead, SMALL.symbols) == (4, 25, SYMBOLS)


@pytest.mark.parametrize("size", ["small", "deep"])
def test_the_sizes_for_english_stream_at_the_same_delay_and_fits_into_ten_megabytes_of_float16(size: str) -> None:
    spec = SIZES[size]
    assert (spec.stride, spec.look_ahead, spec.symbols) == (4, 25, SYMBOLS)
    assert 2 * sum(weights.numel() for weights in Network(spec).parameters()) < 10e6


@pytest.mark.parametrize("spec", [TINY, *SIZES.values()])
def test_sizes_survive_json(spec: NetworkSpec) -> None:
    assert NetworkSpec.from_json(spec.to_json()) == spec


def test_a_spec_keeps_its_symbols_and_older_ones_mean_english() -> None:
    assert NetworkSpec.from_json(TINY.to_json()) == TINY
    assert NetworkSpec.from_json({**SMALL.to_json(), "symbols": 29}) == SMALL
