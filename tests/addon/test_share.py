"""The folder in the share: made once, and found whatever people put there."""

from __future__ import annotations

from pathlib import Path

import pytest
from ds_app.options import Sources
from ds_app.share import beside_home_assistant, found, prepare


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "share" / "ds-plugin"
    prepare(folder)
    return folder


def put(share: Path, *names: str) -> list[Path]:
    for name in names:
        (share / name).parent.mkdir(parents=True, exist_ok=True)
        (share / name).write_text("x")
    return [share / name for name in names]


def test_the_folders_are_there_with_a_guide(share: Path) -> None:
    assert sorted(path.name for path in share.iterdir()) == ["README.txt", "models", "sentences", "vocabulary"]
    assert all(f"{name}/" in (share / "README.txt").read_text() for name in ("vocabulary", "sentences", "models"))


def test_a_guide_that_somebody_has_written_into_stays(share: Path) -> None:
    (share / "README.txt").write_text("mine")
    prepare(share)
    assert (share / "README.txt").read_text() == "mine"


def test_empty_folders_hold_nothing(share: Path) -> None:
    assert found(share) == Sources()


def test_folders_that_are_not_there_hold_nothing(tmp_path: Path) -> None:
    assert found(tmp_path / "nowhere") == Sources()


def test_vocabulary_files_are_found_in_order_and_nothing_else(share: Path) -> None:
    put(share, "vocabulary/._b.txt", "vocabulary/notes.md", "vocabulary/deeper/c.txt")
    two, one = put(share, "vocabulary/b.TXT", "vocabulary/a.txt")
    assert found(share) == Sources(vocabulary=(one, two))


def test_templates_are_one_grammar_for_they_may_use_each_others_lists(share: Path) -> None:
    put(share, "sentences/a.yaml", "sentences/en/b.yml")
    assert found(share) == Sources(grammars=(share / "sentences",))


def test_rhasspys_sentences_are_a_grammar_each_and_templates_beside_them_too(share: Path) -> None:
    files = put(share, "sentences/a.yaml", "sentences/sentences.ini", "sentences/slots/rooms")
    assert found(share) == Sources(grammars=(files[0], files[1]))


def test_a_file_in_the_place_of_a_folder_is_an_error_that_can_be_told(tmp_path: Path) -> None:
    (tmp_path / "share").write_text("")
    with pytest.raises(OSError, match="share"):
        prepare(tmp_path / "share" / "ds-plugin")


def test_beside_home_assistant_templates_are_custom_sentences(share: Path, tmp_path: Path) -> None:
    put(share, "sentences/a.yaml", "vocabulary/a.txt")
    lying, own = found(share), tmp_path / "custom_sentences"
    assert beside_home_assistant(lying, own) == Sources(lying.vocabulary, (), (share / "sentences",))
    own.mkdir()
    assert beside_home_assistant(lying, own).custom_sentences == (own, share / "sentences")
    put(share, "sentences/sentences.ini")
    mixed = beside_home_assistant(found(share), own)
    assert (mixed.grammars, mixed.custom_sentences) == ((share / "sentences/sentences.ini",), (own, share / "sentences/a.yaml"))
