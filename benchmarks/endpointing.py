"""When an utterance is taken to have ended: cut off before its end, or how long after it? Prints a table for each set of speech.

    python benchmarks/endpointing.py [MANIFEST.tsv ...] [--take 40] [--seed 1] [--model en-small] [--split SPLIT.tsv --part PART]

Each manifest is a set of recordings, of which `--take` are drawn; commands by two synthetic voices are another. Three pauses of 0,
150, 300 and 500 ms are put between words (see benchmarks/pauses.py). *cut*: share of utterances ended before their speech has;
*after*: seconds from the end of the speech to the endpoint, median and 95 %. The end of the speech is where its level falls for good
30 dB below its loudest, at most 0.25 s after the last letter. *grammar* has all texts of the set for a closed grammar: *hybrid* with
the decoder's own verdict of them, *perfect* with that of a search that makes no mistakes: from the true words that it has heard.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pauses import PCM, RATE, TAIL, Paused, Room, Speech, as_bytes, commands, paused, recorded, speech_end
from ds_engine.acoustic import RuntimeOptions
from ds_engine.bias import Bias
from ds_engine.decoder import Attention, Attentive, Decoder, DecoderContext, Sentence, trailing_rows
from ds_engine.endpoint import PRESETS, EndpointSettings, EndpointState, Evidence, endpoint
from ds_engine.features import FloatArray
from ds_engine.grammar.builder import GraphBuilder, grammar
from ds_engine.grammar.graph import FINAL, START
from ds_engine.limits import Limits
from ds_engine.listener import Endpointing, Listener
from ds_engine.native import NativeModel
from ds_engine.recognizer import Recognizer
from ds_engine.search.hybrid import HybridDecoder
from ds_engine.transcript import EndReason, SpeechEnded, SpeechStarted
from ds_plugin.models import ModelStore
from ds_plugin.vad import SileroVoice
from ds_training.corpus import read_manifest
from ds_training.splits import of_part, read_split

PAUSES = (0.0, 0.15, 0.3, 0.5)  # s
HEARD_LATE = 0.1  # s after a word's last symbol at which a search is sure of it
TITLES = ("detector alone", "decoder alone", "both", "grammar, hybrid", "grammar, perfect")
Moments = tuple[Evidence, ...]
View = Callable[[Moments], Moments]


@dataclass(frozen=True, slots=True)
class Case:
    """What was heard of one utterance, and when its speech ended."""

    moments: Moments
    speech: Paused


class Noting(Listener):
    """A listener that keeps its evidence and decides nothing."""

    def __init__(self, recognizer: Recognizer) -> None:
        super().__init__(Endpointing(EndpointSettings(), SileroVoice), recognizer)
        self.moments: list[Evidence] = []

    def _judge(self, time: float, voice: float | None) -> None:
        self.moments.append(Evidence(time, voice, self._attention, self._heard))


class Attending:
    """A decoder with an attention where it has none of its own: words of its partials, and rows that silence wins."""

    def __init__(self, decoder: Decoder, context: DecoderContext) -> None:
        self._decoder = decoder
        self._context = context

    def start(self, bias: Any) -> tuple[Any, int]:
        return self._decoder.start(bias), 0

    def advance(self, state: tuple[Any, int], log_probs: FloatArray) -> tuple[Any, int]:
        return self._decoder.advance(state[0], log_probs), trailing_rows(log_probs, self._context.alphabet, state[1])

    def partial(self, state: tuple[Any, int]) -> Any:
        return self._decoder.partial(state[0])

    def finish(self, state: tuple[Any, int]) -> Any:
        return self._decoder.finish(state[0])

    def attention(self, state: tuple[Any, int]) -> Attention:
        return Attention(len(self.partial(state).text.split()), state[1] * self._context.timing.step)


def heard(recognizer: Recognizer, samples: FloatArray, bias: Bias | None = None) -> Moments:
    """The evidence of an utterance, in its order."""
    stream = recognizer.stream(PCM, bias, limits=Limits(utterance_seconds=600))
    noting = Noting(recognizer)
    stream._listener = noting  # noqa: SLF001 - the one place to listen in
    stream.feed(as_bytes(samples))
    return tuple(noting.moments)


def only_voice(moments: Moments) -> Moments:
    """Without the decoder."""
    return tuple(replace(moment, attention=None) for moment in moments)


def only_decoder(moments: Moments) -> Moments:
    """Without the detector: a moment for each acoustic step."""
    pairs = zip(moments[1:], moments, strict=False)
    return tuple(replace(moment, voice=None) for moment, before in pairs if moment.heard != before.heard)


def both(moments: Moments) -> Moments:
    """As it is."""
    return moments


def closed(texts: Sequence[tuple[str, ...]]) -> Bias:
    """A grammar of these texts."""
    builder = GraphBuilder()
    for text in sorted(set(texts)):
        builder.words(START, " ".join(text), FINAL)
    return Bias(grammars=(grammar("texts", {"said": "texts"}, {"texts": builder.build()}),))


def told_by_grammar(case: Case, texts: Sequence[tuple[str, ...]]) -> Moments:
    """With the sentence of a perfect closed search."""
    return tuple(
        replace(moment, attention=replace(moment.attention, sentence=sentence_of(case.speech, moment.heard, texts)))
        if moment.attention is not None
        else moment
        for moment in case.moments
    )


def sentence_of(speech: Paused, time: float, texts: Sequence[tuple[str, ...]]) -> Sentence:
    """What the words heard by then are to a grammar of all texts."""
    words = speech.words[: sum(end + HEARD_LATE <= time for end in speech.ends)]
    if words not in texts:
        return Sentence.INCOMPLETE
    longer = any(text[: len(words)] == words and len(text) > len(words) for text in texts)
    return Sentence.COMPLETE if longer else Sentence.FINISHED


def events(settings: EndpointSettings, moments: Moments) -> tuple[SpeechStarted | None, SpeechEnded | None]:
    """What the endpoint makes of the evidence."""
    state, started = EndpointState(), None
    for moment in moments:
        state, event = endpoint(settings, state, moment)
        match event:
            case SpeechStarted():
                started = event
            case SpeechEnded():
                return started, event
    return started, None


def report(settings: EndpointSettings, cases: Sequence[tuple[Moments, float]]) -> str:
    """One cell: share cut, median and 95 % of the seconds after the end, and how many had no end at all."""
    ends = [(events(settings, moments)[1], end) for moments, end in cases]
    after = [event.noticed - end for event, end in ends if event is not None and event.noticed >= end]
    cut = sum(event is not None and event.noticed < end for event, end in ends)
    missed = sum(event is None for event, _ in ends)
    median, high = np.percentile(after, (50, 95)) if after else (np.nan, np.nan)
    return f"{cut / len(cases):6.1%} {median:5.2f} {high:5.2f}" + (f" ({missed} never)" if missed else "")


def measure(name: str, speeches: Sequence[Speech], recognizer: Recognizer) -> None:
    """Prints the tables of one set."""
    texts = [speech.words for speech in speeches]
    bias = closed(texts)
    print(f"\n{name}: {len(speeches)} utterances; cut, after (median, 95 %), {TAIL:g} s of room at the end")
    print(f"{'preset':8} {'pauses':>12} " + "".join(f"{title:>21}" for title in TITLES))
    for pause in PAUSES:
        made = [paused(speech, pause, 3, number) for number, speech in enumerate(speeches)]
        cases = [Case(heard(recognizer, speech.samples), speech) for speech in made]
        ways = [[(view(case.moments), case.speech.end) for case in cases] for view in (only_voice, only_decoder, both)]
        ways.append([(heard(recognizer, case.speech.samples, bias), case.speech.end) for case in cases])
        ways.append([(told_by_grammar(case, texts), case.speech.end) for case in cases])
        for preset, settings in PRESETS.items():
            print(f"{preset:8} {f'3 x {pause * 1000:.0f} ms':>12} " + "".join(f"{report(settings, way):>21}" for way in ways), flush=True)


def silence(speeches: Sequence[Speech], recognizer: Recognizer) -> None:
    """Prints what becomes of rooms in which nobody speaks, and of speech that never pauses."""
    settings = PRESETS["normal"]
    for louder in (0.0, 20.0):
        rooms = [Room(speech.samples, number).noise(8.0, louder) for number, speech in enumerate(speeches)]
        tell(f"8 s of room, {louder:+.0f} dB", [heard(recognizer, room) for room in rooms], settings)
    knocks = [knocking(Room(speech.samples, number), number) for number, speech in enumerate(speeches)]
    tell("8 s of room with three knocks", [heard(recognizer, room) for room in knocks], settings)
    once = [speech.samples[: round(speech_end(speech) * RATE)] for speech in speeches[:10]]
    endless = [np.tile(samples, 1 + 25 * RATE // len(samples))[: 25 * RATE] for samples in once]
    tell("the same sentence for 25 s", [heard(recognizer, samples) for samples in endless], settings)


def knocking(room: Room, seed: int) -> FloatArray:
    """A room in which something knocks: bursts of 30 ms."""
    samples, random_numbers = room.noise(8.0), np.random.default_rng(seed)
    for second in (1, 3, 4):
        burst = random_numbers.normal(size=RATE // 10) * np.exp(-np.arange(RATE // 10) / (0.01 * RATE)) * 0.3
        samples[second * RATE : second * RATE + len(burst)] += burst.astype(np.float32)
    return samples


def tell(name: str, found: Sequence[Moments], settings: EndpointSettings) -> None:
    """Prints one line for each source."""
    for title, view in (("detector", only_voice), ("decoder", only_decoder), ("both", both)):
        ends = [events(settings, view(moments)) for moments in found]
        counts = {reason.value: sum(end is not None and end.reason is reason for _, end in ends) for reason in EndReason}
        times = [end.noticed for _, end in ends if end is not None]
        print(
            f"{name:30} {title:9} started {sum(start is not None for start, _ in ends)} of {len(ends)}; ended by "
            f"{', '.join(f'{reason} {count}' for reason, count in counts.items() if count) or 'nothing'}"
            + (f", median at {np.median(times):.2f} s" if times else "")
        )


def loaded(model: str) -> tuple[Recognizer, DecoderContext]:
    """The recognizer of a bundle, whose decoder has an attention."""
    bundle = ModelStore.standard().open(model)
    network = NativeModel(bundle, RuntimeOptions())
    context = DecoderContext(bundle.manifest.alphabet, network.timing, bundle)
    decoder: Decoder = HybridDecoder.make(context)
    return Recognizer(network, decoder if isinstance(decoder, Attentive) else Attending(decoder, context)), context


def sets(options: argparse.Namespace, recognizer: Recognizer, context: DecoderContext) -> Iterator[tuple[str, list[Speech]]]:
    """The manifests' recordings, then the commands."""
    for manifest in options.manifests:
        recordings = read_manifest(manifest)
        if options.split:
            recordings = of_part(recordings, read_split(options.split), options.part)
        random.Random(options.seed).shuffle(recordings)  # noqa: S311  # a draw that anybody can repeat
        long = [recording for recording in recordings if len(recording.text.split()) >= 4]
        yield f"{manifest.parent.name}/{manifest.name}", list(recorded(long[: options.take], recognizer, context.alphabet))
    yield "commands", list(commands(recognizer, context.alphabet, options.seed))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", type=Path, nargs="*")
    parser.add_argument("--take", type=int, default=40, help="recordings of a manifest")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default="en-small")
    parser.add_argument("--split", type=Path, help="TSV of speakers and parts")
    parser.add_argument("--part", default="development", help="the part of --split to take")
    options = parser.parse_args()
    recognizer, context = loaded(options.model)
    for name, speeches in sets(options, recognizer, context):
        measure(name, speeches, recognizer)
        silence(speeches, recognizer)


if __name__ == "__main__":
    main()
