"""Models for the tests: one of ten n-grams, random ones with holes in them, and the oracle, a dictionary that backs off."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from ds_engine.lm.backoff import END, MAX_ORDER, SPECIAL, START, UNKNOWN, BackoffModel, Ngrams, assemble
from ds_engine.lm.ngram import NgramModel, write_ngram

LN10 = math.log(10)
Gram = tuple[str, ...]

TINY = """\\data\\
ngram 1=5
ngram 2=4
ngram 3=2

\\1-grams:
-1.5\t<unk>
-99\t<s>\t-0.5
-1\t</s>
-0.6\ton\t-0.2
-0.7\tturn\t-0.4

\\2-grams:
-0.3\t<s> turn\t-0.1
-0.25\tturn on\t-0.3
-0.4\ton </s>
-0.9\tturn <unk>

\\3-grams:
-0.2\t<s> turn on
-0.1\tturn on </s>

\\end\\
"""


@dataclass(frozen=True)
class Dictionary:
    """n-gram -> (log10 probability, log10 back-off weight); nothing but the definition of backing off."""

    grams: Mapping[Gram, tuple[float, float]]

    def score(self, history: Gram, word: str) -> float:
        """Natural-log P(word | history)."""
        *before, last = (known if (known,) in self.grams else SPECIAL[UNKNOWN] for known in (*history, word))
        return self._log10(tuple(before), last) * LN10

    def _log10(self, history: Gram, word: str) -> float:
        if (*history, word) in self.grams:
            return self.grams[*history, word][0]
        if not history:
            return -100.0  # KenLM's <unk> where there is none
        return self.grams.get(history, (0.0, 0.0))[1] + self._log10(history[1:], word)

    def model(self) -> BackoffModel:
        """The same through `assemble`, in the dictionary's order."""
        words = [gram[0] for gram in self.grams if len(gram) == 1]
        levels = [self._level(words, order) for order in range(1, max(map(len, self.grams)) + 1)]
        return assemble(words, levels)

    def arpa(self) -> str:
        """The same as text, in the dictionary's order, with every digit."""
        orders = range(1, max(map(len, self.grams)) + 1)
        levels = [[self._line(gram) for gram in self.grams if len(gram) == order] for order in orders]
        counts = [f"ngram {order}={len(level)}\n" for order, level in zip(orders, levels, strict=True)]
        sections = [f"\n\\{order}-grams:\n{''.join(level)}" for order, level in zip(orders, levels, strict=True)]
        return "".join(["\\data\\\n", *counts, *sections, "\n\\end\\\n"])

    def _line(self, gram: Gram) -> str:
        log_prob, back_off = self.grams[gram]
        return "\t".join([repr(log_prob), " ".join(gram), *([repr(back_off)] if back_off else [])]) + "\n"

    def _level(self, words: list[str], order: int) -> Ngrams:
        grams = {gram: values for gram, values in self.grams.items() if len(gram) == order}
        ids = np.array([[words.index(word) for word in gram] for gram in grams], np.int32).reshape(-1, order)
        values = np.array(list(grams.values()), np.float64).reshape(-1, 2)
        return Ngrams(ids, values[:, 0], values[:, 1])


def dictionary(model: BackoffModel) -> dict[Gram, tuple[float, float]]:
    """Every n-gram of a model, spelled."""
    return {
        tuple(model.words[index] for index in ids): (float(log_prob), float(back_off))
        for level in model.orders
        for ids, log_prob, back_off in zip(level.ids, level.log_probs, level.back_offs, strict=True)
    }


def stored(model: BackoffModel, bits: int = 32) -> NgramModel:
    """A model through our file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lm.ngram"
        write_ngram(model, path, bits=bits)
        return NgramModel.open(path)


def scores(model: NgramModel, words: Sequence[str], context: int) -> list[float]:
    """The natural-log probability of each word after those before it."""
    found = []
    for word in words:
        log_prob, context = model.advance(context, model.index(word))
        found.append(log_prob)
    return found


_known = ["a", "b", "be", "zoo", "Ä", "é", "你", "\U0001f600", "'"]
spoken = st.sampled_from([*_known, SPECIAL[END], "never seen"])  # the blank makes it certain
_log_probs = st.floats(-8, 0)
_back_offs = st.one_of(st.just(0.0), st.floats(-3, 0))


@st.composite
def dictionaries(draw: st.DrawFn, min_order: int = 1, max_order: int = MAX_ORDER, *, prefixes: bool = False) -> Dictionary:
    """Random models; any n-gram but a unigram may be missing that a longer one ends with, or begins with (unless `prefixes`)."""
    order = draw(st.integers(min_order, max_order))
    specials = SPECIAL if draw(st.booleans()) else (SPECIAL[END], SPECIAL[START])
    vocabulary = [*draw(st.lists(st.sampled_from(_known), unique=True, max_size=5)), *specials]
    drawn = draw(st.lists(st.lists(st.sampled_from(vocabulary), min_size=2, max_size=order).map(tuple), max_size=24)) if order > 1 else []
    begun = [gram[:length] for gram in drawn for length in range(2, len(gram))] if prefixes else []
    grams = [*((word,) for word in vocabulary), *dict.fromkeys([*drawn, *begun])]
    highest = max(map(len, grams))
    return Dictionary({gram: (draw(_log_probs), draw(_back_offs) if len(gram) < highest else 0.0) for gram in grams})
