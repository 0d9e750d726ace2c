"""Where a server listens, ours or another: a URI in, a checked address out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from ds_plugin.config import ConfigError

_FORMS = "tcp://HOST:PORT, unix:///PATH or stdio://"


@dataclass(frozen=True, slots=True)
class Tcp:
    """A host name or address, and a port; port 0 takes a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"tcp://[{self.host}]:{self.port}" if ":" in self.host else f"tcp://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Unix:
    """A socket in the file system."""

    path: Path

    def __str__(self) -> str:
        return f"unix://{self.path}"


@dataclass(frozen=True, slots=True)
class Stdio:
    """One client, at our standard input and output."""

    def __str__(self) -> str:
        return "stdio://"


Address = Tcp | Unix | Stdio


def parse_uri(uri: str, option: str = "wyoming.uri") -> Address:
    """Reads an option that says where a server is. Raises ConfigError that names it."""
    try:
        parts = urlsplit(uri)
        address = _address(parts, parts.port)
    except ValueError as error:  # a port that is no number, brackets that do not close
        raise ConfigError(f"{option}: {error}, got {uri!r:.80}") from error
    if address is None:
        raise ConfigError(f"{option} must be {_FORMS}, got {uri!r:.80}")
    return address


def parse_peer(uri: str, option: str) -> Tcp | Unix:
    """Reads an option that says where another server is. Raises ConfigError that names it."""
    address = parse_uri(uri, option)
    if isinstance(address, Stdio) or (isinstance(address, Tcp) and not address.port):
        raise ConfigError(f"{option} must be tcp://HOST:PORT or unix:///PATH, got {uri!r:.80}")
    return address


def _address(parts: SplitResult, port: int | None) -> Address | None:
    plain = not parts.query and not parts.fragment and "@" not in parts.netloc
    match parts.scheme:
        case "tcp" if plain and parts.hostname and port is not None and parts.path in {"", "/"}:
            return Tcp(parts.hostname, port)
        case "unix" if plain and not parts.netloc and len(parts.path) > 1:
            return Unix(Path(parts.path))
        case "stdio" if plain and not parts.netloc and not parts.path:
            return Stdio()
    return None
