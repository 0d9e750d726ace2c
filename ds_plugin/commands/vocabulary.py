"""ds-plugin vocabulary: what biases the decoder now, and which words and sentences cannot be used."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import click

from ds_engine.audio import AudioFormat
from ds_engine.bias import Bias
from ds_engine.errors import InputError
from ds_engine.grammar.graph import Spoken
from ds_engine.manifest import Manifest
from ds_engine.observer import UtteranceInfo
from ds_plugin.cli import App
from ds_plugin.commands.common import counted, json_option, model_option, vocabulary_arguments, vocabulary_options
from ds_plugin.config import Settings
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.models import ModelStore
from ds_plugin.spoken import Reader
from ds_plugin.vocabulary.check import Checked, Finding
from ds_plugin.vocabulary.check import check as check_sources
from ds_plugin.vocabulary.contents import Sources
from ds_plugin.vocabulary.current import Vocabulary
from ds_plugin.vocabulary.files import GRAMMAR_SUFFIXES
from ds_plugin.vocabulary.settings import cache_folder, grammar_loader, load_vocabulary, sources_of


@click.group()
def vocabulary() -> None:
    """Show and check names, hot words and grammars."""


@vocabulary.command()
@model_option
@vocabulary_options
@json_option
@click.pass_obj
def show(app: App, /, model: str | None, as_json: bool, **options: Any) -> None:  # noqa: FBT001 - click passes by name
    """Print what the next utterance is biased by: phrases with boosts, pronunciations, grammars; plugins are asked, too.

    Of a source of names, such as Home Assistant, it is what was known the last time.
    """
    settings, manifest = _loaded(app, model, options)
    app.hooks.configure(settings)
    current = load_vocabulary(settings, manifest)
    _recall(app, current, manifest)
    asked = asyncio.run(app.hooks.bias(UtteranceInfo("vocabulary", AudioFormat(), manifest.language, "vocabulary")))
    facts = _facts(current, current.read(asked), settings)
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else "\n".join(_readable(facts)))


@vocabulary.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@model_option
@vocabulary_options
@click.pass_obj
def check(app: App, /, files: tuple[Path, ...], model: str | None, **options: Any) -> None:
    """Tell of every phrase and grammar what is heard otherwise than it is written, and what cannot be used.

    FILES are vocabulary files, or grammars (YAML, JSON, .ini, folders); without any, those of the settings are checked, and what sources of
    names, such as Home Assistant, gave the last time.
    """
    settings, manifest = _loaded(app, model, options)
    reader = Reader(manifest.alphabet, manifest.language)
    checked = check_sources(_sources(files) if files else sources_of(settings), reader, grammar_loader(manifest.language))
    if not files:
        checked = _with_sources(checked, app, settings, manifest)
    for finding in checked.findings:
        click.echo(finding.text)
    _conclude(checked)


@vocabulary.command()
@model_option
@vocabulary_options
@click.pass_obj
def refresh(app: App, /, model: str | None, **options: Any) -> None:
    """Read all files now and keep compiled grammars on disk, so that a service starts at once.

    A service that is running reads files by itself within seconds after they have changed.
    """
    settings, manifest = _loaded(app, model, options)
    began = time.perf_counter()
    contents = load_vocabulary(settings, manifest).contents
    for path, file in contents.files.items():
        click.echo(f"{path}: {counted(len(file.lines), 'phrase')}")
    for path, loaded in contents.grammars.items():
        click.echo(f"{path}: {_sizes(_grammar(str(path), loaded))}")
    click.echo(f"read in {time.perf_counter() - began:.1f} s", err=True)


def _loaded(app: App, model: str | None, options: dict[str, Any]) -> tuple[Settings, Manifest]:
    settings = app.settings({("", "model"): model, **vocabulary_arguments(**options)})
    return settings, ModelStore.standard(settings.get("models_folder")).open(settings.get("model")).manifest


def _recall(app: App, vocabulary: Vocabulary, manifest: Manifest) -> None:
    """Takes in what sources knew the last time."""
    for source in app.hooks.vocabulary_sources():
        if (household := source.stored((manifest.language,))) is not None:
            vocabulary.hear(source.name, household)


def _with_sources(checked: Checked, app: App, settings: Settings, manifest: Manifest) -> Checked:
    """Also what is wrong with what sources gave."""
    app.hooks.configure(settings)
    current = Vocabulary(Reader(manifest.alphabet, manifest.language), language=manifest.language, cache=cache_folder())
    _recall(app, current, manifest)
    heard = current.heard.values()
    problems = [str(problem) for each in heard for problem in (*each.problems, *each.failures)]
    return Checked(
        checked.phrases + sum(len(each.household.phrases) for each in heard),
        checked.grammars + sum(len(each.grammars) for each in heard),
        (*checked.findings, *(Finding(problem, usable=False) for problem in problems)),
    )


def _sources(files: tuple[Path, ...]) -> Sources:
    grammars = tuple(file for file in files if file.suffix.lower() in GRAMMAR_SUFFIXES or file.is_dir())
    return Sources(tuple(file for file in files if file not in grammars), grammars)


def _conclude(checked: Checked) -> None:
    faults = sum(not finding.usable for finding in checked.findings)
    what = f"{counted(checked.phrases, 'phrase')}, {counted(checked.grammars, 'grammar')}"
    if faults:
        raise InputError(f"{what}; {counted(faults, 'fault')}")
    click.echo(f"{what}: all can be used", err=True)


def _facts(current: Vocabulary, asked: Bias, settings: Settings) -> dict[str, Any]:
    """What `show` prints."""
    heard = [(name, each.bias) for name, each in current.heard.items()]
    sources = [("files", current.contents.bias), *heard, ("hot words", current.read(current.hot_words)), ("plugins", asked)]
    everything = current.snapshot().merged(asked)
    return {
        "phrases": [{"text": phrase.text, "boost": phrase.boost, "from": name} for name, bias in sources for phrase in bias.phrases],
        "pronunciations": [{"word": said.word, "spoken": said.spoken} for said in everything.pronunciations],
        "grammars": [_grammar(str(path), loaded) for path, loaded in current.contents.grammars.items()]
        + [_grammar(source, loaded) for source, each in current.heard.items() for _, loaded in each.grammars.values()]
        + [_grammar("plugins", Loaded(grammar)) for grammar in asked.grammars],
        "problems": [str(problem) for each in current.heard.values() for problem in (*each.problems, *each.failures)],
        "mode": settings.get("mode", "grammar"),
        "strictness": settings.get("strictness", "grammar"),
    }


def _grammar(source: str, loaded: Loaded) -> dict[str, Any]:
    labels = [arc.label for graph in loaded.grammar.graphs.values() for arcs in graph.arcs for arc in arcs]
    return {
        "name": loaded.grammar.name,
        "from": source,
        "intents": sorted(loaded.grammar.intents),
        "words": len({label.word for label in labels if isinstance(label, Spoken)}),
        "arcs": len(labels),
        "problems": list(loaded.problems),
    }


def _readable(facts: dict[str, Any]) -> list[str]:
    lines = [f"{phrase['text']}  {phrase['boost']:+g}  ({phrase['from']})" for phrase in facts["phrases"]]
    lines += [f"{said['word']} = {said['spoken']}" for said in facts["pronunciations"]]
    for grammar in facts["grammars"]:
        lines.append(f"grammar {grammar['name']}: {_sizes(grammar)}  ({grammar['from']})")
        lines += [f"  {intent}" for intent in grammar["intents"]]
    if facts["grammars"]:
        lines.append(f"grammar mode {facts['mode']}, strictness {facts['strictness']:g}")
    lines += [f"cannot be used: {problem}" for problem in facts["problems"]]
    return lines or ["no phrases, pronunciations or grammars"]


def _sizes(grammar: dict[str, Any]) -> str:
    return f"{counted(len(grammar['intents']), 'intent')}, {counted(grammar['words'], 'word')}, {counted(grammar['arcs'], 'arc')}"
