"""Programs that travel: they and their data are found where they were carried, and nowhere else."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ds_training.box.contents import BoxError
from ds_training.box.programs import carry, carry_program, libraries
from ds_training.box.voices import HELD_OUT, check_carried, checked, heard, known

with_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """espeak-ng, moved after it was carried, into a folder whose name has a space."""
    first = tmp_path_factory.mktemp("carried") / "first"
    carry(["espeak-ng"], first)
    return first.rename(first.with_name("and then")).resolve()


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([folder / "bin" / "espeak-ng", *arguments], capture_output=True, text=True, check=False, env={})


def test_the_libraries_of_a_program_are_found_with_their_loader() -> None:
    found = libraries(Path(shutil.which("sh") or ""))
    assert "libc.so.6" in found
    assert any(name.startswith("ld-") for name in found)
    assert all(path.is_file() for path in found.values())


def test_what_is_no_program_has_no_libraries(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    (tmp_path / "script").chmod(0o755)
    with pytest.raises(BoxError, match="script needs to be a dynamic program"):
        libraries(tmp_path / "script")


def test_a_program_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BoxError, match="espeak-ng needs to be installed here"):
        carry_program("espeak-ng", tmp_path / "out")


@with_espeak
def test_a_carried_program_takes_its_data_from_where_it_is_now(carried: Path) -> None:
    assert f"{carried}/" in os.path.normpath(call(carried, "--version").stdout.partition("Data at: ")[2]) + "/"
    assert call(carried, "-q", "-v", "en-us", "--ipa", "light").stdout.strip() == "lˈaɪt"  # noqa: RUF001  # phonetic letters


@with_espeak
def test_a_carried_program_uses_no_library_program_or_data_of_this_machine(carried: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(carried, tmp_path / "copy")
    mapped = subprocess.run(
        [copy / "lib" / "ld-linux-x86-64.so.2", "--library-path", copy / "lib", "--list", copy / "libexec" / "espeak-ng"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert not [line for line in mapped.splitlines() if "=> /" in line and str(copy) not in line]
    for part in ("share/espeak-ng-data/phontab", "lib/libespeak-ng.so.1", "libexec/espeak-ng"):
        (copy / part).unlink()
        assert call(copy, "-q", "-v", "en-us", "--ipa", "light").returncode != 0


@with_espeak
def test_a_carried_voice_says_what_it_says_here(carried: Path) -> None:
    check_carried(["espeak-ng", "espeak-ng:foreign"], carried)


@with_espeak
def test_a_carried_voice_that_says_something_else_is_named(carried: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(carried, tmp_path / "copy")
    shutil.rmtree(copy / "share" / "espeak-ng-data" / "voices")
    with pytest.raises(BoxError, match="other sound or none from espeak-ng"):
        check_carried(["espeak-ng"], copy)


@with_espeak
def test_a_voice_without_its_program_is_silent(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "flite").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin" / "flite").chmod(0o755)
    assert heard(["flite:rms"], tmp_path) == {"flite:rms": ""}


def test_a_voice_of_festival_that_is_not_installed_is_named(tmp_path: Path) -> None:
    if shutil.which("festival") is None or shutil.which("espeak-ng") is None:
        pytest.skip("needs festival and espeak-ng")
    with pytest.raises(BoxError, match="festival's voice nobody needs to be installed"):
        carry(["festival:nobody"], tmp_path / "out")


def test_festival_travels_with_the_voices_that_are_named_alone(tmp_path: Path) -> None:
    if shutil.which("festival") is None or shutil.which("espeak-ng") is None or not heard(["festival:slt_hts"])["festival:slt_hts"]:
        pytest.skip("needs festival with slt_hts, and espeak-ng")
    carry(["festival:slt_hts"], tmp_path / "out")
    check_carried(["festival:slt_hts"], tmp_path / "out")
    found = [path.name for path in (tmp_path / "out" / "share" / "festival" / "voices").glob("*/*") if path.is_dir()]
    assert found == ["cmu_us_slt_arctic_hts"]
    assert b"/usr/share/festival" not in b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*.scm"))


def test_voices_that_are_held_out_or_unknown_do_not_travel() -> None:
    assert set(HELD_OUT) <= known().keys()
    for names, named in (
        (["espeak-ng", "festival:ked_diphone"], "got festival:ked_diphone"),
        (["flite:nobody"], "got flite:nobody"),
        ([], "got none"),
    ):
        with pytest.raises(BoxError, match=named):
            checked(names)
