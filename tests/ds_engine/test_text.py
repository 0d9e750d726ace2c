from __future__ import annotations

import pytest

from ds_engine.text import normalise


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  Two\t words ", "two words"),
        ("It\u2019s 5%; isn't it?", "it's 5 isn't it"),
        ("cafe\u0301 CAFÉ", "café café"),
        ("under_score-dash", "under score dash"),
        ("हिन्दी, ภาษาไทย", "हिन्दी ภาษาไทย"),
        ("", ""),
    ],
)
def test_case_and_punctuation_do_not_count(text: str, plain: str) -> None:
    assert normalise(text) == plain
    assert normalise(plain) == plain


def test_case_can_be_kept() -> None:
    assert normalise("Hören, SIE!", keep_case=True) == "Hören SIE"
