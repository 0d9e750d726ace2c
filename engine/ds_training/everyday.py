"""Short things that people say: digit strings, spelled words, numbers and times, and plain statements about others, drawn by a seed.

zero three five one | b e d r o o m | quarter past nine | my little sister does not like the green soup
"""

# ruff: noqa: SIM905  # tables of words

from __future__ import annotations

import random
from collections.abc import Sequence

from ds_training.text import number_words

_DIGITS = "zero one two three four five six seven eight nine".split()
_NAMES = (
    "adam ahmed alice ana ben bella carl carmen chen daisy david diana eric eva fred gina hannah harry ivan jack jane joe john julia"
    " karen ken kevin kim lara leo li linda lucy luke maria mark mary max mia mike molly nancy nick nina oscar paul peter rita robin"
    " rosa sally sam sara sofia steve susan ted tina tom vera victor wendy will yuki zara"
).split()
_PEOPLE = (
    "he|she|he|she|it|my mother|my father|my brother|my little sister|our teacher|the doctor|the boy|the girl|the old man|his friend"
    "|her uncle|the woman next door|the driver|the farmer|the cook|the neighbour|the baby|the tall man|a young woman|everybody|nobody"
    "|the manager|our dog|the cat|the queen|the nurse|the student|the visitor"
).split("|")
_MANY = "we|they|you|i|my parents|the children|these people|our friends|the students|both of them|some men|two girls".split("|")
_VERBS = (  # plain form, third person, past, participle, with -ing
    "like likes liked liked liking|see sees saw seen seeing|find finds found found finding|buy buys bought bought buying"
    "|need needs needed needed needing|want wants wanted wanted wanting|eat eats ate eaten eating|draw draws drew drawn drawing"
    "|have has had had having|bring brings brought brought bringing|sell sells sold sold selling|take takes took taken taking"
    "|make makes made made making|love loves loved loved loving|wash washes washed washed washing|carry carries carried carried carrying"
    "|lose loses lost lost losing|read reads read read reading|clean cleans cleaned cleaned cleaning|watch watches watched watched watching"
    "|hold holds held held holding|catch catches caught caught catching|choose chooses chose chosen choosing|keep keeps kept kept keeping"
    "|use uses used used using|drop drops dropped dropped dropping|visit visits visited visited visiting|know knows knew known knowing"
).split("|")
_COLOURS = "red blue green white black brown orange yellow purple pink grey".split()
_QUALITIES = (
    "big small old new long short heavy clean dirty cheap good bad warm cold fresh strange little round broken other same"
).split()
_THINGS = (
    "apple ball banana bag basket bear bed bell bicycle bird boat book bottle bowl box bread bridge brush bus butter cake camera candle"
    " cap car carrot chair cheese cherry chicken clock cloud coat coin computer cow crab cup desk dog doll door dress drum duck egg"
    " elephant fan field fish flag flower fork fox fruit garden ghost giraffe glass glove goat grape guitar hammer hat hen hill horse"
    " house jacket juice kettle key kite knife ladder lake lamp leaf lemon letter lion map mango medicine milk mirror monkey moon mouse"
    " mushroom newspaper nest noodle nut onion orange oven owl paint panda paper peach pear pen pencil phone picture pig pillow plane"
    " plant plate pocket potato present queue rabbit radio rain ring river road robot rope ruler salad salt sandwich scarf school"
    " scissors shark sheep ship shirt shoe shop snake soap sock sofa soup spoon square star stone story strawberry sugar suit swan"
    " sweater table tail tea teapot tiger tomato toothbrush towel toy train tree truck trousers umbrella van vase vegetable video violin"
    " wall wallet watch water wheel whistle window wolf zebra zoo"
).split()
_PLACES = (
    "at home|at school|in the kitchen|in the park|in the river|on the table|under the bed|near the bridge|behind the house|at the zoo"
    "|in the city|on the train|in his room|by the window|at the station|in the village|next to the shop|in london|in china|in spain"
    "|in the hospital|on the beach|in the other street|between the trees|in the box"
).split("|")
_TIMES = (
    "today|every day|every morning|on sunday|on wednesday|at night|in the evening|this afternoon|last week|after lunch|before dinner"
    "|in the summer|in january|again|now|very often|once a year|at six o'clock|before breakfast|all day long|in winter"
).split("|")
_STATES = (
    "is very tired|is not here|was so sorry|lives in the city|went home|is going to school|works too hard|has a cold|can swim|is afraid"
    "|was born in july|will come back|could not sleep|thought about it|is seven years old|has gone away|sat down|laughed and ran away"
    "|is taller than his brother|got up early|said nothing|does not know why|is waiting for the bus|had to go|was right after all"
).split("|")


def everyday(words: Sequence[str], rng: random.Random) -> str:
    """One of them; `words` are what is spelled."""
    match rng.choices(("digits", "spelled", "number", "state", "statement"), (18, 8, 8, 12, 54))[0]:
        case "digits":
            return _digits(rng)
        case "spelled":
            return _spelled(rng.choice((rng.choice(_NAMES), rng.choice(words))), rng)
        case "number":
            return _number(rng)
        case "state":
            return f"{_somebody(rng)} {rng.choice(_STATES)}"
    return _statement(rng)


def _digits(rng: random.Random) -> str:
    digits = [rng.choice(_DIGITS) for _ in range(rng.choice((3, 4, 4, 4, 5, 6, 8)))]
    return " ".join("oh" if digit == "zero" and rng.random() < 0.2 else digit for digit in digits)


def _spelled(word: str, rng: random.Random) -> str:
    letters = " ".join(letter for letter in word if letter.isalpha())
    return f"{word} {letters}" if rng.random() < 0.5 else letters


def _number(rng: random.Random) -> str:
    hour = number_words(rng.randint(1, 12))
    return rng.choice(
        (
            number_words(rng.randint(0, 9999)),
            number_words(rng.randint(10, 99)),
            f"number {number_words(rng.randint(1, 200))}",
            f"{rng.choice(('half', 'quarter', 'ten', 'twenty'))} past {hour}",
            f"{hour} {number_words(rng.randint(10, 59))}",
            f"it is {hour} o'clock",
            f"{number_words(rng.randint(2, 40))} {rng.choice(('minutes', 'percent', 'degrees', 'dollars', 'years', 'people'))}",
        )
    )


def _statement(rng: random.Random) -> str:
    plain, third, past, participle, going = rng.choice(_VERBS).split()
    one = rng.random() < 0.75
    who = _somebody(rng) if one else rng.choice(_MANY)
    be = "is" if one else "am" if who == "i" else "are"
    verb = rng.choice(
        (
            third if one else plain,
            third if one else plain,
            past,
            past,
            f"{'has' if one else 'have'} {participle}",
            f"{be} {going}",
            f"{be} going to {plain}",
            f"wants to {plain}" if one else f"want to {plain}",
            f"{rng.choice(('can', 'will', 'may', 'must', 'should', 'could'))} {rng.choice(('', 'not '))}{plain}",
            f"{'does' if one else 'do'} not {plain}",
            f"did not {plain}",
        )
    )
    ending = rng.choice(("", "", rng.choice(_PLACES), rng.choice(_TIMES), f"{rng.choice(_PLACES)} {rng.choice(_TIMES)}"))
    return f"{who} {verb} {_something(rng)} {ending}".strip()


def _somebody(rng: random.Random) -> str:
    return rng.choice(_NAMES) if rng.random() < 0.45 else rng.choice(_PEOPLE)


def _something(rng: random.Random) -> str:
    quality = rng.choice(("", "", rng.choice(_COLOURS), rng.choice(_QUALITIES)))
    thing = f"{quality} {rng.choice(_THINGS)}".strip()
    article = "an" if thing[0] in "aeiou" else "a"
    return rng.choice(
        (
            f"the {thing}",
            f"the {thing}",
            f"{article} {thing}",
            f"his {thing}",
            f"her {thing}",
            f"this {thing}",
            f"{thing}s",
            f"the {quality or 'first'} one",
        )
    )
