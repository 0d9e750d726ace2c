from __future__ import annotations

import logging

import pytest
from wyoming.event import Event, Eventable

from ds_wyoming.answer import Reply
from tests.ds_wyoming.serving import transcript_of


class Sink:
    def __init__(self) -> None:
        self.events: list[Event] = []

    async def send(self, message: Eventable) -> None:
        self.events.append(message.event())


async def replied(*stable: str, final: str) -> list[Event]:
    sink = Sink()
    reply = Reply(sink.send, "en")
    for text in stable:
        await reply.show(text)
    await reply.conclude(final)
    return sink.events


def pieces(events: list[Event]) -> list[str]:
    return [event.data["text"] for event in events if event.type == "transcript-chunk"]


async def test_chunks_are_what_is_new_and_add_up_to_the_transcript() -> None:
    events = await replied("turn", "turn ", "turn on", "turn on", final="turn on the light ")
    assert transcript_of(events) == "turn on the light"
    assert pieces(events) == ["turn", " on", " the light"]


async def test_an_empty_transcript_has_no_chunk() -> None:
    assert transcript_of(await replied("", " ", final=" ")) == ""


async def test_every_language_field_is_set() -> None:
    events = await replied(final="hi")
    assert [event.data.get("language") for event in events] == ["en", None, "en", None]


async def test_what_the_client_wants_back_comes_at_the_start_and_with_the_transcript() -> None:
    sink = Sink()
    await Reply(sink.send, "en", {"a": [1]}).conclude("hi")
    assert [event.data.get("context") for event in sink.events] == [{"a": [1]}, None, {"a": [1]}, None]
    assert not any("context" in event.data for event in await replied(final="hi"))


async def test_a_decoder_that_breaks_its_word_costs_the_chunks_not_the_transcript(caplog: pytest.LogCaptureFixture) -> None:
    events = await replied("turn of", final="secret turnip")
    assert events[-2].data["text"] == "secret turnip"
    assert pieces(events) == ["turn of"]
    assert [record.levelno for record in caplog.records if record.name == "ds_wyoming.answer"] == [logging.WARNING]
    assert "turn" not in caplog.text
