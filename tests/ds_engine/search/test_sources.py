"""Files of every format as sources of a search, and the decoder that is made from a bundle."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ds_engine.alphabet import Alphabet
from ds_engine.bias import Bias
from ds_engine.bundle import Bundle
from ds_engine.decoder import Decoder, DecoderContext, Timing
from ds_engine.errors import BundleError, InputError, LanguageModelError
from ds_engine.features import FloatArray
from ds_engine.lm.arpa import write_arpa
from ds_engine.lm.backoff import SPECIAL, BackoffModel
from ds_engine.lm.counts import count, encode
from ds_engine.lm.estimation import estimate
from ds_engine.lm.kenlm_vocabulary import hash_word
from ds_engine.lm.kenlm_writer import kenlm_trie
from ds_engine.lm.ngram import NgramModel, write_ngram
from ds_engine.lm.scorer import write_scorer
from ds_engine.search.decoder import KernelDecoder
from ds_engine.search.policy import SearchPolicy
from ds_engine.search.sources import of_file, of_ngram, write_with_lexicon
from ds_engine.search.vocabulary import LanguageSource, Vocabulary
from tests.ds_engine.bundles import manifest, network, zipped
from tests.ds_engine.fakes import BYTES, CHARACTERS

SENTENCES = ("turn on the light", "turn off the light", "turn on the bed light", "what time is it")
FIXED_HAS_WORDS = 0x64  # the place of the flag in a KenLM binary
LETTERS = [symbol for column, symbol in enumerate(CHARACTERS.symbols) if column != CHARACTERS.blank]


@pytest.fixture(scope="module")
def model() -> BackoffModel:
    return estimate(count(encode(sentence.split() for sentence in SENTENCES), 3))


def rows_saying(text: str, alphabet: Alphabet = CHARACTERS, noise: float = 0.5, seed: int = 0) -> FloatArray:
    columns = [column for letter in text for column in (alphabet.symbols.index(letter), alphabet.blank)]
    logits = np.random.default_rng(seed).normal(0, noise, (len(columns), len(alphabet.symbols)))
    logits[np.arange(len(columns)), columns] += 5
    result: FloatArray = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
    return result


def decoded(source: LanguageSource, rows: FloatArray) -> list[tuple[str, float]]:
    policy = SearchPolicy.of({"alpha": 0.9, "beta": 1.0})
    decoder = KernelDecoder(CHARACTERS, Timing(0.04), Vocabulary(CHARACTERS, source, policy), policy)
    return [(one.text, one.score) for one in decoder.finish(decoder.advance(decoder.start(Bias()), rows))]


def written(model: BackoffModel, folder: Path, kind: str) -> Path:
    path = folder / f"model-{kind}"
    match kind:
        case "arpa":
            write_arpa(model, path)
        case "ngram":
            write_ngram(model, path)
        case "ngram with its lexicon":
            write_with_lexicon(model, CHARACTERS, path)
        case "kenlm with its words":
            content = bytearray(b"".join(kenlm_trie(model)))
            content[FIXED_HAS_WORDS] = 1
            words = ["<unk>", *sorted(set(model.words) - {"<unk>"}, key=lambda word: hash_word(word.encode()))]
            path.write_bytes(bytes(content) + b"".join(word.encode() + b"\0" for word in words))
        case "scorer":
            words = [word for word in model.words if word not in SPECIAL]
            assert not write_scorer(path, model, words, LETTERS, 0.9, 1.0)
    return path


KINDS = ("arpa", "ngram", "ngram with its lexicon", "kenlm with its words", "scorer")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("said", ["turn on the light", "turn of the lite", "what time is it turn on"])
def test_every_format_gives_the_same_readings(model: BackoffModel, tmp_path: Path, kind: str, said: str) -> None:
    rows = rows_saying(said)
    reference = decoded(of_ngram(NgramModel.open(written(model, tmp_path, "ngram")), CHARACTERS), rows)
    found = decoded(of_file(written(model, tmp_path, kind), CHARACTERS), rows)
    assert [text for text, _ in found] == [text for text, _ in reference]
    assert [score for _, score in found] == pytest.approx([score for _, score in reference], abs=1e-3)


def test_a_stored_lexicon_serves_its_own_alphabet_only(model: BackoffModel, tmp_path: Path) -> None:
    path = written(model, tmp_path, "ngram with its lexicon")
    other = Alphabet(("_", " ", *"zyxwvutsrqponmlkjihgfedcba'"))
    assert of_file(path, CHARACTERS).lexicon is not None
    assert of_file(path, other).lexicon is None
    policy = SearchPolicy()
    vocabulary = Vocabulary(other, of_file(path, other), policy)
    decoder = KernelDecoder(other, Timing(0.04), vocabulary, policy)
    state = decoder.advance(decoder.start(Bias()), rows_saying("turn on the light", other))
    assert decoder.finish(state)[0].text == "turn on the light"


def test_a_scorer_brings_its_weights_along(model: BackoffModel, tmp_path: Path) -> None:
    assert dict(of_file(written(model, tmp_path, "scorer"), CHARACTERS).settings) == {"alpha": 0.9, "beta": 1.0}
    assert not of_file(written(model, tmp_path, "arpa"), CHARACTERS).settings


def test_a_scorer_of_characters_is_refused_by_a_model_of_bytes(model: BackoffModel, tmp_path: Path) -> None:
    with pytest.raises(LanguageModelError, match="a scorer of characters for a model of bytes"):
        of_file(written(model, tmp_path, "scorer"), BYTES)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"not a model at all\n"])
def test_what_is_no_language_model_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.lm"
    path.write_bytes(content)
    with pytest.raises(LanguageModelError, match=r"odd\.lm"):
        of_file(path, CHARACTERS)


class TestMaking:
    """The decoder factory: what the bundle has, what the user set."""

    @pytest.fixture
    def bundle(self, model: BackoffModel, tmp_path: Path) -> Callable[..., Bundle]:
        def make(calibration: dict[str, Any] | None = None, *, as_zip: bool = False, language: bool = True) -> Bundle:
            folder = tmp_path / "bundle"
            folder.mkdir()
            files = {"model.onnx": network()}
            if language:
                write_with_lexicon(model, CHARACTERS, folder / "lm.ngram")
                files["lm.ngram"] = (folder / "lm.ngram").read_bytes()
            values = manifest(files)
            values["alphabet"] |= {"symbols": list(CHARACTERS.symbols)}
            values["calibration"] = calibration or {}
            for name, content in {**files, "manifest.json": json.dumps(values).encode()}.items():
                (folder / name).write_bytes(content)
            return Bundle.open(zipped(folder) if as_zip else folder)

        return make

    def texts(self, decoder: Decoder, said: str) -> list[str]:
        return [one.text for one in decoder.finish(decoder.advance(decoder.start(Bias()), rows_saying(said)))]

    @pytest.mark.parametrize("as_zip", [False, True])
    def test_the_bundles_own_model_is_used(self, bundle: Callable[..., Bundle], *, as_zip: bool) -> None:
        decoder = KernelDecoder.make(DecoderContext(CHARACTERS, Timing(0.04), bundle(as_zip=as_zip)))
        assert self.texts(decoder, "turn on the lihgt")[0] == "turn on the light"

    def test_without_a_model_words_are_spelled_freely(self, bundle: Callable[..., Bundle]) -> None:
        decoder = KernelDecoder.make(DecoderContext(CHARACTERS, Timing(0.04), bundle(language=False)))
        assert self.texts(decoder, "turn on the lihgt")[0] == "turn on the lihgt"

    def test_a_file_of_the_users_replaces_it(self, bundle: Callable[..., Bundle], tmp_path: Path) -> None:
        other = estimate(count(encode([["close", "the", "door"]]), 2))
        decoder = KernelDecoder.make(DecoderContext(CHARACTERS, Timing(0.04), bundle(), written(other, tmp_path, "arpa")))
        assert self.texts(decoder, "close the door")[0] == "close the door"

    def test_calibration_stands_before_the_defaults_and_the_user_before_both(self, bundle: Callable[..., Bundle]) -> None:
        opened = bundle({"search": {"alternatives": 2, "beta": 1}})
        for search, readings in (({}, 2), ({"alternatives": 1}, 1)):
            decoder = KernelDecoder.make(DecoderContext(CHARACTERS, Timing(0.04), opened, None, search))
            assert len(self.texts(decoder, "turn on")) == readings

    @pytest.mark.parametrize("search", [{"alhpa": 1.0}, {"alpha": "high"}, {"beam": 0}, {"recombine": 1}, []])
    def test_a_calibration_that_makes_no_sense_is_the_bundles_fault(self, bundle: Callable[..., Bundle], search: Any) -> None:
        with pytest.raises(BundleError, match=r"calibration\.search"):
            KernelDecoder.make(DecoderContext(CHARACTERS, Timing(0.04), bundle({"search": search})))

    def test_a_setting_that_makes_no_sense_is_the_users(self, bundle: Callable[..., Bundle]) -> None:
        with pytest.raises(InputError, match="search: beam must lie in"):
            KernelDecoder.make(DecoderContext(CHARACTERS, Timing(0.04), bundle(), None, {"beam": 0}))
