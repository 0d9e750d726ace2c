"""Honest evaluation: a model and utterances in, figures with intervals by group and noise, confusions and comparisons out.

    python -m ds_training.evaluate MODEL [--manifest MANIFEST.tsv [--split SPLIT.tsv --part PART]] [--also MANIFEST.tsv]...
        [--shard SHARD.npz]... [--every 1] [--trained MANIFEST_OR_SHARD]...
        [--search BUNDLE | --greedy] [--against MODEL] [--noise 20 10 5 [--noise-kind babble]] [--phones]
        [--show 5] [--confusions 20] [--output UTTERANCES.tsv] [--markdown REPORT.md]

MODEL is a checkpoint or the `model.onnx` of a bundle, computed with PyTorch in streaming form and decoded greedily or with the language
model and calibration of a bundle (`--search`); or a bundle (folder or zip), which the product's own engine runs as a client would meet
it (recordings only). `--against` is one more of these, heard on the same sounds, with the interval of the difference.

One JSON object is printed, in one line, after the examples that `--show` asks for. What people said stands only where it was asked for:
in `--show`, `--confusions` and `--output`.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ds_engine.features import LogMel, LogMelSpec
from ds_training.corpus import CorpusError, Utterance
from ds_training.figures import Figures, figures_of, results_of
from ds_training.hearing import END_FRAMES, START_FRAMES, Read, greedy, is_bundle, listener, log_probs, searching, transcripts
from ds_training.material import Material
from ds_training.model import Network
from ds_training.phones import pronounce
from ds_training.report import Questions, Report, report
from ds_training.tables import examples, markdown, write_utterances
from ds_training.trials import Kind, Noise, reference_of

__all__ = [
    "END_FRAMES",
    "START_FRAMES",
    "Evaluation",
    "Figures",
    "evaluate",
    "greedy",
    "log_probs",
    "measure",
    "searching",
    "transcripts",
]


def measure(network: Network, utterances: Sequence[Utterance], mel: LogMel, read: Read | None = None) -> tuple[Figures, list[str]]:
    """Figures over all utterances together, and what was recognised. Raises CorpusError where there are none."""
    found = transcripts(network, [utterance.log_power for utterance in utterances], mel, read=read)
    seconds = [len(utterance.log_power) * mel.spec.hop / mel.spec.sample_rate for utterance in utterances]
    return figures_of(results_of([reference_of(utterance) for utterance in utterances], found, seconds)), found


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that an evaluation is told: as a recipe or a command line has it."""

    model: Path  # a checkpoint, a model.onnx or a bundle, see hearing.py
    material: Material
    search: Path | None = None  # the bundle whose search decodes a checkpoint or model.onnx
    greedy: bool = False  # decode a bundle without its search
    against: Path | None = None  # one more model, for a comparison
    noise: tuple[float, ...] = ()  # dB of speech over noise
    noise_kind: str = Kind.BABBLE
    confusions: int = 0  # so many of each kind; 0: none
    phones: bool = False  # among the confusions; needs espeak-ng
    seed: int = 1  # of noise and intervals

    @property
    def models(self) -> tuple[Path, ...]:
        return (self.model, self.against) if self.against else (self.model,)


def evaluate(wanted: Evaluation) -> Report:
    """Raises CorpusError for options that nothing would heed and for broken material, BundleError for a broken bundle."""
    _check(wanted)
    mel = LogMel(LogMelSpec())
    model, *against = [listener(path, mel, search=wanted.search, alone=wanted.greedy) for path in wanted.models]
    questions = Questions(
        noises=tuple(Noise(Kind(wanted.noise_kind), ratio) for ratio in wanted.noise),
        confusions=wanted.confusions,
        pronounce=pronounce if wanted.phones else None,
        seed=wanted.seed,
    )
    return report(model, wanted.material.trials(model.orthography), questions, against[0] if against else None)


def _check(wanted: Evaluation) -> None:
    if wanted.phones and not (wanted.confusions and shutil.which("espeak-ng")):
        raise CorpusError("phones need espeak-ng, and a number of confusions to tell")
    if wanted.search and all(map(is_bundle, wanted.models)):
        raise CorpusError("a search is for a checkpoint or model.onnx: a bundle brings its own")
    if wanted.greedy and not any(map(is_bundle, wanted.models)):
        raise CorpusError("greedy is for a bundle: a checkpoint or model.onnx is decoded greedily without a search")
    if wanted.noise_kind not in list(Kind):
        raise CorpusError(f"noise needs to be {' or '.join(Kind)}, got {wanted.noise_kind!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description="CER and WER of a checkpoint or bundle.")
    parser.add_argument("model", type=Path, help="checkpoint or model.onnx (PyTorch), or a bundle (the product's engine)")
    parser.add_argument("--manifest", type=Path, help="TSV of recordings")
    parser.add_argument("--split", type=Path, help="TSV of speakers and parts of that manifest")
    parser.add_argument("--part", default="development")
    parser.add_argument("--also", type=Path, action="append", default=[], help="a further manifest, all of it")
    parser.add_argument("--shard", type=Path, action="append", default=[])
    parser.add_argument("--every", type=int, default=1, help="take each n-th utterance of a file only")
    parser.add_argument("--trained", type=Path, action="append", default=[], help="what the model was trained on: refuse its speakers")
    parser.add_argument("--search", type=Path, metavar="BUNDLE", help="decode a network with this bundle's language model")
    parser.add_argument("--greedy", action="store_true", help="decode a bundle without its search")
    parser.add_argument("--against", type=Path, metavar="MODEL", help="compare with this one on the same sounds")
    parser.add_argument("--noise", type=float, nargs="+", default=[], metavar="DB", help="hear everything with noise, too")
    parser.add_argument("--noise-kind", choices=[str(kind) for kind in Kind], default=str(Kind.BABBLE))
    parser.add_argument("--phones", action="store_true", help="confusions of phones, too; needs espeak-ng")
    parser.add_argument("--show", type=int, default=0, help="print so many of the best, median and worst utterances")
    parser.add_argument("--confusions", type=int, default=0, help="tell so many of the most frequent errors of each kind")
    parser.add_argument("--output", type=Path, help="write every utterance to this TSV")
    parser.add_argument("--markdown", type=Path, help="write tables to this file")
    parser.add_argument("--seed", type=int, default=1, help="of noise and intervals")
    options = parser.parse_args()
    for path in filter(None, (options.output, options.markdown)):
        if not path.parent.is_dir():  # before hours are spent
            parser.error(f"{path}: there is no such folder to write to")
    _tell(evaluate(_wanted(options)), options)


def _wanted(options: argparse.Namespace) -> Evaluation:
    material = Material(
        manifest=options.manifest,
        split=options.split,
        part=options.part,
        also=tuple(options.also),
        shards=tuple(options.shard),
        every=options.every,
        trained=tuple(options.trained),
    )
    return Evaluation(
        model=options.model,
        material=material,
        search=options.search,
        greedy=options.greedy,
        against=options.against,
        noise=tuple(options.noise),
        noise_kind=options.noise_kind,
        confusions=options.confusions,
        phones=options.phones,
        seed=options.seed,
    )


def _tell(found: Report, options: argparse.Namespace) -> None:
    shown = examples(found.results, options.show)
    for kind, chosen in (("best", shown.best), ("median", shown.median), ("worst", shown.worst)):
        for each in chosen:
            print(f"{kind} {each.characters.rate:.3f}: {each.reference.text} -> {each.found}")
    if options.output:
        write_utterances(options.output, found.results)
    if options.markdown:
        options.markdown.write_text(markdown(found), "utf-8")
    print(json.dumps(found.to_json(), ensure_ascii=False))


if __name__ == "__main__":
    main()
