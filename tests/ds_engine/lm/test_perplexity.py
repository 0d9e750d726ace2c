from __future__ import annotations

import math
from pathlib import Path

import pytest

from ds_engine.lm.arpa import read_arpa
from ds_engine.lm.ngram import NgramModel, write_ngram
from ds_engine.lm.perplexity import score
from tests.ds_engine.lm.tables import words_of

TEXT = words_of(["turn on the radio", "open the window please", "stop", "what is the time"])


@pytest.fixture
def model(tmp_path: Path) -> NgramModel:
    write_ngram(read_arpa(Path(__file__).parent / "lmplz" / "household-3.arpa"), tmp_path / "household.ngram")
    return NgramModel.open(tmp_path / "household.ngram")


def test_the_figures_are_those_that_query_of_kenlm_prints(model: NgramModel) -> None:
    result = score(model, TEXT)
    first, second, *_ = result.sentences
    assert [value / math.log(10) for value in first.log_probs] == pytest.approx(
        [-0.75454164, -0.84215474, -0.32890135, -1.9817557, -0.9757817], abs=1e-6
    )
    assert second.unknown == (False, False, True, False, False)
    assert result.perplexity == pytest.approx(10.069258645021906, rel=1e-6)
    assert result.known_perplexity == pytest.approx(7.9175049662461765, rel=1e-6)
    assert (result.unknown, result.tokens) == (1, 17)


def test_an_empty_sentence_is_its_end_and_no_sentence_is_nothing(model: NgramModel) -> None:
    [sentence] = score(model, [[]]).sentences
    assert sentence.log_probs == (model.end(model.start),)
    nothing = score(model, [])
    assert math.isnan(nothing.perplexity)
    assert (nothing.tokens, nothing.log_prob) == (0, 0)
