"""A Dockerfile in, its instructions out. `python -m tests.addon.recipe FILE KIND...` prints those of these kinds in order, a line each."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def instructions(text: str) -> list[tuple[str, str]]:
    """A Dockerfile's instructions with their arguments; comments are left out, continued lines joined."""
    plain = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    lines = re.sub(r"\\\n\s*", "", plain).splitlines()
    return [(name.upper(), rest.strip()) for name, _, rest in (line.partition(" ") for line in lines if line.strip())]


if __name__ == "__main__":
    for name, rest in instructions(Path(sys.argv[1]).read_text()):
        if name in sys.argv[2:]:
            sys.stdout.write(f"{name} {rest}\n")
