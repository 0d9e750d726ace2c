"""Contexts: which values of a list fit a block of sentences, such as only lights where the sentences are about lights.

What a context requires or excludes beyond its lists (the area of the satellite, say) is known only when something was said; it is
left to whoever carries the sentence out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from hassil.util import check_excluded_context, check_required_context

from ds_plugin.grammars.schema import Block


def filter_of(block: Block) -> str:
    """A block's contexts as one text, equal for equal ones; "" where every value fits."""
    requires = {key: value for key, value in block.requires.items() if _wanted(value) is not None}
    return json.dumps([requires, block.excludes], sort_keys=True, ensure_ascii=False) if requires or block.excludes else ""


def fitting(filtered: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a value with a context passes. As in hassil, one that has no such context does."""
    requires, excludes = json.loads(filtered) if filtered else ({}, {})

    def fits(context: Mapping[str, Any]) -> bool:
        given = dict(context)
        return check_required_context(requires, given, allow_missing_keys=True) and check_excluded_context(excludes, given)

    return fits


def _wanted(required: Any) -> Any:
    return required.get("value") if isinstance(required, Mapping) else required
