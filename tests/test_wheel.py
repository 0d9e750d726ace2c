"""What the wheel holds, and that the example plugin works once it is installed."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ds_plugin.models import DEFAULT_MODEL
from tests.ds_plugin.command_line import LIGHT, run
from tests.project import PACKAGES, ROOT, modules

pytestmark = pytest.mark.process

MAX_WHEEL_BYTES = 20 * 2**20


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    [path] = folder.glob("*.whl")
    assert path.stat().st_size < MAX_WHEEL_BYTES
    assert path.name.endswith("-py3-none-any.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_our_packages_and_nothing_else_at_the_top(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_the_wheel_holds_every_module_the_model_the_samples_and_the_types(wheel: zipfile.ZipFile) -> None:
    held = set(wheel.namelist())
    wanted = {str(module.relative_to(folder.parent)) for package, folder in PACKAGES.items() for module in modules(package)}
    wanted |= {
        f"ds_plugin/bundles/{DEFAULT_MODEL}/{name}" for name in ("manifest.json", "model.onnx", "lm.ngram", "LICENSE", "MODEL_CARD.md")
    }
    wanted |= {f"ds_plugin/samples/{LIGHT.name}", *(f"{package}/py.typed" for package in PACKAGES)}
    assert wanted <= held


def test_the_example_plugin_works_once_it_is_installed(tmp_path: Path) -> None:
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet", "--target", str(tmp_path)]
    example = ROOT / "examples" / "ds-plugin-example"
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(example)], check=True, capture_output=True)
    environment = {"PYTHONPATH": str(tmp_path)}
    listed = run("plugins", environment=environment).stdout
    assert "example: ds_plugin_example (ds-plugin-example)\n  ds_bias, ds_transform_transcript\n" in listed
    plain, changed = run("transcribe", str(LIGHT)).stdout.strip(), run("transcribe", str(LIGHT), environment=environment).stdout.strip()
    assert changed == plain[0].upper() + plain[1:] + "."
