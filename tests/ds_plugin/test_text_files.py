from __future__ import annotations

import io
from pathlib import Path

import pytest

from ds_engine.errors import InputError
from ds_plugin import text_files
from ds_plugin.text_files import STANDARD_INPUT, Sentence, read_sentences, read_tokens


def written(folder: Path, content: str, encoding: str = "utf-8") -> Path:
    path = folder / "text.txt"
    path.write_text(content, encoding)
    return path


def test_lines_become_sentences_as_they_are_spoken(tmp_path: Path) -> None:
    path = written(tmp_path, "Turn ON, the light!\n\n  ...\r\nIt\u2019s\tlate", "utf-8-sig")
    assert list(read_sentences([path, path]))[1:3] == [Sentence(["it's", "late"], 1.0), Sentence(["turn", "on", "the", "light"], 1.0)]
    assert next(read_sentences([path], keep_case=True)).words == ["Turn", "ON", "the", "light"]


def test_a_weight_may_stand_before_each_line(tmp_path: Path) -> None:
    path = written(tmp_path, "0.25\tMaybe so\n\n2\t\n1e3\ta\tb\n")
    assert list(read_sentences([path], weighted=True)) == [Sentence(["maybe", "so"], 0.25), Sentence(["a", "b"], 1000.0)]


@pytest.mark.parametrize("line", ["no weight", "x\ty", "-1\ty", "nan\ty", "1e10\ty"])
def test_a_line_without_a_proper_weight_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError, match=r"text\.txt, line 2"):
        list(read_sentences([written(tmp_path, f"1\tgood\n{line}\n")], weighted=True))


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("one\ntwo\n"))
    assert [sentence.words for sentence in read_sentences([STANDARD_INPUT])] == [["one"], ["two"]]


def test_words_of_a_vocabulary_stand_as_they_are(tmp_path: Path) -> None:
    assert read_tokens(written(tmp_path, "Well-known  word\n\nO'Neill\n")) == ["Well-known", "word", "O'Neill"]


def test_a_vocabulary_without_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no words"):
        read_tokens(written(tmp_path, " \n"))


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.txt", tmp_path, written(tmp_path, "caf\xe9", "latin-1")):
        with pytest.raises(InputError, match=path.name):
            list(read_sentences([path]))


def test_text_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "MAX_TEXT_CHARACTERS", 10)
    path = written(tmp_path, "12345\n")
    with pytest.raises(InputError, match="more than 10 characters"):
        list(read_sentences([path, path]))
