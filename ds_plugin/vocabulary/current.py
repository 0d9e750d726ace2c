"""What biases the decoder now: files, grammars, what sources publish and hot words in, one Bias for the next utterance out.

Files are read again when they have changed, sources publish anew, hot words come and go; an utterance that is open keeps what it was
opened with.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ds_engine.bias import MAX_PRONUNCIATIONS, Bias, Phrase
from ds_engine.errors import BiasError, GrammarError
from ds_engine.hot_words import HotWords
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.spoken import Reader
from ds_plugin.vocabulary.contents import Contents, GrammarLoader, Refreshed, Sources, read_again
from ds_plugin.vocabulary.phrases import Phrases
from ds_plugin.vocabulary.problems import unusable
from ds_plugin.vocabulary.published import Ear, Heard, hear
from ds_plugin.vocabulary.source import Household

SHOWN_PROBLEMS = 10  # in the log, each time that files are read

_log = logging.getLogger(__name__)


def no_grammars(path: Path, _reader: Reader) -> Loaded:
    """The loader of a vocabulary that takes none. Raises GrammarError."""
    raise GrammarError(f"{path}: grammars cannot be loaded here")


def nothing(_bias: Bias) -> None:
    """Prepares nothing."""


@dataclass(frozen=True, slots=True)
class _Known:
    """All that was read."""

    contents: Contents
    heard: Mapping[str, Heard] = field(default_factory=dict)  # by source


class Vocabulary:
    """The household's words for one model. `refresh` and `hear` may run in another thread, one at a time; the rest belongs to one."""

    def __init__(
        self,
        reader: Reader,
        sources: Sources | None = None,
        load_grammar: GrammarLoader = no_grammars,
        language: str = "",
        cache: Path | None = None,
    ) -> None:
        """Reads every file. Raises InputError, which names file and line, for one that is broken; problems are only logged.

        `language` (BCP 47) is the model's, `cache` a folder for what sources' sentences were compiled to.
        """
        self._reader = reader
        self._sources = sources or Sources()
        self._load_grammar = load_grammar
        self._language = language
        self._cache = cache
        self._hot_words = HotWords()
        self._known = _Known(Contents(Phrases(reader), reader))
        self._made: tuple[_Known, Bias, Bias] | None = None  # of what the last snapshot was made, hot words too, and itself
        if failures := self.refresh().failures:
            raise failures[0]

    @property
    def contents(self) -> Contents:
        """What the files hold."""
        return self._known.contents

    @property
    def heard(self) -> Mapping[str, Heard]:
        """What became of what sources have published, by source."""
        return self._known.heard

    @property
    def sources(self) -> Sources:
        """The files themselves."""
        return self._sources

    @property
    def hot_words(self) -> Bias:
        """The hot words as they were given."""
        return self._hot_words.bias

    def snapshot(self) -> Bias:
        """Everything together, as it is now; the same object until something changes. Files come first where there is too much."""
        made, known, hot_words = self._made, self._known, self._hot_words.bias
        if made is None or made[0] is not known or made[1] != hot_words:
            made = self._made = known, hot_words, _together(known, hot_words)
        return made[2]

    def read(self, bias: Bias) -> Bias:
        """A bias of somebody else's, whose phrases and pronunciations may be as people write them; what cannot be heard is left out."""
        return _heard(bias, self._known.contents.phrases)

    def add_hot_word(self, word: str, boost: float) -> None:
        """Adds one, for utterances that open from now on. Raises BiasError where it is there already or cannot be used."""
        said = self._known.contents.phrases.read(Phrase(word, boost).text)
        if not said.text:
            raise BiasError(f"hot word: {unusable(word, said)}")
        self._hot_words.add(self._reader.written(word), boost)

    def erase_hot_word(self, word: str) -> None:
        """Erases one. Raises BiasError where there is none of that name."""
        self._hot_words.erase(self._reader.written(word))

    def clear_hot_words(self) -> None:
        """Erases all of them."""
        self._hot_words.clear()

    def refresh(self, *, anew: bool = False, prepare: Callable[[Bias], object] = nothing) -> Refreshed:
        """Reads the files that have changed, or, if `anew`, all of them. One that cannot be read any more leaves what it held before.

        `prepare` is called with what utterances will be biased by, before they are.
        """
        before = self._known
        contents, refreshed = read_again(before.contents, self._sources, self._reader, self._load_grammar, anew=anew)
        heard = before.heard
        if contents.phrases is not before.contents.phrases:  # how words are said may be another now
            heard = {source: hear(source, each.household, self._ear(contents), each) for source, each in heard.items()}
        self._change(_Known(contents, heard), prepare)
        return refreshed

    def hear(self, source: str, household: Household, prepare: Callable[[Bias], object] = nothing) -> Heard:
        """Takes what a source has published in the place of what it had published before. May take seconds. `prepare` as above."""
        before, known = self._known, self._known.heard.get(source)
        if known is not None and known.household == household:
            return known
        heard = hear(source, household, self._ear(before.contents), known)
        self._change(_Known(before.contents, {**before.heard, source: heard}), prepare)
        return heard

    def _ear(self, contents: Contents) -> Ear:
        return Ear(contents.reader, contents.phrases, self._language, self._cache)

    def _change(self, after: _Known, prepare: Callable[[Bias], object]) -> None:
        """Exchanges what is known, at once, after everybody has made ready for it."""
        before, hot_words = self._known, self._hot_words.bias
        if after.contents is before.contents and after.heard is before.heard:
            return
        made = after, hot_words, _together(after, hot_words)
        prepare(made[2])
        self._known, self._made = after, made
        self._report(after.contents.problems, before.contents.problems)
        for source, heard in after.heard.items():
            if (known := before.heard.get(source)) is not heard:
                self._report(heard.problems, known.problems if known else ())
                self._report(map(str, heard.failures), map(str, known.failures if known else ()))

    def _report(self, problems: Iterable[str], known: Iterable[str]) -> None:
        told = set(known)
        new = [problem for problem in problems if problem not in told]
        for problem in new[:SHOWN_PROBLEMS]:
            _log.warning("%s", problem)
        if len(new) > SHOWN_PROBLEMS:
            _log.warning("%d more words and sentences cannot be used: `ds-plugin vocabulary show` lists them", len(new) - SHOWN_PROBLEMS)


def _together(known: _Known, hot_words: Bias) -> Bias:
    contents = known.contents
    said = [_heard(hot_words, contents.phrases)] if hot_words.phrases else []
    biases = [*(each.bias for each in known.heard.values()), *said]
    return contents.bias.merged(*biases) if biases else contents.bias


def _heard(bias: Bias, phrases: Phrases) -> Bias:
    heard = [(phrase, phrases.read(phrase.text)) for phrase in bias.phrases]
    given = [said for each in bias.pronunciations if (said := phrases.pronounced(each.word, each.spoken)) is not None]
    needed = [said for _, each in heard for said in each.pronunciations]
    return Bias(
        tuple(phrase if said.text == phrase.text else Phrase(said.text, phrase.boost) for phrase, said in heard if said.text),
        tuple(dict.fromkeys([*given, *needed]))[:MAX_PRONUNCIATIONS],
        bias.grammars,
    )
