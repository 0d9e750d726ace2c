"""Which utterances are evaluated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ds_training.corpus import CorpusError, Utterance, write_shard
from ds_training.material import Material
from ds_training.text import ENGLISH, Orthography


def manifest(path: Path, *speakers: str, text: str = "Hello, you") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("file\tspeaker\ttext\n" + "".join(f"{index}.wav\t{name}\t{text}\n" for index, name in enumerate(speakers)), "utf-8")
    return path


def shard(path: Path, *speakers: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    write_shard(path, [Utterance(np.zeros((4, 80), np.float16), "hello", speaker) for speaker in speakers])
    return path


def test_manifests_and_shards_are_named_by_folder_and_file(tmp_path: Path) -> None:
    material = Material(
        manifest(tmp_path / "one/test.tsv", "a"),
        also=(manifest(tmp_path / "two/test.tsv", "b"),),
        shards=(shard(tmp_path / "s/x.npz", "c"),),
    )
    found = [(trial.reference.source, trial.reference.speaker, trial.reference.text) for trial in material.trials(ENGLISH)]
    assert found == [("one/test", "a", "hello you"), ("two/test", "b", "hello you"), ("s/x", "c", "hello")]


def test_texts_are_written_as_the_model_writes_them(tmp_path: Path) -> None:
    german = Orthography(("<blank>", " ", *"abcdefghijklmnopqrstuvwxyzäöüß"))
    path = manifest(tmp_path / "m.tsv", "a", text="Schöne Füsse!")
    assert [Material(path).trials(one)[0].reference.text for one in (german, ENGLISH)] == ["schöne füsse", "schone fusse"]


def test_a_split_concerns_the_first_manifest_alone(tmp_path: Path) -> None:
    split = tmp_path / "split.tsv"
    split.write_text("speaker\tpart\na\ttrain\nb\tdevelopment\n")
    material = Material(manifest(tmp_path / "m.tsv", "a", "b"), split=split, also=(manifest(tmp_path / "o.tsv", "x"),))
    assert [trial.reference.speaker for trial in material.trials(ENGLISH)] == ["b", "x"]


def test_every_nth_utterance_is_taken_of_each_file(tmp_path: Path) -> None:
    material = Material(manifest(tmp_path / "m.tsv", *"abcde"), shards=(shard(tmp_path / "s.npz", *"fgh"),), every=2)
    assert [trial.reference.speaker for trial in material.trials(ENGLISH)] == ["a", "c", "e", "f", "h"]
    with pytest.raises(CorpusError, match="at least 1, got 0"):
        Material(every=0).trials(ENGLISH)


def test_noise_of_an_utterance_does_not_depend_on_how_many_are_taken(tmp_path: Path) -> None:
    path = shard(tmp_path / "s.npz", *"abcd")
    whole, every = (Material(shards=(path,), every=step).trials(ENGLISH) for step in (1, 2))
    assert [trial.key for trial in every] == [trial.key for trial in whole[::2]]


def test_speakers_of_training_are_refused_whether_in_manifests_or_shards(tmp_path: Path) -> None:
    path = manifest(tmp_path / "m.tsv", "a", "b")
    assert len(Material(path, trained=(shard(tmp_path / "t.npz", "c", ""),)).trials(ENGLISH)) == 2
    for trained in (shard(tmp_path / "u.npz", "c", "b"), manifest(tmp_path / "v.tsv", "b")):
        with pytest.raises(CorpusError, match="never trained on"):
            Material(path, trained=(trained,)).trials(ENGLISH)


def test_nothing_to_evaluate_and_files_of_one_name_are_errors(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="got none"):
        Material().trials(ENGLISH)
    path = manifest(tmp_path / "m.tsv", "a")
    with pytest.raises(CorpusError, match="different names"):
        Material(path, also=(path,)).trials(ENGLISH)
    with pytest.raises(CorpusError, match="different names"):
        Material(path, shards=(shard(tmp_path / "m.npz", "a"),)).trials(ENGLISH)
