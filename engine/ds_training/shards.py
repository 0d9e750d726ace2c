"""The data of a run: shards and folders of shards in, utterances out that a network's alphabet can spell.

A folder is listed again at each reading, so that shards which a synthesis is still writing come in as they are finished.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ds_training.corpus import CorpusError, Utterance, read_shard
from ds_training.text import Orthography


@dataclass(frozen=True, slots=True)
class Data:
    """Where a run finds its utterances: shards, or folders of shards."""

    development: tuple[Path, ...]  # speakers never trained on
    real: tuple[Path, ...] = ()  # every utterance is heard in every epoch
    synthetic: tuple[Path, ...] = ()  # each epoch draws from them
    noises: tuple[Path, ...] = ()  # shards, of which only the sound counts: recorded noises, for the augmentation that overlays them


class Shards:
    """The utterances of some shards and folders, each shard read once."""

    def __init__(self, paths: Iterable[Path], orthography: Orthography) -> None:
        self._paths, self._orthography = tuple(paths), orthography
        self._read: dict[Path, Sequence[Utterance]] = {}

    def utterances(self) -> list[Utterance]:
        """All that is there now. Raises CorpusError for a file that is no shard, or an utterance that cannot be trained on."""
        self._read = {path: self._read[path] if path in self._read else self._checked(path) for path in self._listed()}
        return [utterance for shard in self._read.values() for utterance in shard]

    def _listed(self) -> list[Path]:
        found = []
        for path in self._paths:
            inside = sorted(path.glob("*.npz")) if path.is_dir() else [path]
            found += [shard for shard in inside if not shard.name.startswith("partial-")]  # see corpus.write_shard
        return found

    def _checked(self, path: Path) -> list[Utterance]:
        utterances = read_shard(path)
        for number, utterance in enumerate(utterances):
            try:
                self._orthography.encode(utterance.text)
            except ValueError as error:
                raise CorpusError(f"{path}: utterance {number}: {error}") from None
            if not len(utterance.log_power):
                raise CorpusError(f"{path}: utterance {number} ({utterance.text!r:.60}) has no frames")
        return utterances
