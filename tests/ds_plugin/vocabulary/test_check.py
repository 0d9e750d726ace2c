"""A check tells of everything at once, and only what cannot be heard counts as a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds_plugin.vocabulary.check import Finding, check
from ds_plugin.vocabulary.contents import Sources
from tests.ds_plugin.vocabulary.households import ENGLISH, load_lines


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home.txt"


def found(home: Path, text: str, *others: Path) -> tuple[Finding, ...]:
    home.write_text(text)
    return check(Sources((home, *others)), ENGLISH, load_lines).findings


@pytest.mark.parametrize(
    "text", ["", "lamp\n", "Grandma's Lamp\t3\nliving-room (left)\n", "TV = t v\nthe TV's\nZoe's TV\n", "2nd = second\n2nd lamp"]
)
def test_what_is_heard_as_it_is_written_needs_no_words(home: Path, text: str) -> None:
    assert found(home, text) == ()


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("Zoë's café", '"Zoë\'s café" is heard as "zoe\'s cafe" (ë as e, é as e)'),
        ("Kitchen 2", "'Kitchen 2' is heard as 'kitchen two' (2 as two)"),
        ("Sofa 🛋", "'Sofa 🛋' is heard as 'sofa' (without 🛋)"),
        ("the TV", "'TV' is perhaps said by its letters; if so, add TV = t v"),
    ],
)
def test_what_is_heard_otherwise_is_told_and_is_no_fault(home: Path, text: str, finding: str) -> None:
    assert found(home, text) == (Finding(f"{home}, line 1: {finding}", usable=True),)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("Lampe Иван", "'Lampe Иван': no letters for 'иван'; write how it is said, as in Иван = ..."),
        ("🛋", "'🛋': nothing of it can be said; write how it is said, as in 🛋 = ..."),
        ("x = 🛋", "the model's alphabet cannot write how it is said: '🛋'"),
        ("lamp\tmuch", "a boost is a number of nats within +-20, got 'much'"),
    ],
)
def test_what_cannot_be_heard_is_a_fault(home: Path, text: str, finding: str) -> None:
    assert found(home, text) == (Finding(f"{home}, line 1: {finding}", usable=False),)


def test_no_fault_hides_another(home: Path, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("on 🛋")
    home.write_text("lamp\tmuch\n北京\n🛋\nhall\n")
    sources = Sources((tmp_path / "gone.txt", home), (tmp_path / "gone.yaml", tmp_path / "good.yaml"))
    checked = check(sources, ENGLISH, load_lines)
    assert [finding.text.removeprefix(str(tmp_path)).split(":")[0] for finding in checked.findings] == [
        "/gone.txt", "/home.txt, line 1", "/home.txt, line 2", "/home.txt, line 3", "/gone.yaml", "/good.yaml",
    ]  # fmt: skip
    assert not any(finding.usable for finding in checked.findings)
    assert (checked.phrases, checked.grammars) == (3, 1)


def test_a_pronunciation_of_one_file_mends_a_name_of_another(home: Path, tmp_path: Path) -> None:
    (tmp_path / "said.txt").write_text("Zażółć = zazolc\n北京 = beijing\nTV = t v\n")
    assert found(home, "北京\nTV's\n", tmp_path / "said.txt") == ()
