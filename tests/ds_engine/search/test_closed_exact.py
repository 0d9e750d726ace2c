"""Closed grammars in the kernel against enumeration: texts, scores, order and meaning, however the rows are cut."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ds_engine.alphabet import Alphabet
from ds_engine.bias import Bias, Phrase, Pronunciation
from ds_engine.decoder import Timing
from ds_engine.grammar.builder import GraphBuilder, grammar
from ds_engine.grammar.graph import FINAL, START, Begin, Call, End, Grammar, Skip, Spoken, Wildcard
from ds_engine.search.closed import WILDCARD
from ds_engine.search.closed_decoder import ClosedDecoder
from ds_engine.search.decoder import KernelDecoder
from ds_engine.search.phrases import Phrases
from ds_engine.search.vocabulary import Vocabulary
from tests.ds_engine.search.enumeration import Words, enumerate_texts
from tests.ds_engine.search.test_kernel_exact import EXACT, KINDS, SPACED, Kind, check, decoded, matrix, spelled, weigher
from tests.ds_engine.tables import TableModel, source

CASES = 40  # of each kind

Sentences = dict[Words, float]  # and the nats that each gains


def drawn(random: np.random.Generator, words: tuple[str, ...]) -> Sentences:
    """A handful of sentences of one to three words."""
    found = {}
    for _ in range(int(random.integers(1, 7))):
        sentence = tuple(words[place] for place in random.integers(0, len(words), int(random.integers(1, 4))))
        found[sentence] = round(float(random.choice([0.0, 0.0, 1.5, -2.0])), 3)
    return found


def of_sentences(sentences: Sentences) -> Grammar:
    """Each sentence an intent of its own, its words in a slot."""
    graphs, intents = {}, {}
    for number, (words, weight) in enumerate(sentences.items()):
        graph = GraphBuilder()
        first, last = graph.node(), graph.node()
        graph.add(START, Begin("all"), first, weight)
        graph.words(first, " ".join(words), last)
        graph.add(last, End(), FINAL)
        graphs[f"graph {number}"], intents[f"intent {number}"] = graph.build(), f"graph {number}"
    return grammar("test", intents, graphs)


def of_list(values: tuple[str, ...], after: str) -> Grammar:
    """`after`, or not; then one or two values of a list."""
    values_graph, sentence = GraphBuilder(), GraphBuilder()
    for value in values:
        values_graph.words(START, value, FINAL)
    middle, second = sentence.node(), sentence.node()
    sentence.add(START, Spoken(after), middle)
    sentence.add(START, Skip(), middle)
    sentence.add(middle, Call("values"), FINAL)
    sentence.add(middle, Call("values"), second)
    sentence.add(second, Call("values"), FINAL)
    return grammar("lists", {"say": "sentence"}, {"values": values_graph.build(), "sentence": sentence.build()}, ["values"])


def closed(kind: Kind, model: TableModel, **changes: object) -> ClosedDecoder:
    policy = replace(EXACT, **changes)  # type: ignore[arg-type]
    return ClosedDecoder(kind.alphabet, Timing(0.04), opened(kind, model), policy)


def opened(kind: Kind, model: TableModel) -> KernelDecoder:
    return KernelDecoder(kind.alphabet, Timing(0.04), Vocabulary(kind.alphabet, source(model), EXACT), EXACT)


def only(weigh: Callable[[Words], float], allowed: Callable[[Words], float | None]) -> Callable[[Words], float | None]:
    def weighed(words: Words) -> float | None:
        gained = allowed(words)
        return None if gained is None else weigh(words) + gained

    return weighed


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("look_ahead", [True, False])
def test_the_sentences_of_a_grammar_and_no_others(kind: Kind, *, look_ahead: bool) -> None:
    random = np.random.default_rng(len(kind.words))
    heard = 0
    for case in range(CASES):
        known = kind.words[: len(kind.words) - case % 3]  # the language model need not know all words of a grammar
        model = TableModel(known, case)
        sentences = drawn(random, kind.words)
        rows = matrix(random, int(random.integers(1, kind.rows + 1)), len(kind.alphabet.symbols))
        weigh = only(weigher(model, EXACT, Phrases(()), lambda word: 0.0), sentences.get)
        expected = enumerate_texts(rows, kind.alphabet, spelled(kind.alphabet, kind.words), weigh)
        bias = Bias(grammars=(of_sentences(sentences),))
        found = decoded(closed(kind, model, look_ahead=look_ahead), rows, bias, random)
        if expected:
            check(found, expected, kind.alphabet)
            assert found[0].match
            assert found[0].match.slots == {"all": " ".join(word.text for word in found[0].words)}
            heard += 1
        else:
            assert [one.text for one in found] == [""]
            assert found[0].match is None
    assert heard > CASES // 4


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_lists_overlap_with_words_and_each_other(kind: Kind) -> None:
    random = np.random.default_rng(5)
    for case in range(CASES):
        first, second, third = kind.words[:3]
        one, other = of_list((first, second, f"{second} {third}"), first), of_list((second, third), second)
        allowed = {
            words
            for values, after in (((first, second, f"{second} {third}"), first), ((second, third), second))
            for words in said(values, after)
        }
        model = TableModel(kind.words, case)
        rows = matrix(random, kind.rows, len(kind.alphabet.symbols))
        weigh = only(weigher(model, EXACT, Phrases(()), lambda word: 0.0), lambda words, allowed=allowed: 0.0 if words in allowed else None)  # type: ignore[misc]
        expected = enumerate_texts(rows, kind.alphabet, spelled(kind.alphabet, kind.words), weigh)
        check(decoded(closed(kind, model), rows, Bias(grammars=(one, other)), random), expected, kind.alphabet)


def said(values: tuple[str, ...], after: str) -> set[Words]:
    bodies = [*values, *(f"{one} {other}" for one in values for other in values)]
    return {tuple(text.split()) for body in bodies for text in (body, f"{after} {body}")}


@pytest.mark.parametrize("kind", [KINDS[name] for name in ("spaced", "pieced", "bytes")], ids=("spaced", "pieced", "bytes"))
def test_a_wildcard_is_open_speech_within_a_sentence(kind: Kind) -> None:
    random = np.random.default_rng(6)
    graph = GraphBuilder()
    before, wild, after = graph.node(), graph.node(), graph.node()
    graph.words(START, kind.words[0], before)
    graph.add(before, Begin("what"), wild)
    graph.add(wild, Wildcard(), after)
    graph.add(after, End(), FINAL)
    graph.words(before, kind.words[1], FINAL)  # as a sentence it is also one of the wildcard's
    grammars = (grammar("wild", {"say": "graph"}, {"graph": graph.build()}),)
    for case in range(CASES):
        model = TableModel(kind.words, case)
        rows = matrix(random, kind.rows, len(kind.alphabet.symbols))
        weigh = only(
            weigher(model, EXACT, Phrases((Phrase(kind.words[1], 1.0),)), lambda word: 0.0),
            lambda words: gained(words, kind.words),
        )
        expected = enumerate_texts(rows, kind.alphabet, spelled(kind.alphabet, kind.words), weigh)
        found = decoded(closed(kind, model), rows, Bias((Phrase(kind.words[1], 1.0),), grammars=grammars), random)
        check(found, expected, kind.alphabet)
        rest = " ".join(word.text for word in found[0].words[1:])
        assert found[0].match
        assert found[0].match.slots == ({} if rest == kind.words[1] else {"what": rest})


def gained(words: Words, known: tuple[str, ...]) -> float | None:
    """The second word, when it begins a wildcard of more words, is the grammar's own word there and costs what such a one costs."""
    if len(words) < 2 or words[0] != known[0]:
        return None
    return WILDCARD if words[1] == known[1] and len(words) > 2 else 0.0


def test_a_word_that_is_said_otherwise() -> None:
    """ "tv" as "t a", beside "t" and "a" as words of the other sentence."""
    random = np.random.default_rng(3)
    spellings = spelled(SPACED, ("t", "a"))
    kind = Kind(SPACED, ("t", "a", "tv"), 6)
    sentences = {("tv",): 0.0, ("t", "a"): -0.5, ("a", "tv"): 0.25}
    for case in range(CASES):
        model = TableModel(kind.words, case)
        rows = matrix(random, 6, len(SPACED.symbols))
        plain = weigher(model, EXACT, Phrases(()), lambda word: 0.0)
        heard = enumerate_texts(rows, SPACED, spellings, lambda words: 0.0)  # by what is said
        expected: dict[Words, float] = {
            text: heard[spoken] + plain(text) + sentences[text]
            for text, spoken in ((("tv",), ("t", "a")), (("t", "a"), ("t", "a")), (("a", "tv"), ("a", "t", "a")))
            if spoken in heard
        }
        bias = Bias(pronunciations=(Pronunciation("tv", "t a"),), grammars=(of_sentences(sentences),))
        check(decoded(closed(kind, model), rows, bias, random), expected, SPACED)


def test_no_language_model_is_needed() -> None:
    random = np.random.default_rng(4)
    for _ in range(CASES):
        sentences = drawn(random, KINDS["spaced"].words)
        rows = matrix(random, 6, len(SPACED.symbols))
        expected = enumerate_texts(rows, SPACED, spelled(SPACED, KINDS["spaced"].words), sentences.get)
        found = decoded(
            ClosedDecoder(SPACED, Timing(0.04), KernelDecoder(SPACED, Timing(0.04), None, EXACT), EXACT),
            rows,
            Bias(grammars=(of_sentences(sentences),)),
            random,
        )
        if expected:
            check(found, expected, SPACED)


def test_what_an_alphabet_cannot_write_is_not_heard() -> None:
    rows = np.log(np.full((5, len(SPACED.symbols)), 1 / len(SPACED.symbols), np.float32))
    decoder = ClosedDecoder(SPACED, Timing(0.04), KernelDecoder(SPACED, Timing(0.04), None, EXACT), EXACT)
    found = decoder.finish(decoder.advance(decoder.start(Bias(grammars=(of_sentences({("xyz",): 0.0, ("a", "xyz"): 0.0}),))), rows))
    assert [(one.text, one.match) for one in found] == [("", None)]
    assert all(math.isfinite(one.score) for one in found)


def test_letters_that_an_alphabet_marks_begin_words_inside_a_pronunciation_too() -> None:
    alphabet: Alphabet = KINDS["pieced"].alphabet
    assert alphabet.spell_together("a b") == ((1, 2),)
    assert SPACED.spell_together(" t  a ") == ((3, 1, 2),)
    assert SPACED.spell_together("t x") == ()
