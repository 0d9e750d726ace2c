from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def nothing_is_left_to_the_event_loop(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Task exceptions that nobody retrieved, and tasks destroyed while pending, are logged as errors by asyncio."""
    yield
    assert [
        record.getMessage() for record in caplog.get_records("call") if record.name == "asyncio" and record.levelno >= logging.ERROR
    ] == []
