"""What an installed Home Assistant needs beside itself to run these tests, as its integrations' manifests say, one per line.

Run by its own interpreter. Standard output goes to pip, together with Home Assistant's constraints, whose path comes first as `-c`.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

USED = ("assist_pipeline", "demo", "frontend", "wyoming", "zeroconf")
IMPORTED = ("recorder",)  # by what is used, without depending on it


def manifests(components: Path) -> dict[str, dict[str, list[str]]]:
    """Those of everything that is set up here: what is used, what Home Assistant always sets up, what these depend on."""
    always = import_module("homeassistant.bootstrap")
    names = {*USED, *IMPORTED, *always.DEFAULT_INTEGRATIONS, *always.FRONTEND_INTEGRATIONS}
    names |= {file.stem for file in (components / "demo").glob("*.py")}  # its platforms
    found: dict[str, dict[str, list[str]]] = {}
    while names:
        name = names.pop()
        file = components / name / "manifest.json"
        if name not in found and file.exists():
            found[name] = json.loads(file.read_text())
            names.update(found[name].get("dependencies", ()))
    return found


def main() -> None:
    spec = find_spec("homeassistant")
    assert spec
    assert spec.origin
    package = Path(spec.origin).parent
    needed = {line for manifest in manifests(package / "components").values() for line in manifest.get("requirements", ())}
    sys.stdout.write("\n".join([f"-c {package / 'package_constraints.txt'}", *sorted(needed)]) + "\n")


if __name__ == "__main__":
    main()
