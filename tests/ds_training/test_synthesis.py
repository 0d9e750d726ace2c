"""Synthetic utterances, from a synthesiser that is faked: it writes tones."""

# ruff: noqa: RUF001, S311  # phonetic letters look like others; draws that anybody can repeat

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ds_engine.features import LogMel, LogMelSpec
from ds_training.accents import Person
from ds_training.synthesis import Cast, main, shard, utterances
from ds_training.synthesisers import Spoken, Voice, foreign_voices, hesitant, voices

MEL = LogMel(LogMelSpec())


def tones(texts: Sequence[str], spoken: Spoken, rng: random.Random, folder: Path) -> None:
    """A second of tone for each text, a very short one for "hush", none for "mute"."""
    for index, text in enumerate(texts):
        seconds = 0.05 if text == "hush" else 1.0
        if text != "mute":
            soundfile.write(folder / f"{index}.wav", np.sin(np.arange(int(22_050 * seconds)) / 9) * 0.2, 22_050)


def broken(texts: Sequence[str], spoken: Spoken, rng: random.Random, folder: Path) -> None:
    raise subprocess.CalledProcessError(1, ["broken"])


def test_what_could_not_be_said_or_was_too_short_is_left_out() -> None:
    spoken = list(utterances(Voice("tones", 1, tones), ["hello", "mute", "hush", "bye"], random.Random(1), MEL))
    assert [(item.text, item.speaker) for item in spoken] == [("hello", "tones"), ("bye", "tones")]


def test_a_synthesiser_that_fails_is_reported_and_gives_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert not list(utterances(Voice("broken", 1, broken), ["hello"], random.Random(1), MEL))
    assert "broken failed" in capsys.readouterr().out


def test_a_shard_has_its_size_and_is_the_same_for_the_same_seed() -> None:
    cast = Cast([Voice("tones", 1, tones)])
    first, again = (shard(iter(["one", "two", "three four"] * 9), cast, random.Random(2), MEL, 10) for _ in range(2))
    assert len(first) == 10
    assert all(np.array_equal(one.log_power, other.log_power) for one, other in zip(first, again, strict=True))


def test_the_held_out_voices_can_be_named() -> None:
    assert "festival:ked_diphone" in {voice.name for voice in voices()}
    assert "festival:pc_diphone" in {voice.name for voice in foreign_voices()}


def test_a_cast_draws_accents_and_foreign_voices_in_their_shares() -> None:
    home, abroad, rng = Voice("home", 1, tones), Voice("abroad", 1, tones), random.Random(1)
    drawn = [Cast([home], [abroad], accented_share=0.6, foreign_share=0.2).draw(rng) for _ in range(1000)]
    assert 540 < sum(person is not None for _, person in drawn) < 660
    assert 150 < sum(voice is abroad for voice, _ in drawn) < 250


def test_a_cast_without_accents_draws_no_more_than_a_voice() -> None:
    one, other = random.Random(1), random.Random(1)
    Cast([Voice("tones", 1, tones), Voice("bells", 2, tones)]).draw(one)
    other.choices("ab", [1, 2])
    assert one.random() == other.random()


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")
def test_a_person_with_an_accent_has_words_said_otherwise_and_the_text_stays() -> None:
    heard: list[Spoken] = []

    def listen(texts: Sequence[str], spoken: Spoken, rng: random.Random, folder: Path) -> None:
        heard.append(spoken)
        tones(texts, spoken, rng, folder)

    found = list(
        utterances(Voice("tones", 1, listen), ["the three thieves"], random.Random(1), MEL, Person.draw(random.Random(1), "german", 1.0))
    )
    assert [item.text for item in found] == ["the three thieves"]
    assert set(heard[0]) <= {"the", "three", "thieves"}
    assert "θ" not in {phone for phones in heard[0].values() for phone in phones}


def test_a_stopped_run_goes_on_with_the_shards_that_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "synthetic-1-0.npz").write_text("made before")
    monkeypatch.setattr(sys, "argv", ["synthesis", str(tmp_path), "--text", str(tmp_path / "none"), "--shards", "1"])
    main()
    assert (tmp_path / "synthetic-1-0.npz").read_text() == "made before"


def test_hesitation_adds_pauses_and_changes_no_word() -> None:
    said = {hesitant("turn on the light", random.Random(seed)) for seed in range(60)}
    assert "turn on the light" in said
    assert len(said) > 4
    assert {line.replace(",", "") for line in said} == {"turn on the light"}


@pytest.mark.parametrize("voice", [*voices(), *foreign_voices()], ids=lambda voice: voice.name)
def test_a_voice_speaks_words_with_phones_of_their_own(voice: Voice, tmp_path: Path) -> None:
    program = voice.name.partition(":")[0]
    if shutil.which(program) is None or shutil.which("espeak-ng") is None:
        pytest.skip(f"needs {program} and espeak-ng")
    rng = random.Random(1)
    voice.speak(["three bad words"], {"three": ("s", "ɹ", "ˈiː"), "bad": ("b", "ˈa", "t", "ə")}, rng, tmp_path)
    if not (tmp_path / "0.wav").exists():
        pytest.skip(f"needs the voice {voice.name}")
    assert 0.5 < soundfile.info(tmp_path / "0.wav").duration < 6
