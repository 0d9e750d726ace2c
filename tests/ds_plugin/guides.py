"""The commands of a guide, run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.project import ROOT

SECONDS = 100  # for all commands of a guide


def blocks_of(guide: str) -> list[str]:
    """The shell commands of a Markdown text, block by block."""
    return re.findall(r"^```sh\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)


def run_all(guide: str, folder: Path, more: str = "", **environment: str) -> str:
    """Runs a guide's commands, and `more`, one after the other in a folder, until one fails. Returns what they printed."""
    script = f'ds-plugin() {{ "{sys.executable}" -m ds_plugin "$@"; }}\n' + "".join(blocks_of(guide)) + more
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "cache"), **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
