"""A thousand names given to the search at once: how many are understood, how often one is heard that was not said, and what it costs.

    python benchmarks/names.py SETS [--people MANIFEST.tsv] [--names 1000] [--boosts 0 2 4 6] [--search NAME=VALUE]...
        [--limit N] [--voices VOICE...] [--seed 1] [--model en-small]

Invented names (see invented_names.py) are spoken in sentences by voices that were never trained on, see spoken_sets.py; SETS is the
folder where sets and log-probs are kept. A name is right where it stands as a word in the text. A false hit is an utterance in which
a name is found though it was not said: 200 home commands in the same voices, and, with `--people`, 200 of what people read. The cost
is of these commands, with the names and without in turns. `closed` is the same names as a list in a grammar of the sentences
that they are spoken in: what is left there are mistakes of the network.

With `--people` a second part: words that people said at least twice, and that the language model finds no likelier than RARE, are
taken out of lexicon and language model, and given back as phrases. Prints JSON lines, then a table in Markdown.
"""

from __future__ import annotations

import argparse
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from benchmarks.decoding import Bench, Found, Line, decoded, figures, share, spread, table
from benchmarks.household import USUAL, Household, Sampler
from benchmarks.invented_names import CARRIERS, invented_names, sentences_about
from benchmarks.peers.worker import Posteriors
from ds_engine.bias import Bias, Phrase
from ds_engine.decoder import Decoder
from ds_engine.grammar.builder import GraphBuilder, grammar
from ds_engine.grammar.graph import FINAL, START, Begin, Call, End, Grammar
from ds_engine.lm.model import Context, LanguageModel
from ds_engine.search.decoder import KernelDecoder, calibrated
from ds_engine.search.hybrid import HybridDecoder
from ds_engine.search.policy import SearchPolicy
from ds_engine.search.sources import of_bundle
from ds_engine.search.vocabulary import LanguageSource, Vocabulary
from ds_training.corpus import read_manifest

OTHERS = 200  # utterances in which no name is said
RARE = 1 / 8000  # of all words: likelier ones are not like names
REPETITIONS = 3


class Without:
    """A language model that does not have some words: they are <unk> to it. See ds_engine.lm.model.LanguageModel."""

    def __init__(self, model: LanguageModel, words: Iterable[str]) -> None:
        self._model, self._words = model, frozenset(words)
        self.order, self.unknown, self.start, self.empty = model.order, model.unknown, model.start, model.empty

    def index(self, word: str) -> int:
        return self.unknown if word in self._words else self._model.index(word)

    def advance(self, context: Context, word: int) -> tuple[float, Context]:
        return self._model.advance(context, word)

    def end(self, context: Context) -> float:
        return self._model.end(context)


def without(source: LanguageSource, words: Iterable[str]) -> LanguageSource:
    """A source as if it had never heard of these words."""
    gone = frozenset(words)
    kept = [number for number, word in enumerate(source.words) if word not in gone]
    indices = np.arange(len(source.words)) if source.indices is None else source.indices
    return LanguageSource(
        Without(source.model, gone), [source.words[number] for number in kept], source.log_probs[kept], source.log_unknown, indices[kept]
    )


def phrases(words: Iterable[str], boost: float) -> Bias:
    return Bias(tuple(Phrase(word, boost) for word in words))


def sentences_with(names: Sequence[str]) -> Grammar:
    """The carriers as a closed grammar, with the names as its list."""
    listed, sentences = GraphBuilder(), GraphBuilder()
    for name in names:
        listed.words(START, name, FINAL)
    for carrier in CARRIERS:
        before, _, after = (part.strip() for part in carrier.partition("{}"))
        begin, inside, end = (sentences.node() for _ in range(3))
        sentences.words(START, before, begin)
        sentences.add(begin, Begin("name"), inside)
        sentences.add(inside, Call("names"), end)
        rest = sentences.node()
        sentences.add(end, End(), rest)
        sentences.words(rest, after, FINAL)
    return grammar("carriers", {"said": "sentences"}, {"sentences": sentences.build(), "names": listed.build()}, ["names"])


class Names(Bench):
    """The bench with invented names."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(options)
        source = of_bundle(self.bundle)
        if source is None:
            raise SystemExit(f"{options.model} has no language model")
        self.source = source
        self.names = invented_names(options.names, options.seed, frozenset(source.words).__contains__)

    def decoder(self, source: LanguageSource) -> Decoder:
        """The open search with this language model."""
        context = self.context()
        policy = SearchPolicy.of(calibrated(context, "search"), self.search)
        return KernelDecoder(context.alphabet, context.timing, Vocabulary(context.alphabet, source, policy), policy)


def recalls(found: Sequence[Found], wanted: Sequence[Iterable[str]], groups: Sequence[str]) -> dict[str, float]:
    """Of the wanted words of each utterance, the share that stands in the text: of all, and by group where there are several."""
    hits = [(group, word in each.text.split()) for each, words, group in zip(found, wanted, groups, strict=True) for word in words]
    by_group = {group: share(hit for name, hit in hits if name == group) for group in dict.fromkeys(groups)}
    return {"recall": share(hit for _, hit in hits), **(by_group if len(by_group) > 1 else {}), "wer": figures(found).wer}


def invented(bench: Names) -> list[Line]:
    """Recall of invented names."""
    texts = list(sentences_about(bench.names))
    said = bench.heard(bench.spoken("names", texts))
    numbers = bench.numbers(said)
    wanted = [[bench.names[number % len(texts)]] for number in numbers]
    groups = [bench.options.voices[number // len(texts)] for number in numbers]
    decoder, lines = bench.decoder(bench.source), []
    for given, bias in biases(bench.names, bench.options.boosts).items():
        lines.append(Line("invented names", given, recalls(decoded(decoder, bias, said, numbers), wanted, groups)))
    closed = HybridDecoder.make(bench.context(mode="closed", strictness=0.0))
    found = decoded(closed, Bias(grammars=(sentences_with(bench.names),)), said, numbers)
    return [*lines, Line("invented names", "closed", recalls(found, wanted, groups))]


def biases(names: Sequence[str], boosts: Iterable[float]) -> dict[str, Bias]:
    return {"nothing": Bias(), **{f"boost {boost:g}": phrases(names, boost) for boost in boosts}}


def false_hits(bench: Names) -> list[Line]:
    """Names found in utterances without any, and what they cost there."""
    commands = Sampler(Household.invent(bench.options.seed).templates(), bench.options.seed).commands(OTHERS, USUAL)
    others = {"commands": bench.heard(bench.spoken("commands", commands))}
    if bench.options.people:
        others["people"] = bench.heard(read_manifest(bench.options.people))
    given, names = biases(bench.names, bench.options.boosts), frozenset(bench.names)
    values: dict[str, dict[str, float]] = {name: {} for name in given}
    for title, posteriors in others.items():
        numbers = spread(len(posteriors.ids), min(OTHERS, bench.options.limit or OTHERS))
        for name, found, cost in in_turns(bench.decoder(bench.source), given, posteriors, numbers):
            values[name][f"false hits, {title}"] = sum(not names.isdisjoint(each.text.split()) for each in found)
            values[name][f"ms/s, {title}"] = cost
    return [Line(f"{OTHERS} others", name, each) for name, each in values.items()]


def in_turns(
    decoder: Decoder, given: Mapping[str, Bias], posteriors: Posteriors, numbers: Sequence[int]
) -> list[tuple[str, list[Found], float]]:
    """What each bias finds, and the median of its milliseconds per second of audio. Who begins changes with every round."""
    costs: dict[str, list[float]] = {name: [] for name in given}
    found: dict[str, list[Found]] = {}
    names = list(given)
    for turn in range(REPETITIONS):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            found[name] = decoded(decoder, given[name], posteriors, numbers)
            costs[name].append(figures(found[name]).cost)
    return [(name, found[name], statistics.median(costs[name])) for name in names]


def deleted_words(bench: Names) -> list[Line]:
    """Recall of real words that are taken away and given back."""
    read = bench.heard(read_manifest(bench.options.people))
    counts = Counter(word for text in read.texts for word in text.split())
    rare = {word for word, log_prob in zip(bench.source.words, bench.source.log_probs.tolist(), strict=True) if log_prob < np.log(RARE)}
    chosen = sorted(word for word, count in counts.items() if count > 1 and word in rare)
    wanted = [[word for word in text.split() if word in chosen] for text in read.texts]
    concerned = [number for number, words in enumerate(wanted) if words]
    numbers = [concerned[place] for place in spread(len(concerned), bench.options.limit)]
    asked, groups = [wanted[number] for number in numbers], [""] * len(numbers)
    part = f"{len(chosen)} words of people"
    lines = [Line(part, "never deleted", recalls(decoded(bench.decoder(bench.source), Bias(), read, numbers), asked, groups))]
    decoder = bench.decoder(without(bench.source, chosen))
    for given, bias in biases(chosen, bench.options.boosts).items():
        lines.append(Line(part, f"deleted, {given}", recalls(decoded(decoder, bias, read, numbers), asked, groups)))
    return lines


def main() -> None:
    """Measures and prints."""
    parser = Bench.parser(__doc__)
    parser.add_argument("--names", type=int, default=1000)
    parser.add_argument("--boosts", type=float, nargs="+", default=[0.0, 2.0, 4.0, 6.0], help="nats")
    bench, lines = Names(parser.parse_args()), []
    for measured in (invented, false_hits, *([deleted_words] if bench.options.people else [])):
        for line in measured(bench):
            print(line.to_json(), flush=True)
            lines.append(line)
    print(table(lines))


if __name__ == "__main__":
    main()
