"""Sentences of closed grammars, heard by the open search, the closed one, and both side by side (hybrid), in one run.

    python benchmarks/commands.py SETS [--babble MANIFEST.tsv] [--people MANIFEST.tsv] [--tune MANIFEST.tsv --split SPLIT.tsv]
        [--noise 10] [--strictness 0.5] [--limit N] [--only home|people|tune] [--voices VOICE...] [--seed 1] [--model en-small]

**home**: 200 commands to an invented household of 200 devices (see household.py), and 40 with a part that is open speech, in voices
that were never trained on (see spoken_sets.py), clean and with noise; babble is made of the people of `--babble`, and of the other
voices without. `meaning` is right where intent and slots are among those that hassil finds in what was said; open text is given to hassil.
**people**: half of the sentences of a manifest become a grammar, drawn by the seed; `tune` is the same with the speakers of a part of a
split, from whom the default strictness is taken, not from `--people`. Out of the grammar, every accepted sentence is false. In the end
everything that people read is heard beside the household's grammar, to which none of it belongs.

Prints JSON lines, then tables in Markdown: shares of utterances, word error rates, `cost` in ms of one core per second of audio, `last`
in ms from the last chunk to the text, and the share of right sentences of each voice. Lines "by strictness" come of both searches' results
without a further run; nothing in `commands` or `people` is tuned on.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.decoding import Bench, Found, Line, decoded, figures, share, table, word_errors
from benchmarks.household import USUAL, WITH_WILDCARDS, Household, Meanings, Sampler, Slots
from benchmarks.peers.worker import Posteriors
from benchmarks.spoken_sets import noisy
from ds_engine.bias import Bias
from ds_engine.decoder import Decoder
from ds_engine.grammar.builder import GraphBuilder, grammar
from ds_engine.grammar.graph import FINAL, START, Grammar
from ds_engine.grammar.matching import match
from ds_engine.search.hybrid import HybridDecoder
from ds_plugin.grammars.templates import of_templates
from ds_plugin.spoken import Reader
from ds_training.corpus import Recording, read_manifest
from ds_training.splits import of_part, read_split
from ds_training.trials import Kind, Noise

COMMANDS, OPEN_COMMANDS = 200, 40
MOST_FALSE = 0.05  # of sentences out of the grammar, that may be accepted
STRICTNESSES = tuple(round(0.1 * tenth, 1) for tenth in range(1, 10))
EVERYTHING = 1e-9  # a strictness that is never reached from below: both searches run, and all is accepted with its probability

Meaning = tuple[str, frozenset[tuple[str, str]]]


def home(bench: Bench) -> Iterator[Line]:
    """Commands to a household."""
    templates = Household.invent(bench.options.seed).templates()
    spoken, seconds = _home_grammar(bench, templates)
    sampler, judge = Sampler(templates, bench.options.seed), Judge(templates)
    sets = {
        "commands": sampler.commands(COMMANDS, USUAL),
        "with open parts": sampler.commands(OPEN_COMMANDS, WITH_WILDCARDS, wildcards=True),
    }
    for title, texts in sets.items():
        matches = {text: match((spoken,), text.split()) for text in texts}
        as_hassil = share(judge.right(text, _meaning(found.intent, found.slots)) for text, found in matches.items() if found)
        known = share(found is not None for found in matches.values())
        yield Line(title, "the grammar", {"seconds to compile": seconds, "sentences in it": known, "meaning as hassil's": as_hassil})
        for sound, recordings in _sounds(bench, bench.spoken(title, texts)):
            yield from _modes(bench, f"{title}, {sound}", recordings, Bias(grammars=(spoken,)), judge)
        yield from _strict(bench, title, bench.heard(bench.spoken(title, texts)), Bias(grammars=(spoken,)), judge)


def _home_grammar(bench: Bench, templates: Mapping[str, object]) -> tuple[Grammar, float]:
    """The household's grammar, and the CPU seconds that it took."""
    began = time.process_time()
    loaded = of_templates("home", templates, Reader(bench.bundle.manifest.alphabet, "en"), "en")
    return loaded.grammar, time.process_time() - began


def _sounds(bench: Bench, clean: Sequence[Recording]) -> Iterator[tuple[str, Sequence[Recording]]]:
    yield "clean", clean
    people = read_manifest(bench.options.babble) if bench.options.babble else []
    for kind in Kind:
        babble = people if kind is Kind.BABBLE else []
        yield f"{kind} {bench.options.noise:g} dB", noisy(clean, Noise(kind, bench.options.noise), bench.options.sets, babble)


def _modes(bench: Bench, part: str, recordings: Sequence[Recording], bias: Bias, judge: Judge) -> Iterator[Line]:
    posteriors = bench.heard(recordings)
    numbers = bench.numbers(posteriors)
    for mode, strictness in (("open", 0.0), ("closed", 0.0), ("hybrid", bench.options.strictness)):
        found = decoded(_decoder(bench, mode, strictness), bias, posteriors, numbers)
        voices = {
            voice: share(each.right for each, number in zip(found, numbers, strict=True) if recordings[number].speaker == voice)
            for voice in bench.options.voices
        }
        yield Line(part, mode, {**asdict(figures(found)), "meaning": share(judge.understood(each) for each in found), **voices})


def _strict(bench: Bench, part: str, posteriors: Posteriors, bias: Bias, judge: Judge) -> Iterator[Line]:
    """What hybrid comes to at every strictness."""
    open_, closed = _both(bench, posteriors, bias)
    for strictness in STRICTNESSES:
        found = _chosen(open_, closed, strictness)
        texts = word_errors([each.said for each in found], [each.text for each in found])
        values = {
            "accepted": share(each.best.match is not None for each in found),
            "sentences": share(each.right for each in found),
            "meaning": share(judge.understood(each) for each in found),
            "wer": texts,
            "wer - open": texts - word_errors([each.said for each in open_], [each.text for each in open_]),
        }
        yield Line(f"{part}, by strictness", f"hybrid {strictness:g}", values)


def _both(bench: Bench, posteriors: Posteriors, bias: Bias) -> tuple[list[Found], list[Found]]:
    """The open search's results, and the closed one's, whose confidence is the probability that it was said."""
    numbers = bench.numbers(posteriors)
    open_, closed = (_decoder(bench, mode, EVERYTHING) for mode in ("open", "closed"))
    return decoded(open_, bias, posteriors, numbers), decoded(closed, bias, posteriors, numbers)


def _chosen(open_: Sequence[Found], closed: Sequence[Found], strictness: float) -> list[Found]:
    """Of two results the closed one's where it is sure enough."""
    return [one if one.text and one.best.confidence >= strictness else other for one, other in zip(closed, open_, strict=True)]


def _decoder(bench: Bench, mode: str, strictness: float) -> Decoder:
    return HybridDecoder.make(bench.context(mode=mode, strictness=strictness))


class Judge:
    """Says whether an utterance was understood, by what hassil finds in the words that were said."""

    def __init__(self, templates: Mapping[str, object]) -> None:
        self._meanings = Meanings(templates)
        self._known: dict[str, frozenset[Meaning]] = {}

    def right(self, said: str, meaning: Meaning) -> bool:
        return meaning in self._of(said)

    def understood(self, found: Found) -> bool:
        """The match's meaning; of open text all that hassil finds."""
        if found.best.match:
            return self.right(found.said, _meaning(found.best.match.intent, found.best.match.slots))
        return not self._of(found.said).isdisjoint(self._of(found.text))

    def _of(self, text: str) -> frozenset[Meaning]:
        if text not in self._known:
            self._known[text] = frozenset(_meaning(*meaning) for meaning in self._meanings.of(text))
        return self._known[text]


def _meaning(intent: str, slots: Slots) -> Meaning:
    return intent, frozenset((name, value) for name, value in slots.items() if value)


def people(bench: Bench) -> Iterator[Line]:
    """What people read, half of it in a grammar; and all of it beside the household's grammar, to which none of it belongs."""
    posteriors = bench.heard(read_manifest(bench.options.people))
    yield from _halves(bench, "people", posteriors)
    templates = Household.invent(bench.options.seed).templates()
    spoken, _ = _home_grammar(bench, templates)
    yield from _strict(bench, "people beside the household's grammar", posteriors, Bias(grammars=(spoken,)), Judge(templates))


def tune(bench: Bench) -> Iterator[Line]:
    """The same halves of other speakers, and the least strictness at which few of the sentences out of the grammar are accepted."""
    recordings = read_manifest(bench.options.tune)
    if bench.options.split:
        recordings = of_part(recordings, read_split(bench.options.split), bench.options.part)
    yield from _halves(bench, f"tune, {bench.options.part}", bench.heard(recordings))


def half(texts: Sequence[str], seed: int) -> frozenset[str]:
    """Half of the distinct texts."""
    distinct = sorted(set(texts))
    random.Random(seed).shuffle(distinct)  # noqa: S311  # a draw that anybody can repeat
    return frozenset(distinct[: len(distinct) // 2])


def of_sentences(sentences: Sequence[str]) -> Grammar:
    """A grammar of whole sentences, one intent for all."""
    graph = GraphBuilder()
    for sentence in sentences:
        graph.words(START, sentence, FINAL)
    return grammar("sentences", {"said": "sentences"}, {"sentences": graph.build()})


def _halves(bench: Bench, part: str, posteriors: Posteriors) -> Iterator[Line]:
    inside = half(posteriors.texts, bench.options.seed)
    bias = Bias(grammars=(of_sentences(sorted(inside)),))
    open_, closed = _both(bench, posteriors, bias)
    known = [each.said in inside for each in open_]
    for name, found in (("open", open_), ("both, every sentence accepted", closed)):
        yield Line(part, name, {"right inside": _right(found, known), **asdict(figures(found))})
    for strictness in sorted({*STRICTNESSES, bench.options.strictness, _strictness(closed, known)}):
        yield Line(part, f"hybrid, strictness {strictness:.3g}", _hybrid(open_, _chosen(open_, closed, strictness), known))
    found = decoded(_decoder(bench, "hybrid", bench.options.strictness), bias, posteriors, bench.numbers(posteriors))
    yield Line(part, f"hybrid, run with {bench.options.strictness:g}", {"right inside": _right(found, known), **asdict(figures(found))})


def _right(found: Sequence[Found], known: Sequence[bool]) -> float:
    return share(each.right for each, member in zip(found, known, strict=True) if member)


def _hybrid(open_: Sequence[Found], found: Sequence[Found], known: Sequence[bool]) -> dict[str, float]:
    """What both searches together come to; an accepted sentence has a match."""
    rows = [(each.best.match is not None, each.right, member) for each, member in zip(found, known, strict=True)]
    wer = word_errors([each.said for each in found], [each.text for each in found])
    return {
        "right inside": share(right for _, right, member in rows if member),
        "accepted inside": share(taken for taken, _, member in rows if member),
        "accepted and right": share(taken and right for taken, right, member in rows if member),
        "accepted outside": share(taken for taken, _, member in rows if not member),
        "wer": wer,
        "wer - open": wer - word_errors([each.said for each in open_], [each.text for each in open_]),
    }


def _strictness(closed: Sequence[Found], known: Sequence[bool]) -> float:
    """The least at which no more than MOST_FALSE of the sentences out of the grammar are accepted."""
    false = sorted(
        (each.best.confidence if each.text else 0.0 for each, member in zip(closed, known, strict=True) if not member), reverse=True
    )
    return min(1.0, false[int(MOST_FALSE * len(false))] + EVERYTHING) if false else 0.0


PARTS: Mapping[str, Callable[[Bench], Iterator[Line]]] = {"home": home, "tune": tune, "people": people}


def main() -> None:
    """Measures and prints."""
    parser = Bench.parser(__doc__)
    parser.add_argument("--babble", type=Path, help="manifest of people to make babble of")
    parser.add_argument("--noise", type=float, default=10.0, help="dB of speech over noise")
    parser.add_argument("--strictness", type=float, default=0.5)
    parser.add_argument("--tune", type=Path, help="manifest of recordings to take the strictness from")
    parser.add_argument("--split", type=Path, help="TSV of its speakers and parts")
    parser.add_argument("--part", default="calibration")
    parser.add_argument("--only", action="append", choices=list(PARTS))
    bench, lines = Bench(parser.parse_args()), []
    for name in bench.options.only or [name for name in PARTS if name == "home" or getattr(bench.options, name)]:
        for line in PARTS[name](bench):
            print(line.to_json(), flush=True)
            lines.append(line)
    print(table(lines))


if __name__ == "__main__":
    main()
