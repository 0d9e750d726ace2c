"""Random templates, each built together with everything that it says."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.errors import GrammarError
from ds_engine.grammar.matching import match
from tests.ds_plugin.grammars.ini_said import everything, load

MOST = 40  # ways through one template
WORDS = ["red", "blue", "on", "of", "the", "light"]
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six"]
CONVERTERS: dict[str, Callable[[str], str]] = {"!upper": str.upper, "!lower": str.lower, "!upper!lower": str.lower, "": str}


class Slot(NamedTuple):
    name: str
    value: str
    given: bool  # by the tag itself
    settled: bool = False  # no converter reaches it any more

    def replaced(self) -> Slot:
        return Slot(self.name, self.value if self.given else "", self.given, settled=True)

    def converted(self, convert: Callable[[str], str]) -> Slot:
        return self if self.settled else self._replace(value=convert(self.value))


class Meaning(NamedTuple):
    spoken: str
    written: str
    slots: tuple[Slot, ...] = ()

    def replaced(self, written: str) -> Meaning:
        return Meaning(self.spoken, written, tuple(slot.replaced() for slot in self.slots))

    def converted(self, convert: Callable[[str], str]) -> Meaning:
        return Meaning(self.spoken, convert(self.written), tuple(slot.converted(convert) for slot in self.slots))

    def tagged(self, name: str) -> Meaning:
        return self._replace(slots=(*self.slots, Slot(name, self.written, given=False)))

    def valued(self, name: str, value: str) -> Meaning:
        replaced = self.replaced(value)
        return replaced._replace(slots=(*replaced.slots, Slot(name, value, given=True)))

    def followed(self, other: Meaning) -> Meaning:
        return Meaning(joined(self.spoken, other.spoken), joined(self.written, other.written), self.slots + other.slots)


class Made(NamedTuple):
    """A template and the meaning of each way through it."""

    template: str
    meanings: tuple[Meaning, ...]

    def changed(self, template: str, change: Callable[[Meaning], Meaning]) -> Made:
        return Made(template, tuple(map(change, self.meanings)))


SILENCE = Made("()", (Meaning("", ""),))


def joined(left: str, right: str) -> str:
    return f"{left} {right}".strip()


def in_sequence(parts: list[Made]) -> Made:
    made = SILENCE
    for part in parts:
        if len(made.meanings) * len(part.meanings) <= MOST:
            made = Made(
                f"{made.template} {part.template}", tuple(left.followed(right) for left, right in product(made.meanings, part.meanings))
            )
    return made


def one_of(options: list[Made], bar: str = "|") -> Made:
    return Made(bar.join(option.template for option in options), tuple(each for option in options for each in option.meanings))


def numbers(first: int, count: int, step: int) -> Made:
    chosen = range(first, 7, step)[:count]
    end = f"..{chosen[-1]}" + (f",{step}" if step > 1 else "") if count > 1 else ""
    return Made(f"{first}{end}", tuple(Meaning(NUMBERS[number], str(number)) for number in chosen))


words = st.sampled_from(WORDS)
texts = st.one_of(words, st.tuples(words, words).map(" ".join))
converters = st.sampled_from(sorted(CONVERTERS))
plain_words = words.map(lambda word: Made(word, (Meaning(word, word),)))
ranges = st.builds(numbers, st.integers(0, 6), st.integers(1, 3), st.integers(1, 3))
rewritten_words = st.one_of(
    st.builds(lambda word, text: Made(f"{word}:{text}", (Meaning(word, text),)), words, words),
    st.builds(lambda word, text: Made(f"{word}:({text})", (Meaning(word, text),)), words, texts),
    words.map(lambda word: Made(f"{word}:", (Meaning(word, ""),))),
    words.map(lambda word: Made(f":{word}", (Meaning("", word),))),
    words.map(lambda word: Made(f"{word}!upper", (Meaning(word, word.upper()),))),
)


@st.composite
def tagged(draw: st.DrawFn, made: Made, own: str = "") -> Made:
    """`own` are converters that stand before the tag, and have been applied to what is written there."""
    name, blank, converter = draw(st.sampled_from("xyz")), draw(st.sampled_from(["", " "])), draw(converters)
    convert = CONVERTERS[converter]
    if draw(st.booleans()):
        return made.changed(f"{made.template}{blank}{{{name}{converter}}}", lambda each: each.converted(convert).tagged(name))
    text = draw(texts)
    value = convert(CONVERTERS[own](text))
    return made.changed(f"{made.template}{blank}{{{name}:{text}{converter}}}", lambda each: each.valued(name, value))


@st.composite
def attached(draw: st.DrawFn, made: Made) -> Made:
    """A bracket or a name, with all that may follow it."""
    if draw(st.booleans()):
        text = draw(texts)
        made = made.changed(f"{made.template}:({text})", lambda each: each.replaced(text))
    own = draw(converters)
    made = made.changed(made.template + own, lambda each: each.converted(CONVERTERS[own]))
    return draw(tagged(made, own)) if draw(st.booleans()) else made


@st.composite
def bracketed(draw: st.DrawFn, inside: Made) -> Made:
    if draw(st.booleans()):
        return draw(attached(Made(f"({inside.template})", inside.meanings)))
    return draw(attached(Made(f"[{inside.template}]", inside.meanings + SILENCE.meanings)))


def templates(names: list[Made]) -> st.SearchStrategy[Made]:
    """Templates that may use names."""
    leaves = [plain_words, rewritten_words, ranges, st.one_of(plain_words, ranges).flatmap(tagged)]
    if names:
        leaves.append(st.sampled_from(names).flatmap(attached))
    return st.recursive(
        st.one_of(leaves),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(in_sequence),
            st.lists(st.lists(inner, max_size=2).map(in_sequence), min_size=1, max_size=3).map(one_of).flatmap(bracketed),
        ),
        max_leaves=12,
    )


@st.composite
def files(draw: st.DrawFn) -> tuple[str, dict[str, list[str]], set[Meaning]]:
    """An ini, slots, and what its intent says."""
    lines, slots, names = ["[I]"], {}, list[Made]()
    for number in range(draw(st.integers(0, 3))):
        body = draw(templates(names))
        if draw(st.booleans()):
            lines.append(f"r{number} = {body.template}")
            names.append(Made(draw(st.sampled_from([f"<r{number}>", f"<I.r{number}>"])), body.meanings))
        else:
            values = [body, *draw(st.lists(templates([]), max_size=2))]
            slots[f"$s{number}"] = [value.template.replace("<r", "<I.r") for value in values]  # a slot belongs to no intent
            names.append(Made(f"$s{number}", one_of(values).meanings))
    sentences = draw(st.lists(templates(names), min_size=1, max_size=3))
    lines += [f"do {sentence.template}" for sentence in sentences]
    return "\n".join(lines), slots, {Meaning("do", "do").followed(each) for sentence in sentences for each in sentence.meanings}


@settings(max_examples=80, deadline=None)
@given(files())
def test_a_grammar_says_what_its_templates_mean(file: tuple[str, dict[str, list[str]], set[Meaning]]) -> None:
    ini, slots, meanings = file
    expected = {(each.spoken, each.written, tuple((slot.name, slot.value) for slot in each.slots)) for each in meanings}

    loaded = load(ini, slots)

    assert {said[1:] for said in everything(loaded.grammar)} == expected
    for spoken in {spoken for spoken, _, _ in expected}:
        found = match([loaded.grammar], spoken.split())
        assert found is not None
        assert (found.sentence, found.slots) in [(written, dict(values)) for said, written, values in expected if said == spoken]


@settings(max_examples=300, deadline=None)
@given(st.text("ab12 ()[]{}<>|:!$,.-=\\\n#;I\0é日", max_size=60))
def test_any_text_is_a_grammar_or_an_error_that_names_its_place(text: str) -> None:
    try:
        loaded = load(f"[I]\nr = a\nb\n{text}", {"a": [text], "b": ["a"]})
    except GrammarError as error:
        assert ", line " in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert match([loaded.grammar], ["b"])
