"""Telling Home Assistant of the server: waits until it answers `describe`, then sends its address to the Supervisor, once.

Home Assistant offers it to its owner by itself then. Where that fails the log says so, and the server can be added by hand.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from ds_wyoming.health import URI, UnwellError, check

SUPERVISOR = "supervisor"  # its host name, in an app's network
WAIT_SECONDS = 900.0  # for a server that compiles large grammars on a small computer
PAUSE_SECONDS = 1.0  # between two looks at the server
ATTEMPTS = 10  # at telling the Supervisor, which may be busy when everything starts
REQUEST_SECONDS = 10.0
_ANSWER_BYTES = 500  # of a refusal that are worth telling
_BUSY = 500  # HTTP status from which it may be otherwise next time

Sleep = Callable[[float], None]


class RefusedError(Exception):
    """The Supervisor says no, and will next time."""


def main(arguments: Sequence[str] = (), environment: Mapping[str, str] = os.environ, sleep: Sleep = time.sleep) -> int:
    """0 in any case: speech-to-text works without."""
    parser = argparse.ArgumentParser(prog="announce")
    parser.add_argument("--uri", default=URI, help="where the server answers us")
    parser.add_argument("--supervisor", default=SUPERVISOR, help="HOST or HOST:PORT")
    parser.add_argument("--wait", type=float, default=WAIT_SECONDS, help="seconds that the server gets to answer")
    options = parser.parse_args(arguments)
    token = environment.get("SUPERVISOR_TOKEN", "")
    if not token:
        _say("there is no Supervisor here; add the server by hand")
    elif not answers(options.uri, options.wait, sleep):
        _say(f"the server does not answer within {options.wait:g} s; Home Assistant is not told of it")
    else:
        _tell(options.supervisor, token, f"tcp://{socket.gethostname()}:{options.uri.rpartition(':')[2]}", sleep)
    return 0


def answers(uri: str, seconds: float, sleep: Sleep = time.sleep) -> bool:
    """Waits until the server at `uri` says that it can transcribe; False where it has not after `seconds`."""
    until = time.monotonic() + seconds
    while True:
        try:
            check(uri)
        except UnwellError:
            if time.monotonic() >= until:
                return False
            sleep(PAUSE_SECONDS)
        else:
            return True


def tell(supervisor: str, token: str, address: str) -> None:
    """Sends one message. Raises RefusedError, or OSError or http.client.HTTPException where it may work later."""
    body = json.dumps({"service": "wyoming", "config": {"uri": address}})
    connection = http.client.HTTPConnection(supervisor, timeout=REQUEST_SECONDS)
    try:
        connection.request("POST", "/discovery", body, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read(_ANSWER_BYTES).decode(errors="replace")
        if answer.status >= _BUSY:
            raise http.client.HTTPException(f"status {answer.status}")
        if answer.status != http.client.OK:
            raise RefusedError(f"status {answer.status}: {said!r}")
    finally:
        connection.close()


def _tell(supervisor: str, token: str, address: str, sleep: Sleep) -> None:
    reason = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            sleep(min(2.0**attempt, 60.0))
        try:
            tell(supervisor, token, address)
        except RefusedError as error:
            reason = str(error)
            break
        except (OSError, http.client.HTTPException) as error:
            reason = str(error)
        else:
            _say(f"Home Assistant has been told of {address}")
            return
    _say(f"Home Assistant could not be told of {address}: {reason}; add it by hand")


def _say(text: str) -> None:
    sys.stderr.write(f"ds_app: {text}\n")
    sys.stderr.flush()
