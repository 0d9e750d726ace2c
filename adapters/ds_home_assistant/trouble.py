"""Telling of trouble: each failure in, one line of the log where trouble begins and one where it is over."""

from __future__ import annotations

import logging

from ds_engine.errors import SpeechError
from ds_home_assistant.errors import DeniedError, UnreachableError

_log = logging.getLogger(__name__)


class Trouble:
    """With one Home Assistant."""

    def __init__(self, whom: str) -> None:
        self._whom = whom
        self._was_good = False
        self._told = False
        self._told_of_denial = False

    def failed(self, error: SpeechError) -> None:
        """One warning, until it is over; another where it turns out to be what only somebody's hand can mend.

        A good connection that breaks is no trouble yet: the next one, a moment later, shows.
        """
        passing = self._was_good and isinstance(error, UnreachableError)
        denied = isinstance(error, DeniedError)
        known = self._told_of_denial if denied else self._told
        level = logging.DEBUG if passing or known else logging.WARNING
        _log.log(level, "Home Assistant, %s: %s; what is known of it stays", self._whom, error)
        self._was_good = False
        self._told |= not passing
        self._told_of_denial |= denied

    def over(self) -> None:
        """Everything was read."""
        if self._told:
            _log.info("Home Assistant, %s: all is well again", self._whom)
        self._told = self._told_of_denial = False
        self._was_good = True
