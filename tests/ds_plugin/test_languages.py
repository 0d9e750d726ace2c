"""The same language is served whatever the region, and the very tag that is wanted comes first."""

from __future__ import annotations

import pytest

from ds_plugin.languages import best_language, same_language


@pytest.mark.parametrize(
    ("wanted", "offered", "same"),
    [
        ("en", "en-US", True),
        ("EN_us", "en-GB", True),
        ("de", "en", False),
        ("eng", "en", False),
        ("en", "eng", False),
        ("pt-BR", "pt_PT", True),
        (" en ", "EN", True),
        ("zh-Hant-TW", "zh", True),
        ("", "en", False),
        ("", "", True),
        ("-en", "en", False),
    ],
)
def test_languages_are_told_apart_by_their_primary_tag(wanted: str, offered: str, *, same: bool) -> None:
    assert same_language(wanted, offered) is same
    assert same_language(offered, wanted) is same


@pytest.mark.parametrize(
    ("wanted", "offered", "best"),
    [
        ("en-GB", ["de", "en", "en-US", "en-GB"], "en-GB"),
        ("EN_gb", ["en-US", "en-GB"], "en-GB"),
        ("en-AU", ["de", "en-US", "en-GB"], "en-US"),
        ("en", ["en-US", "en"], "en"),
        ("en-GB", ["en_gb", "en-GB"], "en_gb"),
        ("fr", ["de", "en"], None),
        ("en", [], None),
    ],
)
def test_the_very_tag_comes_first_then_the_first_of_the_same_language(wanted: str, offered: list[str], best: str | None) -> None:
    assert best_language(wanted, offered) == best
    assert best_language(wanted, iter(offered)) == best
