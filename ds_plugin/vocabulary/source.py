"""A source of vocabulary beside the files: what a household has and says, as people write it, whenever that changes.

A plugin gives one (hook `ds_vocabulary_source`). The host reads what it publishes for every model, as it reads files: what cannot be
said is reported and left out, sentences are compiled once and kept on disk, and utterances that are open keep what they were opened with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ds_engine.bias import Phrase

ListValues = Sequence[str | Mapping[str, Any]]  # plain text, or a mapping with `in`, and perhaps `out` and `context`


@dataclass(frozen=True, slots=True)
class Sentences:
    """A grammar as people write it. Where only `lists` differ from what was published before, nothing is compiled again."""

    name: str  # distinct from others' of the same source
    templates: Mapping[str, Any]  # what a file of Home Assistant's custom sentences holds: intents, rules, lists
    lists: Mapping[str, ListValues] = field(default_factory=dict)  # the household's, in the place of lists of the same name
    language: str = ""  # BCP 47; models of other languages leave it out. "": for all


@dataclass(frozen=True, slots=True)
class Household:
    """Everything that a source knows at one time."""

    phrases: tuple[Phrase, ...] = ()  # names to listen for, with boosts, as people write them
    sentences: tuple[Sentences, ...] = ()


Publish = Callable[[Household], None]  # from any thread; what was published must not be changed any more


class VocabularySource(Protocol):
    """What the hook `ds_vocabulary_source` gives."""

    @property
    def name(self) -> str:
        """For messages, such as "Home Assistant"."""
        ...

    def stored(self, languages: Sequence[str]) -> Household | None:
        """What was known the last time, from disk; None where that is nothing. Called once, before the first utterance."""
        ...

    async def run(self, languages: Sequence[str], publish: Publish) -> None:
        """Publishes what it knows, whenever that changes, until it is cancelled. `languages` are those of the models that are offered.

        It runs on the engine's event loop, where it must not block, and meets its own troubles: one that ends or raises publishes no
        more, and what it published last stays.
        """
        ...
