"""What a source has published, as one model hears it: a household as people write it in, a bias and problems out.

Templates that are unchanged are not compiled again; what was compiled is kept on disk, too. A grammar that cannot be had leaves the one
that was there before.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ds_engine.bias import MAX_PHRASES, MAX_PRONUNCIATIONS, Bias, Phrase
from ds_engine.errors import GrammarError, InputError, kind_and_place
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.languages import same_language
from ds_plugin.spoken import Reader
from ds_plugin.vocabulary.phrases import Phrases
from ds_plugin.vocabulary.problems import unusable
from ds_plugin.vocabulary.source import Household, Sentences


@dataclass(frozen=True, slots=True)
class Ear:
    """How one model hears what is written."""

    reader: Reader  # of grammars
    phrases: Phrases
    language: str = ""  # BCP 47, of the model
    cache: Path | None = None  # folder for compiled grammars


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a household."""

    household: Household
    key: str  # of the reader
    grammars: Mapping[str, tuple[Sentences, Loaded]] = field(default_factory=dict)  # by the sentences' name
    bias: Bias = field(default_factory=Bias)
    problems: tuple[str, ...] = ()
    failures: tuple[InputError, ...] = ()


def hear(source: str, household: Household, ear: Ear, before: Heard | None = None) -> Heard:
    """The household as the ear hears it; `before` is what it heard of the same source the last time. May take seconds."""
    old = before.grammars if before is not None else {}
    known = old if before is not None and before.key == ear.reader.key else {}
    failures: list[InputError] = []
    grammars: dict[str, tuple[Sentences, Loaded]] = {}
    for sentences in household.sentences:
        if not sentences.language or same_language(sentences.language, ear.language):
            try:
                grammars[sentences.name] = sentences, _loaded(source, sentences, ear, known.get(sentences.name))
            except InputError as error:
                failures.append(error)
                grammars |= {sentences.name: old[sentences.name]} if sentences.name in old else {}
    bias, problems = _bias(source, household, ear.phrases)
    problems += [problem for _, loaded in grammars.values() for problem in loaded.problems]
    made = Bias(bias.phrases, bias.pronunciations, tuple(loaded.grammar for _, loaded in grammars.values()))
    return Heard(household, ear.reader.key, grammars, made, tuple(dict.fromkeys(problems)), tuple(failures))


def _loaded(source: str, sentences: Sentences, ear: Ear, known: tuple[Sentences, Loaded] | None) -> Loaded:
    """Raises GrammarError, for what is no sentences at all, too: nobody has looked into a plugin's before."""
    try:
        return _filled(source, sentences, ear, known)
    except InputError:
        raise
    except Exception as error:
        raise GrammarError(f"{source}: {sentences.name:.60}: cannot be read: {kind_and_place(error)}") from error


def _filled(source: str, sentences: Sentences, ear: Ear, known: tuple[Sentences, Loaded] | None) -> Loaded:
    from ds_plugin.grammars.remembered import frame_of  # templates: only once there are any
    from ds_plugin.grammars.templates import filled

    if known is not None and known[1].bound is not None and _same_frame(known[0], sentences):
        bound = known[1].bound
        return known[1] if known[0].lists == sentences.lists else filled(bound.frame, sentences.lists, ear.reader, bound)
    name, language = f"{source}: {sentences.name}", sentences.language or ear.language
    return filled(frame_of(name, sentences.templates, ear.reader, language, cache=ear.cache), sentences.lists, ear.reader)


def _same_frame(old: Sentences, new: Sentences) -> bool:
    """True where only the values of lists differ."""
    return old.language == new.language and set(old.lists) <= set(new.lists) and old.templates == new.templates


def _bias(source: str, household: Household, phrases: Phrases) -> tuple[Bias, list[str]]:
    heard = [(phrase, phrases.read(phrase.text)) for phrase in household.phrases]
    problems = [f"{source}: {unusable(phrase.text, said)}" for phrase, said in heard if not said.text]
    boosts: dict[str, float] = {}
    for phrase, said in heard:
        if said.text:
            boosts[said.text] = max(phrase.boost, boosts.get(said.text, phrase.boost))
    said_otherwise = dict.fromkeys(each for _, said in heard for each in said.pronunciations)
    if len(boosts) > MAX_PHRASES or len(said_otherwise) > MAX_PRONUNCIATIONS:
        problems.append(f"{source}: more than {MAX_PHRASES} phrases or {MAX_PRONUNCIATIONS} pronunciations; the rest is left out")
    some = itertools.islice(boosts.items(), MAX_PHRASES)
    return Bias(tuple(Phrase(*item) for item in some), tuple(itertools.islice(said_otherwise, MAX_PRONUNCIATIONS))), problems
