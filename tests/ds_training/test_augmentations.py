"""The table of augmentations: what configuration may say, and that the document says what the code says."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_training.augment_settings import AugmentationError, Pair, hints, table_name
from ds_training.augmentations import Augmentation, Reverb, Tempo
from ds_training.corpus import CorpusError
from tests.project import ROOT

KINDS = hints(Augmentation)
EXAMPLE = """
[augmentation.reverb]
chance = [0, 0.5]
seconds = [[0.1, 0.2], [0.1, 1.5]]

[augmentation.band_masks]
chance = 0.25
bands = [1, 4]
count = 3

[augmentation.overlay]
signal_to_noise = 10
"""


def test_toml_becomes_settings_and_what_it_lacks_has_its_default() -> None:
    augmentation = Augmentation.of(tomllib.loads(EXAMPLE)["augmentation"])
    assert augmentation.reverb == Reverb(chance=(0, 0.5), seconds=((0.1, 0.2), (0.1, 1.5)))
    assert (augmentation.band_masks.chance, augmentation.band_masks.bands, augmentation.band_masks.count) == ((0.25, 0.25), (1, 4), 3)
    assert augmentation.overlay.signal_to_noise == (10, 10)
    assert augmentation.tempo == Tempo()
    assert Augmentation.of({}) == Augmentation()


@pytest.mark.parametrize("text", ["", EXAMPLE])
def test_settings_survive_json(text: str) -> None:
    augmentation = Augmentation.of(tomllib.loads(text).get("augmentation", {}))
    assert Augmentation.of(augmentation.to_json()) == augmentation
    assert Augmentation.of(json.loads(json.dumps(augmentation.to_json()))) == augmentation


@pytest.mark.parametrize("name", KINDS)
def test_every_table_is_named_as_its_kind(name: str) -> None:
    assert table_name(KINDS[name]) == name


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"echo": {}}, r"^augmentation: 'echo' is unknown; known are style, tempo, .*, add$"),
        ({"reverb": {"second": 1}}, r"^augmentation\.reverb: 'second' is unknown; known are chance, seconds, tail$"),
        ({"reverb": 0.3}, r"^augmentation\.reverb needs a table of chance, seconds, tail, got 0\.3$"),
        ([], r"^augmentation needs a table of style, .*, got \[\]$"),
        ({"time_warp": {"chance": 1.5}}, r"^augmentation\.time_warp\.chance needs a number in 0\.\.1 .*; got 1\.5$"),
        ({"reverb": {"chance": [0, 1, 1]}}, r"\.chance needs .* or two: at strength 0 and at strength 1; got \[0, 1, 1\]$"),
        ({"reverb": {"chance": True}}, r"\.chance needs a number in 0\.\.1 probability.*; got True$"),
        ({"reverb": {"chance": float("nan")}}, r"\.chance needs .* got nan$"),
        ({"reverb": {"seconds": [0.9, 0.1]}}, r"^augmentation\.reverb\.seconds needs its low end first, got \[0\.9, 0\.1\]$"),
        ({"reverb": {"seconds": [[0.1, 0.2], [0.9, 0.1]]}}, r"^augmentation\.reverb\.seconds needs its low end first"),
        ({"reverb": {"seconds": [0, 1]}}, r"\.seconds needs low and high, each a number in 0\.01\.\.60 s, or two such .*; got \[0, 1\]$"),
        ({"reverb": {"seconds": "long"}}, r"\.seconds needs .*; got 'long'$"),
        ({"reverb": {"seconds": [[1, 2, 3], [1, 2]]}}, r"\.seconds needs .*; got \[\[1, 2, 3\], \[1, 2\]\]$"),
        ({"reverb": {"seconds": 10**400}}, r"\.seconds needs .*; got 1000"),
        ({"band_masks": {"bands": [0, 2.5]}}, r"^augmentation\.band_masks\.bands needs low and high, each a whole number in 0\.\.1000"),
        ({"band_masks": {"count": 0}}, r"^augmentation\.band_masks\.count needs a whole number in 1\.\.100 masks, got 0$"),
        ({"tempo": {"fastest": [1, 2]}}, r"^augmentation\.tempo\.fastest needs a number in 1\.\.100 symbols per second, got \[1, 2\]$"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_that_names_the_key(mapping: Any, message: str) -> None:
    with pytest.raises(AugmentationError, match=message) as caught:
        Augmentation.of(mapping)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, CorpusError)


def test_settings_made_in_python_are_checked_too() -> None:
    with pytest.raises(AugmentationError, match=r"^augmentation\.tempo\.speed needs its low end first, got \(2, 1\)$"):
        Tempo(speed=(2, 1))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
tables = st.dictionaries(st.sampled_from([*KINDS, "no\nname"]), values | st.dictionaries(st.sampled_from(["chance", "seconds"]), values))


@given(tables | values)
def test_any_mapping_is_settings_or_an_error_in_one_line(mapping: Any) -> None:
    complaint = ""
    try:
        augmentation = Augmentation.of(mapping)
    except AugmentationError as error:
        complaint = str(error)
    if complaint:
        assert complaint.startswith("augmentation")
        assert len(complaint.splitlines()) == 1
        assert len(complaint) < 500
    else:
        assert Augmentation.of(json.loads(json.dumps(augmentation.to_json()))) == augmentation


def test_a_chance_follows_the_strength_in_a_straight_line() -> None:
    assert [Reverb(chance=(0.2, 0.6)).chance_at(strength) for strength in (0, 0.5, 1)] == pytest.approx([0.2, 0.4, 0.6])


def test_the_table_of_augmentations_is_the_code() -> None:
    document = (ROOT / "docs/reference/augmentation.md").read_text("utf-8")
    rows = re.findall(r"^\| [\w ()]+ \| `(\w+)` \| .* \| (`chance` .*) \|$", document, re.MULTILINE)
    assert rows == [(name, "; ".join(_cells(kind))) for name, kind in KINDS.items()]


def test_the_example_of_the_document_is_valid() -> None:
    document = (ROOT / "docs/reference/augmentation.md").read_text("utf-8")
    example = "\n".join(line.strip() for line in document.splitlines() if line.startswith("    "))
    augmentation = Augmentation.of(tomllib.loads(example)["augmentation"])
    assert augmentation.noise.signal_to_noise == ((15, 30), (2, 30))
    assert augmentation.codec.chance == (0.1, 0.1)


def _cells(kind: Any) -> list[str]:
    """The settings of one augmentation as the table shows them."""
    cells = []
    for name, hint in hints(kind).items():
        shape, within = get_args(hint)
        value = getattr(kind(), name)
        low, high = (value, value) if isinstance(value, int | float) else value
        between = " → " if shape == Pair else " to "
        shown = f"{low:g}" if shape in {int, float} or (shape == Pair and low == high) else f"{low:g}{between}{high:g}"
        cells.append(f"`{name}` {shown}" + ("" if shape == Pair else f" {within.unit}"))
    return cells
