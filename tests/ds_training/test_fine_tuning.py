"""Recipes for fine-tuning."""

# without torch the whole module is skipped

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import soundfile

pytest.importorskip("torch")

from ds_engine.bundle import Bundle
from ds_training.corpora.manifest import Recording
from ds_training.corpus import CorpusError
from ds_training.fine_tuning import BLEND, PASSES, Wish, divide, recipe_for
from ds_training.settings import Settings
from tests.ds_engine.bundles import EN_SMALL

SAMPLES = Path(__file__).parents[2] / "ds_plugin/samples"
LIGHT = SAMPLES / "turn_on_the_kitchen_light.wav"
SECONDS = soundfile.info(LIGHT).duration


def said(count: int, speakers: int) -> list[Recording]:
    return [Recording(Path(f"{index}.wav"), "yes", str(index % speakers) if speakers else "") for index in range(count)]


def manifest(folder: Path, lines: int, text: str = "turn on the light") -> Path:
    path = folder / "list.tsv"
    for number in range(lines):
        shutil.copy(LIGHT, folder / f"{number}.wav")
    path.write_text("file\ttext\n" + "".join(f"{number}.wav\t{text} {'a' * number}\n" for number in range(lines)))
    return path


def test_few_speakers_give_every_tenth_recording_to_development() -> None:
    train, development = divide(said(35, 2))
    assert [recording.file.stem for recording in development] == ["9", "19", "29"]
    assert len(train) == 32


def test_many_speakers_give_a_tenth_of_the_speakers() -> None:
    train, development = divide(said(120, 12))
    assert len({recording.speaker for recording in development}) == 2
    assert not {recording.speaker for recording in development} & {recording.speaker for recording in train}
    assert len(train) + len(development) == 120


@pytest.mark.parametrize("count", [0, 1, 9])
def test_too_few_recordings_are_refused(count: int) -> None:
    with pytest.raises(CorpusError, match=f"needs 10 recordings or more, got {count}"):
        divide(said(count, 0))


def test_the_recipe_starts_from_the_bundle_and_keeps_what_goes_with_it(tmp_path: Path) -> None:
    recipe = recipe_for(Wish(manifest(tmp_path, 40), EN_SMALL, "mine"), tmp_path / "work")
    base = Bundle.open(EN_SMALL).manifest
    assert (recipe.bundle.name, recipe.bundle.version, recipe.bundle.language) == ("mine", base.version, base.language)
    assert recipe.start == EN_SMALL / "model.onnx"
    assert recipe.bundle.keep_language_model == EN_SMALL
    assert recipe.blend == BLEND < 1
    assert recipe.bundle.notices == (EN_SMALL / "LICENSE",)
    settings = Settings.of(recipe.training)
    assert settings.norm_frozen
    assert settings.hours == pytest.approx(PASSES * 40 * SECONDS / 3600)
    assert len((tmp_path / "work/development.tsv").read_text().splitlines()) == 1 + 4


def test_a_minute_of_speech_is_the_least(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=f"needs 60 s of speech or more, got {2 * SECONDS:.0f} s"):
        recipe_for(Wish(manifest(tmp_path, 2), EN_SMALL, "mine"), tmp_path / "work")


def test_text_that_cannot_be_written_is_refused_or_passed_over(tmp_path: Path) -> None:
    path = manifest(tmp_path, 40)
    path.write_text(path.read_text() + f"{SAMPLES / 'what_time_is_it.wav'}\t日\n")
    with pytest.raises(CorpusError, match="日"):
        recipe_for(Wish(path, EN_SMALL, "mine"), tmp_path / "work")
    assert recipe_for(Wish(path, EN_SMALL, "mine", unwritable="skip"), tmp_path / "work").bundle.name == "mine"
