"""Grammars made of a corpus's own sentences, to try the closed search on: texts in, grammars out, by a seed.

Half of the texts are in each grammar and half are not, so that one set of recordings has sentences that must be taken and such that
must not. In a crossed grammar any beginning of a sentence may go with any end, as in templates; in a near one every sentence that
is not in it has a neighbour that differs in one word.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ds_engine.grammar.builder import GraphBuilder, grammar
from ds_engine.grammar.graph import FINAL, START, Call, Grammar


class Kind(StrEnum):
    """How a grammar is made of sentences."""

    HALF = "half"  # a random half of them
    TENTH = "tenth"  # a random tenth
    CROSSED = "crossed"  # any beginning of one of that half, then any end
    NEAR = "near"  # that half, and each other one with one word replaced


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A grammar, and which texts are its sentences."""

    kind: Kind
    grammar: Grammar
    inside: frozenset[str]  # of the texts that it was made from


def trial(kind: Kind, texts: Iterable[str], seed: int = 1) -> Trial:
    """A grammar of this kind. Raises GrammarError where the texts hold no word."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    known = sorted(set(texts))
    chosen = frozenset(rng.sample(known, max(1, len(known) // (10 if kind is Kind.TENTH else 2))))
    match kind:
        case Kind.HALF | Kind.TENTH:
            return Trial(kind, of_sentences(chosen), chosen)
        case Kind.CROSSED:
            return _crossed(known, chosen)
        case Kind.NEAR:
            words = sorted({word for text in known for word in text.split()})
            near = {_replaced(text, words, rng) for text in known if text not in chosen}
            sentences = chosen | near
            return Trial(kind, of_sentences(sentences), frozenset(sentences.intersection(known)))


def of_sentences(sentences: Collection[str]) -> Grammar:
    """A grammar that can say these sentences; the intent is the same for all."""
    graph = GraphBuilder()
    for sentence in sorted(sentences):
        graph.words(START, sentence, FINAL)
    return grammar("sentences", {"say": "sentences"}, {"sentences": graph.build()})


def _crossed(known: Sequence[str], chosen: Collection[str]) -> Trial:
    beginnings, ends = ({part for text in sorted(chosen) if (part := _parts(text)[side])} for side in (0, 1))
    graphs = {"sentence": GraphBuilder(), "beginnings": GraphBuilder(), "ends": GraphBuilder()}
    middle = graphs["sentence"].node()
    graphs["sentence"].add(START, Call("beginnings"), middle)
    graphs["sentence"].add(middle, Call("ends"), FINAL)
    for name, parts in (("beginnings", beginnings), ("ends", ends)):
        for part in sorted(parts):
            graphs[name].words(START, part, FINAL)
    made = grammar("crossed", {"say": "sentence"}, {name: graph.build() for name, graph in graphs.items()}, ("beginnings", "ends"))
    return Trial(Kind.CROSSED, made, frozenset(text for text in known if _joined(text, beginnings, ends)))


def _joined(text: str, beginnings: Collection[str], ends: Collection[str]) -> bool:
    """True where some beginning and some end make this text."""
    words = text.split()
    return any(" ".join(words[:at]) in beginnings and " ".join(words[at:]) in ends for at in range(1, len(words)))


def _parts(text: str) -> tuple[str, str]:
    words = text.split()
    return " ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])


def _replaced(text: str, words: Sequence[str], rng: random.Random) -> str:
    said = text.split()
    place = rng.randrange(len(said))
    said[place] = rng.choice([word for word in words if word != said[place]] or [said[place]])
    return " ".join(said)
