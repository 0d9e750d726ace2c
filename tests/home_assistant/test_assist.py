"""From a voice to a lamp: a real Home Assistant's Assist pipeline, with our server as its speech-to-text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.ds_wyoming.serving import LIGHT, chunks, pcm, silence
from tests.home_assistant.api import Session, add_wyoming
from tests.home_assistant.conftest import Row
from tests.home_assistant.installed import Installed
from tests.home_assistant.instance import Instance, home_assistant
from tests.home_assistant.server import Server, serving
from tests.home_assistant.speech import needs_voice, spoken

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

LAMP, OTHER = "light.bed_light", "light.kitchen_lights"
PIPELINE_BYTES = 2_048  # that a browser sends at once
SECONDS = 60.0  # for a whole run
ENGINE = "stt.attic"


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of the pipeline told, event by event."""

    events: list[dict[str, Any]]

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]

    def data(self, kind: str) -> dict[str, Any]:
        return next(event["data"] for event in self.events if event["type"] == kind)

    @property
    def text(self) -> str:
        return str(self.data("stt-end")["stt_output"]["text"])


@dataclass(frozen=True, slots=True)
class House:
    """Home Assistant with our server in its pipeline."""

    instance: Instance
    server: Server
    pipeline: str

    async def run(self, audio: bytes) -> Run:
        """Somebody speaks; until the intent has been carried out, or an error."""
        async with self.instance.session() as api, asyncio.timeout(SECONDS):
            fields = {"start_stage": "stt", "end_stage": "intent", "input": {"sample_rate": 16_000}, "pipeline": self.pipeline}
            queue = await api.subscribe("assist_pipeline/run", **fields)
            events = [await queue.get()]
            handler = events[0]["data"]["runner_data"]["stt_binary_handler_id"]
            for piece in [*chunks(audio, PIPELINE_BYTES), b""]:
                await api.send_audio(handler, piece)
            while events[-1]["type"] != "run-end":
                events.append(await queue.get())
        return Run(events)

    async def is_on(self, entity: str) -> bool:
        async with self.instance.session() as api:
            [state] = [state["state"] for state in await api.call("get_states") if state["entity_id"] == entity]
            return bool(state == "on")

    async def name(self, entity: str, name: str) -> None:
        async with self.instance.session() as api:
            await api.call("config/entity_registry/update", entity_id=entity, name=name)


async def pipeline(api: Session) -> str:
    """A new pipeline with our engine; its id."""
    nothing = dict.fromkeys(("tts_engine", "tts_language", "tts_voice", "wake_word_entity", "wake_word_id"))
    agent = {"conversation_engine": "conversation.home_assistant", "conversation_language": "en"}
    engine = {"stt_engine": ENGINE, "stt_language": "en"}
    return str((await api.call("assist_pipeline/pipeline/create", name="Attic", language="en", **agent, **engine, **nothing))["id"])


@asynccontextmanager
async def house(python: Path, folder: Path, *arguments: str) -> AsyncIterator[House]:
    """Everything, from an empty folder."""
    async with home_assistant(python, folder / "home") as instance:
        section = {"URI": instance.url, "TOKEN": instance.token, "STORE": str(folder / "home.json")}
        environment = {f"DS_PLUGIN_HOME_ASSISTANT_{name}": value for name, value in section.items()}
        async with serving("--name", "attic", *arguments, environment=environment) as server:
            made = await add_wyoming(instance.url, instance.token, server.host, server.port)
            assert (made["type"], made["title"]) == ("create_entry", "attic")
            async with instance.session() as api:
                await api.call("call_service", domain="light", service="turn_off", service_data={"entity_id": [LAMP, OTHER]})
                yield House(instance, server, await pipeline(api))


async def test_a_recording_switches_the_light_on(whole: Installed, tmp_path: Path, row: Row) -> None:
    async with house(whole.python, tmp_path) as at_home:
        await at_home.name(LAMP, "Kitchen Light")
        await at_home.name(OTHER, "Counter")
        run = await at_home.run(pcm(LIGHT)[1] + silence(1.5))
        assert run.text == "turn on the kitchen light"
        assert run.data("intent-end")["intent_output"]["response"]["response_type"] == "action_done"
        assert await at_home.is_on(LAMP)
        assert not await at_home.is_on(OTHER)
        assert {"stt-vad-start", "stt-vad-end"} <= set(run.kinds)
    row("Assist, a recording", "the light is on")


@needs_voice
async def test_an_invented_name_switches_its_light_on(whole: Installed, tmp_path: Path, row: Row) -> None:
    async with house(whole.python, tmp_path) as at_home:
        audio = spoken("turn on the snorkelwack") + silence(1.5)
        before = await at_home.run(audio)
        assert not await at_home.is_on(LAMP)
        await at_home.name(LAMP, "Snorkelwack")
        async with asyncio.timeout(SECONDS):
            while not await at_home.is_on(LAMP):
                run = await at_home.run(audio)
        assert (before.text, run.text) == ("turn on the snorkel work", "turn on the snorkelwack")
    row("Assist, an invented name", "unknown, then named: the light is on")


async def test_silence_and_a_stopped_server_are_the_errors_that_people_can_read(whole: Installed, tmp_path: Path, row: Row) -> None:
    async with house(whole.python, tmp_path) as at_home:
        assert (await at_home.run(silence(3.0))).data("error")["code"] == "stt-no-text-recognized"
        await at_home.server.kill()
        assert (await at_home.run(pcm(LIGHT)[1])).data("error")["code"] == "stt-stream-failed"
    row("Assist, silence; server gone", "stt-no-text-recognized; stt-stream-failed")


async def test_a_whole_file_over_http_is_its_text(whole: Installed, tmp_path: Path, row: Row) -> None:
    async with house(whole.python, tmp_path) as at_home:
        content = "format=wav; codec=pcm; sample_rate=16000; bit_rate=16; channel=1; language=en"
        headers = {"Authorization": f"Bearer {at_home.instance.token}", "X-Speech-Content": content}
        async with httpx.AsyncClient(base_url=at_home.instance.url, headers=headers, timeout=SECONDS) as http:
            answer = (await http.post(f"/api/stt/{ENGINE}", content=LIGHT.read_bytes())).raise_for_status().json()
        assert answer == {"text": "turn on the kitchen light", "result": "success"}
    row("POST /api/stt with a WAV file", "success")
