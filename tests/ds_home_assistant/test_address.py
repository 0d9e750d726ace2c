from __future__ import annotations

import pytest

from ds_home_assistant.address import Address, parse_uri
from ds_plugin.config import ConfigError


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("http://homeassistant.local:8123", "ws://homeassistant.local:8123/api/websocket"),
        ("http://homeassistant.local:8123/", "ws://homeassistant.local:8123/api/websocket"),
        ("  HTTP://HomeAssistant.local:8123\n", "ws://homeassistant.local:8123/api/websocket"),
        ("http://192.168.1.5", "ws://192.168.1.5/api/websocket"),
        ("https://home.example", "wss://home.example/api/websocket"),
        ("https://home.example:8123/api", "wss://home.example:8123/api/websocket"),
        ("https://home.example:443", "wss://home.example/api/websocket"),
        ("https://example/ha/api/", "wss://example/ha/api/websocket"),
        ("ws://h:8123/api/websocket", "ws://h:8123/api/websocket"),
        ("wss://h/api/websocket/", "wss://h/api/websocket"),
        ("ws://supervisor/core/websocket", "ws://supervisor/core/websocket"),
        ("http://supervisor/core/api", "ws://supervisor/core/api/websocket"),
        ("http://[fe80::1]:8123", "ws://[fe80::1]:8123/api/websocket"),
    ],
)
def test_what_people_have_leads_to_the_websocket_api(uri: str, address: str) -> None:
    assert str(parse_uri(uri)) == address
    assert parse_uri(address) == parse_uri(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "homeassistant.local:8123",
        "homeassistant.local",
        "tcp://homeassistant.local:8123",
        "http://",
        "http:///api/websocket",
        "http://h:0",
        "http://h:99999",
        "http://h:port",
        "http://[::1",
        "http://home assistant:8123",
        "http://h\x7f:8123",
        "http://h:8123/lovelace/0",
        "http://h:8123/some thing/websocket",
        "http://h:8123/?token=secret",
        "http://h:8123/#secret",
        "http://me:secret@h:8123",
        "ws://h/api/websocket?x",
        "\ud800",
    ],
)
def test_anything_else_is_refused_with_the_forms_that_are_taken(uri: str) -> None:
    with pytest.raises(ConfigError, match=r"home_assistant\.uri must be like http://HOST:8123") as caught:
        parse_uri(uri)
    assert "secret" not in str(caught.value)
    str(caught.value).encode()


def test_a_token_in_the_wrong_place_is_not_quoted() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_uri("eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.sig")
    assert "eyJ" not in str(caught.value)


def test_a_page_of_home_assistant_is_quoted() -> None:
    with pytest.raises(ConfigError, match="got 'http://h:8123/lovelace/0'"):
        parse_uri("http://h:8123/lovelace/0")


def test_an_address_has_the_api_where_home_assistant_has_it() -> None:
    assert Address("h", 8123) == parse_uri("http://h:8123")
