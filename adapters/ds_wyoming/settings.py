"""Settings: values of the configuration sections `[wyoming]` and `[wyoming_fallback]` in, checked and named ones out."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from ds_engine.endpoint import PRESETS
from ds_plugin.config import ConfigError, Option
from ds_plugin.vad import OFF
from ds_wyoming.address import Tcp, Unix, parse_peer

MAX_HEADER_BYTES = 64 * 2**10  # of a frame's header line; what the reference implementation takes, too
MAX_DATA_BYTES = 2**20  # of a frame's data: ten thousand names to listen for
ENDPOINTS = (OFF, *PRESETS)  # what `endpoint` may be
LINGER_SECONDS = 1.0  # that a client gets to read our last words before the connection is closed


@dataclass(frozen=True, slots=True)
class WyomingSettings:
    """See OPTIONS. Raises ConfigError where a number is not above zero and finite, or a word is not among those to choose from."""

    uri: str = "tcp://0.0.0.0:10300"
    name: str = "ds-plugin"
    zeroconf: str = ""
    endpoint: str = OFF
    connections: int = 64
    payload_bytes: int = 8 * 2**20
    idle_seconds: float = 300.0
    frame_seconds: float = 30.0
    write_seconds: float = 10.0

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if not isinstance(value, str) and not 0 < value < math.inf:
                raise ConfigError(f"wyoming.{setting.name} must be above zero and finite, got {value}")
        if self.endpoint not in ENDPOINTS:
            raise ConfigError(f"wyoming.endpoint must be one of {', '.join(ENDPOINTS)}, got {self.endpoint!r:.40}")


_HELP = {
    "uri": "where to listen: tcp://HOST:PORT (port 0 takes a free one), unix:///PATH or stdio://",
    "name": "the service's name, as Home Assistant shows it",
    "zeroconf": "name under which the service announces itself on the local network (default: it does not)",
    "endpoint": f"how soon a silence ends an utterance: {', '.join(PRESETS)}; {OFF}: clients tell",
    "connections": "how many connections may be open at once",
    "payload_bytes": "size of the largest audio chunk",
    "idle_seconds": "how long a connection may stay silent",
    "frame_seconds": "how long a frame may take to arrive once it has begun",
    "write_seconds": "how long a client may take to read what it is sent",
}
_KINDS = {"str": str, "int": int, "float": float}

OPTIONS = tuple(
    Option(setting.name, _KINDS[str(setting.type)], setting.default, _HELP[setting.name]) for setting in fields(WyomingSettings)
)


@dataclass(frozen=True, slots=True)
class FallbackSettings:
    """See FALLBACK_OPTIONS. Raises ConfigError for a URI that leads to no server."""

    uri: str = ""
    language: str = ""

    def __post_init__(self) -> None:
        _ = self.address

    @property
    def address(self) -> Tcp | Unix | None:
        """Whom to ask; None for nobody."""
        return parse_peer(self.uri, f"{FALLBACK}.uri") if self.uri else None


FALLBACK = "wyoming_fallback"  # the section
FALLBACK_OPTIONS = (
    Option("uri", str, "", "another Wyoming server, asked where confidence is low: tcp://HOST:PORT or unix:///PATH (default: nobody)"),
    Option("language", str, "", "language to ask it for (default: the model's)"),
)
