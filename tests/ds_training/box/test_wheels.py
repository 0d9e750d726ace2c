"""Wheels: which fit, which are needed, and what becomes of them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ds_training.box.contents import BoxError
from ds_training.box.wheels import THERE, carry, fits, needs
from tests.project import ROOT

ENGINE = ROOT / "engine"


def wheel(folder: Path, name: str, *requirements: str, tag: str = "py3-none-any", files: tuple[str, ...] = ()) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-1.0.dist-info/METADATA", "".join(f"Requires-Dist: {each}\n" for each in requirements))
        for file in files:
            archive.writestr(file, "there = True\n")
    return path


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    """A wheel of each package that the recipe needs and the other machine lacks."""
    for name in needs(ENGINE) - THERE | {"home-assistant-intents"}:
        wheel(tmp_path / "wheels", name.replace("-", "_"))
    return tmp_path / "wheels"


def test_the_recipe_needs_its_audio_and_text_packages_and_not_those_of_servers() -> None:
    found = needs(ENGINE)
    assert {"numpy", "torch", "soundfile", "soxr", "jiwer", "hassil", "onnx"} <= found
    assert not {"wyoming", "starlette", "platformdirs", "kenlm", "pyctcdecode", "ds-plugin"} & found


def test_wheels_are_unpacked_with_what_is_in_them(everything: Path, tmp_path: Path) -> None:
    wheel(everything, "extra", "numpy>=1", 'gone; extra == "dev"', tag="cp312-cp312-manylinux_2_28_x86_64", files=("extra/__init__.py",))
    assert "extra" in carry(everything, ENGINE, tmp_path / "site")
    assert (tmp_path / "site" / "extra" / "__init__.py").read_text() == "there = True\n"


def test_a_package_that_the_recipe_needs_is_missed_by_name(everything: Path, tmp_path: Path) -> None:
    for name in ("soxr", "home_assistant_intents"):
        (everything / f"{name}-1.0-py3-none-any.whl").unlink()
    with pytest.raises(BoxError, match="needs wheels of home-assistant-intents soxr as well"):
        carry(everything, ENGINE, tmp_path / "site")


def test_a_package_that_a_wheel_needs_is_missed_by_name(everything: Path, tmp_path: Path) -> None:
    wheel(everything, "extra", "Foo.Bar>=2", "numpy")
    with pytest.raises(BoxError, match="needs wheels of foo-bar as well"):
        carry(everything, ENGINE, tmp_path / "site")


def test_a_wheel_for_another_machine_is_refused(everything: Path, tmp_path: Path) -> None:
    wheel(everything, "extra", tag="cp311-cp311-manylinux_2_28_x86_64")
    with pytest.raises(BoxError, match=r"cp311.* needs to be a wheel for Python 3\.12"):
        carry(everything, ENGINE, tmp_path / "site")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-manylinux_2_28_x86_64", True),
        ("cp312-cp312-manylinux_2_27_x86_64.manylinux_2_28_x86_64", True),
        ("cp38-abi3-manylinux2014_x86_64", True),
        ("cp313-abi3-manylinux2014_x86_64", False),
        ("cp312-cp312-manylinux2014_aarch64", False),
        ("cp312-cp312-win_amd64", False),
        ("cp312-cp312-macosx_11_0_x86_64", False),
        ("cp313-cp313t-manylinux2014_x86_64", False),
        ("py2-none-any", False),
    ],
)
def test_tags_tell_whether_a_wheel_fits(tag: str, expected: bool) -> None:  # noqa: FBT001  # a parameter of the test
    assert fits(f"name-1.0-{tag}.whl", "3.12") is expected
