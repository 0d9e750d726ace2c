"""An engine over the replaying model, and the observer that it tells everything."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ds_engine.engine import Engine
from ds_engine.limits import Limits
from tests.ds_engine.fakes import Witness, replaying


@pytest.fixture
async def witness() -> Witness:
    return Witness()


@pytest.fixture
async def engine(witness: Witness) -> AsyncIterator[Engine]:
    async with Engine(replaying(), Limits(workers=1, shutdown_seconds=0.01), witness) as engine:
        yield engine
