from __future__ import annotations

import json
import shutil
from pathlib import Path

from ds_plugin.models import BUNDLED, DEFAULT_MODEL
from tests.ds_plugin.command_line import run


def test_the_list_names_the_bundled_model() -> None:
    [entry] = json.loads(run("models", "list", "--json").stdout)
    assert (entry["name"], entry["language"]) == (DEFAULT_MODEL, "en")
    assert DEFAULT_MODEL in run("models", "list").stdout


def test_a_broken_bundle_is_listed_as_broken_and_fails_verification(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(BUNDLED / DEFAULT_MODEL, broken)
    (broken / "model.onnx").write_bytes(b"cut off")
    environment = {"DS_PLUGIN_MODELS_FOLDER": str(tmp_path)}
    assert "broken  BROKEN  model.onnx" in run("models", "list", environment=environment).stdout
    done = run("models", "verify", environment=environment)
    assert done.returncode == 2
    assert f"{DEFAULT_MODEL}: whole" in done.stdout
    assert done.stderr.strip() == "Error: broken: broken"


def test_info_describes_a_bundle_as_text_and_as_json() -> None:
    facts = json.loads(run("models", "info", DEFAULT_MODEL, "--json").stdout)
    assert (facts["name"], facts["family"]) == (DEFAULT_MODEL, "native")
    assert f"license: {facts['license']}" in run("models", "info", DEFAULT_MODEL).stdout


def test_a_bundle_can_be_named_by_path(tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "mine"), "zip", BUNDLED / DEFAULT_MODEL)
    assert json.loads(run("models", "info", archive, "--json").stdout)["path"] == archive
