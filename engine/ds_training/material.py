"""What is evaluated: names of manifests and shards in, trials out; speakers that a model was trained on are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ds_training.corpus import CorpusError, read_index, read_manifest, read_shard
from ds_training.splits import of_part, read_split
from ds_training.text import Orthography
from ds_training.trials import Trial, of_recordings, of_utterances, refuse_trained


@dataclass(frozen=True, slots=True)
class Material:
    """Manifests and shards."""

    manifest: Path | None = None
    split: Path | None = None  # TSV of speakers and parts of that manifest
    part: str = "development"
    also: tuple[Path, ...] = ()  # further manifests, all of them
    shards: tuple[Path, ...] = ()
    every: int = 1  # take each n-th utterance of a file
    trained: tuple[Path, ...] = ()  # manifests and shards that the model was trained on

    def trials(self, orthography: Orthography) -> list[Trial]:
        """All of them. Raises CorpusError for a broken file, two of one name, none at all, or a speaker who was trained on."""
        if self.every < 1:
            raise CorpusError(f"every n-th utterance needs n to be at least 1, got {self.every}")
        found = [trial for trials in self._by_file(orthography) for trial in trials[:: self.every]]
        if not found:
            raise CorpusError("an evaluation needs at least one utterance, got none")
        refuse_trained(found, {speaker for path in self.trained for speaker in _speakers(path)})
        return found

    def _by_file(self, orthography: Orthography) -> Iterator[list[Trial]]:
        names = self._names()
        for path in (*([self.manifest] if self.manifest else []), *self.also):
            recordings = read_manifest(path, orthography)
            if self.split and path == self.manifest:
                recordings = of_part(recordings, read_split(self.split), self.part)
            yield of_recordings(recordings, names[path])
        for path in self.shards:
            yield of_utterances(read_shard(path), names[path])

    def _names(self) -> dict[Path, str]:
        """Folder and file, which is what a reader knows; where it lies on this machine is nobody's business."""
        paths = (*([self.manifest] if self.manifest else []), *self.also, *self.shards)
        names = {path: f"{path.resolve().parent.name}/{path.stem}" for path in paths}
        if len(set(names.values())) < len(paths):
            raise CorpusError(f"files need different names or folders, got {', '.join(names[path] for path in paths)}")
        return names


def _speakers(path: Path) -> set[str]:
    return set(read_index(path).speakers) if path.suffix == ".npz" else {each.speaker for each in read_manifest(path, None)}
