"""Model cards from facts."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from ds_engine.bundle import Bundle
from ds_training import bundle_folder
from ds_training import card as card_module
from ds_training.card import CARD_FILE, card, install, with_reports
from ds_training.card_facts import CardError, Corpus, Facts, Row, Training, facts_of, read_facts, rows_of
from ds_training.export import ENGLISH_NOTICE, write_bundle
from tests.ds_engine.bundles import EN_SMALL
from tests.ds_training.exported import FACTS, IDENTITY, TABLE, experienced


def lines(text: str) -> set[str]:
    return set(text.splitlines())


def test_every_fact_stands_on_the_card() -> None:
    text = card(FACTS)
    assert text.startswith("# de-haus 1.0\n\nEin kleines Modell.\n\n## Figures\n")
    assert {
        "| set | speakers | utterances | CER | WER |",
        "| test | 2 | 10 | 0.250 | 1.500 |",
        "| Haus \\| Hof | 1 | 3 | CC0 | zwei Zeilen |",
        "12.5 hours of audio passed, repetitions included. Started from en-small 0.2.0. Recipe: haus.toml.",
        "- Children.",
        "python -m ds_training.run haus.toml",
        "CC0, see LICENSE.",
    } <= lines(text)
    assert text.endswith("\n")
    assert "\n\n\n" not in text


def test_columns_and_sections_stand_only_where_there_is_something() -> None:
    assert "hours |" not in card(FACTS).partition("## What it was")[0]
    assert "language model" not in card(FACTS)
    timed = replace(FACTS.figures[0], hours=0.5, search_cer=0.2)
    text = card(replace(FACTS, figures=(timed, FACTS.figures[0]), language_model="Many words."))
    assert "| set | speakers | utterances | hours | greedy CER | greedy WER | kernel CER | kernel WER |" in text
    assert "| test | 2 | 10 | 0.50 | 0.250 | 1.500 | 0.200 |  |" in text
    assert "| test | 2 | 10 |  | 0.250 | 1.500 |  |  |" in text
    assert "## What the language model was made from\n\nMany words." in text
    assert "Nothing has been measured yet." in card(replace(FACTS, figures=()))


def test_the_facts_of_en_small_make_its_card(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(EN_SMALL, bundle)
    bundle_folder.change(bundle, {CARD_FILE: b"another"})
    install(bundle, read_facts(ENGLISH_NOTICE.with_name("card.toml")))
    assert (bundle / CARD_FILE).read_text("utf-8") == (EN_SMALL / CARD_FILE).read_text("utf-8")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": ""}, "name needs a text"),
        ({"name": 7}, "name needs a text, got 7"),
        ({"badly": "  \n"}, "badly needs a text"),
        ({"corpora": []}, "corpora needs at least one entry"),
        ({"corpora": {}}, "corpora needs an array"),
        ({"corpora": [{"name": "x", "hours": 1}]}, r"corpora\[0\].licence is missing"),
        ({"corpora": [{"name": "x", "licence": " ", "hours": 1}]}, "licence needs a text"),
        ({"corpora": [{"name": "x", "licence": "y", "hours": -1}]}, "hours needs a number of at least 0, got -1"),
        ({"training": {"hours": float("nan"), "start": "x", "recipe": "y"}}, "hours needs a number of at least 0, got nan"),
        ({"training": {"hours": 10**400, "start": "x", "recipe": "y"}}, "needs a number of at least 0, got inf"),
        ({"training": {"hours": True, "start": "x", "recipe": "y"}}, "hours needs a number, got True"),
        ({"figures": [{"name": "t", "speakers": 1.5, "utterances": 1, "cer": 0, "wer": 0}]}, "speakers needs a whole number"),
        ({"figures": [{"name": "t", "speakers": 1, "utterances": 1, "cer": float("inf"), "wer": 0}]}, "cer needs a number"),
        ({"figurs": []}, "figurs is unknown; did you mean figures"),
    ],
)
def test_facts_that_make_no_card_are_named(change: dict[str, Any], told: str) -> None:
    with pytest.raises(CardError, match=told):
        facts_of(TABLE | change)


@pytest.mark.parametrize("key", ["name", "licence", "badly", "corpora", "training"])
def test_a_fact_that_is_missing_is_named(key: str) -> None:
    with pytest.raises(CardError, match=f"{key} is missing"):
        facts_of({name: value for name, value in TABLE.items() if name != key})


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("f.toml", b"name = ", "cannot be read as facts"),
        ("f.json", b"{", "cannot be read as facts"),
        ("f.json", b"[" * 100_000, "cannot be read as facts"),
        ("f.toml", b"\xff", "cannot be read as facts"),
        ("f.json", b"[]", "needs a table"),
        ("f.toml", b"name = 'x'", "version is missing"),
    ],
)
def test_a_file_of_facts_that_is_broken_is_named(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CardError, match=rf"{name}: .*{told}"):
        read_facts(tmp_path / name)
    with pytest.raises(CardError, match="cannot be read"):
        read_facts(tmp_path / "none.toml")


def test_facts_are_read_from_json_as_well(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text(json.dumps(TABLE), "utf-8")
    assert (
        read_facts(tmp_path / "f.json")
        == FACTS
        == Facts(
            name="de-haus",
            version="1.0",
            licence="CC0",
            summary="Ein kleines Modell.",
            badly="- Children.",
            reproduce="    python -m ds_training.run haus.toml",
            corpora=(Corpus("Haus | Hof", "CC0", 1.0, 3, "zwei\nZeilen"),),
            training=Training(12.5, "en-small 0.2.0", "haus.toml"),
            figures=(Row("test", 2, 10, 0.25, 1.5),),
        )
    )


LINE: dict[str, Any] = {"speakers": 3, "utterances": 9, "hours": 0.1, "cer": 0.5, "wer": 0.75, "sentences_right": 0.1, "cer_interval": None}
REPORT: dict[str, Any] = {**LINE, "model": "m", "groups": {"length": {"below 2 s": LINE}, "pitch": {"not known": LINE}}, "noise": []}


def test_a_report_of_an_evaluation_becomes_rows(tmp_path: Path) -> None:
    names = [row.name for row in rows_of(REPORT, "people")]
    assert names == ["people", "length: below 2 s", "pitch: not known"]
    assert rows_of(LINE, "x") == [Row("x", 3, 9, 0.5, 0.75, 0.1)]
    (tmp_path / "r.json").write_text(json.dumps(REPORT), "utf-8")
    assert [row.name for row in with_reports(FACTS, [("people", tmp_path / "r.json")]).figures] == ["test", *names]


@pytest.mark.parametrize("report", [{}, {"cer": 1}, {**LINE, "groups": []}, {**LINE, "groups": {"a": {"b": 1}}}, {**LINE, "cer": "x"}])
def test_what_is_no_report_is_refused(report: dict[str, Any]) -> None:
    with pytest.raises(CardError, match="none of an evaluation"):
        rows_of(report, "x")


def test_a_report_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("[]")
    for path, told in ((tmp_path / "r.json", "none of an evaluation"), (tmp_path / "none.json", "none.json: cannot be read")):
        with pytest.raises(CardError, match=told):
            with_reports(FACTS, [("x", path)])


def test_the_card_of_a_bundle_is_replaced_with_its_sizes(tmp_path: Path) -> None:
    write_bundle(experienced(), tmp_path / "bundle", IDENTITY, "old")
    facts = replace(FACTS, name=IDENTITY.name, version=IDENTITY.version)
    install(tmp_path / "bundle", facts)
    text = Bundle.open(tmp_path / "bundle").read(CARD_FILE).decode()
    assert "| float16 |" in text
    with pytest.raises(CardError, match="the bundle is en-tiny"):
        install(tmp_path / "bundle", FACTS)
    assert Bundle.open(tmp_path / "bundle").read(CARD_FILE).decode() == text


def test_the_command_line_prints_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "f.json").write_text(json.dumps(TABLE), "utf-8")
    (tmp_path / "r.json").write_text(json.dumps(REPORT), "utf-8")
    monkeypatch.setattr(sys, "argv", ["card", str(tmp_path / "f.json"), "--report", f"people={tmp_path / 'r.json'}"])
    card_module.main()
    assert "| people | 3 | 9 | 0.10 | 0.500 | 0.750 |" in capsys.readouterr().out
