"""A rehearsal on a machine without a GPU: an unpacked archive and a Python in, its results out, as if nothing else were there.

    python -m ds_training.box.rehearse FOLDER OUT --python VENV/bin/python --recipe engine/ds_training/box/rehearsal.toml

The archive's own `./run` runs in a root folder that holds the archive, that Python, a shell and nothing else: no synthesiser, none of
their data, no repository, no network, an empty environment. Needs Linux with user namespaces; FOLDER/work is what the run leaves.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ds_training.box.contents import BoxError
from ds_training.box.programs import libraries

_TOOLS = ("sh", "env", "dirname")  # what ./run needs of the other machine
_EXTRA = (  # what compiled packages need of any Linux: glibc's parts, and those of C++
    "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "libm.so.6", "libmvec.so.1", "libstdc++.so.6", "libgcc_s.so.1",
)  # fmt: skip
_ASK = "import json, sys; print(json.dumps([sys.prefix, sys.base_prefix, sys.executable]))"
_INSIDE = """set -e
cd {root}
mkdir -p box proc tmp out dev/shm
mount --bind {box} box
mount -t proc proc proc
mount -t tmpfs tmpfs tmp
mount -t tmpfs tmpfs dev/shm
for folder in {folders}; do mkdir -p ./$folder; mount --rbind -o ro $folder ./$folder; done
for device in null zero random urandom; do touch dev/$device; mount --bind /dev/$device dev/$device; done
exec chroot . /bin/env -i PATH=/bin HOME=/tmp OUT=/out PYTHON={python} /box/run {arguments}
"""


def rehearse(box: Path, out: Path, python: Path, recipe: Path | None = None, arguments: Sequence[str] = ()) -> int:
    """`box/run` with these arguments in a bare root; the exit status. Raises BoxError where this machine cannot do that."""
    answer = subprocess.run([str(python), "-c", _ASK], capture_output=True, text=True, check=True).stdout  # noqa: S603  # the caller's Python
    prefix, base, executable = json.loads(answer)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        fill(root, Path(base))
        if recipe:
            shutil.copy(recipe, root / "recipe.toml")
            arguments = ["--recipe", "/recipe.toml", *arguments]
        folders = shlex.join(dict.fromkeys([prefix, base]))
        inside = _INSIDE.format(
            root=shlex.quote(name),
            folders=folders,
            box=shlex.quote(str(box.resolve())),
            python=shlex.quote(executable),
            arguments=shlex.join(arguments),
        )
        command = ["unshare", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", inside]
        try:
            status = subprocess.run(command, check=False).returncode  # noqa: S603  # as above
        except OSError as error:
            raise BoxError(f"a rehearsal needs the program unshare: {error}") from error
        if (root / "out").is_dir():
            shutil.copytree(root / "out", out, dirs_exist_ok=True)
    return status


def fill(root: Path, base: Path) -> None:
    """The shell, and the libraries of it and of the Python with that prefix, where their loader looks for them."""
    (root / "bin").mkdir()
    found = dict[str, Path]()
    for tool in _TOOLS:
        path = shutil.which(tool)
        if path is None:
            raise BoxError(f"a rehearsal needs the program {tool}")
        shutil.copy(Path(path).resolve(), root / "bin" / tool)
        found |= libraries(Path(path))
    for extension in base.glob("lib/python3*/lib-dynload/*.so"):
        with contextlib.suppress(BoxError):  # some need no library at all
            found |= libraries(extension)
    system = next(path.parent for name, path in found.items() if name == "libc.so.6")
    found |= {name: system / name for name in _EXTRA if (system / name).exists()}
    for library in found.values():
        if not library.is_relative_to(base):
            target = root / library.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)


def main() -> int:
    parser = argparse.ArgumentParser(description="Run an unpacked archive as if nothing else were there.")
    parser.add_argument("box", type=Path, help="folder of the unpacked archive")
    parser.add_argument("out", type=Path, help="folder for its results")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="with the packages that the other machine has")
    parser.add_argument("--recipe", type=Path, help="instead of the archive's own")
    parser.add_argument("--minutes", type=float)
    options = parser.parse_args()
    arguments = ["--minutes", str(options.minutes)] if options.minutes else []
    try:
        return rehearse(options.box, options.out, options.python, options.recipe, arguments)
    except ValueError as error:  # BoxError among them
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(main())
