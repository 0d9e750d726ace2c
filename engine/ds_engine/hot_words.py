"""Hot words: what an application adds, erases and clears while it runs, as a Bias for the utterances that open from then on.

The verbs are DeepSpeech's (`addHotWord`, `eraseHotWord`, `clearHotWords` of 0.9), with two differences: a boost is in nats and not
multiplied by the language model's weight, and a hot word may be several words.
"""

from __future__ import annotations

from ds_engine.bias import Bias, Phrase
from ds_engine.errors import BiasError

MAX_HOT_WORDS = 5_000  # at once


class HotWords:
    """Words and their boosts. May be changed and asked from any thread; an utterance keeps what it was opened with."""

    def __init__(self) -> None:
        self._phrases: dict[str, Phrase] = {}  # every change of it is one operation, which no thread sees half done

    @property
    def bias(self) -> Bias:
        """The hot words as they are now."""
        return Bias(tuple(self._phrases.values()))

    def add(self, word: str, boost: float) -> None:
        """Adds one. Raises BiasError where it is there already, cannot be, or is one too many."""
        phrase = Phrase(_single_spaced(word), boost)
        if len(self._phrases) >= MAX_HOT_WORDS:
            raise BiasError(f"at most {MAX_HOT_WORDS} hot words, and {phrase.text!r:.60} is one more")
        if self._phrases.setdefault(phrase.text, phrase) is not phrase:
            raise BiasError(f"hot word {phrase.text!r:.60} is there already; to change its boost, erase it first")

    def erase(self, word: str) -> None:
        """Erases one. Raises BiasError where there is none of that name."""
        if self._phrases.pop(_single_spaced(word), None) is None:
            raise BiasError(f"there is no hot word {word!r:.60} to erase")

    def clear(self) -> None:
        """Erases all of them, if there are any."""
        self._phrases.clear()


def _single_spaced(word: str) -> str:
    return " ".join(word.split()) if isinstance(word, str) else word  # what is no text, Phrase refuses
