"""A whole recipe, from recordings to a verified bundle that the engine hears with."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import ds_training
from ds_engine.acoustic import RuntimeOptions
from ds_engine.audio import AudioFormat
from ds_engine.bundle import Bundle
from ds_engine.decoder import DecoderContext
from ds_engine.native import NativeModel
from ds_engine.recognizer import Recognizer
from ds_engine.search.decoder import KernelDecoder
from ds_training.checkpoint import CheckpointError, save_weights
from ds_training.corpus import CorpusError
from ds_training.model import SIZES, Network
from ds_training.plan import InterruptedTrainingError, Plan
from ds_training.recipe import read_recipe
from ds_training.recipe_tables import RecipeError
from ds_training.run import Ended
from ds_training.stages import Work
from tests.ds_training import toy

EN_SMALL_RECIPE = Path(ds_training.__file__).parent / "en-small" / "recipe.toml"
STAGES = ["prepare", "train", "average", "export", "quantise", "language", "calibrate", "accept", "verify", "evaluate"]


@dataclass(frozen=True, slots=True)
class Followed:
    """A recipe that has been followed."""

    recipe: Path
    work: Path
    figures: dict[str, dict[str, object]]


def follow(recipe: Path, work: Path, **options: str) -> tuple[dict[str, dict[str, object]], list[str]]:
    """The figures, and what was said."""
    said: list[str] = []
    figures = Work(work).run(Plan(read_recipe(recipe), work).stages(), said.append, **options)
    return {name: dict(found) for name, found in figures.items()}, said


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    folder = tmp_path_factory.mktemp("toy")
    recipe = toy.write(folder)
    figures, _ = follow(recipe, folder / "work")
    return Followed(recipe, folder / "work", figures)


def test_all_stages_are_run_in_order(followed: Followed) -> None:
    assert list(followed.figures) == STAGES


def test_the_bundle_hears_what_is_said_through_the_engine(followed: Followed) -> None:
    bundle = Bundle.open(followed.work / "bundle")
    model = NativeModel(bundle, RuntimeOptions())
    decoder = KernelDecoder.make(DecoderContext(bundle.manifest.alphabet, model.timing, bundle))
    rng, texts = np.random.default_rng(5), ["ab c", "c", "ba ac b", "cc a", "b"]
    for speaker, text in enumerate(texts):
        stream = Recognizer(model, decoder).stream(AudioFormat(toy.RATE))
        stream.feed((toy.samples(text, speaker % toy.SPEAKERS, rng) * 2**15).astype("<i2").tobytes())
        assert stream.finish().transcript.text == text


def test_figures_are_told(followed: Followed) -> None:
    assert followed.figures["prepare"]["train"] == {"utterances": 160, "speakers": 4, "hours": pytest.approx(0.038, abs=0.005)}
    assert followed.figures["train"]["best_cer"] == pytest.approx(0, abs=0.05)
    assert followed.figures["evaluate"]["wer"] == pytest.approx(0, abs=0.1)


def test_the_bundle_says_what_the_recipe_says(followed: Followed) -> None:
    manifest = Bundle.open(followed.work / "bundle").manifest
    assert (manifest.name, manifest.version, manifest.language, manifest.license) == ("tones", "1.2.3", "x-tones", "CC0-1.0")
    assert (followed.work / "bundle/LICENSE").read_text() == "Tones are free.\n"
    assert manifest.alphabet.symbols == ("<blank>", " ", "a", "b", "c")
    assert manifest.calibration.values["search"]


def test_the_report_has_the_noise_that_was_asked_for(followed: Followed) -> None:
    report = json.loads((followed.work / "report.json").read_text())
    assert report["speakers"] == 4
    assert "20" in json.dumps(report)
    assert (followed.work / "report.md").read_text().count("|") > 10


def test_what_was_done_is_not_done_again(followed: Followed) -> None:
    figures, said = follow(followed.recipe, followed.work)
    assert said == [f"{stage}: done before" for stage in STAGES]
    assert json.dumps(figures) == json.dumps(followed.figures)


def test_a_stopped_training_goes_on_where_it_was(followed: Followed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ds_training import plan

    asked: list[int] = []

    def sixth() -> bool:
        asked.append(1)
        return len(asked) == 6

    monkeypatch.setattr(plan, "stop_on_signals", lambda: nullcontext(sixth))
    recipe = tmp_path / "recipe.toml"
    text = toy.RECIPE.replace("hours = 0.6", "hours = 0.02").partition("[language_model]")[0]
    for name in ("alphabet.txt", "NOTICE.txt", "train/list.tsv", "development/list.tsv"):
        text = text.replace(f'"{name}"', f'"{followed.recipe.parent / name}"')
    recipe.write_text(text)
    with pytest.raises(InterruptedTrainingError, match="goes on from there"):
        follow(recipe, tmp_path / "work")
    figures, said = follow(recipe, tmp_path / "work")
    assert said[0] == "prepare: done before"
    assert figures["train"]["ended"] == Ended.HOURS.value
    assert len(asked) > 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[bundle]", "[bundel]"), "bundel is unknown; did you mean bundle?"),
        (('name = "tones"', ""), "bundle.name is missing"),
        (('use = "development"', 'use = "test"'), "corpora.use needs one of train, development, noise, got 'test'"),
        (('use = "development"', ""), "needs at least one entry with use = 'development'"),
        (('name = "development"', 'name = "train"'), "corpora need different names"),
        (('weights = "int8"', 'weights = "int4"'), "bundle.weights needs one of"),
        (('notices = ["NOTICE.txt"]', 'notices = ["${NOWHERE}/N"]'), "needs the environment variable NOWHERE"),
        (("[bundle]", "[bundle"), "recipe.toml: "),
        (("phones = false", "blend = 0.5"), "below 1 a start to mix with, got 0.5"),
        (("phones = false", 'start = "x.onnx"\nblend = 0.0'), "blend needs to lie above 0"),
        (('notices = ["NOTICE.txt"]', 'keep_language_model = "x"'), "exclude each other"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused_in_one_line(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    recipe = tmp_path / "recipe.toml"
    assert change[0] in toy.RECIPE
    recipe.write_text(toy.RECIPE.replace(*change, 1))
    with pytest.raises(RecipeError) as caught:
        read_recipe(recipe)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_setting_of_the_trainer_that_is_unknown_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(toy.RECIPE.replace("frames = 800", "fames = 800"))
    with pytest.raises(CorpusError, match="fames is unknown"):
        Plan(read_recipe(recipe), tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(toy.RECIPE)
    (tmp_path / "alphabet.txt").write_text(" \na\n")
    with pytest.raises(RecipeError, match=r"stage prepare needs .*train/list\.tsv"):
        follow(recipe, tmp_path / "work")


def test_the_recipe_of_the_bundled_model_can_be_read_and_has_every_stage(tmp_path: Path) -> None:
    recipe = read_recipe(EN_SMALL_RECIPE, {"SPEECH": str(tmp_path), "TEXT": str(tmp_path)})
    assert [stage.name for stage in Plan(recipe, tmp_path).stages()] == [
        *("prepare", "synthesise", "splice", "train", "average", "export", "quantise"),
        *("language", "calibrate", "accept", "confide", "verify", "evaluate", "card"),
    ]
    assert recipe.synthesis
    assert {"festival:ked_diphone", "festival:pc_diphone"} <= set(recipe.synthesis.without)  # held out for good


def test_what_was_trained_is_mixed_with_its_start(tmp_path: Path) -> None:
    (tmp_path / "alphabet.txt").write_text(" \na\nb\nc\n")
    start, trained = (Network(replace(SIZES["tiny"], symbols=("<blank>", " ", "a", "b", "c"))) for _ in range(2))
    save_weights(tmp_path / "start.pt", start)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(toy.RECIPE.replace("phones = false", 'phones = false\nstart = "start.pt"\nblend = 0.75'))
    plan = Plan(read_recipe(recipe), tmp_path / "work")
    found = plan._blended(trained)
    assert torch.allclose(found.head.weight, 0.75 * trained.head.weight + 0.25 * start.head.weight, atol=1e-3)
    with pytest.raises(CheckpointError, match="blend needs a start of the same size"):
        plan._blended(Network(SIZES["tiny"]))
