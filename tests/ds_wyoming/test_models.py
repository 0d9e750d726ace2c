"""Several models behind one address: what is offered, which one listens, and what becomes of one that is broken."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from wyoming.asr import Transcribe
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import AsrModel, Describe, Info

from tests.ds_wyoming.serving import (
    LIGHT,
    add_model,
    answer,
    client_of,
    pcm,
    refused,
    say,
    serving_model,
    serving_toy,
    silence,
    stop_event,
    transcript_of,
)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """British and German beside the bundled English."""
    add_model(tmp_path, "british", "en-GB")
    add_model(tmp_path, "german", "de")
    return tmp_path


async def offered(client: AsyncClient) -> list[AsrModel]:
    await client.write_event(Describe().event())
    event = await client.read_event()
    assert event is not None
    [program] = Info.from_event(event).asr
    return program.models


def languages_of(events: list[Event]) -> set[str]:
    """What a whole answer says of its language."""
    transcript_of(events)
    return {event.data["language"] for event in events if event.type in {"transcript-start", "transcript"}}


async def test_every_model_is_offered_in_one_program_the_default_first(models: Path) -> None:
    async with serving_toy(models=models) as (address, _), client_of(address) as client:
        found = await offered(client)
    assert [(model.name, model.languages, model.installed) for model in found] == [
        ("en-small", ["en"], True),
        ("british", ["en-GB"], True),
        ("german", ["de"], True),
    ]
    assert all(model.version and model.description and model.attribution.name for model in found)


async def test_the_language_that_fits_best_listens_and_is_named(models: Path) -> None:
    fitting: dict[str | None, str] = {
        None: "en",
        "": "en",
        "en": "en",
        "EN": "en",
        "en-US": "en",
        "en_AU": "en",
        "en-GB": "en-GB",
        "en_gb": "en-GB",
        "de": "de",
        "de-AT": "de",
        "DE_ch": "de",
    }
    async with serving_toy(models=models) as (address, _), client_of(address) as client:
        for wanted, heard_in in fitting.items():
            await say(client, silence(0.5), language=wanted)
            assert languages_of(await answer(client)) == {heard_in}, wanted
            await client.write_event(Transcribe(language=wanted).event())
            await client.write_event(stop_event())
            assert languages_of(await answer(client)) == {heard_in}, wanted


async def test_a_language_that_nobody_serves_is_refused(models: Path) -> None:
    async with serving_toy(models=models) as (address, _):
        for language in ("fr", "d", "deu", "english", "-", "e n", "\N{CYRILLIC SMALL LETTER IE}n"):
            async with client_of(address) as client:
                await client.write_event(Transcribe(language=language).event())
                assert await refused(client) == "unsupported-language", language


async def test_a_model_may_be_named_and_holds_for_one_utterance(models: Path) -> None:
    async with serving_toy(models=models) as (address, _), client_of(address) as client:
        await say(client, silence(0.5), name="german")
        assert languages_of(await answer(client)) == {"de"}
        await say(client, silence(0.5))
        assert languages_of(await answer(client)) == {"en"}
        await say(client, b"", name="british", language="en")
        assert languages_of(await answer(client)) == {"en-GB"}


async def test_a_model_that_does_not_speak_the_language_is_refused(models: Path) -> None:
    async with serving_toy(models=models) as (address, _), client_of(address) as client:
        await client.write_event(Transcribe(name="german", language="en").event())
        assert await refused(client) == "unsupported-language"


async def test_a_second_model_hears_what_it_would_alone(models: Path) -> None:
    async with serving_model(models=models) as (address, _), client_of(address) as client:
        texts = []
        for name in ("en-small", "german", "british"):
            await say(client, pcm(LIGHT)[1], name=name)
            texts.append(transcript_of(await answer(client)))
    assert texts == [texts[0]] * 3
    assert texts[0]


async def test_one_that_turns_out_broken_is_an_error_then_offered_no_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    add_model(tmp_path, "broken", "fr", broken=True)
    async with serving_toy(models=tmp_path) as (address, host):
        async with client_of(address) as client:
            assert [model.name for model in await offered(client)] == ["en-small", "broken"]
            await say(client, silence(0.5), language="fr")
            assert await refused(client) == "bad-model"
        async with client_of(address) as client:
            assert [model.name for model in await offered(client)] == ["en-small"]
            await client.write_event(Transcribe(language="fr").event())
            assert await refused(client) == "unsupported-language"
        async with client_of(address) as client:
            await say(client, silence(0.5))
            assert languages_of(await answer(client)) == {"en"}
        assert host.engine.utterances == 0
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING and record.name != "asyncio"]
    assert len(warnings) == 1
    assert "broken" in warnings[0]
