r"""The INI side of Rhasspy's sentences: the text of a file in, sentences and rules by intent out.

It reads what Python's configparser makes of such a file for Rhasspy: `[Intent]` opens a section (case counts), a line with `=` is a
rule, any other a sentence; lines that stand further in than the rule before them go on with it; `#` and `;` begin a comment where they
begin a line; `\[` is a bracket that opens no section. What configparser takes for something else without a word is an error here: text
behind a section's name, and an `=` in the middle of a template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ds_engine.errors import GrammarError
from ds_plugin.grammars.ini_template import Source

NOT_IN_INTENTS = re.compile(r"[()\[{}<>|]")
HEADER = re.compile(r"\[([^\]]*)\]\s*(.*)")
COMMENT = ("#", ";")
NOT_IN_NAMES = re.compile(r"[()\[\]{}<>|.]")


@dataclass(frozen=True, slots=True)
class Entry:
    """A sentence or a rule of an intent."""

    intent: str
    rule: str  # its name; "": a sentence
    source: Source


def entries(file: str, text: str) -> Iterator[Entry]:
    """The sentences and rules of one file, in their order. Raises GrammarError, which names the file and the line."""
    if not isinstance(text, str):
        raise GrammarError(f"{file}: sentences are a text, not {text!r:.60}")
    intent = ""
    for number, line in _whole_lines(text):
        if header := HEADER.fullmatch(line):
            intent = _intent(header, f"{file}, line {number}")
        elif not intent:
            raise GrammarError(f"{file}, line {number}: '{line:.60}' stands before the first [Intent]")
        else:
            yield _entry(intent, Source(file, number, line.replace("\\[", "[")))


def _whole_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with something on them, each with its number from 1; a rule with the lines that go on with it."""
    first, indent, parts = 0, 0, list[str]()
    for number, line in enumerate(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith(COMMENT):
            continue
        depth = line.index(stripped)
        if parts and "=" in parts[0] and depth > indent:
            parts.append(stripped)
            continue
        if parts:
            yield first, " ".join(parts)
        first, indent, parts = number, depth, [stripped]
    if parts:
        yield first, " ".join(parts)


def _intent(header: re.Match[str], place: str) -> str:
    intent, rest = header[1].strip(), header[2]
    if NOT_IN_INTENTS.search(intent) or (rest and not rest.startswith(COMMENT)):
        raise GrammarError(f"{place}: '{header[0]:.60}' would open an intent: write \\[ where a sentence begins with an optional word")
    if not intent:
        raise GrammarError(f"{place}: an intent needs a name: [Intent]")
    return intent


def _entry(intent: str, source: Source) -> Entry:
    name, equals, body = (part.strip() for part in source.text.partition("="))
    if not equals:
        return Entry(intent, "", source)
    if not name or (found := NOT_IN_NAMES.search(name)):
        why = f"a rule's name cannot hold '{found[0]}'" if name and found else "a rule needs a name"
        raise source.error(f"the '=' makes this a rule (name = body), and {why}")
    return Entry(intent, name, Source(source.file, source.line, body))
