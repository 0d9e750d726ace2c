"""The folder that people put their own files into: made once, with a guide; what lies there is found at each start."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ds_app.options import Sources

SENTENCES, VOCABULARY, MODELS = "sentences", "vocabulary", "models"
TEMPLATES = frozenset({".yaml", ".yml", ".json"})
INI = ".ini"
README = """\
Your own files for the speech-to-text app ds-plugin
===================================================

vocabulary/   Text files (.txt) with names and words that it should know, one to a line:

                  Grandma's lamp
                  Snorkelwack
                  TV = t v

              After = stands how a word is said. Home Assistant's own names need no file.

sentences/    Sentences of your own: Home Assistant's templates (.yaml), or Rhasspy's sentences.ini.
              Those in Home Assistant's own folder custom_sentences need no copy.

models/       Models of your own: a folder each, or a .zip.

What you change in a file is used within seconds. After adding a file or a model, restart the app.
A file that cannot be used is left out, and the app's log says why.
"""


def prepare(folder: Path) -> None:
    """Makes what is missing; leaves alone what is there. Raises OSError."""
    for name in (SENTENCES, VOCABULARY, MODELS):
        (folder / name).mkdir(parents=True, exist_ok=True)
    guide = folder / "README.txt"
    if not guide.exists():
        guide.write_text(README, encoding="utf-8")


def found(folder: Path) -> Sources:
    """The vocabulary files and grammars there; none where the folder cannot be read.

    All templates make one grammar, for they may use each other's lists, unless Rhasspy's files lie beside them.
    """
    vocabulary = [file for file in _files(folder / VOCABULARY) if file.suffix.lower() == ".txt"]
    sentences = folder / SENTENCES
    rhasspy = [file for file in _files(sentences) if file.suffix.lower() == INI]
    templates = [file for file in _files(sentences, deep=True) if file.suffix.lower() in TEMPLATES]
    together = [sentences] if templates and not rhasspy else templates
    return Sources(tuple(vocabulary), (*together, *rhasspy))


def beside_home_assistant(sources: Sources, folder: Path) -> Sources:
    """The same files where Home Assistant is asked for names: templates become custom sentences, which may use these names.

    `folder` is Home Assistant's own of custom sentences, if it has one.
    """
    templates = [path for path in sources.grammars if path.suffix.lower() != INI]
    rhasspy = [path for path in sources.grammars if path not in templates]
    return Sources(sources.vocabulary, tuple(rhasspy), (*([folder] if folder.is_dir() else []), *templates))


def _files(folder: Path, *, deep: bool = False) -> Iterable[Path]:
    try:
        entries = sorted(folder.rglob("*") if deep else folder.iterdir())
        return [file for file in entries if file.is_file() and not file.name.startswith(".")]
    except OSError:
        return []
