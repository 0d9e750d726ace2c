"""The final text as people write it: settings in, a plugin that rewrites transcripts out; off unless a setting asks for it.

A sentence of a closed grammar is taken as its author wrote it. In open speech numbers become digits (`written_numbers`). Words,
times and confidence stay those of what was said.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ds_engine.observer import UtteranceInfo
from ds_engine.transcript import Hypothesis, Transcript
from ds_plugin.adapter import extra
from ds_plugin.config import ConfigError, Option
from ds_plugin.hookspecs import hookimpl
from ds_plugin.number_words import primary

SECTION = "normalise"
OPTIONS = (
    Option("numbers", bool, False, "write numbers in digits: fifty percent as 50%"),
    Option("case", str, "", "lower or sentence (default: as it was recognised)"),
)
MAX_CHARACTERS = 50_000  # of a transcript, about an hour of speech; a longer one stays: a transform has half a second

_CASES = ("", "lower", "sentence")
_I = re.compile(r"\bi(?=$|[\s,.!?;]|['\u2019](?:d|ll|m|s|ve)\b)")  # the one pronoun that English writes large


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Values of the section `normalise`. Raises ConfigError for a case that is unknown."""

    numbers: bool = False
    case: str = ""

    def __post_init__(self) -> None:
        if self.case not in _CASES:
            raise ConfigError(f"normalise.case must be {' or '.join(filter(None, _CASES))}, got {self.case!r:.40}")

    def normaliser(self) -> Normaliser | None:
        """The plugin that does it; None where nothing is to be done. Raises ConfigError where the extra `normalise` is missing."""
        if not self.numbers:
            return Normaliser(self.case) if self.case else None
        with extra("normalise"):
            from ds_plugin.written_numbers import written
        return Normaliser(self.case, written)


class Normaliser:
    """A plugin that rewrites every transcript."""

    def __init__(self, case: str, write: Callable[[str, str], str] | None = None) -> None:
        """`write` gets a text and its language, and returns it with numbers in digits."""
        self._case = case
        self._write = write

    @hookimpl(tryfirst=True)
    def ds_transform_transcript(self, utterance: UtteranceInfo, transcript: Transcript) -> Transcript | None:
        """Before the transforms of strangers, which see the text as it will be read."""
        if len(transcript.text) > MAX_CHARACTERS:
            return None
        text = self._written(transcript.best, utterance.language)
        return transcript.with_text(text) if text != transcript.text else None

    def _written(self, best: Hypothesis, language: str) -> str:
        if self._write is None:
            return _cased(best.text, self._case, language)
        if best.match is not None and best.match.sentence:
            return _cased(best.match.sentence, self._case, language)
        return self._write(_cased(best.text, self._case, language), language)  # in this order: units have a case of their own


def _cased(text: str, case: str, language: str) -> str:
    match case:
        case "lower":
            return text.lower()
        case "sentence":
            return _sentence(text, language)
        case _:
            return text


def _sentence(text: str, language: str) -> str:
    """The first letter large; the others stay, in case somebody has written names before."""
    if primary(language) == "en":
        text = _I.sub("I", text)
    first = next((place for place, character in enumerate(text) if character.isalnum()), len(text))
    return text[:first] + text[first : first + 1].upper() + text[first + 1 :]
