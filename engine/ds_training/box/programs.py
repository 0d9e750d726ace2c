"""The synthesisers' programs made portable: those installed here in, a folder that runs on any x86-64 Linux of the same kind out.

    bin/espeak-ng, ...      scripts under the programs' own names, for the front of PATH
    lib/                    every shared library that they load, and the loader itself, so that nothing of the other machine's is used
    libexec/                the programs
    share/espeak-ng-data/, share/festival/     their data; flite's voices are libraries

Paths in festival's Scheme are made relative to its data folder, in which its script starts it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from ds_training.box.contents import BoxError

_LOADER = re.compile(r"ld-linux[\w.-]*\.so\.\d+$")
_LEFT_OUT = ("voices", "dicts/ifd", "dicts/upc", "upc_catalan", "multisyn")  # of festival's data: lexicons and models that we never use
_DEBIAN_DATA = "/usr/share/festival"  # as Debian's Scheme files write it
_ALIAS: Mapping[str, str] = {"slt_hts": "cmu_us_slt_arctic_hts"}  # our names of voices, festival's own

_SCRIPT = """#!/bin/sh
here="${{0%/*}}/.."
{before}
exec "$here/lib/{loader}" --library-path "$here/lib" "$here/libexec/{program}" {options}"$@"
"""
_BEFORE: Mapping[str, str] = {
    "espeak-ng": 'export ESPEAK_DATA_PATH="$here/share"',
    "festival": 'cd "$here/share/festival" || exit',
}
_OPTIONS: Mapping[str, str] = {"festival": '--libdir "$here/share/festival" --datadir "$here/share/festival" '}


def carry(voices: Iterable[str], out: Path) -> None:
    """Everything that these voices ("espeak-ng", "festival:lp_diphone") need. Raises BoxError for a program or voice that is not here."""
    names = sorted({"espeak-ng", *voices})  # espeak-ng tells how words are pronounced, whoever speaks
    for program in sorted({name.partition(":")[0] for name in names}):
        carry_program(program, out)
    _carry_espeak_data(out / "share")
    people = [name.partition(":")[2] for name in names if name.startswith("festival:")]
    if people:
        _carry_festival_data([_ALIAS.get(name, name) for name in people], out / "share" / "festival")


def carry_program(program: str, out: Path) -> None:
    """The program, its libraries and loader, and the script that starts it. Raises BoxError where it is not installed."""
    found = shutil.which(program)
    if found is None:
        raise BoxError(f"{program} needs to be installed here to be carried")
    for folder in ("bin", "lib", "libexec"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(found).resolve(), out / "libexec" / program)
    needed = libraries(Path(found))
    for name, path in needed.items():
        shutil.copy(path, out / "lib" / name)
    loader = next(name for name in needed if _LOADER.fullmatch(name))
    script = out / "bin" / program
    script.write_text(
        _SCRIPT.format(loader=loader, program=program, before=_BEFORE.get(program, ""), options=_OPTIONS.get(program, "")), "utf-8"
    )
    script.chmod(0o755)


def libraries(program: Path) -> dict[str, Path]:
    """Name -> file of every shared library that a program loads, of those that libraries load too, and of the loader.

    Raises BoxError for what is no dynamic program, or lacks a library.
    """
    listing = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False)  # noqa: S603, S607  # a program found on PATH
    rows = re.findall(r"^\s*(\S+)(?: => (\S+))?(?: \(0x\w+\))?$", listing.stdout, re.MULTILINE)
    found = {Path(name).name: Path(path or name) for name, path in rows if path != "not" and (path or name).startswith("/")}
    if listing.returncode or "not found" in listing.stdout or not any(_LOADER.fullmatch(name) for name in found):
        raise BoxError(f"{program} needs to be a dynamic program with all its libraries, got from ldd: {listing.stdout or listing.stderr}")
    return found


def _carry_espeak_data(share: Path) -> None:
    version = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S607  # as synthesisers.py
    shutil.copytree(Path(version.partition("Data at: ")[2].strip()), share / "espeak-ng-data")


def _carry_festival_data(people: Iterable[str], out: Path) -> None:
    data = Path(_DEBIAN_DATA)
    left_out = {data / name for name in _LEFT_OUT}
    shutil.copytree(data, out, ignore=lambda folder, names: {name for name in names if Path(folder, name) in left_out})
    for name in people:
        _carry_festival_voice(data, name, out)
    for path in out.rglob("*.scm"):
        path.write_bytes(path.read_bytes().replace(_DEBIAN_DATA.encode(), b"."))


def _carry_festival_voice(data: Path, name: str, out: Path) -> None:
    found = sorted(data.glob(f"voices/*/{name}"))
    if not found:
        raise BoxError(f"festival's voice {name} needs to be installed here to be carried")
    for folder in (found[0], *found[0].parent.glob("*.common")):  # Finnish voices share theirs
        shutil.copytree(folder, out / folder.relative_to(data), dirs_exist_ok=True)
