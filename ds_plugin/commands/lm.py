"""ds-plugin lm: make a language model from text, look at one, and measure how well it foresees text."""

from __future__ import annotations

import json
import math
from pathlib import Path

import click

from ds_engine.errors import InputError
from ds_engine.lm.backoff import MAX_ORDER
from ds_engine.lm.counts import Vocabulary
from ds_engine.lm.files import format_of, open_language_model
from ds_engine.lm.perplexity import Score, ScoredSentence, score
from ds_engine.text import normalise
from ds_plugin.cli import App
from ds_plugin.commands.common import counted, json_option
from ds_plugin.language_models import Recipe, check_output, make, read_base, write
from ds_plugin.models import ModelStore
from ds_plugin.text_files import STANDARD_INPUT, read_sentences, read_tokens

LN10 = math.log(10.0)

_ENTROPY = click.FloatRange(0, 1, max_open=True)
_path = click.Path(path_type=Path)
_case_option = click.option("--keep-case", is_flag=True, help="Leave the text's capital letters.")


@click.group()
def lm() -> None:
    """Make, describe and measure n-gram language models."""


@lm.command()
@click.argument("texts", metavar="TEXT...", nargs=-1, required=True, type=_path)
@click.option("--output", metavar="FILE", required=True, type=_path, help="What to write; ends in .ngram or .arpa.")
@click.option("--order", type=click.IntRange(1, MAX_ORDER), default=3, show_default=True, help="Words of the longest n-gram.")
@click.option("--vocabulary", metavar="FILE", type=_path, help="The words to know; all others become <unk>.")
@click.option("--top", metavar="N", type=click.IntRange(1), help="Know only the N most frequent words.")
@click.option("--min-count", metavar="N", type=click.FloatRange(0), default=0, help="Know only words seen so often.")
@click.option("--prune", metavar="'0 0 1'", default="", help="Drop n-grams seen at most so often, by order.")
@click.option(
    "--entropy", metavar="X", type=_ENTROPY, default=0.0, help="Drop n-grams that change the perplexity by less (1e-8 little, 1e-5 most)."
)
@click.option("--weighted", is_flag=True, help="A weight and a tab stand before each line.")
@click.option("--base", metavar="FILE|BUNDLE", help="A model to mix with: .ngram or ARPA, or the name of a bundle that has one.")
@click.option("--base-weight", metavar="X", type=click.FloatRange(0, 1), help="Its weight in the mixture.  [default: 0.5]")
@click.option("--bits", type=click.Choice(["32", "16"]), help="Of the values in an .ngram file.  [default: 32]")
@_case_option
@click.pass_obj
def build(
    app: App,
    texts: tuple[Path, ...],
    output: Path,
    order: int,
    vocabulary: Path | None,
    top: int | None,
    min_count: float,
    prune: str,
    entropy: float,
    weighted: bool,  # noqa: FBT001 - click passes by name
    base: str | None,
    base_weight: float | None,
    bits: str | None,
    keep_case: bool,  # noqa: FBT001 - click passes by name
) -> None:
    """Estimate a model (modified Kneser-Ney) from TEXT files, a sentence per line.

    Punctuation is dropped and capital letters become small ones, as in what the recogniser prints. `-` is standard input.
    """
    check_output(output, int(bits) if bits else None)
    if base is None and base_weight is not None:
        raise InputError("--base-weight needs --base")
    store = ModelStore.standard(app.settings().get("models_folder"))
    recipe = Recipe(
        order=order,
        vocabulary=Vocabulary(_words_of(vocabulary, keep_case=keep_case) if vocabulary else None, min_count, top),
        prune=_thresholds(prune),
        base=read_base(base, store) if base else None,
        base_weight=0.5 if base_weight is None else base_weight,
        entropy=entropy,
    )
    model = make(read_sentences(texts, keep_case=keep_case, weighted=weighted), recipe)
    write(model, output, store.open(app.settings().get("model")).manifest.alphabet, int(bits) if bits else None)
    sizes = [counted(len(level.ids), f"{number}-gram" if number > 1 else "word") for number, level in enumerate(model.orders, 1)]
    click.echo(f"{output}: {', '.join(sizes)}; {counted(output.stat().st_size, 'byte')}", err=True)


@lm.command()
@click.argument("file", type=_path)
@json_option
def info(file: Path, as_json: bool) -> None:  # noqa: FBT001 - click passes by name
    """Describe a model of any format: our own, ARPA, a KenLM binary or a scorer."""
    model = open_language_model(file)
    facts = {
        "format": format_of(file).value,
        "order": model.order,
        "ngrams": list(model.counts),
        "bytes": file.stat().st_size,
        "path": str(file),
    }
    click.echo(json.dumps(facts) if as_json else "\n".join(f"{key}: {value}" for key, value in facts.items()))


@lm.command("score")
@click.argument("file", type=_path)
@click.argument("text", type=_path, default=STANDARD_INPUT)
@_case_option
@json_option
def score_text(file: Path, text: Path, keep_case: bool, as_json: bool) -> None:  # noqa: FBT001 - click passes by name
    """Print the log10 probability of every word of TEXT (standard input where none is given), and the perplexity."""
    model = open_language_model(file)
    result = score(model, (sentence.words for sentence in read_sentences([text], keep_case=keep_case)))
    if not result.sentences:
        raise InputError(f"{text}: no words to score")
    click.echo(json.dumps(_as_json(result)) if as_json else _readable(result))


def _words_of(path: Path, *, keep_case: bool) -> list[str]:
    """A vocabulary as the text is written: a word with a hyphen is two."""
    return [word for token in read_tokens(path) for word in normalise(token, keep_case=keep_case).split()]


def _thresholds(prune: str) -> list[float]:
    try:
        return [float(part) for part in prune.split()]
    except ValueError:
        raise InputError(f"--prune needs numbers, one for each order, got {prune!r}") from None


def _as_json(result: Score) -> dict[str, object]:
    """One object; log10 throughout. A perplexity that is no finite number is null."""
    return {
        "sentences": [
            {
                "words": [{"word": word, "log10": value, "unknown": unknown} for word, value, unknown in _scored_words(sentence)],
                "log10": sum(sentence.log_probs) / LN10,
            }
            for sentence in result.sentences
        ],
        "tokens": result.tokens,
        "unknown": result.unknown,
        "perplexity": _finite(result.perplexity),
        "perplexity_without_unknown": _finite(result.known_perplexity),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _scored_words(sentence: ScoredSentence) -> list[tuple[str, float, bool]]:
    return [
        (word, value / LN10, unknown)
        for word, value, unknown in zip((*sentence.words, "</s>"), sentence.log_probs, sentence.unknown, strict=True)
    ]


def _readable(result: Score) -> str:
    lines = [
        "  ".join(f"{word}{' (unknown)' if unknown else ''} {value:.4f}" for word, value, unknown in _scored_words(sentence))
        + f"  total {sum(sentence.log_probs) / LN10:.4f}"
        for sentence in result.sentences
    ]
    lines += [
        f"perplexity {result.perplexity:.2f}, without unknown words {result.known_perplexity:.2f}",
        f"{counted(result.tokens, 'token')}, sentence ends included; {result.unknown} unknown",
    ]
    return "\n".join(lines)
