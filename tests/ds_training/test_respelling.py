"""Rules for made-up names go into a bundle, or are refused with a reason."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ds_engine.bundle import Bundle
from ds_engine.search.respelling import Respelling
from ds_plugin.models import DEFAULT_MODEL, ModelStore
from ds_training import respelling
from ds_training.respelling import main
from tests.ds_engine import bundles

RULES = Path(respelling.__file__).parent / "en-small" / "respelling.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bundles.write(tmp_path / "toy")
    return tmp_path / "toy"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["respelling", *map(str, arguments)])
    main()


def test_rules_go_into_the_manifest_and_nothing_else_changes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Bundle.open(folder).manifest
    run(monkeypatch, folder, RULES)
    after = Bundle.open(folder).manifest
    assert json.loads(capsys.readouterr().out) == {"respelling": len(json.loads(RULES.read_text()))}
    assert "snorkelwak" in Respelling.of(after)("snorkelwack")
    assert (after.files, after.alphabet, after.name) == (before.files, before.alphabet, before.name)


@pytest.mark.parametrize("text", ["{}", "[", '[["(", ["a"]]]', '[["a", "b"]]', '[["a", [3]]]', '[["a", ["\\\\1"]]]', '[[3, ["a"]]]', "[1]"])
def test_what_is_no_rule_is_refused_and_the_bundle_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    before = Bundle.open(folder).manifest
    rules = folder.parent / "rules.json"
    rules.write_text(text)
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, folder, rules)
    assert ended.value.code == 2
    assert capsys.readouterr().err
    assert Bundle.open(folder).manifest == before


def test_the_bundled_model_has_these_rules() -> None:
    bundled = ModelStore.standard().open(DEFAULT_MODEL).manifest
    assert bundled.calibration.get("respelling", list, []) == json.loads(RULES.read_text())
