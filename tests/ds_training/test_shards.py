"""Where a run finds its utterances."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from ds_training.corpus import CorpusError, write_shard
from ds_training.shards import Shards
from ds_training.text import ENGLISH, Orthography
from tests.ds_training.tiny import REAL, SYNTHETIC


def test_a_folder_is_listed_again_and_half_written_shards_are_passed_over(tmp_path: Path) -> None:
    shards = Shards([tmp_path], ENGLISH)
    assert shards.utterances() == []
    write_shard(tmp_path / "b.npz", REAL)
    (tmp_path / "partial-c.npz").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("no shard")
    first = shards.utterances()
    assert [item.text for item in first] == [item.text for item in REAL]
    write_shard(tmp_path / "a.npz", SYNTHETIC)
    both = shards.utterances()
    assert len(both) == len(REAL) + len(SYNTHETIC)
    assert all(any(item is other for other in both) for item in first)  # read once
    (tmp_path / "b.npz").unlink()
    assert len(shards.utterances()) == len(SYNTHETIC)


def test_a_shard_may_be_named_itself(tmp_path: Path) -> None:
    write_shard(tmp_path / "one.npz", REAL)
    assert len(Shards([tmp_path / "one.npz", tmp_path], ENGLISH).utterances()) == len(REAL)


def test_what_is_no_shard_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"rubbish"):
        (tmp_path / "broken.npz").write_bytes(content)
        with pytest.raises(CorpusError, match=r"broken\.npz: not a shard"):
            Shards([tmp_path], ENGLISH).utterances()
    with pytest.raises(CorpusError, match=r"missing\.npz"):
        Shards([tmp_path / "missing.npz"], ENGLISH).utterances()


def test_a_text_that_the_alphabet_cannot_spell_is_refused_by_shard_and_number(tmp_path: Path) -> None:
    write_shard(tmp_path / "one.npz", [REAL[0], replace(REAL[1], text="straße")])
    with pytest.raises(CorpusError, match=r"one\.npz: utterance 1: .*'ß'"):
        Shards([tmp_path], ENGLISH).utterances()
    assert len(Shards([tmp_path], Orthography(("_", *" abenorstß"))).utterances()) == 2


def test_an_utterance_without_frames_is_refused(tmp_path: Path) -> None:
    write_shard(tmp_path / "one.npz", [REAL[0], replace(REAL[1], log_power=np.zeros((0, 80), np.float16))])
    with pytest.raises(CorpusError, match=r"one\.npz: utterance 1 \('.*'\) has no frames"):
        Shards([tmp_path], ENGLISH).utterances()
