"""Making a language model: a recipe and text in, a file out. What `ds-plugin lm build` does, for other commands and plugins too."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ds_engine.alphabet import Alphabet
from ds_engine.errors import InputError, LanguageModelError
from ds_engine.lm.arpa import write_arpa
from ds_engine.lm.backoff import BackoffModel
from ds_engine.lm.counts import Vocabulary, count, encode
from ds_engine.lm.estimation import estimate
from ds_engine.lm.files import read_backoff
from ds_engine.lm.interpolation import interpolate
from ds_engine.lm.pruning import prune
from ds_engine.search.sources import model_of, write_with_lexicon
from ds_plugin.models import ModelStore
from ds_plugin.text_files import Sentence

ARPA, NGRAM = ".arpa", ".ngram"  # what the name of a file to write ends in
BITS = 32  # of a value in our own format, if no other number is asked for


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make a model; the steps come in this order, and those that are not asked for are left out."""

    order: int = 3
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    prune: Sequence[float] = ()  # thresholds by order, as for `estimate`
    base: BackoffModel | None = None  # to mix with
    base_weight: float = 0.5
    entropy: float = 0.0  # threshold, as for `pruning.prune`


def make(sentences: Iterable[Sentence], recipe: Recipe) -> BackoffModel:
    """The model of weighted sentences. Raises InputError for a recipe or text of which nothing can be made."""
    weights: list[float] = []

    def words() -> Iterator[list[str]]:
        for sentence in sentences:
            weights.append(sentence.weight)
            yield sentence.words

    model = estimate(count(encode(words(), weights), recipe.order, recipe.vocabulary), recipe.prune)
    if recipe.base is not None:
        model = interpolate(recipe.base, model, 1.0 - recipe.base_weight)
    return prune(model, recipe.entropy)


def read_base(name: str, store: ModelStore) -> BackoffModel:
    """A model to mix with: a file, or what a bundle of that name or path has. Raises BundleError, also for a bundle without one."""
    path = Path(name)
    if path.suffix in {ARPA, NGRAM} or (path.is_file() and not zipfile.is_zipfile(path)):
        return read_backoff(path)
    model = model_of(store.open(name))
    if model is None:
        raise LanguageModelError(f"{name}: the bundle has no language model")
    return model.to_backoff()


def check_output(path: Path, bits: int | None) -> None:
    """Raises InputError where no model can be written to such a name."""
    if path.suffix not in {ARPA, NGRAM}:
        raise InputError(f"{path}: the name of a language model must end in {ARPA} or {NGRAM}")
    if bits is not None and path.suffix == ARPA:
        raise InputError(f"{path}: an ARPA file holds text, not values of {bits} bits")


def write(model: BackoffModel, path: Path, alphabet: Alphabet, bits: int | None = None) -> None:
    """Writes a model in the format that the name ends in, ours with the lexicon for an alphabet. Raises InputError where it cannot."""
    check_output(path, bits)
    try:
        if path.suffix == ARPA:
            write_arpa(model, path)
        else:
            write_with_lexicon(model, alphabet, path, bits or BITS)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
