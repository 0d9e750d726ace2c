"""Every command of docs/how-to/language-model.md, as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from ds_plugin.language_models import Recipe, make
from ds_plugin.text_files import Sentence
from tests.ds_plugin.test_language_models import bundle
from tests.project import ROOT

SECONDS = 100


def test_the_commands_of_the_guide_work_one_after_the_other(tmp_path: Path) -> None:
    guide = (ROOT / "docs/how-to/language-model.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    models = tmp_path / "models"
    text = [Sentence(line.split(), 1.0) for line in ("the weather is fine", "turn on the radio in the kitchen", "what time is it now")]
    bundle(models / "en-small", make(text, Recipe()))
    script = f'ds-plugin() {{ "{sys.executable}" -m ds_plugin "$@"; }}\n' + "".join(blocks)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DS_PLUGIN_MODELS_FOLDER": str(models)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(blocks) == 4
    assert done.stdout.count("perplexity ") == 2
    written = {path.name for path in tmp_path.iterdir() if path.suffix in {".ngram", ".arpa", ".scorer"}}
    assert written == set(re.findall(r"--output (\S+)", guide))
