"""The English language model of a bundle: text in, `lm.ngram` and the lexicon for the bundle's alphabet out.

Every kind of text gets a model of its own, modified Kneser-Ney over one vocabulary, and these are interpolated: home commands
from Home Assistant's templates with invented names, everyday statements, and text files, each with a weight. Words that were
seen once and stand in no word list are <unk>, and so are some of the owners' names in commands: so the model knows where a name
that nobody listed is likely.

    python -m ds_training.language BUNDLE_FOLDER --text FILE:WEIGHT... [--transcripts MANIFEST.tsv:WEIGHT --split SPLIT.tsv --part train]
        [--except MANIFEST.tsv]... [--words FILE]... [--commands 0.25] [--everyday 0.1] [--sentences 120000] [--prune 2e-8] [--seed 11]
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ds_engine.alphabet import Alphabet
from ds_engine.bundle import Bundle
from ds_engine.lm.backoff import BackoffModel
from ds_engine.lm.counts import Vocabulary, count, encode
from ds_engine.lm.estimation import estimate
from ds_engine.lm.interpolation import interpolate
from ds_engine.lm.pruning import prune
from ds_engine.search.sources import BUNDLED, write_with_lexicon
from ds_training import bundle_folder
from ds_training.corpus import CorpusError, read_manifest
from ds_training.everyday import everyday
from ds_training.sentences import OWNERS, Templates, read_lines
from ds_training.splits import of_part, read_split
from ds_training.text import ENGLISH, Orthography, plain_text

ORDER = 3
BITS = 16
UNLISTED_NAMES = 0.3  # of the owners' names in commands: they become <unk>
_NAME = "<name>"  # stands for them; no word of the vocabulary, so it is counted as <unk>


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of text and its weight in the mixture."""

    name: str
    sentences: Sequence[str]
    weight: float


def commands(words: Sequence[str], amount: int, seed: int) -> list[str]:
    """Home commands; some owners' names are left open."""
    rng = random.Random(seed)  # noqa: S311  # a draw that anybody can repeat
    templates, owners = Templates(words), {*OWNERS, *(f"{owner}'s" for owner in OWNERS)}
    sampled = (templates.sample(rng).split() for _ in range(amount))
    return [" ".join(_NAME if word in owners and rng.random() < UNLISTED_NAMES else word for word in line) for line in sampled if line]


def vocabulary(kinds: Iterable[Kind], listed: Iterable[str], alphabet: Alphabet) -> list[str]:
    """Listed words, and those that any text has twice, as far as the alphabet can write them."""
    seen = Counter(word for kind in kinds for line in kind.sentences for word in line.split())
    chosen = {*listed, *(word for word, times in seen.items() if times > 1)} - {_NAME}
    return sorted(word for word in chosen if alphabet.spell(word))


def mixture(kinds: Sequence[Kind], words: Sequence[str]) -> BackoffModel:
    """One model of each kind over the same words, interpolated by weight. Raises CorpusError without any."""
    known = Vocabulary(given=words)
    mixed, total = None, 0.0
    for kind in kinds:
        model = estimate(count(encode(line.split() for line in kind.sentences), ORDER, known))
        total += kind.weight
        mixed = model if mixed is None else interpolate(mixed, model, kind.weight / total)
    if mixed is None:
        raise CorpusError("a language model needs text")
    return mixed


def install(folder: Path, model: BackoffModel, alphabet: Alphabet) -> None:
    """Makes the model part of a bundle."""
    with tempfile.TemporaryDirectory() as beside:
        path = Path(beside) / BUNDLED
        write_with_lexicon(model, alphabet, path, BITS)
        bundle_folder.change(folder, {BUNDLED: path.read_bytes()})


def word_list(path: Path, orthography: Orthography = ENGLISH) -> Iterator[str]:
    """The words of a file, one a line, in lower case; those with no letter first, or signs that the alphabet lacks, are left out."""
    letters = set(orthography.alphabet.symbols[1:]) - {" "}
    for line in path.read_text("utf-8").splitlines():
        word = line.strip().lower()
        if word and word[0].isalpha() and letters.issuperset(word):
            yield word


@dataclass(frozen=True, slots=True)
class Source:
    """A file and its weight in the mixture."""

    file: Path
    weight: float


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """What the language model is made from; weights of 0 leave a kind out."""

    text: tuple[Source, ...] = ()  # files of sentences, one per line
    transcripts: Source | None = None  # a manifest: texts of recordings
    split: Path | None = None  # TSV of speakers and parts, for the transcripts
    part: str = "train"
    kept_out: tuple[Path, ...] = ()  # manifests of recordings whose texts are left out of the text files
    words: tuple[Path, ...] = ()  # lists of words that are known whether or not they were seen
    commands: float = 0.25  # weight of home commands
    everyday: float = 0.1  # weight of everyday statements
    sentences: int = 120_000  # commands; of statements half as many
    prune: float = 2e-8  # threshold of entropy pruning
    seed: int = 11

    def kinds(self, orthography: Orthography) -> list[Kind]:
        """All kinds of text with their sentences. Raises CorpusError for a manifest or split that is broken."""
        kept_out = {recording.text for path in self.kept_out for recording in read_manifest(path, orthography)}
        texts = [
            Kind(each.file.stem, [line for line in read_lines(each.file, orthography) if line not in kept_out], each.weight)
            for each in self.text
        ]
        if self.transcripts:
            recordings = read_manifest(self.transcripts.file, orthography)
            recordings = of_part(recordings, read_split(self.split), self.part) if self.split else recordings
            texts.append(Kind("transcripts", [recording.text for recording in recordings], self.transcripts.weight))
        words = sorted({word for kind in texts for line in kind.sentences for word in line.split()})
        if self.commands > 0:
            texts.append(Kind("commands", commands(words, self.sentences, self.seed), self.commands))
        if self.everyday > 0:
            rng = random.Random(self.seed)  # noqa: S311  # a draw that anybody can repeat
            statements = [plain_text(everyday(words, rng)) for _ in range(self.sentences // 2)]
            texts.append(Kind("everyday", statements, self.everyday))
        return texts


def make(folder: Path, wanted: LanguageModel) -> dict[str, Any]:
    """Makes the language model of the bundle in `folder`; returns its sizes. Raises CorpusError without any text."""
    alphabet = Bundle.open(folder).manifest.alphabet
    orthography = Orthography(alphabet.symbols)
    kinds = [kind for kind in wanted.kinds(orthography) if kind.weight > 0]
    known = vocabulary(kinds, (word for path in wanted.words for word in word_list(path, orthography)), alphabet)
    model = prune(mixture(kinds, known), wanted.prune)
    install(folder, model, alphabet)
    return {"words": len(model.words), "ngrams": [len(level.ids) for level in model.orders], "bytes": (folder / BUNDLED).stat().st_size}


def _source(value: str) -> Source:
    path, _, weight = value.rpartition(":")
    return Source(Path(path), float(weight))


def main() -> None:
    default = LanguageModel()
    parser = argparse.ArgumentParser(description="Make the language model of a bundle.")
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument("--text", type=_source, nargs="*", default=(), metavar="FILE:WEIGHT", help="files of sentences, one per line")
    parser.add_argument("--transcripts", type=_source, metavar="MANIFEST.tsv:WEIGHT", help="texts of recordings")
    parser.add_argument("--split", type=Path, help="TSV of speakers and parts, for --transcripts")
    parser.add_argument("--part", default=default.part)
    parser.add_argument(
        "--except",
        dest="kept_out",
        type=Path,
        action="append",
        default=[],
        metavar="MANIFEST.tsv",
        help="recordings whose texts are left out",
    )
    parser.add_argument(
        "--words", type=Path, action="append", default=[], help="a list of words that are known whether or not they were seen"
    )
    parser.add_argument("--commands", type=float, default=default.commands, help="weight of home commands")
    parser.add_argument("--everyday", type=float, default=default.everyday, help="weight of everyday statements")
    parser.add_argument("--sentences", type=int, default=default.sentences, help="commands; of statements half as many")
    parser.add_argument("--prune", type=float, default=default.prune, help="threshold of entropy pruning")
    parser.add_argument("--seed", type=int, default=default.seed)
    options = vars(parser.parse_args())
    folder = options.pop("bundle")
    options |= {name: tuple(options[name]) for name in ("text", "kept_out", "words")}
    print(json.dumps(make(folder, LanguageModel(**options))))


if __name__ == "__main__":
    main()
