"""Settings: values of the configuration section `[home_assistant]` in, checked and named ones out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from ds_home_assistant.address import Address, parse_uri
from ds_plugin.config import ConfigError, Option

SECTION = "home_assistant"
MAX_TOKEN = 8_192  # characters; Home Assistant's have about 200


@dataclass(frozen=True, slots=True)
class HomeAssistantSettings:
    """See OPTIONS. Raises ConfigError for an address that is none, and where one of address and token is missing."""

    uri: str = ""
    token: str = field(default="", repr=False)
    store: str = ""
    custom_sentences: Sequence[str] = ()

    def __post_init__(self) -> None:
        token = self.token
        if token and not self.uri:
            raise ConfigError(
                f"{SECTION}.token is given, but no {SECTION}.uri; a uri is needed too, such as http://homeassistant.local:8123"
            )
        if self.custom_sentences and not self.uri:
            raise ConfigError(
                f"{SECTION}.custom_sentences are given, but no {SECTION}.uri; sentences without a Home Assistant belong among the grammars"
            )
        if self.address and not token:
            raise ConfigError(
                f"{SECTION}.uri is given, but no {SECTION}.token; make a long-lived access token in Home Assistant: your profile, Security"
            )
        if len(token) > MAX_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
            raise ConfigError(
                f"{SECTION}.token must be a word of at most {MAX_TOKEN} ASCII characters, got {len(token)} characters"
                " that are not; was all of it copied, and nothing else?"
            )

    @property
    def address(self) -> Address | None:
        """Whom to ask; None for nobody."""
        return parse_uri(self.uri, f"{SECTION}.uri") if self.uri else None

    @property
    def custom_paths(self) -> tuple[Path, ...]:
        """Files and folders of custom sentences, each once."""
        return tuple(dict.fromkeys(map(Path, self.custom_sentences)))

    @property
    def store_path(self) -> Path:
        """The file that keeps what was known last."""
        return Path(self.store) if self.store else platformdirs.user_state_path("ds-plugin") / "home-assistant.json"


OPTIONS = (
    Option("uri", str, "", "Home Assistant, for its names and sentences: http://HOST:8123, or ws://… (default: nobody is asked)"),
    Option("token", str, "", "long-lived access token of a Home Assistant user, an administrator if possible"),
    Option("custom_sentences", list[str], [], "files of custom sentences, or Home Assistant's folder of that name or a copy of it"),
    Option("store", str, "", "file that keeps what was known last (default: in the platform's state folder)"),
)
