"""Reports as Markdown, utterances as TSV, and examples."""

# without torch the whole module is skipped

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from ds_training.confusions import PLACES, Place, of_characters
from ds_training.figures import Reference, Result, compare, figures_of, results_of
from ds_training.report import Line, NoisyLine, Report
from ds_training.tables import COLUMNS, examples, markdown, write_utterances
from ds_training.trials import Kind, Noise


def results(pairs: Sequence[tuple[str, str]]) -> list[Result]:
    references = [Reference(said, "kids/test", f"s{index % 3}") for index, (said, _) in enumerate(pairs)]
    return results_of(references, [found for _, found in pairs], [2.345] * len(pairs))


RESULTS = results([("one two", "one two"), ("one two", "one to"), ("one two", ""), ("one | two", "won")])


def made(*, against: bool = False) -> Report:
    difference = compare(RESULTS, RESULTS) if against else None
    line = Line(figures_of(RESULTS), difference)
    alone = Line(figures_of(RESULTS[:1]), difference)
    said, found = [each.reference.text for each in RESULTS], [each.found for each in RESULTS]
    return Report(
        model="m",
        against="n" if against else "",
        overall=line,
        groups={"source": {"kids/test": line}, "speed": {"slow": alone, "fast": line}},
        noisy=(NoisyLine(Noise(Kind.BABBLE, 10), line),),
        mistaken={"characters": of_characters(said, found, 20)},
        places=dict.fromkeys(PLACES, Place(10, 1)),
        notes=("A note.",),
        results=tuple(RESULTS),
    )


def test_markdown_has_conditions_groups_kinds_places_confusions_and_notes() -> None:
    text = markdown(made())
    for heading in ("condition", "speed", "errors", "characters at", "characters lost most", "characters said"):
        assert f"| {heading} |" in text
    assert "| clean | 4 | 3 | 0.00 |" in text
    assert "| babble, 10 dB | 4 | 3 |" in text
    assert text.endswith("A note.\n")


def test_a_dimension_with_one_group_repeats_nothing() -> None:
    assert "kids/test" not in markdown(made())


def test_an_interval_stands_beside_its_figure_where_there_are_several_voices() -> None:
    clean, slow = (next(line for line in markdown(made()).splitlines() if line.startswith(f"| {name} |")) for name in ("clean", "slow"))
    assert " to " in clean
    assert "(" not in slow


def test_differences_have_columns_only_where_two_models_were_compared() -> None:
    assert "difference" not in markdown(made())
    text = markdown(made(against=True))
    assert "WER difference (95 %)" in text
    assert "+0.000 (+0.000 to +0.000)" in text


@pytest.mark.parametrize("against", [False, True])
def test_every_row_of_a_table_has_as_many_cells_as_its_header(*, against: bool) -> None:
    for table in markdown(made(against=against)).split("\n\n"):
        rows = [line.replace("\\|", "").count("|") for line in table.splitlines() if line.startswith("|")]
        assert len(set(rows)) <= 1


def test_nothing_spaces_and_bars_can_be_read() -> None:
    text = markdown(made())
    assert "| (space) | (nothing) |" in text
    assert "| \\| | 1 | 1 | 1.000 |" in text


def test_every_utterance_has_a_line(tmp_path: Path) -> None:
    odd = results([("a\tb", 'say "it"\nnow'), ("é", "")])
    write_utterances(tmp_path / "u.tsv", odd)
    with (tmp_path / "u.tsv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t")
    assert tuple(header) == COLUMNS
    assert [row[-2:] for row in rows] == [["a\tb", 'say "it"\nnow'], ["é", ""]]
    assert rows[1][:5] == ["kids/test", "s1", "2.35", "1.0", "1.0"] or rows[1][:5] == ["kids/test", "s1", "2.34", "1.0", "1.0"]


def test_examples_are_the_best_the_middle_and_the_worst() -> None:
    found = examples(results([("abcd", text) for text in ("axxx", "abcd", "abxx", "xxxx", "abcx")]), 1)
    assert [each.found for part in (found.best, found.median, found.worst) for each in part] == ["abcd", "abxx", "xxxx"]


@given(st.lists(st.tuples(st.text("ab ", max_size=6), st.text("ab ", max_size=6)), max_size=9), st.integers(-2, 12))
def test_the_worst_are_never_better_than_the_others(pairs: list[tuple[str, str]], most: int) -> None:
    made = results(pairs)
    found = examples(made, most)
    count = max(0, min(most, len(made)))
    assert len(found.best) == len(found.median) == len(found.worst) == count
    rates = sorted(each.characters.rate for each in made)
    assert [each.characters.rate for each in found.best] == rates[:count]
    assert [each.characters.rate for each in found.worst] == rates[::-1][:count]
    if count:
        assert rates[0] <= found.median[0].characters.rate <= found.median[-1].characters.rate <= rates[-1]
