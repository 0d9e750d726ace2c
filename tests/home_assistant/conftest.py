"""A real Home Assistant: set up by scripts/home-assistant, and skipped where that has not been done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.home_assistant.client import Client, running
from tests.home_assistant.installed import VARIABLE, Installed, complete, found

Row = Callable[[str, str], None]  # what was tried, what came of it
Said = Callable[[str, bytes], Path]  # a name and PCM, the file that has it

_TABLE = pytest.StashKey[dict[str, dict[str, str]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TABLE] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder."""
    if found():
        return
    missing = pytest.mark.skip(reason=f"no Home Assistant in {VARIABLE}: scripts/home-assistant sets one up")
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(missing)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The truth table."""
    table = config.stash[_TABLE]
    versions = [each.version for each in found()]
    if not table:
        return
    terminalreporter.section("what Home Assistant gets")
    for cells in (
        ["", *versions],
        ["---"] * (len(versions) + 1),
        *([what, *(row.get(v, "") for v in versions)] for what, row in table.items()),
    ):
        terminalreporter.write_line(f"| {' | '.join(cells)} |")


@pytest.fixture(params=found() or [None], ids=lambda each: each.version if each else "none", scope="session")
def installed(request: pytest.FixtureRequest) -> Installed:
    """Each that was found."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(params=complete()[-1:] or [None], ids=lambda each: each.version if each else "none", scope="session")
def whole(request: pytest.FixtureRequest) -> Installed:
    """The newest that can be started."""
    if request.param is None:
        pytest.skip("no interpreter here can run a Home Assistant that is new enough")
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Row:
    """Adds to the truth table that ends the run."""
    [version] = [each.version for each in request.node.callspec.params.values() if isinstance(each, Installed)]

    def add(what: str, outcome: str) -> None:
        request.config.stash[_TABLE].setdefault(what, {})[version] = outcome

    return add


@pytest.fixture
async def client(installed: Installed, tmp_path: Path) -> AsyncIterator[Client]:
    """Home Assistant's own Wyoming client."""
    async with running(installed.client(tmp_path / "newest")) as client:
        yield client


@pytest.fixture
def said(tmp_path: Path) -> Said:
    """Writes audio to a file."""

    def write(name: str, audio: bytes) -> Path:
        file = tmp_path / f"{name}.pcm"
        file.write_bytes(audio)
        return file

    return write
