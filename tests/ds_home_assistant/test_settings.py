from __future__ import annotations

from pathlib import Path

import pytest

from ds_home_assistant.settings import MAX_TOKEN, OPTIONS, SECTION, HomeAssistantSettings
from ds_plugin.config import ConfigError, Schema

URI = "http://homeassistant.local:8123"


def test_nothing_is_asked_by_default() -> None:
    values = Schema({SECTION: OPTIONS}).load().section(SECTION)
    assert HomeAssistantSettings(**values).address is None


def test_settings_come_from_a_file_for_secrets_and_the_environment(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("abc.def\n")
    environment = {"DS_PLUGIN_HOME_ASSISTANT_URI": URI, "DS_PLUGIN_HOME_ASSISTANT_TOKEN_FILE": str(secret)}
    chosen = HomeAssistantSettings(**Schema({SECTION: OPTIONS}).load(environment=environment).section(SECTION))
    assert chosen.token == "abc.def"
    assert str(chosen.address) == "ws://homeassistant.local:8123/api/websocket"


def test_a_token_without_a_uri_says_what_is_missing() -> None:
    with pytest.raises(ConfigError, match=r"no home_assistant\.uri"):
        HomeAssistantSettings(token="secret")


def test_a_uri_without_a_token_says_what_is_missing_and_where_to_get_it() -> None:
    with pytest.raises(ConfigError, match=r"no home_assistant\.token; make a long-lived access token"):
        HomeAssistantSettings(URI)


def test_custom_sentences_without_a_home_assistant_are_told_where_they_belong() -> None:
    with pytest.raises(ConfigError, match="belong among the grammars"):
        HomeAssistantSettings(custom_sentences=["/srv/sentences"])


def test_a_file_that_is_named_twice_is_one() -> None:
    assert HomeAssistantSettings(URI, "x", custom_sentences=["/a", "/b", "/a"]).custom_paths == (Path("/a"), Path("/b"))


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ümlaut", "x" * (MAX_TOKEN + 1), "\ud800", "nul\0"])
def test_a_token_that_can_be_none_is_refused_without_being_told(token: str) -> None:
    with pytest.raises(ConfigError, match=r"home_assistant\.token must be a word") as caught:
        HomeAssistantSettings(URI, token)
    assert token not in str(caught.value)


def test_the_token_is_not_shown() -> None:
    assert "secret" not in repr(HomeAssistantSettings(URI, "secret"))


def test_what_is_kept_lies_in_the_state_folder_unless_a_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert HomeAssistantSettings().store_path.is_relative_to(tmp_path)
    assert HomeAssistantSettings(store="/somewhere/else").store_path == Path("/somewhere/else")
