"""What is read from a grammar file: the grammar, and what people should know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ds_engine.grammar.graph import Grammar

if TYPE_CHECKING:
    from ds_plugin.grammars.binding import Bound


@dataclass(frozen=True, slots=True)
class Loaded:
    """A grammar as it was read.

    A problem is one line that names the place and what is left out there; the rest of the grammar can be used all the same.
    """

    grammar: Grammar
    problems: tuple[str, ...] = ()
    unused: int = 0  # templates that no value of this household's lists fits, such as those for devices that nobody here has
    bound: Bound | None = None  # what `ds_plugin.grammars.templates.with_lists` needs; None: no list can be exchanged
