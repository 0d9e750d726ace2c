"""Every command of docs/how-to/language-model.md, as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

from ds_plugin.language_models import Recipe, make
from ds_plugin.text_files import Sentence
from tests.ds_plugin.guides import blocks_of, run_all
from tests.ds_plugin.test_language_models import bundle
from tests.project import ROOT


def test_the_commands_of_the_guide_work_one_after_the_other(tmp_path: Path) -> None:
    guide = (ROOT / "docs/how-to/language-model.md").read_text()
    models = tmp_path / "models"
    text = [Sentence(line.split(), 1.0) for line in ("the weather is fine", "turn on the radio in the kitchen", "what time is it now")]
    bundle(models / "en-small", make(text, Recipe()))
    printed = run_all(guide, tmp_path, DS_PLUGIN_MODELS_FOLDER=str(models))
    assert len(blocks_of(guide)) == 4
    assert printed.count("perplexity ") == 2
    written = {path.name for path in tmp_path.iterdir() if path.suffix in {".ngram", ".arpa", ".scorer"}}
    assert written == set(re.findall(r"--output (\S+)", guide))
