"""The source: Home Assistant's address and token in, its household out whenever that changes, from disk until it answers.

Custom sentences are not told by Home Assistant; their files are watched beside it. Nothing here is on the way of an utterance. Whatever
goes wrong, what was published last stays.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from ds_engine.errors import SpeechError, as_speech_error
from ds_home_assistant.address import Address
from ds_home_assistant.connection import Connection, connected
from ds_home_assistant.custom_files import CustomFiles
from ds_home_assistant.errors import DeniedError, UnreachableError
from ds_home_assistant.home import Home, of_json, to_json
from ds_home_assistant.pace import Pace, delays
from ds_home_assistant.reading import read_home, subscribe
from ds_home_assistant.sentences import household_of
from ds_home_assistant.store import Store
from ds_home_assistant.trouble import Trouble
from ds_plugin.vocabulary.source import Household, Publish

MAX_REMARKS = 10  # lines of the log about one household

_log = logging.getLogger(__name__)


class HomeAssistantSource:
    """A ds_plugin.vocabulary.source.VocabularySource."""

    name = "Home Assistant"

    def __init__(self, address: Address, token: str, store: Store, custom: CustomFiles | None = None, pace: Pace | None = None) -> None:
        self._address = address
        self._token = token
        self._store = store
        self._custom = custom or CustomFiles()
        self._pace = pace or Pace()
        self._trouble = Trouble(str(address))
        self._home: Home | None = None  # that was read last
        self._household: Household | None = None  # that was published last
        self._remarks: frozenset[str] = frozenset()  # that were made last
        self._stores = True  # the file could be written the last time
        self._telling = asyncio.Lock()

    def stored(self, languages: Sequence[str]) -> Household | None:
        """See VocabularySource. A file that is of no use is reported."""
        try:
            value = self._store.load()
            if value is None:
                return None
            home = of_json(value)
            self._custom.refresh()
            household = household_of(home, languages, self._custom.custom)
        except Exception as error:  # noqa: BLE001 - what is wrong with the file, or with us, must not keep anybody from starting
            fault = as_speech_error(error, "reading what was kept on disk")
            _log.warning("Home Assistant: %s; its names come once it answers", fault)
            return None
        self._home, self._household = home, household
        return household

    async def run(self, languages: Sequence[str], publish: Publish) -> None:
        """See VocabularySource."""
        async with asyncio.TaskGroup() as group:
            if self._custom.paths:
                group.create_task(self._watch(languages, publish), name="custom sentences of Home Assistant")
            await self._stay(languages, publish)

    async def _stay(self, languages: Sequence[str], publish: Publish) -> None:
        clock = asyncio.get_running_loop().time
        pauses = delays(self._pace.retry, self._pace.retry_most)
        while True:
            begun = clock()
            error = await self._failure(languages, publish)
            self._trouble.failed(error)
            if clock() - begun >= self._pace.stable:
                pauses = delays(self._pace.retry, self._pace.retry_most)
            await asyncio.sleep(self._pace.denied if isinstance(error, DeniedError) else next(pauses))

    async def _failure(self, languages: Sequence[str], publish: Publish) -> SpeechError:
        """Follows Home Assistant until something is wrong; gives that."""
        try:
            async with connected(self._address, self._token, self._pace) as connection:
                await subscribe(connection)
                while True:
                    await self._take(await self._whole_home(connection), languages, publish)
                    self._trouble.over()
                    await self._change(connection)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the source
            return as_speech_error(error, "reading Home Assistant")

    async def _whole_home(self, connection: Connection) -> Home:
        try:
            async with asyncio.timeout(self._pace.starting_most):
                while (home := await read_home(connection)) is None:
                    await connection.changed(self._pace.starting)
        except TimeoutError as error:
            raise UnreachableError(f"it has not started within {self._pace.starting_most:g} s; is it in safe mode?") from error
        return home

    async def _change(self, connection: Connection) -> None:
        """Waits until it is worth reading again."""
        clock = asyncio.get_running_loop().time
        if await connection.changed(self._pace.poll):
            latest = clock() + self._pace.settle_most
            while clock() < latest and await connection.changed(self._pace.settle):
                pass

    async def _take(self, home: Home, languages: Sequence[str], publish: Publish) -> None:
        """Keeps a home that differs from the one before."""
        self._remark(home)
        if home != self._home:
            await self._tell(home, languages, publish)
            await self._keep(home)

    async def _watch(self, languages: Sequence[str], publish: Publish) -> None:
        while True:
            try:
                if await asyncio.to_thread(self._custom.refresh):
                    await self._tell(None, languages, publish)
            except Exception as error:  # noqa: BLE001 - a fault of ours must not end the source
                _log.warning("Home Assistant: %s", as_speech_error(error, "reading custom sentences"))
            await asyncio.sleep(self._pace.files)

    async def _tell(self, home: Home | None, languages: Sequence[str], publish: Publish) -> None:
        """Publishes what is known where that is news: with a new home, or the one that is known already, if any."""
        async with self._telling:
            home = home or self._home
            if home is None:
                return
            self._remark(home)
            household = await asyncio.to_thread(household_of, home, languages, self._custom.custom)
            if household != self._household:
                publish(household)
                _log.info("Home Assistant: %d names and %d grammars", len(household.phrases), len(household.sentences))
            self._home, self._household = home, household

    async def _keep(self, home: Home) -> None:
        try:
            await asyncio.to_thread(lambda: self._store.save(to_json(home)))
        except SpeechError as error:
            _log.log(logging.WARNING if self._stores else logging.DEBUG, "Home Assistant: %s; its names are not kept on disk", error)
            self._stores = False
        else:
            self._stores = True

    def _remark(self, home: Home) -> None:
        """Once for what is the same again."""
        remarks = (*home.remarks, *self._custom.custom.faults)
        new = [remark for remark in remarks if remark not in self._remarks]
        self._remarks = frozenset(remarks)
        for remark in new[:MAX_REMARKS]:
            _log.warning("Home Assistant: %s", remark.encode(errors="replace").decode())
        if len(new) > MAX_REMARKS:
            _log.warning("Home Assistant: %d more remarks", len(new) - MAX_REMARKS)
