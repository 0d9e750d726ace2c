"""Sentences to be spoken by a synthesiser: a seed in, an endless stream of plain text out.

Home commands are sampled from Home Assistant's own templates (package home-assistant-intents, parsed by hassil) with invented
names of rooms and devices; the rest is lines of text files, cut to a length that is said in one breath, random words, and short
everyday sentences (see everyday.py).
"""

from __future__ import annotations

import contextlib
import importlib.resources
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ds_training.everyday import everyday
from ds_training.text import ENGLISH, Orthography, number_words, plain_text

ROOMS = (  # noqa: SIM905  # a table of words
    "living room|bedroom|bathroom|garage|hallway|office|attic|basement|dining room|nursery|porch|garden|study"
    "|laundry room|guest room|patio|den|closet|pantry|kitchen|kids room|master bedroom|upstairs|downstairs|first floor|workshop|sauna"
    "|entrance|balcony|terrace|shed|library|gym|playroom|stairs|cellar|driveway|greenhouse|conservatory|utility room|toilet"
).split("|")
DEVICES = (  # noqa: SIM905  # a table of words
    "lamp|lights|light|ceiling fan|fan|television|tv|heater|thermostat|blinds|curtains|shades|garage door|front door|back door"
    "|speaker|radio|coffee maker|vacuum|desk lamp|night light|humidifier|sprinkler|oven|dishwasher|window|door|lock|switch|outlet"
    "|camera|kettle|floor lamp|chandelier|awning|gate|shutter|doorbell|alarm|washing machine|dryer|freezer|fridge|projector|printer"
    "|sound bar|air conditioner|string lights|christmas tree|fountain|pump|charger|mower|aquarium|fireplace|plug|valve|bulb|spotlight"
).split("|")
OWNERS = (  # noqa: SIM905  # a table of words
    "grandma grandpa mum dad anna peter kevin maria oliver sophie lucas emma noah mia liam zoe jack ruby oscar alice george hannah thomas"
    " julia martin laura simon nora felix clara victor elena hugo irene max ella leo amy sam kate ben lily adam eva henry jane"
).split()
ADJECTIVES = "big small old new left right upper lower blue red green white corner main front back little reading bedside outdoor".split()  # noqa: SIM905


class Templates:
    """Home Assistant's English sentence templates, sampled with invented names."""

    def __init__(self, words: Sequence[str]) -> None:
        data = json.loads((importlib.resources.files("home_assistant_intents") / "data" / "en.json").read_text("utf-8"))
        self._words = words  # what wildcards are filled with
        self._lists: Mapping[str, Any] = data["lists"]
        self._rules: Mapping[str, str] = data["expansion_rules"]
        self._intents = [[line for block in intent["data"] for line in block["sentences"]] for intent in data["intents"].values()]

    def sample(self, rng: random.Random) -> str:
        """One command: an intent uniformly, then one of its templates."""
        return plain_text(self._expand(rng.choice(rng.choice(self._intents)), rng))

    def _expand(self, template: str, rng: random.Random) -> str:
        from hassil.parse_expression import parse_sentence  # type: ignore[import-not-found,unused-ignore]  # text files need no hassil

        return self._walk(parse_sentence(template).expression, rng)

    def _walk(self, node: Any, rng: random.Random) -> str:
        match type(node).__name__:
            case "TextChunk":
                return str(node.original_text)
            case "Alternative":
                return self._walk(rng.choice(node.items), rng)
            case "Permutation":
                return " ".join(self._walk(item, rng) for item in rng.sample(node.items, len(node.items)))
            case "RuleReference":
                return self._expand(self._rules[node.rule_name], rng)
            case "ListReference":
                return self._fill(node.list_name, rng)
        return "".join(self._walk(item, rng) for item in node.items)

    def _fill(self, name: str, rng: random.Random) -> str:
        if name == "name":
            return device_name(rng)
        entry = self._lists.get(name, {})
        if "range" in entry:
            return number_words(rng.randint(entry["range"]["from"], entry["range"]["to"]))
        if "values" in entry:
            return self._expand(rng.choice(entry["values"])["in"], rng)
        return rng.choice(ROOMS) if name in ("area", "floor") else " ".join(rng.choices(self._words, k=rng.randint(1, 3)))


def device_name(rng: random.Random) -> str:
    """What a household may call a device: "anna's lamp", "upper blinds", "office fan"."""
    first = rng.choice((rng.choice(OWNERS) + "'s", rng.choice(ADJECTIVES), rng.choice(ROOMS), ""))
    return f"{first} {rng.choice(DEVICES)}".strip()


def read_lines(path: Path, orthography: Orthography = ENGLISH) -> list[str]:
    """The plain text of a file of sentences; of `id|text` lines (LJ Speech's form) only what follows the bar.

    Lines that the alphabet cannot write, or of which nothing is left, are passed over.
    """
    lines = []
    for line in path.read_text("utf-8").splitlines():
        with contextlib.suppress(ValueError):
            lines.append(orthography.plain(line.rpartition("|")[2]))
    return [line for line in lines if line]


def excerpt(line: str, rng: random.Random, longest: int = 12) -> str:
    """The line itself, or `longest` words or fewer from somewhere in it."""
    words = line.split()
    if len(words) <= longest:
        return line
    count = rng.randint(3, longest)
    start = rng.randint(0, len(words) - count)
    return " ".join(words[start : start + count])


def sentences(
    files: Sequence[Path], rng: random.Random, commands: float = 0.4, random_words: float = 0.12, short: float = 0.0
) -> Iterator[str]:
    """An endless stream: shares of `commands`, `random_words` and `short` everyday ones; the rest is of the files, each equally often."""
    books = [read_lines(path) for path in files]
    words = sorted({word for lines in books for line in lines for word in line.split()})
    templates = Templates(words)
    while True:
        draw = rng.random()
        if draw < commands:
            line = templates.sample(rng)
        elif draw < commands + random_words:
            line = " ".join(_random_word(words, rng) for _ in range(rng.randint(1, 7)))
        elif draw < commands + random_words + short:
            line = everyday(words, rng)
        else:
            line = excerpt(rng.choice(rng.choice(books)), rng)
        if line:
            yield line


def _random_word(words: Sequence[str], rng: random.Random) -> str:
    return (
        rng.choice(words)
        if rng.random() < 0.8
        else number_words(rng.choice((rng.randint(0, 9), rng.randint(0, 100), rng.randint(0, 9999))))
    )
