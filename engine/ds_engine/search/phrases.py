"""Phrases that are likely to be said: an automaton over words that rewards them as they are spoken.

Every occurrence of a phrase earns its boost, within and across others too; of several phrases that end at the same word the
highest boost counts. A phrase of n words is advanced its boost word by word, so that its beginning is not lost to the beam, and
pays back what it was advanced when it breaks off; a negative boost is charged at the last word. Matching is Aho & Corasick's
(1975, "Efficient string matching").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from ds_engine.bias import Phrase

NOWHERE = 0  # the state in which no phrase has begun


@dataclass(slots=True)
class _State:
    following: dict[str, int] = field(default_factory=dict)
    fallback: int = NOWHERE  # the state of the longest proper suffix
    advanced: float = 0.0  # nats already given for a phrase that is not complete
    earned: float | None = None  # nats for a phrase that is complete here


class Phrases:
    """The phrases of one bias; immutable once made."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._states = [_State()]
        for phrase in phrases:
            if phrase.boost:
                self._add(phrase.text.split(), phrase.boost)
        self._link()

    @property
    def greatest(self) -> float:
        """The most nats that one word may gain: what it completes and what it begins."""
        return max(state.advanced + (state.earned or 0.0) for state in self._states)

    def follow(self, state: int, word: str) -> tuple[int, float]:
        """The state after a word, and the nats that the word gains or pays back."""
        before = self._states[state].advanced
        state = self._after(state, word)
        after = self._states[state]
        return state, after.advanced + (after.earned or 0.0) - before

    def end(self, state: int) -> float:
        """What is paid back where the sentence ends."""
        return -self._states[state].advanced

    def _add(self, words: list[str], boost: float) -> None:
        state = NOWHERE
        for position, word in enumerate(words, 1):
            following = self._states[state].following
            if word not in following:
                following[word] = len(self._states)
                self._states.append(_State())
            state = following[word]
            if position < len(words):
                self._states[state].advanced = max(self._states[state].advanced, boost * position / len(words))
        earned = self._states[state].earned
        self._states[state].earned = boost if earned is None else max(earned, boost)

    def _link(self) -> None:
        """Sets fallbacks breadth first. A state whose suffix completes another phrase earns that one's boost too, if higher."""
        queue = deque(self._states[NOWHERE].following.values())
        while queue:
            parent = self._states[queue.popleft()]
            for word, child in parent.following.items():
                self._states[child].fallback = self._after(parent.fallback, word)
                queue.append(child)
            suffix = self._states[parent.fallback].earned
            if suffix is not None:
                parent.earned = suffix if parent.earned is None else max(parent.earned, suffix)

    def _after(self, state: int, word: str) -> int:
        while state != NOWHERE and word not in self._states[state].following:
            state = self._states[state].fallback
        return self._states[state].following.get(word, NOWHERE)
