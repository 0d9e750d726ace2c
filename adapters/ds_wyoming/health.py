"""Is a Wyoming server well? A URI in, an exit code out: 0 for a server that can transcribe, 1 and one line that says why not.

    python -m ds_wyoming.health [--uri tcp://127.0.0.1:10300] [--timeout 10]

It sends `describe` and reads `info`, as Home Assistant does; that the port is open is not enough. For a container's health check,
which runs every few seconds: it needs the standard library and nothing else, so that it starts within hundredths of a second.
"""

from __future__ import annotations

import argparse
import json
import math
import socket
import sys
import time
from typing import Any, NoReturn
from urllib.parse import urlsplit

URI = "tcp://127.0.0.1:10300"
TIMEOUT_SECONDS = 10.0  # for the whole round trip
MAX_LINE_BYTES = 2**16  # of a frame's header
MAX_DATA_BYTES = 2**20  # of its data, and of its payload
_PIECE_BYTES = 2**16  # read at a time
_DESCRIBE = b'{"type":"describe"}\n'


class UnwellError(Exception):
    """Why the server cannot be used, in one line."""


class _Parser(argparse.ArgumentParser):
    """Docker knows 0 and 1 and reserves 2, which argparse would end with."""

    def error(self, message: str) -> NoReturn:
        self.exit(1, f"{message}\n")


class _Frames:
    """Reads frames from a socket until a moment of the monotonic clock, however slowly they trickle in."""

    def __init__(self, peer: socket.socket, until: float) -> None:
        self._peer = peer
        self._until = until
        self._bytes = b""

    def read(self) -> tuple[str, dict[str, Any]]:
        """The next frame's type and data. Raises UnwellError for anything else, TimeoutError, or OSError of the socket."""
        header = _json_object(self._line())
        data = header.get("data") or {}
        if size := _size(header, "data_length"):
            data = _json_object(self._exactly(size))
        self._exactly(_size(header, "payload_length"))
        if not isinstance(data, dict):
            raise UnwellError("it sent what is no Wyoming")
        return str(header.get("type")), data

    def _line(self) -> bytes:
        while b"\n" not in self._bytes:
            if len(self._bytes) > MAX_LINE_BYTES:
                raise UnwellError("it sent what is no Wyoming")
            self._more()
        line, _, self._bytes = self._bytes.partition(b"\n")
        return line

    def _exactly(self, size: int) -> bytes:
        while len(self._bytes) < size:
            self._more()
        data, self._bytes = self._bytes[:size], self._bytes[size:]
        return data

    def _more(self) -> None:
        self._peer.settimeout(_left(self._until))
        piece = self._peer.recv(_PIECE_BYTES)
        if not piece:
            raise UnwellError("it closed the connection instead of answering")
        self._bytes += piece


def check(uri: str = URI, timeout: float = TIMEOUT_SECONDS) -> None:
    """Returns where the server at the URI says that it can transcribe. Raises UnwellError where it does not within `timeout` s."""
    try:
        info = _info(uri, time.monotonic() + timeout)
    except TimeoutError as error:
        raise UnwellError(f"no answer within {timeout:g} s") from error
    except OSError as error:
        raise UnwellError(error.strerror or str(error)) from error
    if not any(_installed(program.get("models")) for program in _installed(info.get("asr"))):
        raise UnwellError("no speech-to-text is installed there")


def _info(uri: str, until: float) -> dict[str, Any]:
    with _connected(uri, until) as peer:
        peer.settimeout(_left(until))
        peer.sendall(_DESCRIBE)
        frames = _Frames(peer, until)
        while True:
            kind, data = frames.read()
            if kind == "error":
                raise UnwellError(f"it answers with the error {str(data.get('code'))!r:.40}")
            if kind == "info":
                return data


def _connected(uri: str, until: float) -> socket.socket:
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UnwellError(f"the address makes no sense ({error})") from error
    if parts.scheme == "tcp" and host and port:
        return socket.create_connection((host, port), _left(until))
    if parts.scheme != "unix" or not parts.path:
        raise UnwellError("the address must be tcp://HOST:PORT or unix:///PATH")
    peer = socket.socket(socket.AF_UNIX)
    try:
        peer.settimeout(_left(until))
        peer.connect(parts.path)
    except OSError:
        peer.close()
        raise
    return peer


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _json_object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnwellError("it sent what is no Wyoming") from error
    if not isinstance(value, dict):
        raise UnwellError("it sent what is no Wyoming")
    return value


def _size(header: dict[str, Any], key: str) -> int:
    size = header.get(key) or 0
    if type(size) is not int or not 0 <= size <= MAX_DATA_BYTES:
        raise UnwellError("it sent what is no Wyoming")
    return size


def _installed(parts: object) -> list[dict[str, Any]]:
    """Those among the programs, or the models, that are installed."""
    found = parts if isinstance(parts, list) else []
    return [part for part in found if isinstance(part, dict) and part.get("installed") is True]


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise ValueError(text)
    return value


def main(arguments: list[str] | None = None) -> int:
    """The exit code."""
    parser = _Parser(prog="python -m ds_wyoming.health", description="Asks a Wyoming server whether it can transcribe.")
    parser.add_argument("--uri", default=URI, help=f"tcp://HOST:PORT or unix:///PATH [default: {URI}]")
    parser.add_argument("--timeout", type=_seconds, default=TIMEOUT_SECONDS, help=f"seconds [default: {TIMEOUT_SECONDS:g}]")
    options = parser.parse_args(arguments)
    try:
        check(options.uri, options.timeout)
    except UnwellError as error:
        sys.stderr.write(f"{options.uri}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
