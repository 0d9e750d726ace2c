"""Files that change while a service runs are read by themselves, and nobody waits for it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ds_engine.bias import Phrase
from ds_engine.errors import GrammarError
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.spoken import Reader
from ds_plugin.vocabulary.contents import Sources
from ds_plugin.vocabulary.current import Vocabulary
from ds_plugin.vocabulary.files import DEFAULT_BOOST
from ds_plugin.vocabulary.watch import Watch
from tests.ds_plugin.vocabulary.households import ENGLISH, load_lines


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home.txt"
    path.write_text("lamp\n")
    return path


def written(path: Path, text: str | bytes) -> None:
    """Writes a file, as somebody else would."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


async def until(reached: Callable[[], object]) -> None:
    """Waits for something that nobody tells."""
    async with asyncio.timeout(20):
        while not reached():  # noqa: ASYNC110 - nobody sets one
            await asyncio.sleep(0)


def expects(vocabulary: Vocabulary, text: str) -> bool:
    """True once a phrase is expected."""
    return Phrase(text, DEFAULT_BOOST) in vocabulary.snapshot().phrases


async def test_a_file_that_changes_is_read_by_itself(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    vocabulary = Vocabulary(ENGLISH, Sources((home,)))
    watch = Watch(vocabulary, seconds=0)
    watch.start()
    written(home, "lamp\nhall\n")
    await until(lambda: expects(vocabulary, "hall"))
    await until(lambda: f"read again: {home}" in caplog.messages)
    await watch.close()


async def test_a_file_that_breaks_is_told_and_mending_it_helps(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    vocabulary = Vocabulary(ENGLISH, Sources((home,)))
    watch = Watch(vocabulary, seconds=0)
    watch.start()
    written(home, b"\xff\xff\xff\xff\xff\xff")
    await until(lambda: caplog.messages)
    written(home, "hall\n")
    await until(lambda: expects(vocabulary, "hall"))
    await watch.close()
    assert caplog.messages[0] == f"{home}, line 1: not text in UTF-8; what was read before stays"


async def test_a_fault_of_ours_does_not_end_the_watch(home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def load(path: Path, reader: Reader) -> Loaded:
        if "bug" in path.read_text():
            raise ZeroDivisionError("what the sentences say")
        return load_lines(path)

    grammar = tmp_path / "on.yaml"
    written(grammar, "on")
    vocabulary = Vocabulary(ENGLISH, Sources((home,), (grammar,)), load)
    watch = Watch(vocabulary, seconds=0)
    watch.start()
    written(grammar, "a bug")
    await until(lambda: caplog.messages)
    written(grammar, "on off")
    written(home, "hall\n")
    await until(lambda: expects(vocabulary, "hall"))
    await watch.close()
    assert "ZeroDivisionError" in caplog.messages[0]
    assert "sentences" not in caplog.text


async def test_without_files_there_is_nothing_to_watch() -> None:
    watch = Watch(Vocabulary(ENGLISH), seconds=0)
    watch.start()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "vocabulary"]
    await watch.close()


async def test_asked_for_a_refresh_it_reads_at_once(home: Path) -> None:
    watch = Watch(Vocabulary(ENGLISH, Sources((home,))))
    assert (await watch.refresh()).changed == ()
    assert (await watch.refresh(anew=True)).changed == (home,)
    await watch.close()


async def test_whoever_speaks_or_leaves_does_not_wait_for_a_grammar_that_is_read(home: Path, tmp_path: Path) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def load(path: Path, reader: Reader) -> Loaded:
        if path.read_text() == "slow":
            reading.set()
            go_on.wait(20)
            raise GrammarError("slow")
        return load_lines(path)

    grammar = tmp_path / "on.yaml"
    written(grammar, "on")
    vocabulary = Vocabulary(ENGLISH, Sources((home,), (grammar,)), load)
    watch = Watch(vocabulary, seconds=0)
    watch.start()
    before = vocabulary.snapshot()
    written(grammar, "slow")
    await until(reading.is_set)
    assert vocabulary.snapshot() is before
    await asyncio.wait_for(watch.close(), 5)
    go_on.set()
