from __future__ import annotations

from pathlib import Path

import pytest

from ds_plugin.config import ConfigError
from ds_wyoming.address import Address, Stdio, Tcp, Unix, parse_uri


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("tcp://0.0.0.0:10300", Tcp("0.0.0.0", 10300)),  # noqa: S104 - parsed, not bound
        ("tcp://localhost:0", Tcp("localhost", 0)),
        ("tcp://[::1]:10300", Tcp("::1", 10300)),
        ("unix:///run/ds.sock", Unix(Path("/run/ds.sock"))),
        ("stdio://", Stdio()),
    ],
)
def test_an_address_is_read_and_written(uri: str, address: Address) -> None:
    assert parse_uri(uri) == address
    assert str(address) == uri


@pytest.mark.parametrize(
    "uri",
    [
        *("", "10300", "tcp://", "tcp://:10300", "tcp://localhost", "tcp://localhost:http", "tcp://localhost:99999", "tcp://localhost:-1"),
        *("tcp://[::1:10300", "tcp://a@localhost:1", "tcp://localhost:1/x", "tcp://localhost:1?x", "http://localhost:1"),
        *("unix://", "unix:///", "unix://relative/path", "stdio://x", "stdio:///x", "x" * 9999),
    ],
    ids=lambda uri: uri[:30],
)
def test_anything_else_names_the_option(uri: str) -> None:
    with pytest.raises(ConfigError, match=r"^wyoming\.uri") as caught:
        parse_uri(uri)
    assert len(str(caught.value)) < 250
