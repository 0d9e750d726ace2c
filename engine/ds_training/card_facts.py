"""What a model card is made of: a TOML or JSON file in, checked facts out; card.py turns them into Markdown.

Texts are Markdown and come out as they are. Figures are typed in, or taken over from a report of ds_training.evaluate (`rows_of`).
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ds_engine.features import LogMelSpec
from ds_training.corpus import CorpusError
from ds_training.model import Network
from ds_training.recipe_tables import RecipeError, from_table
from ds_training.weights import WeightFormat


class CardError(CorpusError):
    """Facts that make no card: the message names the file or key, what was got and what is needed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of figures: a group of people or recordings. Rates are fractions of reference characters and words, insertions included."""

    name: str
    speakers: int
    utterances: int
    cer: float
    wer: float
    hours: float | None = None
    search_cer: float | None = None  # with the bundled language model; the others are greedy then
    search_wer: float | None = None

    def __post_init__(self) -> None:
        _not_negative(self)
        _not_empty(self, "name")


@dataclass(frozen=True, slots=True)
class Corpus:
    """Something the network was trained on."""

    name: str
    licence: str
    hours: float
    speakers: int | None = None  # None: synthesisers, or nobody knows
    note: str = ""

    def __post_init__(self) -> None:
        _not_negative(self)
        _not_empty(self, "name", "licence")


@dataclass(frozen=True, slots=True)
class Training:
    """How the network came about."""

    hours: float  # of audio that passed, repetitions included
    start: str  # "random weights", or whose
    recipe: str  # file or command
    note: str = ""

    def __post_init__(self) -> None:
        _not_negative(self)
        _not_empty(self, "start", "recipe")


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the network costs; export fills it in."""

    parameters: int
    weights: str  # format of weights.py
    network_bytes: int
    step_ms: float
    chunk_ms: float
    look_ahead_ms: float

    def __post_init__(self) -> None:
        _not_negative(self)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything on a card. Raises CardError for what is empty or no number of its kind."""

    name: str
    version: str
    licence: str
    summary: str  # what it is, for what, and how good in a word
    badly: str  # whom it serves badly
    reproduce: str  # commands
    corpora: tuple[Corpus, ...]
    training: Training
    figures: tuple[Row, ...] = ()
    figures_note: str = ""  # how they were measured
    figures_remark: str = ""  # what they do not show
    language_model: str = ""  # what it was made from
    licence_note: str = ""
    sizes: Sizes | None = None

    def __post_init__(self) -> None:
        _not_empty(self, "name", "version", "licence", "summary", "badly", "reproduce")
        if not self.corpora:
            raise CardError("corpora needs at least one entry, got none")

    def about(self, name: str, version: str, sizes: Sizes) -> Facts:
        """The same facts with the sizes of an exported network. Raises CardError where they are about another bundle."""
        if (self.name, self.version) != (name, version):
            raise CardError(f"the facts are about {self.name} {self.version}, the bundle is {name} {version}")
        return replace(self, sizes=sizes)


def facts_of(table: Mapping[str, Any]) -> Facts:
    """The keys of a mapping are the fields of Facts. Raises CardError that names the key."""
    try:
        return from_table(Facts, table)
    except RecipeError as error:
        raise CardError(str(error)) from error


def read_facts(path: Path) -> Facts:
    """A TOML file, or JSON by its suffix. Raises CardError that names the file and the key."""
    try:
        text = path.read_text("utf-8")
        table = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise CardError(f"{path}: cannot be read as facts ({error})") from error
    if not isinstance(table, dict):
        raise CardError(f"{path}: needs a table of facts, got {table!r:.60}")
    try:
        return facts_of(table)
    except CardError as error:
        raise CardError(f"{path}: {error}") from error


def rows_of(report: Mapping[str, Any], name: str) -> list[Row]:
    """The figures of an evaluation's JSON (ds_training.evaluate) as rows: all of it under `name`, then each of its groups.

    Raises CardError where it is no such report.
    """
    return [_row(name, report), *_group_rows(report)]


def _group_rows(report: Mapping[str, Any]) -> Iterator[Row]:
    for dimension, groups in _mapping("groups", report.get("groups", {})).items():
        for group, line in _mapping(dimension, groups).items():
            yield _row(f"{dimension}: {group}", _mapping(group, line))


def _row(name: str, line: Mapping[str, Any]) -> Row:
    wanted = ("speakers", "utterances", "cer", "wer", "hours")  # a report tells more
    try:
        return from_table(Row, {"name": name, **{key: line[key] for key in wanted if key in line}}, name)
    except RecipeError as error:
        raise CardError(f"the report is none of an evaluation: {error}") from error


def _mapping(name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise CardError(f"the report is none of an evaluation: {name} needs a table, got {value!r:.60}")
    return value


def sizes_of(network: Network, weights: WeightFormat, network_bytes: int, chunk: int) -> Sizes:
    """What a network costs whose file has so many bytes and that runs in chunks of so many feature frames."""
    mel, spec = LogMelSpec(), network.spec
    frame_ms = 1000 * mel.hop / mel.sample_rate
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Sizes(parameters, weights, network_bytes, spec.stride * frame_ms, chunk * frame_ms, spec.look_ahead * frame_ms)


def _not_negative(facts: Row | Corpus | Training | Sizes) -> None:
    for key, value in asdict(facts).items():
        if isinstance(value, int | float) and not (math.isfinite(value) and value >= 0):
            raise CardError(f"{key} needs a number of at least 0, got {value}")


def _not_empty(facts: Row | Corpus | Training | Facts, *keys: str) -> None:
    for key in keys:
        if not getattr(facts, key).strip():
            raise CardError(f"{key} needs a text, got none")
