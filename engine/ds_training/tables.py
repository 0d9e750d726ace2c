"""A report as people read it: Markdown for RESULTS.md and a model card, a TSV of every utterance, and the best, middle and worst of them.

The last two hold what people said: they are made only where somebody asks for them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ds_training.confusions import Confusion, Confusions, Place
from ds_training.figures import Difference, Interval, Result
from ds_training.report import Line, Report

COLUMNS = ("source", "speaker", "seconds", "cer", "wer", "said", "found")
NOTHING = "(nothing)"


@dataclass(frozen=True, slots=True)
class Examples:
    """Utterances by character error rate, then word error rate; where there are few, some stand in several lists."""

    best: tuple[Result, ...]
    median: tuple[Result, ...]
    worst: tuple[Result, ...]  # worst first


def examples(results: Sequence[Result], most: int) -> Examples:
    """Up to `most` of each. Utterances with equal rates stand in the order of their texts."""
    order = sorted(results, key=lambda each: (each.characters.rate, each.words.rate, each.reference.text, each.found))
    count = max(0, min(most, len(order)))
    middle = (len(order) - count) // 2
    return Examples(tuple(order[:count]), tuple(order[middle : middle + count]), tuple(reversed(order[len(order) - count :])))


def write_utterances(path: Path, results: Sequence[Result]) -> None:
    """One line for each, in the order of the evaluation, under a line of COLUMNS. The file holds what people said."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, delimiter="\t", lineterminator="\n")
        lines.writerow(COLUMNS)
        for each in results:
            rates = (round(each.seconds, 2), round(each.characters.rate, 4), round(each.words.rate, 4))
            lines.writerow((each.reference.source, each.reference.speaker, *rates, each.reference.text, each.found))


def markdown(report: Report) -> str:
    """Tables: overall and with noise, every dimension of groups that has several, errors by kind and place, confusions, notes."""
    parts = [f"Model: {report.model}" + (f", against: {report.against}" if report.against else "")]
    noisy = {f"{each.noise.kind}, {each.noise.ratio:g} dB": each.line for each in report.noisy}
    parts.append(_lines("condition", {"clean": report.overall, **noisy}))
    parts += [_lines(name, lines) for name, lines in report.groups.items() if len(lines) > 1]
    parts.append(_kinds(report.overall))
    parts.append(_places(report.places))
    parts += [table for unit, each in report.mistaken.items() for table in _confusions(unit, each)]
    return "\n\n".join([*parts, *report.notes]) + "\n"


def _table(header: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> str:
    cells = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells)


def _lines(name: str, lines: Mapping[str, Line]) -> str:
    compared = any(line.difference for line in lines.values())
    header = [name, "utterances", "speakers", "hours", "CER (95 %)", "WER (95 %)", "sentences right"]
    return _table(
        [*header, *(["CER difference (95 %)", "WER difference (95 %)"] if compared else [])], [_row(*line) for line in lines.items()]
    )


def _row(name: str, line: Line) -> list[str]:
    figures, difference = line.figures, line.difference
    counts = [name, str(figures.utterances), str(figures.speakers), f"{figures.hours:.2f}"]
    rates = [f"{figures.cer:.3f}{_interval(figures.cer_interval)}", f"{figures.wer:.3f}{_interval(figures.wer_interval)}"]
    differences = [_difference(difference.cer), _difference(difference.wer)] if difference else []
    return [*counts, *rates, f"{figures.sentences_right:.3f}", *differences]


def _interval(interval: Interval | None, sign: str = "") -> str:
    return f" ({interval.low:{sign}.3f} to {interval.high:{sign}.3f})" if interval else ""


def _difference(difference: Difference) -> str:
    return f"{difference.value:+.3f}{_interval(difference.interval, '+')}"


def _kinds(line: Line) -> str:
    rows = []
    for name, edits in (("characters", line.figures.characters), ("words", line.figures.words)):
        kinds = (edits.substitutions, edits.deletions, edits.insertions)
        rows.append([name, str(edits.reference), *(f"{count} ({count / max(1, edits.reference):.3f})" for count in kinds)])
    return _table(["errors", "said", "replaced", "left out", "put in"], rows)


def _places(places: Mapping[str, Place]) -> str:
    rows = [[name, str(place.said), str(place.lost), f"{place.rate:.3f}"] for name, place in places.items()]
    return _table(["characters at", "said", "replaced or left out", "rate"], rows)


def _confusions(unit: str, found: Confusions) -> Iterator[str]:
    """One table of single units that are lost, one of errors of all three kinds."""
    losses = [[_shown(loss.unit), str(loss.said), str(loss.lost), f"{loss.rate:.3f}"] for loss in found.losses]
    yield _table([f"{unit} lost most", "said", "replaced or left out", "rate"], losses)
    errors = [_confused(each) for each in (*found.substitutions, *found.deletions, *found.insertions)]
    yield _table([f"{unit} said", "found", "count", "of all errors"], errors)


def _confused(confusion: Confusion) -> list[str]:
    return [_shown(confusion.said), _shown(confusion.found), str(confusion.count), f"{confusion.share:.3f}"]


def _shown(unit: str) -> str:
    return {"": NOTHING, " ": "(space)"}.get(unit, unit)
