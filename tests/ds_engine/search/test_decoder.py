"""The kernel behind the decoder contract, over long and hostile utterances. What holds for any decoder is in test_decoder_contract."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.alphabet import Alphabet, Boundary, BoundaryRule
from ds_engine.bias import Bias, Phrase
from ds_engine.decoder import Timing
from ds_engine.features import FloatArray
from ds_engine.search.alignment import align
from ds_engine.search.decoder import FORGET_HISTORIES, SETTLE_ROWS, KernelDecoder
from ds_engine.search.language import Said
from ds_engine.search.policy import SearchPolicy
from ds_engine.transcript import Hypothesis
from tests.ds_engine.tables import vocabulary

STEP = 0.04  # s
NO_BIAS = Bias()


@dataclass(frozen=True)
class Kind:
    """An alphabet and the words of its lexicon."""

    alphabet: Alphabet
    words: tuple[str, ...]


SPACED = Kind(Alphabet(("_", " ", "a", "t", "o")), ("a", "at", "tat", "to", "ta", "o", "too"))
PIECED = Kind(Alphabet(("_", "▁a", "▁b", "a", "b"), boundary=Boundary(BoundaryRule.WORD_INITIAL, "▁")), ("a", "ab", "ba", "bb", "aba"))
MIXED = Kind(
    Alphabet(("▁", "_", "▁a", "a", "ba", "?"), blank=1, ignored=frozenset({5}), boundary=Boundary(BoundaryRule.WORD_INITIAL, "▁")),
    ("a", "aa", "aba", "ba"),
)
JOINED = Kind(Alphabet(("_", "a", "b", "c"), boundary=Boundary(BoundaryRule.NONE, "")), ("a", "ab", "b", "bc", "abc", "cc"))
BYTED = Kind(Alphabet(("_", " ", "a", "\xc3", "\xa9"), bytes_mode=True), ("a", "é", "aé", "éa"))
CROWDED = Kind(Alphabet(("_", " ", "a", "t", *map(chr, range(0x100, 0x121))), ignored=frozenset(range(4, 37))), ("a", "at", "tat"))
KINDS = {"spaced": SPACED, "pieced": PIECED, "mixed": MIXED, "joined": JOINED, "bytes": BYTED, "many ignored symbols": CROWDED}
POLICIES: dict[str, dict[str, Any]] = {
    "known words": {},
    "unknown words": {"unknown": 0.5},
    "exact": {"recombine": False, "unknown": 1.0},
    "no look-ahead, no skipping": {"look_ahead": False, "skip": 2.0},
}

each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
each_policy = pytest.mark.parametrize("changes", POLICIES.values(), ids=POLICIES)


def decoder_of(kind: Kind, *, seed: int = 0, words: Sequence[str] | None = None, **changes: Any) -> KernelDecoder:
    policy = SearchPolicy.of({"beam": 24}, changes)
    known = kind.words if words is None else tuple(words)
    return KernelDecoder(kind.alphabet, Timing(STEP), vocabulary(kind.alphabet, known, policy, seed), policy)


def noise(seed: int, rows: int, alphabet: Alphabet, spread: float = 1.5) -> FloatArray:
    logits = np.random.default_rng(seed).normal(0, spread, (rows, len(alphabet.symbols)))
    if alphabet.ignored:
        logits[:, sorted(alphabet.ignored)] -= 3
    result: FloatArray = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
    return result


def spoken(
    alphabet: Alphabet, words: Sequence[str], seed: int = 0, spread: float = 0.0, sure: float = 6.0
) -> tuple[FloatArray, list[tuple[int, int]]]:
    """Rows in which `words` are said, each symbol two rows and a blank, `sure` nats over all else, and the first and last row of each."""
    path: list[int] = []
    places = []
    for number, word in enumerate(words):
        if number and alphabet.separator is not None:
            path += [alphabet.separator, alphabet.blank]
        symbols = [column for symbol in alphabet.spell(word)[0] for column in (symbol, symbol, alphabet.blank)]
        places.append((len(path), len(path) + len(symbols) - 2))
        path += symbols
    logits = np.random.default_rng(seed).normal(0, 1, (len(path), len(alphabet.symbols))) * spread
    logits[np.arange(len(path)), path] += sure
    rows: FloatArray = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
    return rows, places


def pieces(rows: FloatArray, seed: int) -> Iterator[FloatArray]:
    """The rows in pieces of none to sixty."""
    random, position = np.random.default_rng(seed), 0
    while position < len(rows):
        size = int(random.choice([0, 1, 1, 2, 3, 7, 24, 25, 26, 60]))
        yield rows[position : position + size]
        position += size


def decoded(decoder: KernelDecoder, rows: FloatArray, bias: Bias = NO_BIAS) -> tuple[Hypothesis, ...]:
    return decoder.finish(decoder.advance(decoder.start(bias), rows))


def check(found: tuple[Hypothesis, ...], rows: int, alphabet: Alphabet) -> None:
    """What every result must be."""
    assert found
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert len({one.text for one in found}) == len(found)
    for one in found:
        assert one.text == alphabet.join(word.text for word in one.words)
        times = [time for word in one.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert all(0 <= time <= max(rows, 1) * STEP + 1e-9 for time in times)
        assert all(0 <= confidence <= 1 for confidence in (one.confidence, *(word.confidence for word in one.words)))
        assert math.isfinite(one.score)


class TestLongUtterances:
    """Minutes of noise: everything is uncertain, and the state is tidied up many times."""

    @each_kind
    @each_policy
    def test_the_cutting_of_rows_changes_nothing_to_the_last_bit(self, kind: Kind, changes: dict[str, Any]) -> None:
        decoder, rows, bias = decoder_of(kind, **changes), noise(1, 300, kind.alphabet), Bias((Phrase(" ".join(kind.words[:2]), 2.0),))
        state, whole = decoder.start(bias), decoder.start(bias)
        for piece in pieces(rows, 2):
            state = decoder.advance(state, piece)
            decoder.partial(state)
        found = decoder.finish(state)
        assert found == decoder.finish(decoder.advance(whole, rows))
        check(found, len(rows), kind.alphabet)

    def test_nor_does_it_over_several_compactions(self) -> None:
        for kind, unknown, recombine in ((SPACED, 0.5, True), (PIECED, 0.5, False), (JOINED, -1.0, False)):
            decoder, rows = decoder_of(kind, beam=48, unknown=unknown, recombine=recombine), noise(3, 1800, kind.alphabet)
            state, sizes = decoder.start(NO_BIAS), []
            for piece in pieces(rows, 4):
                state = decoder.advance(state, piece)
                sizes.append(len(state.language))
            assert sum(after < before for before, after in itertools.pairwise(sizes)) >= 2
            assert decoder.finish(state) == decoded(decoder, rows)

    @each_kind
    @each_policy
    def test_stable_text_only_grows_and_begins_every_later_text(self, kind: Kind, changes: dict[str, Any]) -> None:
        decoder, stable = decoder_of(kind, **changes), ""
        state, rows = decoder.start(NO_BIAS), noise(5, 400, kind.alphabet)
        for position in range(0, len(rows), 4):
            state = decoder.advance(state, rows[position : position + 4])
            partial = decoder.partial(state)
            assert partial.stable.startswith(stable)
            assert partial.text.startswith(partial.stable)
            stable = partial.stable
        best = decoder.finish(state)[0]
        assert best.text.startswith(stable)
        assert stable

    @pytest.mark.parametrize(
        ("kind", "changes", "minutes"),
        [(SPACED, {}, 10), (PIECED, {"unknown": 0.5, "recombine": False}, 4)],
        ids=["known words", "exact, unknown words"],
    )
    def test_ten_minutes_need_no_more_memory_than_one(self, kind: Kind, changes: dict[str, Any], minutes: int) -> None:
        decoder, sizes = decoder_of(kind, beam=8, **changes), []
        state = decoder.start(NO_BIAS)
        for minute in range(minutes):
            rows = noise(minute, 1500, kind.alphabet)
            for position in range(0, len(rows), SETTLE_ROWS):
                state = decoder.advance(state, rows[position : position + SETTLE_ROWS])
                assert len(state.language) <= FORGET_HISTORIES + SETTLE_ROWS * 8 * 2
            sizes.append(held(state))
        assert len(state.timeline.settled) > 50 * minutes
        assert max(sizes[minutes // 2 :]) < 3 * max(sizes[: minutes // 2])

    def test_finishing_does_not_end_an_utterance(self) -> None:
        decoder, rows = decoder_of(SPACED), noise(6, 300, SPACED.alphabet)
        state = decoder.start(NO_BIAS)
        for position in range(0, len(rows), 40):
            state = decoder.advance(state, rows[position : position + 40])
            assert decoder.finish(state) == decoder.finish(state) == decoded(decoder, rows[: position + 40])


def held(state: Any, without: tuple[str, ...] = ()) -> int:
    """How much a state holds on to: the lengths of all its containers, but for the words that are settled."""
    seen: set[int] = set()
    return size_of(state, seen, without) + sum(size_of(automaton, seen, without) for automaton in state.layers.automata)


def size_of(value: Any, seen: set[int], without: tuple[str, ...]) -> int:
    if id(value) in seen:
        return 0
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        return int(value.size)
    if isinstance(value, dict | list | set):
        return len(value)
    if type(value).__module__.startswith("ds_engine.search"):
        names = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())] or list(vars(value))
        return sum(size_of(getattr(value, name), seen, without) for name in names if name not in {"settled", *without})
    return 0


class TestTimes:
    """Words lie where they were said."""

    @each_kind
    @pytest.mark.parametrize("unknown", [-1.0, 0.5])
    def test_of_certain_rows_words_have_exactly_their_own(self, kind: Kind, unknown: float) -> None:
        """Words that are settled on the way, and words that are found at the end; those of JOINED are one symbol each, to be sure."""
        words = [word for word in kind.words if kind is not JOINED or len(word) == 1]
        said = np.random.default_rng(0).choice(words, 60).tolist()
        rows, places = spoken(kind.alphabet, said, sure=12.0)
        best = decoded(decoder_of(kind, unknown=unknown, words=words), rows)[0]
        assert [word.text for word in best.words] == said
        assert [word.start for word in best.words] == pytest.approx([first * STEP for first, _ in places])
        assert [word.end for word in best.words] == pytest.approx([(last + 1) * STEP for _, last in places])
        assert all(word.confidence > 0.99 for word in best.words)

    @pytest.mark.parametrize("kind", [SPACED, PIECED, BYTED], ids=["spaced", "pieced", "bytes"])
    @pytest.mark.parametrize("spread", [1.0, 2.5, 4.0])
    def test_words_that_are_settled_early_lie_where_the_whole_utterance_has_them(self, kind: Kind, spread: float) -> None:
        said = np.random.default_rng(0).choice(kind.words, 80).tolist()
        rows, _ = spoken(kind.alphabet, said, 1, spread)
        best = decoded(decoder_of(kind), rows)[0]
        reading = [Said(word.text, kind.alphabet.spell(word.text)[0]) for word in best.words]
        expected = [(span.first * STEP, (span.last + 1) * STEP) for span in align(rows, [reading], kind.alphabet)[0]]
        late = [max(abs(word.start - first), abs(word.end - last)) for word, (first, last) in zip(best.words, expected, strict=True)]
        assert max(late) < 2.0
        assert float(np.mean(late)) < 0.1

    def test_what_is_kept_of_the_rows_is_what_is_not_settled(self) -> None:
        decoder, rows = decoder_of(SPACED), noise(7, 1500, SPACED.alphabet)
        state, kept = decoder.start(NO_BIAS), []
        for position in range(0, len(rows), SETTLE_ROWS):
            state = decoder.advance(state, rows[position : position + SETTLE_ROWS])
            kept.append(size_of(state.timeline, set(), ()))
        assert max(kept) < 1000

    def test_an_utterance_that_ends_within_a_word_keeps_the_words_before(self) -> None:
        rows, places = spoken(SPACED.alphabet, ["to", "at", "tat"], sure=12.0)
        cut = rows[: places[2][0] + 5]  # "ta" of "tat"
        for unknown, words in ((-1.0, ("to", "at", "tat")), (0.5, ("to", "at", "tat"))):
            decoder = decoder_of(SPACED, unknown=unknown, words=words)
            state = decoder.advance(decoder.start(NO_BIAS), cut)
            assert decoder.partial(state).text == "to at ta"
            best = decoder.finish(state)[0]
            assert best.text.startswith("to at")
            assert [word.start for word in best.words[:2]] == pytest.approx([places[0][0] * STEP, places[1][0] * STEP])
            check(decoder.finish(state), len(cut), SPACED.alphabet)

    @pytest.mark.parametrize("kind", [SPACED, PIECED, MIXED, BYTED], ids=["spaced", "pieced", "mixed", "bytes"])
    def test_an_utterance_may_end_anywhere(self, kind: Kind) -> None:
        rows, _ = spoken(kind.alphabet, kind.words, 1, 1.5)
        for unknown in (-1.0, 0.5):
            decoder = decoder_of(kind, unknown=unknown)
            for end in range(len(rows) + 1):
                check(decoded(decoder, rows[:end]), end, kind.alphabet)


STRANGE: dict[str, Callable[[FloatArray, np.random.Generator], None]] = {}


def strange(change: Callable[[FloatArray, np.random.Generator], None]) -> Callable[[FloatArray, np.random.Generator], None]:
    STRANGE[change.__name__.replace("_", " ")] = change
    return change


@strange
def some_nan(rows: FloatArray, random: np.random.Generator) -> None:
    rows[random.random(rows.shape) < 0.2] = math.nan


@strange
def rows_of_nan(rows: FloatArray, random: np.random.Generator) -> None:
    rows[random.random(len(rows)) < 0.3] = math.nan


@strange
def nothing_but_nan(rows: FloatArray, random: np.random.Generator) -> None:
    rows[:] = math.nan


@strange
def some_minus_infinity(rows: FloatArray, random: np.random.Generator) -> None:
    rows[random.random(rows.shape) < 0.5] = -math.inf


@strange
def rows_of_minus_infinity(rows: FloatArray, random: np.random.Generator) -> None:
    rows[random.random(len(rows)) < 0.3] = -math.inf


@strange
def nothing_but_minus_infinity(rows: FloatArray, random: np.random.Generator) -> None:
    rows[:] = -math.inf


@strange
def some_infinity(rows: FloatArray, random: np.random.Generator) -> None:
    rows[random.random(rows.shape) < 0.2] = math.inf


@strange
def huge(rows: FloatArray, random: np.random.Generator) -> None:
    rows[random.random(rows.shape) < 0.2] = 1e30


@strange
def logits_instead_of_log_probs(rows: FloatArray, random: np.random.Generator) -> None:
    rows += 100.0


@strange
def hugely_negative(rows: FloatArray, random: np.random.Generator) -> None:
    rows[random.random(rows.shape) < 0.5] = -3e38


@strange
def a_little_above_one(rows: FloatArray, random: np.random.Generator) -> None:
    rows[random.random(rows.shape) < 0.2] = 1e-6


@strange
def no_blank(rows: FloatArray, random: np.random.Generator) -> None:
    rows[:, 0] = -math.inf


class TestStrangeRows:
    """Nothing a model may write crashes a search."""

    @each_kind
    @pytest.mark.parametrize("change", STRANGE.values(), ids=STRANGE)
    def test_rows_that_are_no_probabilities_are_no_trouble(
        self, kind: Kind, change: Callable[[FloatArray, np.random.Generator], None]
    ) -> None:
        rows = noise(9, 150, kind.alphabet, 3.0)
        change(rows, np.random.default_rng(0))
        given_rows = rows.copy()
        for decoder in (decoder_of(kind, unknown=0.5), decoder_of(kind, recombine=False, threshold=700.0, beam=8)):
            found = decoded(decoder, rows)
            check(found, len(rows), kind.alphabet)
            assert np.array_equal(rows, given_rows, equal_nan=True)

    @pytest.mark.parametrize("kind", [SPACED, PIECED], ids=["spaced", "pieced"])
    def test_a_row_of_nan_is_a_row_in_which_nothing_was_heard(self, kind: Kind) -> None:
        rows, _ = spoken(kind.alphabet, kind.words[:3])
        with_nan = np.insert(rows, 12, math.nan, axis=0)
        assert decoded(decoder_of(kind), with_nan)[0].text == decoded(decoder_of(kind), rows)[0].text == " ".join(kind.words[:3])

    @each_kind
    def test_blanks_alone_say_nothing(self, kind: Kind) -> None:
        for probability in (0.9, 1.0):
            blanks = np.full((400, len(kind.alphabet.symbols)), -25.0, np.float32)
            blanks[:, kind.alphabet.blank] = math.log(probability)
            state = (decoder := decoder_of(kind, unknown=0.5)).start(NO_BIAS)
            for piece in pieces(blanks, 0):
                state = decoder.advance(state, piece)
                assert decoder.partial(state).text == ""
            best = decoder.finish(state)[0]
            assert (best.text, best.words, best.confidence) == ("", (), 0.0)

    @each_kind
    def test_no_rows_say_nothing(self, kind: Kind) -> None:
        decoder = decoder_of(kind)
        state = decoder.advance(decoder.start(NO_BIAS), np.zeros((0, len(kind.alphabet.symbols)), np.float32))
        assert [one.text for one in decoder.finish(state)] == [""]
        assert decoder.partial(state).text == ""

    @pytest.mark.parametrize("columns", ["C", "F", "reversed", "strided"])
    def test_the_layout_of_the_rows_in_memory_does_not_matter(self, columns: str) -> None:
        for kind in (SPACED, CROWDED):
            rows = noise(11, 200, kind.alphabet)
            wide = np.zeros((200, 2 * rows.shape[1]), np.float32)
            wide[:, ::2] = rows
            laid = {"C": rows, "F": np.asfortranarray(rows), "reversed": rows[::-1].copy()[::-1], "strided": wide[:, ::2]}[columns]
            assert np.array_equal(laid, rows)
            assert decoded(decoder_of(kind), laid) == decoded(decoder_of(kind), rows)

    @settings(max_examples=40, deadline=None)
    @given(
        st.sampled_from(sorted(KINDS)),
        st.integers(0, 2**16),
        st.fixed_dictionaries(
            {
                "alpha": st.floats(0, 10),
                "beta": st.floats(-20, 20),
                "beam": st.integers(1, 40),
                "threshold": st.one_of(st.floats(0, 20), st.just(700.0)),
                "skip": st.floats(0.5, 2),
                "unknown": st.floats(-1, 10),
                "alternatives": st.integers(1, 100),
                "recombine": st.booleans(),
                "look_ahead": st.booleans(),
                "sentence_end": st.booleans(),
            }
        ),
    )
    def test_any_policy_gives_a_result(self, name: str, seed: int, changes: dict[str, Any]) -> None:
        kind = KINDS[name]
        rows = noise(seed, 60, kind.alphabet, 0.5 + seed % 4)
        bias = Bias((Phrase("ab ba", 20.0), Phrase(kind.words[0], -20.0), Phrase("tao o", 20.0)))
        decoder = decoder_of(kind, seed=seed, **changes)
        state, stable = decoder.start(bias), ""
        for piece in pieces(rows, seed):
            state = decoder.advance(state, piece)
            partial = decoder.partial(state)
            assert partial.stable.startswith(stable)
            assert partial.text.startswith(partial.stable)
            stable = partial.stable
        found = decoder.finish(state)
        check(found, len(rows), kind.alphabet)
        assert len(found) <= changes["alternatives"]
        assert found[0].text.startswith(stable)
        assert found == decoded(decoder, rows, bias)


class TestVocabularies:
    """Lexicons and biases at the borders."""

    @each_policy
    def test_a_lexicon_without_words_hears_nothing_or_spells(self, changes: dict[str, Any]) -> None:
        for alpha in (0.0, 0.8):
            decoder = decoder_of(SPACED, words=(), alpha=alpha, **changes)
            rows, _ = spoken(SPACED.alphabet, ["tat", "o"])
            found = decoded(decoder, rows)
            check(found, len(rows), SPACED.alphabet)
            assert (found[0].text == "tat o") == ("unknown" in changes)

    def test_two_biases_run_side_by_side_as_they_do_alone(self) -> None:
        """More biases than compiled forms are remembered, each over rows of its own, and rows of all in turn."""
        decoder = decoder_of(SPACED, words=SPACED.words[:3], unknown=0.5)
        biases = [Bias((Phrase("to o", float(number % 5)), Phrase("otto" + "t" * number, 3.0))) for number in range(20)]
        every = [noise(number, 60, SPACED.alphabet, 3.0) for number in range(20)]
        states = [decoder.start(bias) for bias in biases]
        for position in range(0, 60, 10):
            states = [decoder.advance(state, rows[position : position + 10]) for state, rows in zip(states, every, strict=True)]
        for state, bias, rows in zip(states, biases, every, strict=True):
            fresh = decoder_of(SPACED, words=SPACED.words[:3], unknown=0.5)
            assert decoder.finish(state) == decoded(fresh, rows, bias) == decoded(decoder, rows, bias)

    def test_a_name_that_may_be_spelled_too_is_said_once(self) -> None:
        """A named word is known: free spelling gives way to it, and the text is no alternative of itself."""
        rows, _ = spoken(SPACED.alphabet, ["to", "otot"], 0, 1.0)
        found = decoded(decoder_of(SPACED, unknown=0.1), rows, Bias((Phrase("otot", 5.0),)))
        assert found[0].text == "to otot"
        plain = decoded(decoder_of(SPACED, unknown=0.1), rows)
        assert plain[0].text == "to otot"
        assert found[0].score > plain[0].score

    def test_a_word_of_the_bias_that_the_lexicon_has_is_no_second_word(self) -> None:
        rows, _ = spoken(SPACED.alphabet, ["to", "at"], 0, 1.0)
        plain, named = decoded(decoder_of(SPACED), rows), decoded(decoder_of(SPACED), rows, Bias((Phrase("at"), Phrase("to"))))
        assert plain == named

    def test_the_unknown_words_of_a_bias_are_what_the_model_calls_unknown(self) -> None:
        """A name of boost 0 costs what <unk> costs, whether it is spelled freely (at no price) or named."""
        rows, _ = spoken(SPACED.alphabet, ["otot"])
        free = decoded(decoder_of(SPACED, unknown=0.0, beam=400, threshold=60.0), rows)
        named = decoded(decoder_of(SPACED, beam=400, threshold=60.0), rows, Bias((Phrase("otot"),)))
        assert free[0].text == named[0].text == "otot"
        assert free[0].score == pytest.approx(named[0].score, abs=1e-6)

    def test_ten_thousand_names_are_known_at_once(self) -> None:
        names = ["".join(letters) for letters in itertools.islice(itertools.product("ato", repeat=9), 10_000)]
        bias = Bias(tuple(Phrase(name, 1.0) for name in names))
        rows, _ = spoken(SPACED.alphabet, ["to", names[7777], "at"])
        assert decoded(decoder_of(SPACED), rows, bias)[0].text == f"to {names[7777]} at"
