"""Where Home Assistant is: what people have for it in, the address of its WebSocket API out."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from ds_plugin.config import ConfigError

_FORMS = "http://HOST:8123, https://HOST, ws://HOST:8123/api/websocket or ws://supervisor/core/websocket"
_SECURE = {"http": False, "ws": False, "https": True, "wss": True}
_PORTS = {False: 80, True: 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A host name or address, a port, and what follows them."""

    host: str
    port: int
    path: str = "/api/websocket"
    secure: bool = False  # TLS, with certificates that are checked

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.secure] else f":{self.port}"
        return f"{'wss' if self.secure else 'ws'}://{host}{port}{self.path}"


def parse_uri(uri: str, option: str = "home_assistant.uri") -> Address:
    """Reads what leads to Home Assistant: the address that a browser has, or that of the API.

    Raises ConfigError that names the option. It quotes the value only where that can hold no secret: a token that was put in
    the wrong place stays out of the log.
    """
    try:
        parts = urlsplit(uri.strip())
        address = _address(parts, parts.port)
    except ValueError:  # a port that is no number, brackets that do not close
        address = None
    if address is None:
        got = f", got {uri!r:.80}" if "://" in uri and not set("@?#") & set(uri) else ""
        raise ConfigError(f"{option} must be like {_FORMS}{got}")
    return address


def _address(parts: SplitResult, port: int | None) -> Address | None:
    secure = _SECURE.get(parts.scheme)
    path = _path(parts.path.rstrip("/"))
    host = parts.hostname or ""
    plain = not parts.query and not parts.fragment and "@" not in parts.netloc
    if secure is None or path is None or not plain or not host or not host.isprintable() or " " in host or port == 0:
        return None
    return Address(host, port or _PORTS[secure], path, secure)


def _path(path: str) -> str | None:
    """None for a page of Home Assistant's: which part of it would lead elsewhere cannot be told."""
    if not path:
        return "/api/websocket"
    if path.endswith("/api"):
        return f"{path}/websocket"
    return path if path.endswith("/websocket") and path.isascii() and path.isprintable() and " " not in path else None
