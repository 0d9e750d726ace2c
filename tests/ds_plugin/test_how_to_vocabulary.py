"""Every command of docs/how-to/vocabulary.md, as it stands there, and what its table says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import ds_plugin
from ds_plugin.models import DEFAULT_MODEL, ModelStore
from ds_plugin.spoken import Reader
from ds_plugin.vocabulary.phrases import Phrases
from tests.ds_plugin.command_line import LIGHT
from tests.ds_plugin.guides import blocks_of, run_all
from tests.project import ROOT

GUIDE = (ROOT / "docs/how-to/vocabulary.md").read_text()


def test_the_commands_of_the_guide_work_one_after_the_other(tmp_path: Path) -> None:
    shutil.copy(LIGHT, tmp_path / "recording.wav")
    (tmp_path / "home.yaml").write_text('language: en\nintents:\n  On:\n    data:\n      - sentences: ["turn on the kitchen light"]\n')
    printed = run_all(GUIDE, tmp_path)
    assert len(blocks_of(GUIDE)) == 4
    assert "turn on the kitchen light" in printed
    assert {"grandma's lamp  +4  (files)", "tv = telly", "🛋 = sofa", "zoë's = zoey's"} <= set(printed.splitlines())


def test_the_table_says_what_is_heard_and_what_is_written() -> None:
    manifest = ModelStore((Path(ds_plugin.__file__).parent / "bundles",)).open(DEFAULT_MODEL).manifest
    reader = Reader(manifest.alphabet, manifest.language)
    rows = re.findall(r"^\| (`.+`) \| (.+) \| (.+) \|$", GUIDE.partition("## Pronunciations")[0], re.MULTILINE)
    assert len(rows) == 5
    for written, heard, comes_out in rows:
        names = re.findall(r"`(.+?)`", written)
        said = [Phrases(reader).read(name) for name in names]
        if heard == "nothing":
            assert not said[0].text
            continue
        assert heard == ", ".join(reader(name).spoken for name in names)
        assert comes_out in {", ".join(each.text for each in said), "the same words"}
