"""Every command of docs/how-to/misheard.md, as it stands there."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.ds_plugin.command_line import LIGHT
from tests.ds_plugin.guides import blocks_of, run_all
from tests.project import ROOT

GUIDE = (ROOT / "docs/how-to/misheard.md").read_text()


def test_the_commands_of_the_guide_work_one_after_the_other(tmp_path: Path) -> None:
    shutil.copy(LIGHT, tmp_path / "recording.wav")
    (tmp_path / "home.yaml").write_text('language: en\nintents:\n  On:\n    data:\n      - sentences: ["turn on the kitchen light"]\n')
    printed = run_all(GUIDE, tmp_path, "ds-plugin vocabulary show --vocabulary home.txt\n")
    assert len(blocks_of(GUIDE)) == 5
    assert '"text": "turn on the kitchen light"' in printed
    assert {"snorkelwack  +4  (files)", "tv = t v", "zoë = zoey"} <= set(printed.splitlines())
