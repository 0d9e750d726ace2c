"""The Python packages that the other machine lacks: a folder of wheels in, a folder for PYTHONPATH out.

They are unpacked here: modules with compiled parts cannot be imported from a zip, and what is unpacked packs better. What is needed is
read off the imports of the recipe's own modules, so that a package is missed here and not there.
"""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ds_training.box.contents import BoxError

ENTRIES = ("ds_training.synthesis", "ds_training.prepare", "ds_training.train", "ds_training.box.run")  # what runs there
DATA = ("home-assistant-intents",)  # needed packages that no import names
THERE = frozenset(  # packages of the machines that we train on, of those that the recipe may want
    "click matplotlib numpy onnx onnxruntime packaging pluggy protobuf pyyaml rich scipy torch typing-extensions".split()  # noqa: SIM905  # a table
)
_OURS = ("ds_engine", "ds_training")


def carry(wheels: Path, engine: Path, out: Path, python: str = "3.12") -> list[str]:
    """Unpack all wheels of a folder; returns their names. `engine` is the folder of our packages, `python` the version there.

    Raises BoxError where one is for another Python or machine, or a package that the recipe or a wheel needs is missing.
    """
    found = {_name(path): path for path in sorted(wheels.glob("*.whl"))}
    for path in found.values():
        if not fits(path.name, python):
            raise BoxError(f"{path.name} needs to be a wheel for Python {python} on x86-64 Linux")
    needed = {*DATA, *needs(engine)}.union(*map(_required, found.values()))
    lacking = sorted(needed - found.keys() - THERE)
    if lacking:
        raise BoxError(f"{wheels} needs wheels of {' '.join(lacking)} as well")
    for path in found.values():
        with zipfile.ZipFile(path) as archive:
            archive.extractall(out)
    return sorted(found)


def fits(wheel: str, python: str) -> bool:
    """Whether a wheel of that file name runs on CPython of that version on x86-64 Linux."""
    interpreter, abi, platform = wheel.removesuffix(".whl").split("-")[-3:]
    minor = int(python.partition(".")[2])
    stable = abi == "abi3" and any(re.fullmatch(r"cp3\d+", tag) and int(tag[3:]) <= minor for tag in interpreter.split("."))
    compiled = abi == f"cp3{minor}" or stable or (abi == "none" and "py3" in interpreter.split("."))
    return compiled and (platform == "any" or ("linux" in platform and "x86_64" in platform))


def needs(engine: Path, entries: Iterable[str] = ENTRIES) -> set[str]:
    """The distributions of other people that these modules import, and the modules of ours that they import in turn."""
    homes = _homes()
    seen: set[str] = set()
    strangers: set[str] = set()
    waiting = list(entries)
    while waiting:
        module = waiting.pop()
        source = _source(engine, module)
        if module in seen or source is None:
            continue
        seen.add(module)
        for name in _imports(source):
            top = name.partition(".")[0]
            if top in _OURS:
                waiting.append(name)
            elif top not in sys.stdlib_module_names:
                strangers.add(top)
    return {min((_normal(home) for home in homes.get(name, [name])), key=lambda home: (home not in THERE, home)) for name in strangers}


@functools.cache
def _homes() -> Mapping[str, list[str]]:
    """Import name -> distributions that have it here; looking takes a second."""
    return importlib.metadata.packages_distributions()


def _source(engine: Path, module: str) -> Path | None:
    path = engine.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _imports(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def _name(wheel: Path) -> str:
    return _normal(wheel.name.partition("-")[0])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _required(wheel: Path) -> set[str]:
    """What a wheel says that it needs everywhere; needs under a condition are of extras or of other machines mostly."""
    with zipfile.ZipFile(wheel) as archive:
        [metadata] = [name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)]
        lines = archive.read(metadata).decode("utf-8").splitlines()
    names = (re.match(r"Requires-Dist: ([\w.-]+)[^;]*$", line) for line in lines)
    return {_normal(found[1]) for found in names if found}
