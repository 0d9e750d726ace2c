"""The decoder `pyctcdecode` beside the package itself. It passes every decoder's contract, too: see test_decoder_contract.py."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ds_engine.alphabet import Alphabet, Boundary, BoundaryRule
from ds_engine.bias import Bias, Phrase
from ds_engine.bundle import Bundle
from ds_engine.decoder import DecoderContext, Timing
from ds_engine.errors import InputError
from ds_engine.features import FloatArray
from ds_engine.pyctcdecode import PyctcdecodeDecoder, Settings
from ds_engine.search.sources import of_file
from ds_engine.transcript import Hypothesis, Partial
from tests.ds_engine.bundles import EN_SMALL
from tests.ds_engine.fakes import BYTES, CHARACTERS, NO_BIAS, PIECES

TIMING = Timing(0.1)
ARPA = """\\data\\
ngram 1=6
ngram 2=1

\\1-grams:
-1.0\t<unk>\t0
-99\t<s>\t0
-0.9\t</s>\t0
-0.5\ton\t0
-2.5\tbed\t0
-0.3\tbad\t0

\\2-grams:
-0.2\t<s> on

\\end\\
"""


@pytest.fixture
def arpa(tmp_path: Path) -> Path:
    path = tmp_path / "small.arpa"
    path.write_text(ARPA)
    return path


needs_package = pytest.mark.skipif(importlib.util.find_spec("pyctcdecode") is None, reason="needs the extra 'pyctcdecode'")
needs_kenlm = pytest.mark.skipif(importlib.util.find_spec("kenlm") is None, reason="needs the package kenlm")


def rows(path: str, alphabet: Alphabet = CHARACTERS, also: str = "") -> FloatArray:
    """Log-probs in which the symbols of `path` win, one a row; at the places of `also` that are no dots, its symbol comes close."""
    probabilities = np.full((len(path), len(alphabet.symbols)), 1e-3)
    probabilities[np.arange(len(path)), [alphabet.symbols.index(symbol) for symbol in path]] = 0.8
    for place, symbol in enumerate(also):
        if symbol != ".":
            probabilities[place, alphabet.symbols.index(symbol)] = 0.7
    log_probs: FloatArray = np.log(probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)
    return log_probs


def decoded(decoder: PyctcdecodeDecoder, log_probs: FloatArray, bias: Bias = NO_BIAS) -> tuple[Hypothesis, ...]:
    return decoder.finish(decoder.advance(decoder.start(bias), log_probs))


@pytest.mark.parametrize(
    "alphabet",
    [
        PIECES,
        BYTES,
        Alphabet(("_", "a", "b"), boundary=Boundary(BoundaryRule.NONE)),
        Alphabet(("_", " ", "a", "th")),
        Alphabet(("_", "|", "a", " "), boundary=Boundary(symbol="|")),
        Alphabet(("_", " ", "a", "▁")),
    ],
)
def test_an_alphabet_that_it_cannot_write_is_refused(alphabet: Alphabet) -> None:
    with pytest.raises(InputError, match="single characters with a separator"):
        PyctcdecodeDecoder(alphabet, TIMING)


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyctcdecode", None)
    with pytest.raises(InputError, match=r"pip install 'ds-plugin\[pyctcdecode\]'"):
        PyctcdecodeDecoder(CHARACTERS, TIMING)


def test_settings_come_from_the_configuration_and_others_than_its_own_are_refused() -> None:
    assert Settings.of({}) == Settings()
    assert Settings.of({"alpha": 1, "beam": 7}) == Settings(alpha=1.0, beam=7)
    for wrong in ({"threshold": 3.0}, {"alpha": -1.0}, {"beam": "wide"}):
        with pytest.raises(InputError, match=f"search: .*{next(iter(wrong))}"):
            Settings.of(wrong)


@needs_package
class TestTheDecoder:
    def test_it_finds_what_the_package_finds(self) -> None:
        import pyctcdecode

        log_probs = np.log(np.random.default_rng(5).dirichlet(np.full(len(CHARACTERS.symbols), 0.1), 40) + 1e-9).astype(np.float32)
        labels = ["", *CHARACTERS.symbols[1:]]
        wanted = pyctcdecode.build_ctcdecoder(labels).decode_beams(log_probs, beam_width=20)
        found = decoded(PyctcdecodeDecoder(CHARACTERS, TIMING, settings=Settings(beam=20, alternatives=7)), log_probs)
        assert [one.text for one in found] == [beam[0] for beam in wanted[:7]]
        assert [one.score for one in found] == pytest.approx([beam[-1] for beam in wanted[:7]], rel=1e-4)

    def test_words_are_timed_by_its_frames(self) -> None:
        best, *_ = decoded(PyctcdecodeDecoder(CHARACTERS, TIMING), rows("_oo_n__ _bed_"))
        assert best.text == "on bed"
        assert [time for word in best.words for time in (word.start, word.end)] == pytest.approx([0.1, 0.5, 0.9, 1.2])

    def test_partials_are_empty(self) -> None:
        decoder = PyctcdecodeDecoder(CHARACTERS, TIMING)
        state = decoder.advance(decoder.start(NO_BIAS), rows("on "))
        assert decoder.partial(state) == Partial()

    def test_a_sure_word_has_a_higher_confidence_than_a_doubtful_one(self) -> None:
        best, second, *_ = decoded(PyctcdecodeDecoder(CHARACTERS, TIMING), rows("on bed", also="....a."))
        assert (best.text, second.text) == ("on bed", "on bad")
        assert best.confidence > second.confidence
        assert best.words[0].confidence > best.words[1].confidence > second.words[1].confidence

    def test_a_boosted_word_wins_and_others_do_not(self) -> None:
        decoder, log_probs = PyctcdecodeDecoder(CHARACTERS, TIMING), rows("on bed", also="....a.")
        assert decoded(decoder, log_probs, Bias((Phrase("the bad", 5.0),)))[0].text == "on bad"
        assert decoded(decoder, log_probs, Bias((Phrase("bad"), Phrase("bad on", -3.0))))[0].text == "on bed"
        assert decoded(decoder, log_probs)[0].text == "on bed"

    def test_ignored_symbols_count_as_blanks_and_the_separator_may_be_any(self) -> None:
        alphabet = Alphabet(("o", "?", "n", "_", "|"), blank=3, ignored=frozenset({1}), boundary=Boundary(symbol="|"))
        assert decoded(PyctcdecodeDecoder(alphabet, TIMING), rows("oo?on|n", alphabet))[0].text == "oon n"

    def test_a_language_model_decides_between_words_that_sound_alike(self, arpa: Path) -> None:
        log_probs = rows("on bed", also="....a.")
        for settings, text in ((Settings(alpha=1.0), "on bad"), (Settings(alpha=0.0), "on bed")):
            assert decoded(PyctcdecodeDecoder(CHARACTERS, TIMING, of_file(arpa, CHARACTERS), settings), log_probs)[0].text == text

    @needs_kenlm
    def test_our_language_model_gives_the_scores_of_its_own(self, arpa: Path) -> None:
        import pyctcdecode

        wanted = pyctcdecode.build_ctcdecoder(["", *CHARACTERS.symbols[1:]], str(arpa), ["on", "bed", "bad"], 0.7, 1.1)
        ours = PyctcdecodeDecoder(CHARACTERS, TIMING, of_file(arpa, CHARACTERS), Settings(0.7, 1.1, 50, 9))
        for seed in range(5):
            log_probs = np.log(np.random.default_rng(seed).dirichlet(np.full(len(CHARACTERS.symbols), 0.05), 30) + 1e-9).astype(np.float32)
            log_probs[10:16] = rows("on bed", also="....a.")
            beams, found = wanted.decode_beams(log_probs, beam_width=50)[:9], decoded(ours, log_probs)
            assert [one.text for one in found] == [beam[0] for beam in beams]
            assert [one.score for one in found] == pytest.approx([beam[-1] for beam in beams], rel=1e-4)

    def test_it_is_made_with_what_a_bundle_and_the_configuration_say(self, arpa: Path) -> None:
        bundle = Bundle.open(EN_SMALL)
        context = DecoderContext(bundle.manifest.alphabet, TIMING, bundle, arpa, {"beam": 3, "alternatives": 1})
        assert len(decoded(PyctcdecodeDecoder.make(context), rows("on bed", bundle.manifest.alphabet))) == 1
        with pytest.raises(InputError, match="threshold"):
            PyctcdecodeDecoder.make(replace(context, search={"threshold": 3.0}))
