"""Spliced speech: utterances of people in, new utterances out that put pieces of a few words of one person together.

A small corpus is learnt by heart, sentence by sentence; pieces in a new order leave only the sounds to learn. The idea is that of
Lam et al., "On-the-Fly Aligned Data Augmentation for Sequence-to-Sequence ASR" (Interspeech 2021), here within a speaker. Where a
word ends comes from forced alignment with a network that knows these utterances well, and from the quietest frame near there.

    python -m ds_training.splice MODEL SHARD.npz OUT.npz --count 4000 --seed 1
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from ds_engine.features import LogMel, LogMelSpec
from ds_engine.search.alignment import Span, align
from ds_engine.search.language import Said
from ds_training.checkpoint import load_network
from ds_training.corpus import CorpusError, HalfArray, Utterance, hours, read_shard, with_phones, write_shard
from ds_training.hearing import log_probs
from ds_training.model import Network
from ds_training.text import Orthography

WORDS = (1, 3)  # of a piece
FRAMES = (60, 500)  # of a new utterance, about; short ones as often as long ones on a logarithmic scale
SHORTEST_PIECE = 8  # frames
MARGIN = 120  # frames of silence that a piece keeps before the first word of its utterance, and after the last, at most


@dataclass(frozen=True, slots=True)
class Cut:
    """An utterance and the frames at which its words begin, and where the last one ends."""

    utterance: Utterance
    places: tuple[int, ...]

    def piece(self, first: int, count: int) -> tuple[HalfArray, list[str]]:
        """float16 [frames, bands] of `count` words from word `first` on, and the words."""
        words = self.utterance.text.split()[first : first + count]
        start, end = self.places[first], self.places[first + len(words)]
        if first == 0:
            start = max(start, self.places[1] - MARGIN)
        if first + len(words) == len(self.places) - 1:
            end = min(end, self.places[-2] + MARGIN)
        return self.utterance.log_power[start:end], words


def cut(network: Network, utterances: Sequence[Utterance], mel: LogMel) -> list[Cut]:
    """Where the words of each utterance lie; the network should know these speakers."""
    orthography = Orthography(network.spec.symbols)
    rows = log_probs(network, [utterance.log_power for utterance in utterances], mel)
    found = []
    for utterance, posteriors in zip(utterances, rows, strict=True):
        words = [Said(word, tuple(orthography.encode(word))) for word in utterance.text.split()]
        [spans] = align(posteriors, [words], orthography.alphabet)
        found.append(Cut(utterance, _places(utterance.log_power, spans, network.spec.stride, network.spec.look_ahead)))
    return found


def _places(log_power: HalfArray, spans: Sequence[Span], stride: int, look_ahead: int) -> tuple[int, ...]:
    """The quietest frame between the last symbol of a word and the first of the next."""
    loudness = np.convolve(np.exp(log_power.astype(np.float32)).mean(1), np.ones(3) / 3, "same")
    last = len(loudness) - 1

    def frame(row: int) -> int:
        return min(max(row * stride + stride // 2 - look_ahead, 0), last)

    places = [0]
    for word, following in pairwise(spans):
        start = frame(word.last)
        end = max(frame(following.first), start)
        places.append(start + int(loudness[start : end + 1].argmin()))
    return (*places, len(loudness))


def splice(cuts: Sequence[Cut], count: int, rng: np.random.Generator) -> list[Utterance]:
    """`count` new utterances, each of one speaker. Raises CorpusError where there is nothing to put together."""
    speakers: dict[str, list[Cut]] = {}
    for each in cuts:
        if each.places[-1] >= SHORTEST_PIECE * (len(each.places) - 1):  # else some word of it has hardly a frame
            speakers.setdefault(each.utterance.speaker, []).append(each)
    if not speakers:
        raise CorpusError("splicing needs utterances whose words have some frames")
    names = sorted(speakers)
    return [_spliced(speakers[names[rng.integers(len(names))]], rng) for _ in range(count)]


def _spliced(cuts: Sequence[Cut], rng: np.random.Generator) -> Utterance:
    wanted, powers, words = np.exp(rng.uniform(*np.log(FRAMES))), list[HalfArray](), list[str]()
    while sum(map(len, powers)) < wanted:
        chosen = cuts[int(rng.integers(len(cuts)))]
        count = int(rng.integers(*WORDS, endpoint=True))
        power, said = chosen.piece(int(rng.integers(max(1, len(chosen.places) - count))), count)
        if len(power) >= SHORTEST_PIECE:
            powers.append(power)
            words += said
    return Utterance(np.concatenate(powers), " ".join(words), cuts[0].utterance.speaker)


def main() -> None:
    parser = argparse.ArgumentParser(description="New utterances from pieces of those of a shard.")
    parser.add_argument("model", type=Path, help="checkpoint or model.onnx that finds the words")
    parser.add_argument("shard", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=4000, help="utterances")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    cuts = cut(load_network(options.model), read_shard(options.shard), LogMel(LogMelSpec()))
    spoken = with_phones(splice(cuts, options.count, np.random.default_rng(options.seed)))
    write_shard(options.out, spoken)
    print(f"{options.out}: {len(spoken)} utterances, {hours(spoken):.2f} h, {len({each.speaker for each in spoken})} speakers")


if __name__ == "__main__":
    main()
