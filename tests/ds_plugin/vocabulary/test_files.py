"""Vocabulary files as people and their editors write them; what is wrong is named with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.bias import MAX_BOOST, MAX_PHRASE_LENGTH, MAX_PHRASES
from ds_engine.errors import BiasError
from ds_plugin.vocabulary.files import MAX_FILE_BYTES, Line, boosted, read_vocabulary


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home.txt"


def test_phrases_boosts_and_pronunciations_are_read_with_their_places(file: Path) -> None:
    file.write_text("# home\n\nGrandma's lamp\nLiving  Room\t3\n  TV = t v \t-0.5\nAC/DC=a c d c\n")
    place = f"{file}, line"
    assert read_vocabulary(file).lines == (
        Line(f"{place} 3", "Grandma's lamp"),
        Line(f"{place} 4", "Living  Room", 3.0),
        Line(f"{place} 5", "TV", -0.5, "t v"),
        Line(f"{place} 6", "AC/DC", None, "a c d c"),
    )


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbflamp\t2\nhall\n",
        b"lamp\t2\r\nhall\r\n",
        b"lamp\t2\rhall",
        b"  lamp\t\t2\t \n\n \t \n#x\nhall\t\n",
        b"lamp\t+2.\nhall",
    ],
)
def test_marks_line_ends_and_spare_tabs_of_any_editor_are_borne(content: bytes, file: Path) -> None:
    file.write_bytes(content)
    assert [(line.text, line.boost) for line in read_vocabulary(file).lines] == [("lamp", 2.0), ("hall", None)]


def test_an_empty_file_has_no_lines(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf")
    assert read_vocabulary(file).lines == ()


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("lamp\tmuch", "a boost is a number of nats within +-20, got 'much'"),
        ("lamp\tnan", "a boost is a number"),
        ("lamp\t-inf", "a boost is a number"),
        ("lamp\t20.1", "a boost is a number"),
        ("lamp\t1e1", "a boost is a number"),
        ("lamp\t2,5", "a boost is a number"),
        ("lamp\t٣", "a boost is a number"),
        ("lamp\t1_0", "a boost is a number"),
        ("lamp\t3\t4", "a phrase, and after a tab perhaps its boost, is needed"),
        ("\t3", "a phrase, and after a tab perhaps its boost, is needed"),
        ("living room = r", "a pronunciation is one word, =, and how it is said, as in TV = t v; got 'living room = r'"),
        ("= t v", "a pronunciation is one word"),
        ("tv =", "a pronunciation is one word"),
        ("tv = t = v", "a pronunciation is one word"),
        ("x" * (MAX_PHRASE_LENGTH + 1), "a phrase has at most 200 characters, got 201"),
        ("tv = " + "t " * MAX_PHRASE_LENGTH, "a phrase has at most 200 characters, got 399"),
    ],
)
def test_a_fault_is_named_with_its_line_and_hides_no_other_line(line: str, fault: str, file: Path) -> None:
    file.write_text(f"hall\n{line}\nlamp\n")
    read = read_vocabulary(file)
    assert [each.text for each in read.lines] == ["hall", "lamp"]
    [found] = read.faults
    assert found.startswith(f"{file}, line 2: {fault}")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"lamp\nl\xe4mp\n", ", line 2: not text in UTF-8"),
        ("lamp\n".encode("utf-16"), ", line 1: not text in UTF-8"),
        ("lamp\n".encode("utf-16-be"), ": not a text file"),
        (b"x" * (MAX_FILE_BYTES + 1), f": a vocabulary file has at most {MAX_FILE_BYTES} bytes"),
        (b"x\n" * (MAX_PHRASES + 1), f", line {MAX_PHRASES + 1}: a vocabulary file has at most {MAX_PHRASES} phrases"),
        (b"=\n" * (MAX_PHRASES + 1), f", line {MAX_PHRASES + 1}: a vocabulary file has at most {MAX_PHRASES} phrases"),
    ],
    ids=["latin-1", "utf-16", "utf-16 without mark", "endless", "too many", "too many faults"],
)
def test_a_file_that_is_no_list_of_names_is_refused(content: bytes, fault: str, file: Path) -> None:
    file.write_bytes(content)
    with pytest.raises(BiasError) as caught:
        read_vocabulary(file)
    assert str(caught.value) == f"{file}{fault}"


def test_a_file_that_is_missing_or_a_folder_is_named(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "gone.txt", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(BiasError, match=f"^{path}: {reason}$"):
            read_vocabulary(path)


def test_a_grammar_is_no_vocabulary_file(tmp_path: Path) -> None:
    with pytest.raises(BiasError, match=r"home\.YAML: a grammar by its name"):
        read_vocabulary(tmp_path / "home.YAML")


def test_as_many_phrases_as_allowed_are_read(file: Path) -> None:
    file.write_text("lamp\n" * MAX_PHRASES)
    assert len(read_vocabulary(file).lines) == MAX_PHRASES


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    class Given:
        """A file of these bytes."""

        suffix = ".txt"

        def open(self, mode: str) -> object:
            import io

            return io.BytesIO(data)

        def __str__(self) -> str:
            return "given"

    try:
        read = read_vocabulary(Given())  # type: ignore[arg-type]
    except BiasError as error:
        assert str(error).startswith("given")  # noqa: PT017 - one of two outcomes
    else:
        assert all(line.text.strip() == line.text and line.text for line in read.lines)
        assert all(line.boost is None or abs(line.boost) <= MAX_BOOST for line in read.lines)


@pytest.mark.parametrize(
    ("text", "hot"),
    [("lamp:5", ("lamp", 5.0)), (" Living  Room : -2.5 ", ("Living Room", -2.5)), ("12:30:1", ("12:30", 1.0)), ("a:.5", ("a", 0.5))],
)
def test_a_hot_word_is_a_word_or_several_a_colon_and_a_boost(text: str, hot: tuple[str, float]) -> None:
    assert boosted(text) == hot


@pytest.mark.parametrize("text", ["", "lamp", ":5", " :5", "lamp:", "lamp:much", "lamp:nan", "lamp:21", "lamp:5:"])
def test_a_hot_word_without_a_word_or_a_boost_is_refused(text: str) -> None:
    with pytest.raises(BiasError, match=r"a hot word needs a boost, as in lamp:5, got|a boost is a number of nats"):
        boosted(text)
