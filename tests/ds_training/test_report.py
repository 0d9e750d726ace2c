"""Reports over a fake that hears what it is told to, and worse in noise."""

# without torch the whole module is skipped

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch")

from ds_training.confusions import Confusion
from ds_training.corpus import CorpusError, Recording, Utterance
from ds_training.groups import PITCH_NOTE, PITCHES
from ds_training.hearing import Listener
from ds_training.report import BLOCK, Questions, Report, report
from ds_training.text import ENGLISH
from ds_training.trials import Kind, MelPower, Noise, Sound, Trial, of_recordings, of_utterances

QUIET = np.float16(-20.7)


def utterance(number: int, text: str, speaker: str, labels: Mapping[str, str] | None = None) -> Utterance:
    """Power in two bands; its number stands in its length, so that a fake can tell which it is."""
    power = np.full((number + 20, 80), QUIET)
    power[5:15, 10:12] = 0
    return Utterance(power, text, speaker, labels=labels or {})


def hearing(texts: Sequence[str], name: str = "fake") -> Listener:
    """Finds these texts in order of number; in noise the first word is lost."""

    def heard(sound: Sound) -> str:
        assert isinstance(sound, MelPower)
        text = texts[len(sound.log_power) - 20]
        return text if sound.log_power[0, 40] == QUIET else " ".join(text.split()[1:])

    return Listener(name, ENGLISH, lambda sounds: [heard(sound) for sound in sounds])


SAID = ["turn on the light", "what time is it", "stop", "turn off the light"]
FOUND = ["turn of the light", "what time is it", "stop it", "turn off light"]
SPEAKERS = ["anna", "otto", "emil", "anna"]


def trials() -> list[Trial]:
    ages: list[dict[str, str]] = [{"age": "7"}, {"age": "40"}, {}, {"age": "7"}]
    parts = [utterance(*each) for each in zip(range(4), SAID, SPEAKERS, ages, strict=True)]
    return of_utterances(parts[:2], "kids/a") + of_utterances(parts[2:], "kids/b")


@pytest.fixture(scope="module")
def noisy() -> Report:
    noises = (Noise(Kind.COLOURED, 20), Noise(Kind.BABBLE, 5))
    return report(hearing(FOUND), trials(), Questions(noises, confusions=3), hearing(SAID, "perfect"))


def test_overall_figures_are_those_of_all_utterances(noisy: Report) -> None:
    figures = noisy.overall.figures
    assert (figures.utterances, figures.speakers, figures.sentences_right) == (4, 3, 0.25)
    assert (figures.words.substitutions, figures.words.deletions, figures.words.insertions) == (1, 1, 1)
    assert figures.wer == 3 / 13
    assert [each.found for each in noisy.results] == FOUND


def test_groups_are_lines_of_their_own(noisy: Report) -> None:
    assert {name: line.figures.wer for name, line in noisy.groups["source"].items()} == {"kids/a": 1 / 8, "kids/b": 2 / 5}
    children = noisy.groups["label age"]["children (below 16)"]
    assert (children.figures.utterances, children.figures.speakers, children.figures.wer) == (2, 1, 2 / 8)
    assert "pitch" not in noisy.groups  # of shards


def test_noise_is_heard_and_told_by_kind_and_ratio(noisy: Report) -> None:
    assert [(each.noise.kind, each.noise.ratio) for each in noisy.noisy] == [("coloured", 20), ("babble", 5)]
    assert noisy.noisy[0].line.figures.words.deletions == 4  # a first word lost in each but "stop it", and one lost without noise


def test_two_models_are_compared_on_the_same_utterances_in_every_line(noisy: Report) -> None:
    assert (noisy.model, noisy.against) == ("fake", "perfect")
    lines = [noisy.overall, *(each.line for each in noisy.noisy), *(line for parts in noisy.groups.values() for line in parts.values())]
    assert all(line.difference for line in lines)
    assert noisy.overall.difference
    assert noisy.overall.difference.wer.value == 3 / 13
    assert noisy.overall.difference.wer.below_zero == 0


def test_confusions_and_places_are_told(noisy: Report) -> None:
    assert noisy.mistaken["words"].substitutions == (Confusion("on", "of", 1, 1 / 3),)
    assert noisy.mistaken["words"].deletions == (Confusion("the", "", 1, 1 / 3),)
    assert "phones" not in noisy.mistaken
    assert noisy.places["end"].lost == 2  # "on" and "the"


def test_json_has_the_overall_figures_on_top_and_no_texts(noisy: Report) -> None:
    text = json.dumps(noisy.to_json())
    told = json.loads(text)
    assert (told["utterances"], told["speakers"], told["cer"], told["wer"]) == (4, 3, round(noisy.overall.figures.cer, 5), 0.23077)
    assert told["wer_interval"]["low"] <= told["wer"] <= told["wer_interval"]["high"]
    assert told["noise"][1]["kind"] == "babble"
    assert told["groups"]["label age"]["children (below 16)"]["speakers"] == 1
    assert told["confusions"]["words"]["substitutions"][0] == {"said": "on", "found": "of", "count": 1, "share": 0.33333}
    assert told["against"] == "perfect"
    assert not any(sentence in text for sentence in (*SAID[:2], *FOUND[:2]))


def test_without_questions_no_word_leaves_the_report() -> None:
    told = json.dumps(report(hearing(FOUND), trials()).to_json())
    assert not any(word in told for word in ("turn", "light", "confusions", "against"))


def test_phones_are_asked_for_only_where_they_are_not_known() -> None:
    asked = list[str]()

    def pronounce(texts: Sequence[str]) -> list[str]:
        assert all(texts)
        asked.extend(texts)
        return [" ".join(text.replace(" ", "")) for text in texts]

    known = Utterance(np.full((20, 80), QUIET), "stop", "a", "s t ɒ p")
    unknown = utterance(1, "go", "b")
    found = report(hearing(["stop", ""]), of_utterances([known, unknown], "x"), Questions(confusions=5, pronounce=pronounce))
    assert asked == ["go", "stop"]
    assert found.mistaken["phones"].substitutions == (Confusion("ɒ", "o", 1, 1 / 3),)
    assert [each.said for each in found.mistaken["phones"].deletions] == ["g", "o"]


def test_pitch_groups_voices_of_recordings_and_says_what_it_stands_for(tmp_path: Path) -> None:
    recordings = []
    for name, hertz in (("man", 110), ("child", 300), ("", 200), ("", 320)):
        time = np.arange(16_000) / 16_000
        tone = sum(np.sin(2 * np.pi * number * hertz * time) / number for number in range(1, 8))
        file = tmp_path / f"{hertz}.wav"
        soundfile.write(file, 0.1 * np.asarray(tone), 16_000)
        recordings.append(Recording(file, "hello", name))
    deaf = Listener("deaf", ENGLISH, lambda sounds: [""] * len(sounds))
    found = report(deaf, of_recordings(recordings, "x"))
    assert {name: line.figures.utterances for name, line in found.groups["pitch"].items()} == {PITCHES[0]: 1, PITCHES[1]: 1, PITCHES[2]: 2}
    assert found.results[1].pitch == pytest.approx(300, rel=0.01)
    assert PITCH_NOTE in found.notes
    assert "pitch" not in report(deaf, of_recordings(recordings, "x"), Questions(pitch=False)).groups


def test_more_trials_than_a_block_stay_in_order() -> None:
    count = 2 * BLOCK + 3
    said = ["on" if number % 3 else "off" for number in range(count)]
    many = of_utterances([utterance(number, text, f"s{number % 5}") for number, text in enumerate(said)], "x")
    found = report(hearing(said), many)
    assert (found.overall.figures.utterances, found.overall.figures.cer) == (count, 0)


def test_no_trials_and_senseless_questions_are_errors() -> None:
    with pytest.raises(CorpusError, match="at least one utterance"):
        report(hearing([]), [])
    with pytest.raises(CorpusError, match="at least 0"):
        Questions(confusions=-1)
