"""Open speech and grammars side by side: what is taken, what is stable, and that nothing depends on how rows are cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ds_engine.alphabet import Alphabet
from ds_engine.bias import Bias
from ds_engine.decoder import Attentive, Sentence, Timing
from ds_engine.errors import BundleError, InputError
from ds_engine.features import FloatArray
from ds_engine.grammar.builder import GraphBuilder, grammar
from ds_engine.grammar.graph import FINAL, START, Begin, Call, End, Grammar, Spoken
from ds_engine.search.acceptance import KNOWN, Acceptance, evidence
from ds_engine.search.closed_decoder import ClosedDecoder
from ds_engine.search.decoder import KernelDecoder
from ds_engine.search.hybrid import GrammarPolicy, HybridDecoder, Mode
from ds_engine.search.policy import SearchPolicy
from ds_engine.transcript import Hypothesis, Word
from tests.ds_engine.search.test_decoder import BYTED, JOINED, PIECED, SPACED, Kind, noise, pieces, spoken
from tests.ds_engine.tables import vocabulary

KINDS = {"spaced": SPACED, "pieced": PIECED, "joined": JOINED, "bytes": BYTED}
TIMING = Timing(0.04)
CERTAIN, NEVER = Acceptance({"bias": 700.0}), Acceptance({"bias": -700.0})

each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
each_mode = pytest.mark.parametrize("mode", list(Mode))


def hybrid(kind: Kind, acceptance: Acceptance | None = None, **settings: Any) -> HybridDecoder:
    policy = SearchPolicy.of({"beam": 24})
    known = vocabulary(kind.alphabet, kind.words, policy)
    opened = KernelDecoder(kind.alphabet, TIMING, known, policy)
    closed = ClosedDecoder(kind.alphabet, TIMING, opened, replace(policy, alpha=0.0, beta=0.0))
    return HybridDecoder(kind.alphabet, opened, closed, acceptance or Acceptance(), GrammarPolicy.of(settings))


def commands(kind: Kind) -> Grammar:
    """The first word, then one of the others in a slot."""
    graph, values = GraphBuilder(), GraphBuilder()
    second, third, fourth = graph.node(), graph.node(), graph.node()
    graph.add(START, Spoken(kind.words[0]), second)
    graph.add(second, Begin("which"), third)
    graph.add(third, Call("values"), fourth)
    graph.add(fourth, End(), FINAL)
    for word in kind.words[1:]:
        values.words(START, word, FINAL)
    return grammar("commands", {"do": "command"}, {"command": graph.build(), "values": values.build()}, ["values"])


def finals(decoder: HybridDecoder, bias: Bias, cut: Iterator[FloatArray]) -> tuple[Hypothesis, ...]:
    state = decoder.start(bias)
    for piece in cut:
        state = decoder.advance(state, piece)
    return decoder.finish(state)


def said(kind: Kind, words: Sequence[str]) -> FloatArray:
    return spoken(kind.alphabet, words)[0]


@each_kind
def test_a_command_is_taken_with_its_meaning(kind: Kind) -> None:
    words = (kind.words[0], kind.words[1])
    best, *others = finals(hybrid(kind, CERTAIN), Bias(grammars=(commands(kind),)), iter([said(kind, words)]))
    assert best.match is not None
    assert (best.match.grammar, best.match.intent, dict(best.match.slots)) == ("commands", "do", {"which": kind.words[1]})
    assert [word.text for word in best.words] == list(words)
    assert best.confidence == 1.0
    assert others[-1].match is None  # the open search's


@each_kind
def test_what_is_not_believed_stays_open_speech(kind: Kind) -> None:
    rows, bias = said(kind, (kind.words[1], kind.words[0])), Bias(grammars=(commands(kind),))
    assert finals(hybrid(kind, NEVER), bias, iter([rows])) == finals(hybrid(kind), Bias(), iter([rows]))


@each_kind
def test_a_closed_mode_has_a_sentence_or_nothing(kind: Kind) -> None:
    rows, bias = said(kind, (kind.words[0], kind.words[1])), Bias(grammars=(commands(kind),))
    taken = finals(hybrid(kind, CERTAIN, mode="closed"), bias, iter([rows]))
    refused = finals(hybrid(kind, NEVER, mode="closed"), bias, iter([rows]))
    assert taken[0].match
    assert (refused[0].text, refused[0].match, refused[0].words) == ("", None, ())
    assert refused[1].text == taken[0].text


@each_kind
def test_strictness_of_zero_takes_any_sentence(kind: Kind) -> None:
    bias = Bias(grammars=(commands(kind),))
    for seed in range(5):
        rows = noise(seed, 30, kind.alphabet)
        alone = finals(hybrid(kind, NEVER, mode="closed", strictness=0.0), bias, iter([rows]))
        assert alone[0].match
        assert finals(hybrid(kind, NEVER, strictness=0.0), bias, iter([rows]))[0].text == alone[0].text


@each_kind
def test_without_grammars_or_in_open_mode_it_is_the_open_search(kind: Kind) -> None:
    policy = SearchPolicy.of({"beam": 24})
    opened = KernelDecoder(kind.alphabet, TIMING, vocabulary(kind.alphabet, kind.words, policy), policy)
    rows = noise(3, 60, kind.alphabet)
    expected = opened.finish(opened.advance(opened.start(Bias()), rows))
    assert finals(hybrid(kind), Bias(), iter([rows])) == expected
    assert finals(hybrid(kind, mode="open"), Bias(grammars=(commands(kind),)), iter([rows])) == expected


@each_kind
@each_mode
@pytest.mark.parametrize("strictness", [0.0, 0.5])
def test_the_cutting_of_rows_changes_nothing(kind: Kind, mode: Mode, strictness: float) -> None:
    decoder, bias = hybrid(kind, mode=mode.value, strictness=strictness), Bias(grammars=(commands(kind),))
    for seed in range(4):
        rows = noise(seed, 90, kind.alphabet, spread=3.0)
        assert finals(decoder, bias, pieces(rows, seed)) == finals(decoder, bias, iter([rows]))


@each_kind
@each_mode
@pytest.mark.parametrize("acceptance", [CERTAIN, NEVER, Acceptance()], ids=["certain", "never", "uncalibrated"])
def test_what_was_stable_begins_the_result_whichever_search_wins(kind: Kind, mode: Mode, acceptance: Acceptance) -> None:
    decoder, bias = hybrid(kind, acceptance, mode=mode.value), Bias(grammars=(commands(kind),))
    grew = 0
    for seed in range(6):
        rows = np.concatenate((said(kind, kind.words[:3]), noise(seed, 60, kind.alphabet, spread=3.0)))
        state, stable = decoder.start(bias), ""
        for piece in pieces(rows, seed):
            state = decoder.advance(state, piece)
            partial = decoder.partial(state)
            assert partial.stable.startswith(stable)
            assert partial.text.startswith(partial.stable)
            stable = partial.stable
        grew += bool(stable)
        assert decoder.finish(state)[0].text.startswith(stable)
    assert grew or mode is not Mode.OPEN


def test_silence_is_no_command() -> None:
    rows = np.log(np.full((30, 5), 1e-6, np.float32))
    rows[:, SPACED.alphabet.blank] = np.log(1 - 4e-6)
    for mode in Mode:
        assert finals(hybrid(SPACED, CERTAIN, mode=mode.value), Bias(grammars=(commands(SPACED),)), iter([rows]))[0].text == ""
    assert finals(hybrid(SPACED, CERTAIN), Bias(grammars=(commands(SPACED),)), iter([]))[0].text == ""


def test_two_grammars_are_searched_together() -> None:
    other = GraphBuilder()
    other.words(START, "too too", FINAL)
    bias = Bias(grammars=(commands(SPACED), grammar("other", {"again": "again"}, {"again": other.build()})))
    for words, name in ((("a", "at"), "commands"), (("too", "too"), "other")):
        best = finals(hybrid(SPACED, CERTAIN), bias, iter([said(SPACED, words)]))[0]
        assert best.match
        assert best.match.grammar == name


@pytest.mark.parametrize("settings", [{"mode": "both"}, {"strictness": 1.5}, {"strictness": float("nan")}, {"strictnes": 0.5}, {"mode": 1}])
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"^grammar: "):
        GrammarPolicy.of(settings)


@pytest.mark.parametrize("mode", [Mode.HYBRID, Mode.CLOSED])
def test_a_search_that_is_hopelessly_behind_is_given_up_but_not_where_it_is_the_only_one(mode: Mode) -> None:
    decoder, bias = hybrid(SPACED, CERTAIN, mode=mode.value), Bias(grammars=(commands(SPACED),))
    rows = said(SPACED, ("tat", "too", "o") * 30)
    found = finals(decoder, bias, pieces(rows, 1))
    assert found == finals(decoder, bias, iter([rows]))
    assert (found[0].match is None) == (mode is Mode.HYBRID)


class TestAcceptance:
    """Evidence in, a probability out."""

    @staticmethod
    def hypothesis(text: str, score: float) -> Hypothesis:
        return Hypothesis(text, tuple(Word(word, 0.0, 0.0, 0.5) for word in text.split()), 0.5, score)

    def test_evidence_is_counted_in_nats_and_characters(self) -> None:
        sentences = [self.hypothesis("turn on", -5.0), self.hypothesis("turn off", -9.0)]
        assert evidence(sentences, self.hypothesis("turn", -2.0)) == pytest.approx(
            {"behind": 3.0, "behind_per_character": 0.5, "lead": 4.0, "log_characters": np.log(6), "longer": 2.0}
        )

    def test_a_sentence_without_rivals_leads_by_the_most_that_counts(self) -> None:
        found = evidence([self.hypothesis("on", -5.0), self.hypothesis("on", -6.0)], self.hypothesis("", -2.0))
        assert found["lead"] == 30.0

    def test_a_better_fit_is_surer(self) -> None:
        behind = [
            Acceptance().probability([self.hypothesis("turn on", -score)], self.hypothesis("turn on", 0.0)) for score in (0, 5, 20, 1e6)
        ]
        assert behind == sorted(behind, reverse=True)
        assert 0 <= behind[-1] < behind[0] <= 1

    def test_no_words_are_no_sentence(self) -> None:
        assert CERTAIN.probability([self.hypothesis("", 0.0)], self.hypothesis("on", 0.0)) == 0.0

    @pytest.mark.parametrize("weights", [{"behin": 1.0}, {"bias": "1"}, {"bias": float("inf")}, {"lead": None}])
    def test_weights_of_a_bundle_are_checked(self, weights: dict[str, Any]) -> None:
        with pytest.raises(BundleError, match=r"calibration\.acceptance: "):
            Acceptance.of(manifest({"acceptance": weights}))

    def test_weights_of_a_bundle_are_used(self) -> None:
        assert Acceptance.of(manifest({"acceptance": dict.fromkeys(KNOWN, 0.5)})).weights == dict.fromkeys(KNOWN, 0.5)
        assert Acceptance.of(manifest({})) == Acceptance()


def manifest(calibration: dict[str, Any]) -> Any:
    from ds_engine.bundle import Bundle

    bundled = Bundle.open(Path(__file__).parents[3] / "ds_plugin" / "bundles" / "en-small").manifest
    section = replace(bundled.calibration, values={**calibration})
    return replace(bundled, calibration=section)


def test_an_alphabet_without_spaces_shares_characters() -> None:
    assert isinstance(JOINED.alphabet, Alphabet)
    assert hybrid(JOINED)._shared("abc", "abd") == "ab"
    assert hybrid(SPACED)._shared("turn on", "turn off") == "turn"


class TestAttention:
    """What an endpointer is told."""

    @staticmethod
    def after(decoder: HybridDecoder, kind: Kind, words: Sequence[str], silence: int) -> Any:
        rows = said(kind, words)
        quiet = np.full((silence, len(kind.alphabet.symbols)), -12.0, np.float32)
        quiet[:, kind.alphabet.blank] = 0.0
        state = decoder.start(Bias(grammars=(commands(kind),)))
        for piece in pieces(np.concatenate((rows, quiet)), seed=len(words)):
            state = decoder.advance(state, piece)
        return decoder.attention(state)

    @each_kind
    def test_a_sentence_is_finished_when_no_word_can_follow(self, kind: Kind) -> None:
        found = self.after(hybrid(kind, CERTAIN), kind, kind.words[:2], 5)
        assert (found.words, found.sentence) == (2, Sentence.FINISHED)
        assert found.trailing == pytest.approx(0.04 * 6)  # one silent row belongs to what was said

    @each_kind
    def test_a_sentence_is_incomplete_while_words_are_missing(self, kind: Kind) -> None:
        assert self.after(hybrid(kind, CERTAIN), kind, kind.words[:1], 5).sentence is Sentence.INCOMPLETE

    @each_kind
    def test_what_is_no_sentence_is_no_reason_to_stop(self, kind: Kind) -> None:
        assert self.after(hybrid(kind), kind, (kind.words[1], kind.words[2], kind.words[1]), 5).sentence is Sentence.UNKNOWN

    @each_kind
    def test_open_speech_has_words_and_silence_alone(self, kind: Kind) -> None:
        found = self.after(hybrid(kind, mode="open"), kind, kind.words[:2], 3)
        assert (found.words, found.sentence) == (2, Sentence.UNKNOWN)

    def test_every_kernel_decoder_is_attentive(self) -> None:
        assert isinstance(hybrid(SPACED), Attentive)
