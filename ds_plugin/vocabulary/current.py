"""What biases the decoder now: files, grammars, what sources publish and hot words in, one Bias for the next utterance out.

Files are read again when they have changed, sources publish anew, hot words come and go; an utterance that is open keeps what it was
opened with.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
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
        self._contents = Contents(Phrases(reader), reader)
        self._heard: Mapping[str, Heard] = {}
        self._made: tuple[Contents, Mapping[str, Heard], Bias, Bias] | None = None  # the snapshot, last, and of what it was made
        if failures := self.refresh().failures:
            raise failures[0]

    @property
    def contents(self) -> Contents:
        """What the files hold."""
        return self._contents

    @property
    def heard(self) -> Mapping[str, Heard]:
        """What became of what sources have published, by source."""
        return self._heard

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
        contents, heard, hot_words = self._contents, self._heard, self._hot_words.bias
        if self._made is None or self._made[0] is not contents or self._made[1] is not heard or self._made[2] != hot_words:
            biases = [*(each.bias for each in heard.values()), *([_heard(hot_words, contents.phrases)] if hot_words.phrases else [])]
            self._made = contents, heard, hot_words, contents.bias.merged(*biases) if biases else contents.bias
        return self._made[3]

    def read(self, bias: Bias) -> Bias:
        """A bias of somebody else's, whose phrases and pronunciations may be as people write them; what cannot be heard is left out."""
        return _heard(bias, self._contents.phrases)

    def add_hot_word(self, word: str, boost: float) -> None:
        """Adds one, for utterances that open from now on. Raises BiasError where it is there already or cannot be used."""
        said = self._contents.phrases.read(Phrase(word, boost).text)
        if not said.text:
            raise BiasError(f"hot word: {unusable(word, said)}")
        self._hot_words.add(self._reader.written(word), boost)

    def erase_hot_word(self, word: str) -> None:
        """Erases one. Raises BiasError where there is none of that name."""
        self._hot_words.erase(self._reader.written(word))

    def clear_hot_words(self) -> None:
        """Erases all of them."""
        self._hot_words.clear()

    def refresh(self, *, anew: bool = False) -> Refreshed:
        """Reads the files that have changed, or, if `anew`, all of them. One that cannot be read any more leaves what it held before."""
        before = self._contents
        self._contents, refreshed = read_again(before, self._sources, self._reader, self._load_grammar, anew=anew)
        self._report(self._contents.problems, before.problems)
        if self._contents.phrases is not before.phrases:  # how words are said may be another now
            for source, heard in self._heard.items():
                self._hear(source, heard.household)
        return refreshed

    def hear(self, source: str, household: Household) -> Heard:
        """Takes what a source has published in the place of what it had published before. May take seconds."""
        known = self._heard.get(source)
        return known if known is not None and known.household == household else self._hear(source, household)

    def _hear(self, source: str, household: Household) -> Heard:
        before = self._heard.get(source)
        heard = hear(source, household, Ear(self._contents.reader, self._contents.phrases, self._language, self._cache), before)
        self._heard = {**self._heard, source: heard}
        self._report(heard.problems, before.problems if before else ())
        return heard

    def _report(self, problems: Iterable[str], known: Iterable[str]) -> None:
        told = set(known)
        new = [problem for problem in problems if problem not in told]
        for problem in new[:SHOWN_PROBLEMS]:
            _log.warning("%s", problem)
        if len(new) > SHOWN_PROBLEMS:
            _log.warning("%d more words and sentences cannot be used: `ds-plugin vocabulary show` lists them", len(new) - SHOWN_PROBLEMS)


def _heard(bias: Bias, phrases: Phrases) -> Bias:
    heard = [(phrase, phrases.read(phrase.text)) for phrase in bias.phrases]
    given = [said for each in bias.pronunciations if (said := phrases.pronounced(each.word, each.spoken)) is not None]
    needed = [said for _, each in heard for said in each.pronunciations]
    return Bias(
        tuple(phrase if said.text == phrase.text else Phrase(said.text, phrase.boost) for phrase, said in heard if said.text),
        tuple(dict.fromkeys([*given, *needed]))[:MAX_PRONUNCIATIONS],
        bias.grammars,
    )
