"""«turn on the snorkelwack»: the invented name of a switch, in ten unseen voices, with the household's vocabulary and without.

    python benchmarks/invented_entity.py SETS [--names 20] [--strictness 0.3] [--boost NATS] [--seed 1] [--model en-small]
        [--search NAME=VALUE]... [--tuning]

The household is the one of household.py, 200 devices and 12 areas, and beside them a switch for each invented name ("snorkelwack", then
those of invented_names.py). What the decoder gets is what ds_home_assistant makes of such a household: names, and all of Home Assistant's
English sentences. Each voice (see unseen_voices.py, which says what must be installed) says "turn on the ..." of each name.

Modes: *without* any vocabulary, *open* (the names alone), *hybrid*, *closed* (all accepted). Right is HassTurnOn of that switch, or, of
open text, these words; *wrong action* is the share in which hybrid believes another sentence of the household. SETS is the folder where
recordings and log-probs are kept. `--tuning` takes other names and other voices, for whoever wants to change something: never choose
by the ten.

Prints what each voice's first name was understood as and whatever hybrid missed, with the reason, then tables in Markdown.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.commands import EVERYTHING, of_sentences
from benchmarks.decoding import Bench, Found, Line, decoded, share, table
from benchmarks.household import Household
from benchmarks.invented_names import invented_names
from benchmarks.spoken_sets import heard
from benchmarks.unseen_voices import TUNING, UNSEEN, recordings
from ds_engine.bias import Bias, Phrase
from ds_engine.search.hybrid import HybridDecoder
from ds_engine.search.sources import of_bundle
from ds_home_assistant.entities import Entity
from ds_home_assistant.home import Home
from ds_home_assistant.places import Place
from ds_home_assistant.sentences import household_of
from ds_plugin.spoken import Reader
from ds_plugin.vocabulary.current import Vocabulary
from ds_training.corpus import Recording

NAME = "snorkelwack"
SENTENCE = "turn on the {}"
LANGUAGE = "en"
TUNING_SEED = 1000  # added to the seed: other names
BEAM_LOSS = 0.5  # nats by which the true sentence must be likelier than the one that was found, for the search to be at fault


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance and what it was understood as."""

    voice: str
    name: str
    found: Mapping[str, Found]  # by mode; closed has the probability of its sentence as confidence
    alone: Found  # of a grammar of this one sentence


class Entities(Bench):
    """The bench, with a household that has the names."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(options)
        source = of_bundle(self.bundle)
        if source is None:
            raise SystemExit(f"{options.model} has no language model")
        own = [] if options.tuning else [NAME]
        seed = options.seed + TUNING_SEED * options.tuning
        self.names = [*own, *invented_names(options.names - len(own), seed, frozenset(source.words).__contains__)]
        self.vocabulary = self._vocabulary(home_with(self.names, options.seed), options.boost)

    def said(self) -> list[Recording]:
        """Every voice's sentence about every name."""
        return recordings([SENTENCE.format(name) for name in self.names], TUNING if self.options.tuning else UNSEEN, self.options.sets)

    def understood(self, recordings: Sequence[Recording]) -> Iterator[Said]:
        """All of them in every mode."""
        posteriors = heard(recordings, self.bundle, self.options.sets)
        names = replace(self.vocabulary, grammars=())
        modes = {
            "without": (self._decoder("open"), Bias()),
            "open": (self._decoder("open"), names),
            "hybrid": (self._decoder("hybrid", self.options.strictness), self.vocabulary),
            "closed": (self._decoder("closed", EVERYTHING), self.vocabulary),
        }
        found = {mode: decoded(decoder, bias, posteriors, range(len(recordings))) for mode, (decoder, bias) in modes.items()}
        closed = self._decoder("closed")
        for number, recording in enumerate(recordings):
            bias = replace(names, grammars=(of_sentences([recording.text]),))
            [alone] = decoded(closed, bias, posteriors, [number])
            name = recording.text.split()[-1]
            yield Said(recording.speaker, name, {mode: each[number] for mode, each in found.items()}, alone)

    def _vocabulary(self, home: Home, boost: float | None) -> Bias:
        """The bias that a service would have of this household; every name with this boost, if one is given."""
        vocabulary = Vocabulary(Reader(self.bundle.manifest.alphabet, LANGUAGE), language=LANGUAGE)
        vocabulary.hear("Home Assistant", household_of(home, [LANGUAGE]))
        bias = vocabulary.snapshot()
        return bias if boost is None else replace(bias, phrases=tuple(Phrase(phrase.text, boost) for phrase in bias.phrases))

    def _decoder(self, mode: str, strictness: float = 0.0) -> HybridDecoder:
        return HybridDecoder.make(self.context(mode=mode, strictness=strictness))


def home_with(names: Sequence[str], seed: int) -> Home:
    """The invented household, with a switch for each of these names."""
    household = Household.invent(seed)
    devices = {**household.entities, **dict.fromkeys(names, "switch")}
    entities = (Entity(f"{domain}.device_{number}", (name,)) for number, (name, domain) in enumerate(devices.items()))
    areas, floors = (
        tuple(Place(name.replace(" ", "_"), (name,)) for name in sorted(named)) for named in (household.areas, household.floors)
    )
    return Home(LANGUAGE, tuple(entities), areas, floors)


def right(found: Found, name: str) -> bool:
    """True for HassTurnOn of the name, and for open text that is word for word what was said."""
    match = found.best.match
    return (match.intent == "HassTurnOn" and match.slots.get("name") == name) if match else found.right


def why(said: Said) -> str:
    """What became of an utterance in hybrid mode, and, where it was missed, whose fault that is."""
    hybrid, closed = said.found["hybrid"], said.found["closed"]
    if right(hybrid, said.name):
        return "right"
    if right(closed, said.name):
        return "right, but not believed"
    if said.alone.best.score > closed.best.score + BEAM_LOSS:
        return "lost by the search"
    return f"another sentence sounded likelier{'' if hybrid.best.match else ', not believed'}"


def lines(found: Sequence[Said]) -> Iterator[Line]:
    """Shares that are right, by voice and of all, and what became of the others in hybrid mode."""
    for voice in (*dict.fromkeys(said.voice for said in found), "all"):
        listed = [said for said in found if voice in {said.voice, "all"}]
        modes = {mode: share(right(said.found[mode], said.name) for said in listed) for mode in listed[0].found}
        yield Line("right", voice, {**modes, "wrong action": share(_wrong(said) for said in listed)})
    reasons = [why(said) for said in found]
    for reason in sorted(set(reasons)):
        yield Line("hybrid", reason, {"utterances": reasons.count(reason), "share": reasons.count(reason) / len(reasons)})


def _wrong(said: Said) -> bool:
    hybrid = said.found["hybrid"]
    return hybrid.best.match is not None and not right(hybrid, said.name)


def shown(said: Said) -> str:
    """One utterance for people to read; `behind` are the nats that the true sentence lacks."""
    closed = said.found["closed"].best
    facts = {"voice": said.voice, "name": said.name, **{mode: found.text for mode, found in said.found.items()}}
    return json.dumps(
        {**facts, "sure": round(closed.confidence, 2), "behind": round(closed.score - said.alone.best.score, 1), "why": why(said)}
    )


def main() -> None:
    """Measures and prints."""
    parser = Bench.parser(__doc__)
    parser.add_argument("--names", type=int, default=20)
    parser.add_argument("--boost", type=float, help="nats, of all names of the household (default: what ds_home_assistant gives them)")
    parser.add_argument("--strictness", type=float, default=0.3)
    parser.add_argument("--tuning", action="store_true", help="other names in other voices")
    bench = Entities(parser.parse_args())
    found = list(bench.understood(bench.said()))
    for said in found:
        if said.name == bench.names[0] or why(said) != "right":
            print(shown(said))
    print(table(list(lines(found))))


if __name__ == "__main__":
    main()
