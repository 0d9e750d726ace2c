"""The vocabulary: a language model and the lexicon of what it can say, ready for any number of searches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ds_engine.alphabet import Alphabet
from ds_engine.automaton import DoubleArray
from ds_engine.bias import Bias
from ds_engine.lm.backoff import SPECIAL
from ds_engine.lm.model import LanguageModel
from ds_engine.search.lexicon import Lexicon, LexiconAutomaton
from ds_engine.search.policy import SearchPolicy
from ds_engine.search.respelling import Respelling
from ds_engine.search.spelling import Spelling, SpellingModel


@dataclass(frozen=True, slots=True, eq=False)
class LanguageSource:
    """What a language-model file gives: the model, the words that may be said, and how likely each is by itself."""

    model: LanguageModel
    words: Sequence[str]  # <unk>, <s> and </s> among them count for nothing
    log_probs: npt.NDArray[np.float32]  # [words] natural-log probability of each
    log_unknown: float  # natural-log probability of <unk>
    indices: npt.NDArray[np.int64] | None = None  # [words] the model's index of each; None: the words stand in the model's order
    lexicon: Lexicon | None = None  # compiled for the alphabet at hand, its words numbered as here; None: compile it
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the search, that the file brings along


class Vocabulary:
    """A source under an alphabet and a policy. Immutable."""

    def __init__(self, alphabet: Alphabet, source: LanguageSource, policy: SearchPolicy, respelling: Respelling | None = None) -> None:
        """`respelling` has the other spellings of words that neither the lexicon nor the language model has."""
        self._respelling = respelling or Respelling()
        self.model = source.model
        self._alphabet = alphabet
        self._source = source
        self._policy = policy
        self._log_unknown = source.log_unknown
        self.lexicon = source.lexicon or Lexicon.of_words(
            alphabet, ((word, number) for number, word in enumerate(source.words) if word not in SPECIAL), source.log_probs
        )
        self.base = LexiconAutomaton(self.lexicon, source.words, self._charged(self.lexicon), source.indices)
        self._letters = SpellingModel.estimate(alphabet, self.lexicon) if policy.unknown >= 0 else None

    def under(self, policy: SearchPolicy) -> Vocabulary:
        """The same words under another policy; the lexicon is shared."""
        return Vocabulary(self._alphabet, replace(self._source, lexicon=self.lexicon), policy, self._respelling)

    def overlay(self, bias: Bias) -> LexiconAutomaton | None:
        """The words of a bias that the lexicon lacks, and its pronunciations; None where the alphabet can write none of them.

        They share what <unk> is worth: the more names there are, the less is gained by each, and the fewer are heard that nobody said.
        """
        words = {word for phrase in bias.phrases for word in phrase.text.split() if not self.knows(word)}
        spellings = [(spelling, word) for word in sorted(words) for spelling in self._alphabet.spell(word)]
        spellings += [(spelling, said.word) for said in bias.pronunciations for spelling in self._alphabet.spell_together(said.spoken)]
        made = self._trie(spellings, share=1 / max(1, len({word for _, word in spellings})))
        return made if len(made) > 1 else None

    def trie(self, spellings: Sequence[tuple[tuple[int, ...], str]]) -> LexiconAutomaton:
        """Words of any kind, by their spellings; of those that nobody knows, also what else they might be written as."""
        return self._trie([*spellings, *self._respelled({word for _, word in spellings})])

    def _trie(self, spellings: Sequence[tuple[tuple[int, ...], str]], share: float = 1.0) -> LexiconAutomaton:
        """Those that the language model does not have are `share` times as likely as <unk>."""
        words = sorted({word for _, word in spellings})
        numbers = {word: number for number, word in enumerate(words)}
        indices = np.array([self.model.index(word) for word in words], np.int64)
        log_probs = np.array([self._log_prob(index) for index in indices.tolist()], np.float32)
        shares = np.where(indices == self.model.unknown, math.log(share), 0.0)  # asked for at the end: a boost is earned there, too
        lexicon = Lexicon.compile(((spelling, numbers[word]) for spelling, word in spellings), log_probs)
        return LexiconAutomaton(lexicon, words, self._charged(lexicon), indices, self._policy.alpha * shares)

    def _respelled(self, words: Iterable[str]) -> Iterator[tuple[tuple[int, ...], str]]:
        for word in words:
            if self.model.index(word) == self.model.unknown and not self.knows(word):
                for other in self._respelling(word):
                    yield from ((spelling, word) for spelling in self._alphabet.spell(other))

    def free(self, names: Iterable[str]) -> Spelling | None:
        """Words outside the lexicon and `names`, for one utterance; None where the policy allows none."""
        if self._letters is None:
            return None
        taken = frozenset(names)
        entry = self._policy.alpha * self._log_unknown if self._policy.look_ahead else 0.0
        return Spelling(
            self._letters, self._alphabet, self.model.unknown, self._policy.unknown, entry, lambda word: word in taken or self.knows(word)
        )

    def knows(self, word: str) -> bool:
        """True where the lexicon has the word."""
        return any(self.lexicon.holds(spelling) for spelling in self._alphabet.spell(word))

    def _log_prob(self, index: int) -> float:
        """Natural-log probability of a word by its index in the model."""
        if index == self.model.unknown:
            return self._log_unknown
        number = index if self._source.indices is None else self._numbers.get(index)
        return self._log_unknown if number is None else float(self._source.log_probs[number])

    @cached_property
    def _numbers(self) -> dict[int, int]:
        """The source's number of each word by its index in the model."""
        return {} if self._source.indices is None else {index: number for number, index in enumerate(self._source.indices.tolist())}

    def _charged(self, lexicon: Lexicon) -> DoubleArray:
        if not self._policy.look_ahead:
            return np.zeros(len(lexicon))
        possible = lexicon.look_ahead > -np.inf  # a weight of 0 must not turn what is not into a number
        advances: DoubleArray = np.multiply(self._policy.alpha, lexicon.look_ahead, where=possible, out=np.full(len(lexicon), -np.inf))
        advances[0] = 0.0
        return advances
