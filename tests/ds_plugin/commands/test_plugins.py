from __future__ import annotations

import json
from pathlib import Path

from tests.ds_plugin.command_line import run


def distribution(folder: Path, name: str, source: str) -> dict[str, str]:
    """An installed plugin of this source; returns the environment in which it is found."""
    (folder / f"{name}_module.py").write_text(source)
    about = folder / f"{name}-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[ds_plugin]\n{name} = {name}_module\n")
    return {"PYTHONPATH": str(folder)}


def test_our_own_plugins_are_listed_with_what_they_add() -> None:
    listed = json.loads(run("plugins", "--json").stdout)
    assert [plugin["name"] for plugin in listed["plugins"]] == ["builtin", "home_assistant", "http", "train", "wyoming"]
    assert not any(plugin["error"] for plugin in listed["plugins"])
    assert (listed["decoders"], listed["adapters"], listed["model_families"]) == (
        ["greedy", "kernel", "pyctcdecode"],
        ["http", "wyoming"],
        ["native"],
    )


def test_a_plugin_that_cannot_be_imported_is_reported_and_the_rest_works(tmp_path: Path) -> None:
    environment = distribution(tmp_path, "rotten", "import a_module_that_is_not_there\n")
    done = run("plugins", environment=environment)
    assert done.returncode == 0
    assert "FAILED: plugin rotten: loading raised ModuleNotFoundError" in done.stdout
    assert "decoders: greedy, kernel, pyctcdecode" in done.stdout


def test_a_misspelt_hook_is_reported_by_name(tmp_path: Path) -> None:
    source = "from ds_plugin import hookimpl\n@hookimpl\ndef ds_bais():\n    pass\n"
    assert "ds_bais" in run("plugins", environment=distribution(tmp_path, "typo", source)).stdout


def test_a_disabled_plugin_is_not_even_imported(tmp_path: Path) -> None:
    marker = tmp_path / "imported"
    environment = distribution(tmp_path, "eager", f"open({str(marker)!r}, 'w').close()\n")
    assert "eager" not in run("plugins", environment={**environment, "DS_PLUGIN_PLUGINS_DISABLED": "eager"}).stdout
    assert not marker.exists()
    assert "eager" in run("plugins", environment=environment).stdout
    assert marker.exists()
