"""Manifests as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ds_training.corpora.manifest import COLUMNS, CorpusError, Left, Reason, Recording, read_manifest
from ds_training.corpora.writing import EXAMPLES, Account, write_manifest
from tests.ds_training.corpora.sounds import text

CELLS = st.text(max_size=12)
NAMES = CELLS.map(lambda name: " ".join(name.encode("utf-8", "replace").decode().split())).filter(lambda name: name and name not in COLUMNS)


def plain(cell: str) -> str:
    return " ".join(cell.encode("utf-8", "replace").decode().split())


def recordings(folder: Path) -> st.SearchStrategy[list[Recording]]:
    seconds = st.floats(0, 1e6, allow_nan=False)
    one = st.builds(
        lambda name, said, speaker, start, length, channel, labels: Recording(
            folder / name, said, speaker, start, None if length is None else start + length, channel, labels
        ),
        st.sampled_from(["a.wav", "b c.wav", "x/ö.wav"]),
        CELLS.filter(plain),
        CELLS,
        seconds,
        st.none() | st.floats(0.1, 100),
        st.none() | st.integers(0, 9),
        st.dictionaries(NAMES, CELLS, max_size=3),
    )
    return st.lists(one, min_size=1, max_size=5, unique_by=lambda each: (each.file, each.start, each.end, each.channel))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_what_is_written_is_read_again(tmp_path: Path, data: st.DataObject) -> None:
    for name in ("a.wav", "b c.wav", "x/ö.wav"):
        text(tmp_path / name)
    rows = data.draw(recordings(tmp_path))
    written = write_manifest(tmp_path / "list.tsv", rows)
    read = read_manifest(tmp_path / "list.tsv", None)
    assert written.recordings == len(rows)
    assert [(each.file, each.text, each.speaker, each.start, each.end, each.channel) for each in read] == [
        (each.file, plain(each.text), plain(each.speaker), each.start, each.end, each.channel) for each in rows
    ]
    assert [dict(each.labels) for each in read] == [{key: plain(cell) for key, cell in each.labels.items() if plain(cell)} for each in rows]


def test_files_below_the_manifest_are_named_relative_to_it_and_others_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = text(tmp_path / "m" / "x" / "a.wav"), text(tmp_path / "b.wav")
    monkeypatch.chdir(tmp_path)
    write_manifest(Path("m/list.tsv"), [Recording(Path("m/x/a.wav"), "one"), Recording(far, "two")])
    assert (tmp_path / "m/list.tsv").read_text("utf-8").splitlines()[1:] == ["x/a.wav\tone\t", f"{far}\ttwo\t"]
    assert [recording.file for recording in read_manifest(tmp_path / "m/list.tsv")] == [near, far]


def test_columns_are_those_that_some_recording_fills(tmp_path: Path) -> None:
    one, two = text(tmp_path / "a.wav"), text(tmp_path / "b.wav")
    rows = [Recording(one, "one"), Recording(two, "two", "me", 0.0, 2.5, 0, {"age": "", "gender": "F"})]
    write_manifest(tmp_path / "list.tsv", rows)
    assert (tmp_path / "list.tsv").read_text("utf-8").splitlines() == [
        "file\ttext\tspeaker\tend\tchannel\tgender",
        "a.wav\tone\t\t\t\t",
        "b.wav\ttwo\tme\t2.5\t0\tF",
    ]


def test_what_is_missing_is_counted_and_named_and_writes_nothing(tmp_path: Path) -> None:
    rows: list[Recording | Left] = [Recording(tmp_path / f"{index}.wav", "one") for index in range(EXAMPLES + 2)]
    rows += [
        Recording(text(tmp_path / "a.wav"), " \t\n"),
        Left("list: line 7", Reason.BROKEN, "needs more"),
        Recording(tmp_path / "a.wav", "fine"),
    ]
    with pytest.raises(CorpusError) as caught:
        write_manifest(tmp_path / "list.tsv", rows)
    told = str(caught.value)
    assert f"list.tsv: {EXAMPLES + 4} of {EXAMPLES + 5} cannot be used" in told
    assert f"left out, no audio file: {EXAMPLES + 2}\n  {tmp_path}/0.wav: no audio file" in told
    assert f"{EXAMPLES}.wav" not in told
    assert "left out, no text: 1" in told
    assert "list: line 7: broken line (needs more)" in told
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_what_is_missing_may_be_left_out(tmp_path: Path) -> None:
    rows = [Recording(tmp_path / "gone.wav", "one"), Recording(text(tmp_path / "a.wav"), "two", "me")]
    written = write_manifest(tmp_path / "list.tsv", rows, missing="skip")
    assert (written.recordings, written.speakers, written.left.counts) == (1, 1, {"no audio file": 1})
    assert written.left.told() == ["left out, no audio file: 1", f"  {tmp_path}/gone.wav: no audio file"]


def test_nothing_left_is_an_error_under_every_policy_and_the_old_manifest_stays(tmp_path: Path) -> None:
    old = text(tmp_path / "list.tsv", "file\ttext", "old.wav\told")
    for rows in ([], [Recording(tmp_path / "gone.wav", "one")]):
        with pytest.raises(CorpusError, match="needs recordings, got none"):
            write_manifest(old, rows, missing="skip")
    assert "old.wav" in old.read_text("utf-8")


def test_a_recording_that_came_before_is_left_out_and_its_other_parts_are_not(tmp_path: Path) -> None:
    file = text(tmp_path / "a.wav")
    rows = [Recording(file, "one"), Recording(file, "again"), Recording(file, "part", start=1.0), Recording(file, "left", channel=0)]
    written = write_manifest(tmp_path / "list.tsv", rows)
    assert [recording.text for recording in read_manifest(tmp_path / "list.tsv")] == ["one", "part", "left"]
    assert written.left.counts == {"duplicate": 1}


@pytest.mark.parametrize("name", ["tab\there.wav", "line\nbreak.wav", "back\rbreak.wav"])
def test_a_name_that_no_cell_can_hold_counts_as_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises(CorpusError, match="a name with a tab"):
        write_manifest(tmp_path / "list.tsv", [Recording(text(tmp_path / name), "one")])


@pytest.mark.parametrize("name", ["x" * 5000 + ".wav", "nul\0.wav", "half\ud800.wav", "."])
def test_a_name_that_no_file_can_have_counts_as_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises(CorpusError, match="left out, no audio file: 1"):
        write_manifest(tmp_path / "list.tsv", [Recording(tmp_path / name, "one")])


@pytest.mark.parametrize("label", ["text", "start", " channel ", ""])
def test_a_label_needs_a_name_of_its_own(tmp_path: Path, label: str) -> None:
    with pytest.raises(CorpusError, match="labels need names"):
        write_manifest(tmp_path / "list.tsv", [Recording(text(tmp_path / "a.wav"), "one", labels={label: "x"})])


def test_an_account_counts_all_and_keeps_the_first_few() -> None:
    account = Account()
    for index in range(EXAMPLES + 3):
        account.add(Left(f"{index}", Reason.FILTERED))
    account.add(Left("x", Reason.DUPLICATE))
    assert account.result().counts == {"duplicate": 1, "filtered": EXAMPLES + 3}
    assert len(account.result().examples) == EXAMPLES + 1
