"""The language-model contract: a context and a word in, the word's log-probability and the next context out.

A context stands for the words that came before, as far as they matter: two histories after which every continuation has the
same probabilities may (and should) share one, since the search joins beams whose contexts are equal. Probabilities are natural
logarithms. Words are integers from 0; what `index` gives for a word that the model does not have is `unknown`.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol

Context = Hashable


class LanguageModel(Protocol):
    """An immutable n-gram model; several threads may ask at once."""

    @property
    def order(self) -> int:
        """The longest n-gram, in words."""
        ...

    @property
    def unknown(self) -> int:
        """The index of <unk>."""
        ...

    @property
    def start(self) -> Context:
        """The context at the beginning of a sentence: after <s>."""
        ...

    @property
    def empty(self) -> Context:
        """The context that knows nothing of what came before."""
        ...

    def index(self, word: str) -> int:
        """The index of a word, or `unknown`."""
        ...

    def advance(self, context: Context, word: int) -> tuple[float, Context]:
        """Natural-log P(word | context), and the context after the word."""
        ...

    def end(self, context: Context) -> float:
        """Natural-log P(</s> | context)."""
        ...
