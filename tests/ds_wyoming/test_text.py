from __future__ import annotations

import pytest

from ds_wyoming.text import tidy


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        ("", ""),
        (" \n\t ", ""),
        ("  turn  on\nthe\u2028light ", "turn on the light"),
        ("cafe\u0301", "café"),
        ("a\x00b\x1b[31mc\x7f", "ab[31mc"),
        ("half \ud800 pair", "half pair"),
        ("नमस्\u200dते", "नमस्\u200dते"),
    ],
)
def test_text_becomes_one_sendable_line(raw: str, sent: str) -> None:
    assert tidy(raw) == sent


def test_a_tidied_beginning_begins_the_tidied_text() -> None:
    text = "  turn\x00 on \ud800 the\r\nlight\x07, é "
    assert all(tidy(text).startswith(tidy(text[:length])) for length in range(len(text)))
