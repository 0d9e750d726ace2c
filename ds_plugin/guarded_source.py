"""A plugin's source of vocabulary, guarded: one that fails publishes no more, and what it published last stays."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ds_engine.errors import PluginError, kind_and_place
from ds_plugin.checks import checked_household
from ds_plugin.vocabulary.source import Household, Publish, VocabularySource

if TYPE_CHECKING:
    from ds_plugin.guard import Guard

_WHAT = "vocabulary source"

_log = logging.getLogger(__name__)


class GuardedSource:
    """See ds_plugin.vocabulary.source.VocabularySource."""

    def __init__(self, guard: Guard, source: VocabularySource, name: str, seconds: float) -> None:
        """`seconds` are what `stored` may take."""
        self._guard = guard
        self._source = source
        self._seconds = seconds
        self.name = name

    def stored(self, languages: Sequence[str]) -> Household | None:
        """What the plugin's source gives, if it is any good."""
        try:
            household: Any = self._guard.call(_WHAT, functools.partial(self._source.stored, tuple(languages)), self._seconds)
        except PluginError:
            return None
        return None if household is None else self._checked(household)

    async def run(self, languages: Sequence[str], publish: Publish) -> None:
        """Returns when the plugin's source has come to an end, whatever ended it."""

        def take(household: Household) -> None:
            if not self._guard.disabled and (checked := self._checked(household)) is not None:
                publish(checked)

        try:
            await self._source.run(tuple(languages), take)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            self._guard.refuse(_WHAT, "cancelled itself")
        except BaseException as error:  # noqa: BLE001 - sys.exit in a plugin must not end the service
            self._guard.refuse(_WHAT, f"raised {kind_and_place(error)}")
        else:
            _log.debug("plugin %s: %s: it has ended", self._guard.plugin, _WHAT)

    def _checked(self, household: object) -> Household | None:
        checked = checked_household(household)
        if checked is None:
            self._guard.refuse(_WHAT, "must publish a Household of Phrases and Sentences")
        return checked
