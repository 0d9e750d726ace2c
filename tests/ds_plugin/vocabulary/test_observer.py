"""Every utterance gets the household's words beside those of plugins, whoever opens it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ds_engine.audio import AudioFormat
from ds_engine.bias import MAX_PHRASES, Bias, Phrase, Pronunciation
from ds_engine.greedy import GreedyDecoder
from ds_engine.observer import Preparation, SilentObserver, UtteranceInfo
from ds_plugin.vocabulary.contents import Sources
from ds_plugin.vocabulary.current import Vocabulary
from ds_plugin.vocabulary.observer import VocabularyObserver
from tests.ds_engine.fakes import CHARACTERS, ReplayModel, replaying
from tests.ds_plugin.helpers import INFO, heard, hosted, plugin
from tests.ds_plugin.sources import names
from tests.ds_plugin.vocabulary.households import ENGLISH


class Plugins(SilentObserver):
    """An observer whose plugins give a bias."""

    def __init__(self, bias: Bias) -> None:
        self.preparation = Preparation(bias, record=True)

    async def prepare(self, info: UtteranceInfo) -> Preparation:
        return self.preparation


class Telling(GreedyDecoder):
    """A decoder that tells the biases that it starts with."""

    def __init__(self, biases: list[Bias]) -> None:
        super().__init__(CHARACTERS, ReplayModel().timing)
        self._biases = biases

    def start(self, bias: Bias) -> Any:
        self._biases.append(bias)
        return super().start(bias)


@pytest.fixture
def vocabulary(tmp_path: Path) -> Vocabulary:
    (tmp_path / "home.txt").write_text("Zoë\t3\nlamp\t1\n")
    return Vocabulary(ENGLISH, Sources((tmp_path / "home.txt",)))


async def prepared(bias: Bias, vocabulary: Vocabulary) -> Preparation:
    return await VocabularyObserver(Plugins(bias), lambda _model: vocabulary).prepare(INFO)


async def test_the_vocabulary_joins_what_plugins_expect_as_people_write_it(vocabulary: Vocabulary) -> None:
    found = await prepared(Bias((Phrase("LAMP", 2.0), Phrase("Noël 2", 4.0), Phrase("🛋", 4.0))), vocabulary)
    assert found.bias.phrases == (Phrase("zoë", 3.0), Phrase("lamp", 2.0), Phrase("noël two", 4.0))
    assert set(found.bias.pronunciations) == {Pronunciation("zoë", "zoe"), Pronunciation("noël", "noel")}
    assert found.record


async def test_what_nobody_adds_to_is_the_very_same(vocabulary: Vocabulary) -> None:
    assert (await prepared(Bias(), vocabulary)).bias is vocabulary.snapshot()
    assert (await prepared(Bias(), Vocabulary(ENGLISH))).bias == Bias()


async def test_the_households_words_come_first_where_plugins_have_too_many(vocabulary: Vocabulary) -> None:
    letters = "abcdefghij"
    many = Bias(tuple(Phrase("x" + "".join(letters[int(digit)] for digit in str(number)), 9.0) for number in range(MAX_PHRASES)))
    found = await prepared(many, vocabulary)
    assert len(found.bias.phrases) == MAX_PHRASES
    assert found.bias.phrases[:2] == vocabulary.snapshot().phrases


async def test_an_open_utterance_keeps_what_it_was_opened_with() -> None:
    biases: list[Bias] = []
    async with hosted(plugin(ds_bias=lambda: Bias((Phrase("Hall", 1.0),))), recognizer=replaying(decoder=Telling(biases))) as host:
        host.vocabulary.add_hot_word("Lamp", 5.0)
        async with await host.open(AudioFormat(), Bias((Phrase("Mine", 2.0),))) as utterance:
            host.vocabulary.clear_hot_words()
            assert (await utterance.finish()).text == ""
        await heard(host)
    assert [{phrase.text for phrase in bias.phrases} for bias in biases] == [{"mine", "lamp", "hall"}, {"hall"}]


async def test_every_model_has_the_vocabulary_of_its_own(vocabulary: Vocabulary) -> None:
    german = Vocabulary(ENGLISH)
    german.hear("home", names("Lampe", "Zoë"))
    known = {"english 1": vocabulary, "german 1": german}
    observer = VocabularyObserver(Plugins(Bias((Phrase("Flur", 2.0),))), known.__getitem__)
    found = [await observer.prepare(replace(INFO, model=model)) for model in known]
    assert [[phrase.text for phrase in each.bias.phrases] for each in found] == [["zoë", "lamp", "flur"], ["lampe", "zoë", "flur"]]


async def test_what_a_source_publishes_is_for_utterances_that_open_afterwards(vocabulary: Vocabulary) -> None:
    before = await prepared(Bias(), vocabulary)
    vocabulary.hear("home", names("Hall", "Lamp", boost=4.0))
    after = await prepared(Bias(), vocabulary)
    assert [phrase.text for phrase in before.bias.phrases] == ["zoë", "lamp"]
    assert after.bias.phrases == (Phrase("zoë", 3.0), Phrase("lamp", 4.0), Phrase("hall", 4.0))


async def test_everything_else_passes_through(vocabulary: Vocabulary) -> None:
    notes: list[str] = []
    async with hosted(
        plugin(
            ds_partial=lambda utterance, partial: notes.append("partial"),
            ds_final=lambda utterance, transcript: notes.append("final"),
            ds_utterance_ended=lambda utterance, error: notes.append("ended"),
            ds_transform_transcript=lambda transcript: transcript.with_text(transcript.text.upper()),
        )
    ) as host:
        async with await host.open() as utterance:
            assert utterance.rewrites
        assert (await heard(host)).text == "HELLO"
        await asyncio.sleep(0)
    assert {"final", "ended"} <= set(notes)
