"""What a recipe comes to: a recipe and a work folder in, its stages in order out, each with what it reads and makes.

In the work folder: `shards/` of recordings, `synthetic/`, `run/` (checkpoints and log of the training), `network.pt` (what was chosen),
`float/` (the bundle with float32 weights), `bundle/` (the result), `report.json` and `report.md` (its evaluation).
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from ds_engine.acoustic import RuntimeOptions
from ds_engine.bundle import Bundle
from ds_engine.decoder import DecoderContext
from ds_engine.features import LogMel, LogMelSpec
from ds_engine.native import NativeModel
from ds_training import acceptance, calibrate, card, confidence, export, language
from ds_training.augment import Augmentation
from ds_training.average import average, mixed
from ds_training.card_facts import read_facts, rows_of
from ds_training.checkpoint import CheckpointError, load_network, save_weights
from ds_training.corpora.manifest import Recording, open_manifest
from ds_training.corpus import Utterance, hours, read_shard, samples_of, with_phones, write_shard
from ds_training.evaluate import Evaluation, evaluate, measure
from ds_training.model import Network
from ds_training.posteriors import posteriors
from ds_training.prepare import PrepareSettings, prepare
from ds_training.quantise import quantise
from ds_training.recipe import Corpus, Recipe
from ds_training.run import Ended
from ds_training.settings import Settings
from ds_training.shards import Data
from ds_training.splice import cut, splice
from ds_training.splits import of_part, read_split
from ds_training.stages import Figures, Stage
from ds_training.synthesis import synthesise
from ds_training.tables import markdown
from ds_training.text import SYMBOLS, Orthography
from ds_training.train import stop_on_signals, train
from ds_training.verify import verify
from ds_training.weights import WeightFormat

VERIFIED = 8  # recordings of the development corpora that the verification streams
BUNDLE = "bundle"  # folder of the result, in the work folder

Table = TypeVar("Table")


class InterruptedTrainingError(RuntimeError):
    """Somebody stopped the training; the same command goes on with it."""


class Plan:
    """The stages of one recipe in one folder."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        """Raises RecipeError, CorpusError or CheckpointError where the recipe contradicts itself."""
        self.recipe, self.folder = recipe, folder
        self.bundle = folder / BUNDLE
        self._network, self._float, self._run = folder / "network.pt", folder / "float", folder / "run"
        self._settings = Settings.of(recipe.training)
        self._augmentation = Augmentation.of(recipe.augmentation)

    @cached_property
    def _orthography(self) -> Orthography:
        return Orthography(self.recipe.symbols())

    def stages(self) -> list[Stage]:
        """Those that the recipe has a table for, in order."""
        recipe = self.recipe
        wanted = {
            self._prepare: True,
            self._synthesise: recipe.synthesis,
            self._splice: recipe.splice,
            self._train: True,
            self._average: True,
            self._export: True,
            self._quantise: True,
            self._make_language_model: recipe.language_model,
            self._calibrate: recipe.calibration,
            self._accept: recipe.acceptance,
            self._confide: recipe.confidence,
            self._verify: True,
            self._evaluate: recipe.evaluation,
            self._write_card: recipe.card,
        }
        return [stage() for stage, wish in wanted.items() if wish]

    def _prepare(self) -> Stage:
        corpora, jobs = self.recipe.corpora, self.recipe.jobs
        phones = self.recipe.phones and self._orthography.alphabet.symbols == SYMBOLS

        def run() -> Figures:
            found = {}
            for corpus in corpora:
                settings = PrepareSettings(
                    symbols=self._orthography.alphabet.symbols,
                    unwritable=corpus.unwritable,
                    unreadable=corpus.unreadable,
                    phones=phones,
                    size=corpus.size,
                    jobs=jobs,
                )
                made = prepare([corpus.manifest], self._shard(corpus), settings, corpus.split, corpus.part or corpus.use)
                found[corpus.name] = {"utterances": made.utterances, "speakers": made.speakers, "hours": round(made.hours, 3)}
            return found

        lists = [path for corpus in corpora for path in (corpus.manifest, corpus.split) if path]
        return Stage("prepare", run, [[asdict(corpus) for corpus in corpora], phones], tuple(lists))

    def _shard(self, corpus: Corpus) -> Path:
        return self.folder / "shards" / f"{corpus.name}.npz"

    def _shards(self, use: str) -> tuple[Path, ...]:
        """Of all corpora of a use, in as many pieces as they were prepared in."""
        return tuple(
            path
            for corpus in self.recipe.of_use(use)
            for path in (sorted(self._shard(corpus).parent.glob(f"{corpus.name}-*.npz")) if corpus.size else [self._shard(corpus)])
        )

    def _spoken(self, use: str) -> list[Utterance]:
        return [utterance for path in self._shards(use) for utterance in read_shard(path)]

    def _synthesise(self) -> Stage:
        synthesis, folder = _given(self.recipe.synthesis), self.folder / "synthetic"

        def run() -> Figures:
            return {"shards": len(synthesise(synthesis, folder))}

        return Stage("synthesise", run, synthesis, synthesis.text, (folder,))

    def _splice(self) -> Stage:
        splicing, out = _given(self.recipe.splice), self.folder / "shards" / "spliced.npz"

        def run() -> Figures:
            cuts = cut(load_network(splicing.model), self._spoken("train"), LogMel(LogMelSpec()))
            made = splice(cuts, splicing.count, np.random.default_rng(splicing.seed))
            write_shard(out, with_phones(made) if self.recipe.phones else made)
            return {"utterances": len(made), "hours": round(hours(made), 3)}

        return Stage("splice", run, splicing, (splicing.model,), (out,))

    def _train(self) -> Stage:
        recipe = self.recipe
        synthetic = (self.folder / "synthetic",) if recipe.synthesis else ()

        def run() -> Figures:
            spliced = (self.folder / "shards" / "spliced.npz",) if recipe.splice else ()
            data = Data(self._shards("development"), (*self._shards("train"), *spliced), synthetic, self._shards("noise"))
            with stop_on_signals() as stop:
                outcome = train(
                    self._run,
                    data,
                    self._settings,
                    recipe.start,
                    orthography=self._orthography,
                    augmentation=self._augmentation,
                    stop=stop,
                )
            if outcome.ended is Ended.STOPPED:
                raise InterruptedTrainingError(f"stopped at {outcome.hours:.2f} hours; the same command goes on from there")
            return {"ended": outcome.ended.value, "hours": round(outcome.hours, 2), "best_cer": round(outcome.best_cer, 4)}

        inputs = tuple(path for path in (recipe.start, recipe.alphabet) if path)
        return Stage("train", run, [self._settings, recipe.augmentation], inputs, (self._run / "best.pt",))

    def _average(self) -> Stage:
        """The network with the lowest development CER of two, the best checkpoint and the mean of the snapshots; mixed with the start."""

        def run() -> Figures:
            candidates = {"best": load_network(self._run / "best.pt")}
            if snapshots := sorted(self._run.glob("snapshot-*.pt")):
                candidates["average"] = average(snapshots)
            spoken, mel = self._spoken("development"), LogMel(LogMelSpec())
            rates = {name: measure(network, spoken, mel)[0].cer for name, network in candidates.items()}
            chosen = min(rates, key=lambda name: rates[name])
            save_weights(self._network, self._blended(candidates[chosen]))
            return {"chosen": chosen, **{f"cer_{name}": round(rate, 4) for name, rate in rates.items()}}

        return Stage("average", run, self.recipe.blend, (self._run / "best.pt",), (self._network,))

    def _blended(self, network: Network) -> Network:
        """Raises CheckpointError where the start is another kind of network by now."""
        if self.recipe.blend == 1 or self.recipe.start is None:
            return network
        start = load_network(self.recipe.start)
        if start.spec != network.spec:
            raise CheckpointError(f"blend needs a start of the same size and alphabet, got {start.spec} beside {network.spec}")
        return mixed([network, start], [self.recipe.blend, 1 - self.recipe.blend])

    def _export(self) -> Stage:
        bundle = self.recipe.bundle
        identity = export.Identity(bundle.name, bundle.version, bundle.language, bundle.description, bundle.license)

        def run() -> Figures:
            difference = export.write_bundle(
                load_network(self._network),
                self._float,
                identity,
                self._card_text(),
                notice=export.notices(bundle.notices) if bundle.notices else None,
                weights=WeightFormat.FLOAT32,
                keep_language_model=bundle.keep_language_model,
            )
            return {"difference": float(f"{difference:.2g}")}

        kept = (bundle.keep_language_model,) if bundle.keep_language_model else ()
        return Stage("export", run, bundle, (self._network, *bundle.notices, *kept), (self._float / "manifest.json",))

    def _card_text(self) -> str:
        """What stands in for the card until the last stage has written it."""
        path, bundle = self.recipe.card, self.recipe.bundle
        return path.read_text("utf-8") if path and path.suffix == ".md" else f"# {bundle.name} {bundle.version}\n\n{bundle.description}\n"

    def _quantise(self) -> Stage:
        def run() -> Figures:
            weights = WeightFormat(self.recipe.bundle.weights)
            return asdict(quantise(self._float, self.bundle, weights, self._spoken("development")))

        return Stage("quantise", run, self.recipe.bundle.weights, (self._float / "manifest.json",), (self.bundle / "manifest.json",))

    def _make_language_model(self) -> Stage:
        wanted = _given(self.recipe.language_model)
        transcripts = (wanted.transcripts.file,) if wanted.transcripts else ()
        inputs = (*(source.file for source in wanted.text), *transcripts, *wanted.kept_out, *wanted.words)
        return Stage("language", lambda: language.make(self.bundle, wanted), wanted, inputs, (self.bundle / "lm.ngram",))

    def _calibrate(self) -> Stage:
        wanted = _given(self.recipe.calibration)

        def run() -> Figures:
            settings, figures = calibrate.calibrate(self.bundle, wanted)
            calibrate.write(self.bundle, settings)
            return {**figures, **settings}

        return Stage("calibrate", run, wanted, (wanted.manifest, *wanted.also))

    def _accept(self) -> Stage:
        wanted = _given(self.recipe.acceptance)

        def run() -> Figures:
            values, figures = acceptance.accept(self.bundle, wanted)
            acceptance.write(self.bundle, values)
            return figures

        return Stage("accept", run, wanted, (wanted.manifest, *wanted.also))

    def _confide(self) -> Stage:
        wanted = _given(self.recipe.confidence)

        def run() -> Figures:
            bundle = Bundle.open(self.bundle)
            model = NativeModel(bundle, RuntimeOptions())
            context = DecoderContext(bundle.manifest.alphabet, model.timing, bundle)
            heard = confidence.hear(context, posteriors(model, wanted.recordings(self._orthography)))
            weights = confidence.fit(heard)
            confidence.write(self.bundle, weights)
            return confidence.figures(heard, weights)

        return Stage("confide", run, wanted, (wanted.manifest, *wanted.also))

    def _verify(self) -> Stage:
        def run() -> Figures:
            chosen = [recording for corpus in self.recipe.of_use("development") for recording in self._recordings(corpus)[:VERIFIED]]
            sounds = (samples_of(recording, LogMelSpec().sample_rate) for recording in chosen)
            report = verify(self.bundle, load_network(self._network), sounds)
            return {check.name: check.found for check in report.checks}

        return Stage("verify", run)

    def _recordings(self, corpus: Corpus) -> list[Recording]:
        recordings = list(open_manifest(corpus.manifest, self._orthography, corpus.unwritable).recordings)
        return of_part(recordings, read_split(corpus.split), corpus.part or corpus.use) if corpus.split else recordings

    def _evaluate(self) -> Stage:
        wanted = _given(self.recipe.evaluation)
        out = self.folder / "report.json"

        def run() -> Figures:
            found = evaluate(Evaluation(self.bundle, wanted.material, noise=wanted.noise, confusions=wanted.confusions))
            figures = found.to_json()
            out.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", "utf-8")
            out.with_suffix(".md").write_text(markdown(found), "utf-8")
            return {"cer": figures["cer"], "wer": figures["wer"]}

        inputs = (*((wanted.material.manifest,) if wanted.material.manifest else ()), *wanted.material.also, *wanted.material.shards)
        return Stage("evaluate", run, wanted, inputs, (out,))

    def _write_card(self) -> Stage:
        path = _given(self.recipe.card)
        report = self.folder / "report.json"

        def run() -> Figures:
            if path.suffix == ".md":
                return {}
            facts = read_facts(path)
            if report.exists():
                facts = replace(facts, figures=(*facts.figures, *rows_of(json.loads(report.read_text("utf-8")), "evaluation")))
            card.install(self.bundle, facts)
            return {"figures": len(facts.figures)}

        return Stage("card", run, None, (path,))


def _given(table: Table | None) -> Table:
    """A table of the recipe that is there: its stage exists only then."""
    if table is None:
        raise ValueError("a stage needs its table")
    return table
