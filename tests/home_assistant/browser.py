"""A headless Chromium, over its debugging protocol: what is seen on a page, clicks, pictures. It finds no address but this machine's."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

SECONDS = 60.0  # for one answer, or for something to be seen
WIDTH, HEIGHT = 1_000, 720  # pixels
SHOTS = 10  # that wait for a page to come to rest

_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # it opens our own pages only, and CI is root
    "--remote-debugging-port=0",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
)
# Home Assistant's pages are trees of shadow roots.
_ALL = "const all = root => [...root.querySelectorAll('*')].flatMap(e => e.shadowRoot ? [e, ...all(e.shadowRoot)] : [e]);"
_SEEN = f"""(() => {{
  {_ALL}
  const own = e => [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join('') || e.label || e.header || '';
  return all(document).filter(e => own(e) === TEXT && e.getClientRects().length);
}})()"""
# They would come from the internet; their names stand for them.
_WITHOUT_LOGOS = f"(() => {{ {_ALL} all(document).filter(e => e.tagName === 'IMG' && !e.naturalWidth).map(e => e.replaceWith(e.alt)); }})()"


class Page:
    """One page; `browser` makes it."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def do(self, method: str, **parameters: Any) -> Any:
        """One command of the protocol."""
        number = next(self._numbers)
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        async with asyncio.timeout(SECONDS):
            while (answer := json.loads(await self._socket.recv())).get("id") != number:
                pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    async def script(self, text: str) -> Any:
        """The value of an expression."""
        return (await self.do("Runtime.evaluate", expression=text, returnByValue=True))["result"].get("value")

    async def until_seen(self, text: str) -> None:
        """Waits for an element of exactly this text."""
        async with asyncio.timeout(SECONDS):
            while not await self.script(f"{_SEEN.replace('TEXT', json.dumps(text))}.length"):  # noqa: ASYNC110 - nobody announces it
                await asyncio.sleep(0.1)

    async def click(self, text: str) -> None:
        """Waits for it, and clicks."""
        await self.until_seen(text)
        await self.script(f"{_SEEN.replace('TEXT', json.dumps(text))}.at(-1).click()")

    async def scroll_to(self, text: str) -> None:
        """Waits for it, and brings it into view."""
        await self.until_seen(text)
        await self.script(f"{_SEEN.replace('TEXT', json.dumps(text))}[0].scrollIntoView()")

    async def type(self, label: str, text: str) -> None:
        """Into the field of this label."""
        await self.until_seen(label)
        await self.script(f"{_SEEN.replace('TEXT', json.dumps(label))}.find(e => e.tagName === 'HA-TEXTFIELD').focus()")
        await self.do("Input.insertText", text=text)

    async def picture(self) -> bytes:
        """A PNG, once nothing moves any more, or nearly so."""
        before, now = "", await self._shot()
        for _ in range(SHOTS):
            if now == before:
                break
            await asyncio.sleep(0.5)
            before, now = now, await self._shot()
        return base64.b64decode(now)

    async def _shot(self) -> str:
        await self.script(_WITHOUT_LOGOS)
        return str((await self.do("Page.captureScreenshot", format="png"))["data"])


@asynccontextmanager
async def browser(program: str = "chromium") -> AsyncIterator[Page]:
    """An empty page."""
    with tempfile.TemporaryDirectory() as profile:
        command = (program, *_ARGUMENTS, f"--user-data-dir={profile}", "about:blank")
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
        assert process.stderr
        try:
            async with asyncio.timeout(SECONDS):
                while b"DevTools listening on " not in (line := await process.stderr.readline()):
                    assert line, f"{program} has ended"
            address = line.decode().split("ws://")[1].split("/")[0]
            async with httpx.AsyncClient() as http:
                pages = (await http.get(f"http://{address}/json/list")).json()
            url = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
            async with connect(url, max_size=None) as socket:
                page = Page(socket)
                await page.do("Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT, deviceScaleFactor=1, mobile=False)
                yield page
        finally:
            process.terminate()
            await process.communicate()
