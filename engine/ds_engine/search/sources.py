"""Language-model files as sources of a search: a bundle or a path in, `LanguageSource` out, whatever the format.

Ours may carry the lexicon that was compiled for an alphabet; a scorer carries its words and weights; ARPA names its words; a
KenLM binary that does not hold its words is of no use to a search.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ds_engine.alphabet import Alphabet
from ds_engine.bundle import Bundle
from ds_engine.errors import LanguageModelError
from ds_engine.lm.arpa import read_arpa
from ds_engine.lm.backoff import SPECIAL, UNKNOWN, BackoffModel
from ds_engine.lm.files import Format, format_of, searchable
from ds_engine.lm.kenlm_package import KenlmPackage, open_kenlm
from ds_engine.lm.kenlm_trie import KenlmTrie
from ds_engine.lm.kenlm_vocabulary import stored_words
from ds_engine.lm.ngram import NgramModel, write_ngram
from ds_engine.lm.scorer import Scorer
from ds_engine.lm.sections import read_sections
from ds_engine.search.lexicon import SECTIONS, Lexicon
from ds_engine.search.vocabulary import LanguageSource

BUNDLED = "lm.ngram"  # the name of a bundle's own language model
_ALPHABET = "lexicon.alphabet"  # the section that says for which alphabet a lexicon was compiled


def of_bundle(bundle: Bundle) -> LanguageSource | None:
    """The bundle's own language model with its words, or None where it has none. Raises BundleError."""
    model = model_of(bundle)
    return None if model is None else of_ngram(model, bundle.manifest.alphabet)


def model_of(bundle: Bundle) -> NgramModel | None:
    """The bundle's own language model, or None where it has none. Raises BundleError."""
    if BUNDLED not in bundle.manifest.files:
        return None
    found = bundle.mappable(BUNDLED)
    return NgramModel.open(found) if isinstance(found, Path) else NgramModel(read_sections(found, BUNDLED), BUNDLED)


def of_file(path: Path, alphabet: Alphabet) -> LanguageSource:
    """A file of any format, told by its content. Raises LanguageModelError, also where it does not fit the alphabet."""
    match format_of(path):
        case Format.NGRAM:
            return of_ngram(NgramModel.open(path), alphabet)
        case Format.ARPA:
            return of_ngram(searchable(read_arpa(path)), alphabet)
        case Format.KENLM:
            words = stored_words(path)
            return of_kenlm(open_kenlm(path), words) if words else of_scorer(Scorer.open(path), alphabet)


def of_scorer(scorer: Scorer, alphabet: Alphabet) -> LanguageSource:
    """A scorer; its weights are the search's unless somebody sets others. Raises LanguageModelError where it is for another alphabet."""
    if scorer.bytes_mode != alphabet.bytes_mode:
        kinds = ("characters", "bytes")
        raise LanguageModelError(f"{scorer.name}: a scorer of {kinds[scorer.bytes_mode]} for a model of {kinds[alphabet.bytes_mode]}")
    words = scorer.words([symbol for column, symbol in enumerate(alphabet.symbols) if not alphabet.is_silent(column)])
    return of_kenlm(scorer.model, words, {"alpha": scorer.alpha, "beta": scorer.beta})


def of_kenlm(model: KenlmTrie | KenlmPackage, words: Sequence[str], settings: Mapping[str, Any] | None = None) -> LanguageSource:
    """A KenLM binary and the words that may be said."""
    indices = model.indices(words).astype(np.int64)
    return LanguageSource(model, words, model.unigrams(indices), model.unigram(model.unknown), indices, settings=settings or {})


def of_ngram(model: NgramModel, alphabet: Alphabet) -> LanguageSource:
    """A model of ours, with the lexicon that lies beside it if it was compiled for this alphabet. Raises LanguageModelError."""
    words, log_probs = model.words(), model.unigrams()
    lexicon = None
    marked = model.section(_ALPHABET)
    if marked is not None and marked.tobytes() == _fingerprint(alphabet):
        lexicon = Lexicon.of_sections({name: model.section(name) for name in SECTIONS}, len(alphabet.symbols), len(words))
    return LanguageSource(model, words, log_probs, float(log_probs[UNKNOWN]), lexicon=lexicon)


def write_with_lexicon(model: BackoffModel, alphabet: Alphabet, path: Path, bits: int = 32) -> None:
    """Writes a model and the lexicon of its words, so that a search starts without compiling it. Raises as `write_ngram` does."""
    log_probs = (model.orders[0].log_probs * np.log(10)).astype(np.float32)
    lexicon = Lexicon.of_words(alphabet, ((word, index) for index, word in enumerate(model.words) if word not in SPECIAL), log_probs)
    marked = np.frombuffer(_fingerprint(alphabet), np.uint8)
    write_ngram(model, path, bits=bits, extra={**lexicon.sections(), _ALPHABET: marked})


def _fingerprint(alphabet: Alphabet) -> bytes:
    """The same for alphabets that spell alike."""
    parts = [
        alphabet.symbols,
        alphabet.blank,
        sorted(alphabet.ignored),
        alphabet.boundary.rule.value,
        alphabet.boundary.symbol,
        alphabet.bytes_mode,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).digest()
