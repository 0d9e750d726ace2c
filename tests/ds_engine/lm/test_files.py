from __future__ import annotations

import gzip
import math
from pathlib import Path

import pytest

from ds_engine.errors import LanguageModelError
from ds_engine.lm.arpa import read_arpa
from ds_engine.lm.files import Format, format_of, open_language_model, read_backoff, searchable
from ds_engine.lm.kenlm_writer import write_kenlm_trie
from ds_engine.lm.ngram import write_ngram
from ds_engine.lm.perplexity import score
from ds_engine.lm.scorer import write_scorer
from tests.ds_engine.lm.tables import Table, words_of

ARPA = Path(__file__).parent / "lmplz" / "household-3.arpa"
TEXT = words_of(["turn on the radio", "open the window please", "stop"])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    paths = {name: folder / name for name in ("ngram", "arpa", "packed", "kenlm", "scorer")}  # names say nothing
    model = read_arpa(ARPA)
    write_ngram(model, paths["ngram"])
    paths["arpa"].write_bytes(ARPA.read_bytes())
    paths["packed"].write_bytes(gzip.compress(ARPA.read_bytes()))
    write_kenlm_trie(model, paths["kenlm"])
    write_scorer(paths["scorer"], model, ["turn"], " nrtu", 1.0, 1.0)
    return paths


@pytest.mark.parametrize("name", ["ngram", "arpa", "packed", "kenlm", "scorer"])
def test_a_model_of_every_format_gives_the_same_probabilities(files: dict[str, Path], name: str) -> None:
    result = score(open_language_model(files[name]), TEXT)
    assert result.log_prob / math.log(10) == pytest.approx(-4.883135 - 6.8870683 - 1.991395, abs=1e-5)  # KenLM's query
    assert result.unknown == 1


@pytest.mark.parametrize(
    ("name", "kind"),
    [("ngram", Format.NGRAM), ("arpa", Format.ARPA), ("packed", Format.ARPA), ("kenlm", Format.KENLM), ("scorer", Format.KENLM)],
)
def test_the_format_is_told_by_the_content(files: dict[str, Path], name: str, kind: Format) -> None:
    assert format_of(files[name]) is kind


@pytest.mark.parametrize("name", ["ngram", "arpa", "packed"])
def test_what_names_its_words_can_be_taken_apart(files: dict[str, Path], name: str) -> None:
    found, expected = Table.of(read_backoff(files[name])), Table.of(read_arpa(ARPA))
    assert found.log_probs == pytest.approx(expected.log_probs, abs=1e-6)
    assert found.back_offs == pytest.approx(expected.back_offs, abs=1e-6)


@pytest.mark.parametrize("name", ["kenlm", "scorer"])
def test_a_kenlm_binary_cannot(files: dict[str, Path], name: str) -> None:
    with pytest.raises(LanguageModelError, match="ARPA file is needed"):
        read_backoff(files[name])


def test_a_model_in_memory_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert searchable(read_arpa(ARPA)).order == 3
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"nothing of the kind\n", b"\x1f\x8bcut off"])
def test_what_is_no_model_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.ngram"
    path.write_bytes(content)
    with pytest.raises(LanguageModelError, match=r"odd\.ngram"):
        open_language_model(path)


@pytest.mark.parametrize("name", ["gone", "."])
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(LanguageModelError, match="cannot be read"):
        open_language_model(tmp_path / name)
