"""The model card: facts in, Markdown out.

    python -m ds_training.card FACTS.toml [--report NAME=REPORT.json]... [--into BUNDLE_FOLDER]

FACTS.toml holds the fields of card_facts.Facts; en-small/card.toml is an example. `--report` adds the figures of an evaluation and
its groups (the JSON that ds_training.evaluate prints). The card is printed, or replaces that of a bundle, whose sizes it then tells.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ds_engine.bundle import Bundle
from ds_engine.features import LogMelSpec
from ds_engine.native import MODEL_FILE
from ds_training import bundle_folder
from ds_training.card_facts import CardError, Corpus, Facts, Row, Sizes, Training, read_facts, rows_of, sizes_of
from ds_training.hearing import END_FRAMES, START_FRAMES
from ds_training.onnx_graph import chunk_of, from_graph, parse_graph, weights_of

CARD_FILE = "MODEL_CARD.md"


def card(facts: Facts) -> str:
    """The whole card. Every number in its tables comes from the facts."""
    parts = (f"# {facts.name} {facts.version}", facts.summary, _sizes(facts.sizes), *_sections(facts))
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def install(folder: Path, facts: Facts) -> None:
    """Replaces the card of a bundle, with the sizes of its network. Raises BundleError, CardError for facts about another, GraphError."""
    bundle = Bundle.open(folder)
    content = bundle.read(MODEL_FILE)
    graph = parse_graph(content)
    sizes = sizes_of(from_graph(graph), weights_of(graph), len(content), chunk_of(graph))
    text = card(facts.about(bundle.manifest.name, bundle.manifest.version, sizes))
    bundle_folder.change(folder, {CARD_FILE: text.encode()})


def _sections(facts: Facts) -> Iterator[str]:
    sections = {
        "Figures": (facts.figures_note, _figures(facts.figures), facts.figures_remark),
        "What it was trained on": (_corpora(facts.corpora), _training(facts.training)),
        "What the language model was made from": (facts.language_model,),
        "Whom it serves badly": (facts.badly,),
        "How to reproduce it": (facts.reproduce,),
        "Input": (_input(),),
        "Licence": (f"{facts.licence}, see LICENSE.", facts.licence_note),
    }
    for title, parts in sections.items():
        texts = [part.strip() for part in parts if part.strip()]
        if texts:
            yield "\n\n".join((f"## {title}", *texts))


def _input() -> str:
    mel = LogMelSpec()
    return (
        f"{mel.sample_rate / 1000:g} kHz, one channel, any loudness; the manifest holds the features. "
        f"Digital silence ({START_FRAMES} frames) goes before the first sample and at\nleast {END_FRAMES} frames after the last."
    )


def _sizes(sizes: Sizes | None) -> str:
    if sizes is None:
        return ""
    return _table(("parameters", "weights", "network", "one row per", "chunk", "look-ahead"), [_size_cells(sizes)])


def _size_cells(sizes: Sizes) -> tuple[str, ...]:
    times = (f"{value:g} ms" for value in (sizes.step_ms, sizes.chunk_ms, sizes.look_ahead_ms))
    return (f"{sizes.parameters / 1e6:.2f} million", sizes.weights, f"{sizes.network_bytes / 1e6:.1f} MB", *times)


def _figures(rows: Sequence[Row]) -> str:
    """One line per row; hours and the search have columns only where somebody measured them."""
    if not rows:
        return "Nothing has been measured yet."
    timed, searched = (
        any(row.hours is not None for row in rows),
        any(row.search_cer is not None or row.search_wer is not None for row in rows),
    )
    kind = "greedy " if searched else ""
    titles = ["set", "speakers", "utterances", *(["hours"] if timed else []), f"{kind}CER", f"{kind}WER"]
    titles += ["kernel CER", "kernel WER"] if searched else []
    return _table(titles, [_figure_cells(row, timed=timed, searched=searched) for row in rows])


def _figure_cells(row: Row, *, timed: bool, searched: bool) -> list[str]:
    rates = (row.cer, row.wer, row.search_cer, row.search_wer) if searched else (row.cer, row.wer)
    hours = ["" if row.hours is None else f"{row.hours:.2f}"] if timed else []
    return [row.name, str(row.speakers), str(row.utterances), *hours, *("" if rate is None else f"{rate:.3f}" for rate in rates)]


def _corpora(corpora: Sequence[Corpus]) -> str:
    rows = [
        (each.name, f"{each.hours:g}", "" if each.speakers is None else str(each.speakers), each.licence, each.note) for each in corpora
    ]
    return _table(("data", "hours", "speakers", "licence", "what it is"), rows)


def _training(training: Training) -> str:
    passed = f"{training.hours:g} hours of audio passed, repetitions included. Started from {training.start}. Recipe: {training.recipe}."
    return "\n\n".join(part for part in (passed, training.note.strip()) if part)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(map(_cell, row)) + " |" if row else "|" + "---|" * len(titles) for row in (titles, (), *rows))


def _cell(text: str) -> str:
    """On one line, and no border of its own."""
    return " ".join(text.split()).replace("|", "\\|")


def _report(value: str) -> tuple[str, Path]:
    name, _, path = value.rpartition("=")
    return name or Path(path).stem, Path(path)


def with_reports(facts: Facts, reports: Iterable[tuple[str, Path]]) -> Facts:
    """The facts with the figures of these evaluations behind their own. Raises CardError."""
    rows = list(facts.figures)
    for name, path in reports:
        try:
            report = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise CardError(f"{path}: cannot be read as a report ({error})") from error
        rows += rows_of(report if isinstance(report, dict) else {}, name)
    return replace(facts, figures=tuple(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a model card of facts.")
    parser.add_argument("facts", type=Path, help="TOML or JSON")
    parser.add_argument("--report", type=_report, action="append", default=[], metavar="NAME=REPORT.json", help="figures of an evaluation")
    parser.add_argument("--into", type=Path, metavar="BUNDLE_FOLDER", help="replace the card of this bundle")
    options = parser.parse_args()
    facts = with_reports(read_facts(options.facts), options.report)
    if options.into:
        install(options.into, facts)
    else:
        print(card(facts), end="")


if __name__ == "__main__":
    main()
