"""Takes the pictures in docs/images: a real Home Assistant with our server, seen through Chromium.

`scripts/home-assistant --screenshots docs/images` runs it, in a network of its own. Needs Debian's chromium and pngquant.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.home_assistant.api import Session, add_discovered
from tests.home_assistant.browser import Page, browser
from tests.home_assistant.installed import complete
from tests.home_assistant.instance import Instance, home_assistant
from tests.home_assistant.server import serving
from tests.home_assistant.test_discovery import found

COLOURS = 64
ENTRY, ENGINE, PIPELINE = "ds-plugin", "stt.ds_plugin", "Assist"
NAMES: dict[str, tuple[str, str, list[str]]] = {  # entity: name, area, aliases
    "light.bed_light": ("Snorkelwack", "bedroom", ["night light"]),
    "light.ceiling_lights": ("Grandma's Lamp", "living_room", ["the old lamp"]),
    "light.kitchen_lights": ("Kitchen Light", "kitchen", []),
    "fan.ceiling_fan": ("Fan", "bedroom", []),
    "cover.hall_window": ("Hall Window", "living_room", []),
    "climate.hvac": ("Heating", "living_room", ["radiator"]),
    "switch.ac": ("Fridge", "kitchen", []),
}


async def choose_engine(api: Session) -> None:
    """The one that every house has, with our engine."""
    [pipeline] = (await api.call("assist_pipeline/pipeline/list"))["pipelines"]
    fields = {key: value for key, value in pipeline.items() if key != "id"}
    chosen = {"name": PIPELINE, "stt_engine": ENGINE, "stt_language": "en"}
    await api.call("assist_pipeline/pipeline/update", pipeline_id=pipeline["id"], **(fields | chosen))


async def name_things(api: Session) -> None:
    """A small household, with names of its own."""
    exposed = (await api.call("homeassistant/expose_entity/list"))["exposed_entities"]
    await api.call("homeassistant/expose_entity", assistants=["conversation"], entity_ids=list(exposed), should_expose=False)
    await api.call("homeassistant/expose_entity", assistants=["conversation"], entity_ids=list(NAMES), should_expose=True)
    for entity, (name, area, aliases) in NAMES.items():
        await api.call("config/entity_registry/update", entity_id=entity, name=name, area_id=area, aliases=aliases)


async def log_in(page: Page, instance: Instance) -> None:
    """As the page does with what it keeps."""
    later = int(time.time() * 1000) + 3_600_000
    tokens = {"access_token": instance.token, "token_type": "Bearer", "expires_in": 3600, "expires": later, "refresh_token": ""}
    tokens |= {"hassUrl": instance.url, "clientId": f"{instance.url}/"}
    await page.do("Page.navigate", url=f"{instance.url}/manifest.json")
    await page.script(f"localStorage.hassTokens = {json.dumps(json.dumps(tokens))}")


async def save(page: Page, file: Path) -> None:
    """With few colours, which is small."""
    quantise = ("pngquant", "--speed", "1", "--nofs", str(COLOURS), "-")
    small = await asyncio.to_thread(subprocess.run, quantise, input=await page.picture(), stdout=subprocess.PIPE, check=True)
    file.write_bytes(small.stdout)  # noqa: ASYNC240 - a script of one task


async def take(page: Page, instance: Instance, folder: Path) -> None:
    """All pictures: found by itself, in the pipeline, with names; at the end, how it is added where it has not been found."""
    async with instance.session() as api:
        flow = await found(api)
    await page.do("Page.navigate", url=f"{instance.url}/config/integrations/dashboard")
    await page.until_seen("Discovered")
    await save(page, folder / "home-assistant-discovered.png")
    await add_discovered(instance.url, instance.token, flow["flow_id"])
    async with instance.session() as api:
        await choose_engine(api)
        await name_things(api)
    await page.do("Page.navigate", url=f"{instance.url}/config/integrations/integration/wyoming")
    await page.until_seen(ENTRY)
    await save(page, folder / "home-assistant-integration.png")
    await page.do("Page.navigate", url=f"{instance.url}/config/voice-assistants/assistants")
    await page.click(PIPELINE)
    await page.scroll_to("Conversation agent")
    await save(page, folder / "home-assistant-pipeline.png")
    await page.do("Page.navigate", url=f"{instance.url}/config/voice-assistants/expose")
    await page.until_seen("Snorkelwack")
    await save(page, folder / "home-assistant-expose.png")
    await page.do("Page.navigate", url=f"{instance.url}/config/integrations/dashboard/add?domain=wyoming")
    await page.click("OK")
    await page.type("Host", "192.168.1.20")
    await page.type("Port", "10300")
    await save(page, folder / "home-assistant-add.png")


async def main(folder: Path) -> None:
    """Into a folder that is there."""
    with tempfile.TemporaryDirectory() as work:
        async with (
            home_assistant(complete()[-1].python, Path(work) / "home", "zeroconf") as instance,
            serving("--zeroconf", ENTRY, host="0.0.0.0"),  # noqa: S104 - a network of its own
            browser() as page,
        ):
            await log_in(page, instance)
            await take(page, instance, folder)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
