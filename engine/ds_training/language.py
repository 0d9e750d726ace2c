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
import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ds_engine.alphabet import Alphabet
from ds_engine.bundle import Bundle
from ds_engine.lm.backoff import BackoffModel
from ds_engine.lm.counts import Vocabulary, count, encode
from ds_engine.lm.estimation import estimate
from ds_engine.lm.interpolation import interpolate
from ds_engine.lm.pruning import prune
from ds_engine.search.sources import BUNDLED, write_with_lexicon
from ds_training.corpus import read_manifest
from ds_training.everyday import everyday
from ds_training.sentences import OWNERS, Templates, read_lines
from ds_training.splits import of_part, read_split
from ds_training.text import plain_text

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
    """One model of each kind over the same words, interpolated by weight."""
    known = Vocabulary(given=words)
    mixed, total = None, 0.0
    for kind in kinds:
        model = estimate(count(encode(line.split() for line in kind.sentences), ORDER, known))
        total += kind.weight
        mixed = model if mixed is None else interpolate(mixed, model, kind.weight / total)
    if mixed is None:
        raise SystemExit("no text")
    return mixed


def install(folder: Path, model: BackoffModel, alphabet: Alphabet) -> None:
    """Writes the model into a bundle and its size and checksum into the manifest."""
    path = folder / BUNDLED
    write_with_lexicon(model, alphabet, path, BITS)
    content, manifest = path.read_bytes(), folder / "manifest.json"
    values = json.loads(manifest.read_text("utf-8"))
    values["files"][BUNDLED] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    manifest.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", "utf-8")


def word_list(path: Path) -> Iterator[str]:
    """The words of a file, one a line, in lower case; those with other signs than letters and apostrophes are left out."""
    for line in path.read_text("utf-8").splitlines():
        word = line.strip().lower()
        if re.fullmatch(r"[a-z][a-z']*", word):
            yield word


def _weighted(value: str) -> tuple[Path, float]:
    path, _, weight = value.rpartition(":")
    return Path(path), float(weight)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the language model of a bundle.")
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument("--text", type=_weighted, nargs="*", default=[], metavar="FILE:WEIGHT", help="files of sentences, one per line")
    parser.add_argument("--transcripts", type=_weighted, metavar="MANIFEST.tsv:WEIGHT", help="texts of recordings")
    parser.add_argument("--split", type=Path, help="TSV of speakers and parts, for --transcripts")
    parser.add_argument("--part", default="train")
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
    parser.add_argument("--commands", type=float, default=0.25, help="weight of home commands")
    parser.add_argument("--everyday", type=float, default=0.1, help="weight of everyday statements")
    parser.add_argument("--sentences", type=int, default=120_000, help="commands; of statements half as many")
    parser.add_argument("--prune", type=float, default=2e-8, help="threshold of entropy pruning")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    kept_out = {recording.text for path in options.kept_out for recording in read_manifest(path)}
    texts = [Kind(path.stem, [line for line in read_lines(path) if line not in kept_out], weight) for path, weight in options.text]
    if options.transcripts:
        recordings = read_manifest(options.transcripts[0])
        recordings = of_part(recordings, read_split(options.split), options.part) if options.split else recordings
        texts.append(Kind("transcripts", [recording.text for recording in recordings], options.transcripts[1]))
    words = sorted({word for kind in texts for line in kind.sentences for word in line.split()})
    rng = random.Random(options.seed)  # noqa: S311  # a draw that anybody can repeat
    kinds = [
        *texts,
        Kind("commands", commands(words, options.sentences, options.seed), options.commands),
        Kind("everyday", [plain_text(everyday(words, rng)) for _ in range(options.sentences // 2)], options.everyday),
    ]
    alphabet = Bundle.open(options.bundle).manifest.alphabet
    known = vocabulary(kinds, (word for path in options.words for word in word_list(path)), alphabet)
    model = prune(mixture([kind for kind in kinds if kind.weight > 0], known), options.prune)
    install(options.bundle, model, alphabet)
    counts = [len(level.ids) for level in model.orders]
    print(json.dumps({"words": len(model.words), "ngrams": counts, "bytes": (options.bundle / BUNDLED).stat().st_size}))


if __name__ == "__main__":
    main()
