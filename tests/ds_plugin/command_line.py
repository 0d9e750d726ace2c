"""Running the command line as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import ds_plugin

SAMPLES = Path(ds_plugin.__file__).parent / "samples"
LIGHT = SAMPLES / "turn_on_the_kitchen_light.wav"

_SECONDS = 60  # for one process


def run(*arguments: str, environment: Mapping[str, str] | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Runs `ds-plugin` with these arguments and returns what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DS_PLUGIN_")}
    return subprocess.run(
        [sys.executable, "-m", "ds_plugin", *arguments],
        env={**clean, **(environment or {})},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
