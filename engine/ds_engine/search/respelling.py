"""How else a made-up name could be written: a word in, spellings that are said alike out.

A network of letters writes what it hears as it has learnt to spell: *snorkelwak*, *nipnelton*. For a word of its language the search knows
one spelling, which is the right one; the spelling of a name that nobody has is one guess of many. Rules are pairs of a pattern and what
may stand in its place (`calibration.respelling` of the bundle's manifest); each spelling differs in one place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ds_engine.errors import BundleError
from ds_engine.manifest import Manifest

MAX_RULES = 100  # of a bundle
MAX_PATTERN = 60  # characters
MAX_RESPELLED = 40  # characters of a word; a longer one is left as it is
MAX_SPELLINGS = 40  # of one word


@dataclass(frozen=True, slots=True)
class Respelling:
    """The rules of a bundle."""

    rules: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, manifest: Manifest) -> Respelling:
        """Those of a manifest; none where it has none. Raises BundleError for what is no rule, and for more than MAX_RULES."""
        return cls.read(manifest.calibration.get("respelling", list, []))

    @classmethod
    def read(cls, rules: Sequence[Any]) -> Respelling:
        """Rules as JSON has them: [pattern, [replacement, ...]] each. Raises BundleError as `of` does."""
        if len(rules) > MAX_RULES:
            raise BundleError(f"manifest: calibration.respelling: at most {MAX_RULES} rules, got {len(rules)}")
        try:
            return cls(tuple(map(_rule, rules)))
        except (TypeError, ValueError, re.error) as error:
            raise BundleError(f"manifest: calibration.respelling: {error}") from error

    def __call__(self, word: str) -> Sequence[str]:
        """Other spellings, without the word itself; at most MAX_SPELLINGS."""
        if len(word) > MAX_RESPELLED:
            return []
        return list(dict.fromkeys(other for other in self._others(word) if other != word))[:MAX_SPELLINGS]

    def _others(self, word: str) -> Iterator[str]:
        for pattern, replacements in self.rules:
            for found in pattern.finditer(word):
                for replacement in replacements:
                    yield word[: found.start()] + found.expand(replacement) + word[found.end() :]


def _rule(rule: Any) -> tuple[re.Pattern[str], tuple[str, ...]]:
    pattern, replacements = rule
    if not isinstance(pattern, str) or not 0 < len(pattern) <= MAX_PATTERN or not isinstance(replacements, list):
        raise ValueError(f"a rule is a pattern of at most {MAX_PATTERN} characters and a list, got {rule!r:.80}")
    compiled = re.compile(pattern)
    for replacement in replacements:
        compiled.sub(replacement, "")  # raises for what cannot stand there
    return compiled, tuple(replacements)
