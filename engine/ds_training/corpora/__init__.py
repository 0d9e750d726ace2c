"""Corpora as other projects publish them: a folder or file in, the recordings for a manifest of ours out.

    rows = IMPORTERS["librispeech"].recordings(Path("LibriSpeech"), parts=["train-clean-100"])
    written = write_manifest(Path("train.tsv"), rows)

An importer reads lists and texts, never sound. It yields a `Recording` for each line, with the text as it stands, and a `Left` for
each that is broken; for a file that cannot be used at all it raises CorpusError. `manifest` reads manifests, `writing` writes them,
`characters` counts what they are written with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ds_training.corpora.common_voice import import_common_voice
from ds_training.corpora.deepspeech import import_deepspeech
from ds_training.corpora.lhotse import import_lhotse
from ds_training.corpora.librispeech import import_librispeech
from ds_training.corpora.ljspeech import import_ljspeech
from ds_training.corpora.manifest import CorpusError, Left, Recording
from ds_training.corpora.writing import Written, write_manifest

__all__ = ["IMPORTERS", "Importer", "Written", "write_manifest"]


@dataclass(frozen=True, slots=True)
class Importer:
    """A kind of corpus: what its source is, and the options that its function takes by name."""

    help: str
    read: Callable[..., Iterator[Recording | Left]]
    options: frozenset[str] = frozenset({"parts"})

    def recordings(self, source: Path, **options: Any) -> Iterator[Recording | Left]:
        """What the source holds. Raises CorpusError for an option that this kind does not take."""
        if unknown := sorted(options.keys() - self.options):
            raise CorpusError(f"needs options among {', '.join(sorted(self.options))}, got {', '.join(unknown)}")
        return self.read(source, **options)


IMPORTERS: Mapping[str, Importer] = {
    "librispeech": Importer("LibriSpeech's folder; parts such as train-clean-100", import_librispeech),
    "common-voice": Importer(
        "the folder of a language of a Common Voice release, or one of its TSVs; parts such as train or validated",
        import_common_voice,
        frozenset({"parts", "up_votes", "down_votes"}),
    ),
    "deepspeech": Importer("a CSV of DeepSpeech or Coqui STT, or a folder of them; parts are the names of CSVs", import_deepspeech),
    "ljspeech": Importer("a folder with metadata.csv and wavs, as LJ Speech has them", import_ljspeech, frozenset({"speaker"})),
    "lhotse": Importer(
        "a manifest of lhotse's supervisions with its recordings beside it, or a folder of them; parts as their names have them",
        import_lhotse,
        frozenset({"parts", "audio"}),
    ),
}
