"""Sentences that start an automation: templates as people wrote them in, sound ones and a grammar of them out.

As in Home Assistant, whatever stands in braces is open speech: a household's lists do not apply here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Any

from hassil.expression import Alternative, Expression, Group, ListReference, RuleReference, TextChunk

from ds_engine.errors import GrammarError
from ds_home_assistant.answers import Remarks, mapping, texts
from ds_plugin.grammars.schema import parse

LIST = "conversation/sentences/list"
MAX_SENTENCES = 2_000
_INTENT = "SentenceTrigger"
_SHOWN = 200  # characters of a sentence and its fault in a remark


def triggers_of(answer: object, remarks: Remarks) -> tuple[str, ...]:
    """The sound sentences, in alphabetical order; what is wrong with the others is remarked."""
    found = sorted(set(texts(mapping(answer).get("trigger_sentences"))))
    sound = []
    for sentence in found:
        if reason := fault(sentence):
            remarks.add(f"sentence of an automation: {reason:.{_SHOWN}}")
        else:
            sound.append(sentence)
    if len(sound) > MAX_SENTENCES:
        remarks.add(f"sentences of automations: {len(sound)}; only {MAX_SENTENCES} are heard")
    return tuple(sound[:MAX_SENTENCES])


def templates_of(sentences: Iterable[str], language: str) -> dict[str, Any]:
    """The data of a file of sentence templates that holds these sentences, which must be sound."""
    given = [*sentences]
    slots = sorted({name for sentence in given for name in _open(parse(sentence, _INTENT))})
    return {
        "language": language,
        "intents": {_INTENT: {"data": [{"sentences": given}]}},
        "lists": {name: {"wildcard": True} for name in slots},
    }


@lru_cache(2 * MAX_SENTENCES)
def fault(sentence: str) -> str:
    """Why a sentence cannot be listened for; "" where it can."""
    try:
        expression = parse(sentence, _INTENT)
    except GrammarError as error:
        return str(error)
    if rule := next(_rules(expression), None):
        return f"{sentence!r} mentions <{rule}>, which sentences of automations do not have"
    return "" if _says(expression) else f"{sentence!r} has no word that must be said"


def _says(expression: Expression) -> bool:
    """True where every way to follow an expression has a word or number of its own, not just open speech."""
    match expression:
        case TextChunk():
            return any(map(str.isalnum, expression.text))
        case Alternative():
            return all(map(_says, expression.items))  # of what is optional, one is silence
        case Group():
            return any(map(_says, expression.items))
        case ListReference():
            return expression.is_inline_range
    return False


def _open(expression: Expression) -> Iterator[str]:
    """The slots that Home Assistant fills with open speech."""
    return (part.slot_name for part in _parts(expression) if isinstance(part, ListReference))


def _rules(expression: Expression) -> Iterator[str]:
    return (part.rule_name for part in _parts(expression) if isinstance(part, RuleReference))


def _parts(expression: Expression) -> Iterator[Expression]:
    inner = expression.items if isinstance(expression, Group) else []
    return chain([expression], *map(_parts, inner))
