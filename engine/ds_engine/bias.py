"""Bias: what this speaker is likely to say, names, phrases and whole grammars, as one immutable snapshot for one utterance.

A decoder takes it at `start`; a source that changes later changes the next utterance, never this one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ds_engine.errors import BiasError
from ds_engine.grammar.graph import Grammar

MAX_PHRASES = 10_000  # in one snapshot
MAX_PRONUNCIATIONS = 10_000  # in one snapshot
MAX_PHRASE_LENGTH = 200  # characters
MAX_BOOST = 20.0  # nats, either way


@dataclass(frozen=True, slots=True)
class Phrase:
    """One or more words to expect. Raises BiasError for an empty or endless phrase and a boost out of range."""

    text: str
    boost: float = 0.0  # nats a phrase gains over what the language model says; 0 only makes it known

    def __post_init__(self) -> None:
        if not isinstance(self.text, str) or not self.text.strip() or len(self.text) > MAX_PHRASE_LENGTH:
            raise BiasError(f"a phrase needs 1 to {MAX_PHRASE_LENGTH} characters, got {self.text!r:.60}")
        if not isinstance(self.boost, int | float) or not math.isfinite(self.boost) or abs(self.boost) > MAX_BOOST:
            raise BiasError(f"the boost of {self.text!r} must lie within +-{MAX_BOOST} nats, got {self.boost!r}")


@dataclass(frozen=True, slots=True)
class Pronunciation:
    """A word that is (also) said otherwise than it is written: "tv" as "t v". Raises BiasError for an empty or endless one."""

    word: str
    spoken: str  # words of the alphabet, separated by spaces

    def __post_init__(self) -> None:
        for text in (self.word, self.spoken):
            if not isinstance(text, str) or not text.strip() or len(text) > MAX_PHRASE_LENGTH:
                raise BiasError(f"a pronunciation needs 1 to {MAX_PHRASE_LENGTH} characters, got {text!r:.60}")
        if len(self.word.split()) != 1:
            raise BiasError(f"a pronunciation is of one word, got {self.word!r:.60}")


@dataclass(frozen=True, slots=True)
class Bias:
    """What one utterance is biased by. Raises BiasError for more than MAX_PHRASES or MAX_PRONUNCIATIONS."""

    phrases: tuple[Phrase, ...] = ()
    pronunciations: tuple[Pronunciation, ...] = ()
    grammars: tuple[Grammar, ...] = ()  # closed grammars, searched beside open speech
    _hash: int | None = field(default=None, init=False, repr=False, compare=False)  # once it is known

    def __post_init__(self) -> None:
        for name, values, most in (
            ("phrases", self.phrases, MAX_PHRASES),
            ("pronunciations", self.pronunciations, MAX_PRONUNCIATIONS),
        ):
            if len(values) > most:
                raise BiasError(f"at most {most} {name}, got {len(values)}")

    def __hash__(self) -> int:
        # Every utterance asks for what was compiled from its bias, which may be the same of ten thousand names each time.
        if self._hash is None:
            object.__setattr__(self, "_hash", hash((self.phrases, self.pronunciations, self.grammars)))
        return self._hash or 0

    def merged(self, *others: Bias) -> Bias:
        """This bias and the others, in order, each phrase once with its highest boost; what is over a limit is left out.

        Where only one of them holds anything, that very object, unless something stands in it twice.
        """
        boosts: dict[str, float] = {}
        biases = [bias for bias in (self, *others) if bias != Bias()]
        if len(biases) == 1 and _distinct(biases[0]):
            return biases[0]
        for bias in biases:
            for phrase in bias.phrases:
                boosts[phrase.text] = max(phrase.boost, boosts.get(phrase.text, phrase.boost))
        return Bias(
            tuple(Phrase(text, boost) for text, boost in list(boosts.items())[:MAX_PHRASES]),
            tuple(dict.fromkeys(said for bias in biases for said in bias.pronunciations))[:MAX_PRONUNCIATIONS],
            tuple(dict.fromkeys(grammar for bias in biases for grammar in bias.grammars)),
        )


def _distinct(bias: Bias) -> bool:
    said = {(each.word, each.spoken) for each in bias.pronunciations}
    numbers = len({phrase.text for phrase in bias.phrases}), len(said), len(set(bias.grammars))
    return numbers == (len(bias.phrases), len(bias.pronunciations), len(bias.grammars))
