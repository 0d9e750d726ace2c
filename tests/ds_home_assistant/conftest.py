from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.ds_home_assistant.fake import TOKEN


@pytest.fixture(autouse=True)
def nothing_is_left_to_the_event_loop_and_no_token_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Task exceptions that nobody retrieved, and tasks destroyed while pending, are logged as errors by asyncio."""
    caplog.set_level(logging.DEBUG)
    yield
    records = caplog.get_records("call")
    assert [record.getMessage() for record in records if record.name == "asyncio" and record.levelno >= logging.ERROR] == []
    logged = [record.getMessage() + str(record.exc_info) for record in records]
    assert [line for line in logged if TOKEN[:10] in line or TOKEN[-10:] in line] == []  # the middle of a line may be left out
