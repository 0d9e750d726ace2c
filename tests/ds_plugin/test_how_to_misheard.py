"""Every command of docs/how-to/misheard.md, as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.ds_plugin.command_line import LIGHT
from tests.project import ROOT

SECONDS = 100
GUIDE = (ROOT / "docs/how-to/misheard.md").read_text()


def test_the_commands_of_the_guide_work_one_after_the_other(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    shutil.copy(LIGHT, tmp_path / "recording.wav")
    (tmp_path / "home.yaml").write_text('language: en\nintents:\n  On:\n    data:\n      - sentences: ["turn on the kitchen light"]\n')
    script = (
        f'ds-plugin() {{ "{sys.executable}" -m ds_plugin "$@"; }}\n' + "".join(blocks) + "ds-plugin vocabulary show --vocabulary home.txt\n"
    )
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(blocks) == 5
    assert '"text": "turn on the kitchen light"' in done.stdout
    assert {"snorkelwack  +4  (files)", "tv = t v", "zoë = zoey"} <= set(done.stdout.splitlines())
