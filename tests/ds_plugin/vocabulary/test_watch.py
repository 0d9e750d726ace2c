"""Files that change while a service runs are read by themselves, and nobody waits for it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ds_engine.bias import Bias, Phrase
from ds_engine.errors import GrammarError, TimeLimitError
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.spoken import Reader
from ds_plugin.vocabulary.contents import Sources
from ds_plugin.vocabulary.current import Vocabulary
from ds_plugin.vocabulary.files import DEFAULT_BOOST
from ds_plugin.vocabulary.watch import Watch
from tests.ds_plugin.sources import names
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


class Preparing:
    """A decoder's preparation, which waits at a gate and may raise."""

    def __init__(self, fault: BaseException | None = None) -> None:
        self.begun, self.may_go_on = threading.Event(), threading.Event()
        self.biases: list[Bias] = []
        self._fault = fault

    def __call__(self, bias: Bias) -> None:
        self.begun.set()
        assert self.may_go_on.wait(20)
        self.biases.append(bias)
        if self._fault is not None:
            raise self._fault


async def test_a_household_is_heard_in_a_thread_and_nobody_speaks_before_it_is_prepared() -> None:
    vocabulary, preparing = Vocabulary(ENGLISH), Preparing()
    watch = Watch(vocabulary, preparing)
    hearing = asyncio.create_task(watch.hear("home", names("lamp")))
    await until(preparing.begun.is_set)
    assert vocabulary.snapshot() == Bias()
    preparing.may_go_on.set()
    assert (await hearing).bias == Bias((Phrase("lamp", 1.0),))
    assert [each is vocabulary.snapshot() for each in preparing.biases] == [True]
    await watch.close()


async def test_what_is_published_while_another_is_heard_comes_after_it() -> None:
    vocabulary, preparing = Vocabulary(ENGLISH), Preparing()
    watch = Watch(vocabulary, preparing)
    hearing = [asyncio.create_task(watch.hear("home", names(name))) for name in ("lamp", "hall", "den")]
    await until(preparing.begun.is_set)
    preparing.may_go_on.set()
    await asyncio.gather(*hearing)
    assert [bias.phrases[0].text for bias in preparing.biases] == ["lamp", "hall", "den"]
    assert vocabulary.snapshot() is preparing.biases[-1]
    await watch.close()


@pytest.mark.parametrize("fault", [ValueError(), SystemExit(3), asyncio.CancelledError()], ids=repr)
async def test_a_decoder_that_fails_on_a_household_hinders_nobody(fault: BaseException) -> None:
    vocabulary, preparing = Vocabulary(ENGLISH), Preparing(fault)
    preparing.may_go_on.set()
    watch = Watch(vocabulary, preparing)
    watch.prepare()
    await watch.hear("home", names("lamp"))
    assert vocabulary.snapshot() == Bias((Phrase("lamp", 1.0),))
    assert preparing.biases == [Bias(), vocabulary.snapshot()]
    await watch.close()


async def test_a_file_that_changes_is_prepared_before_anybody_hears_it(home: Path) -> None:
    vocabulary, preparing = Vocabulary(ENGLISH, Sources((home,))), Preparing()
    watch = Watch(vocabulary, preparing)
    before = vocabulary.snapshot()
    written(home, "hall and den\n")
    reading = asyncio.create_task(watch.refresh())
    await until(preparing.begun.is_set)
    assert vocabulary.snapshot() is before
    preparing.may_go_on.set()
    assert (await reading).changed == (home,)
    assert preparing.biases == [vocabulary.snapshot()]
    assert expects(vocabulary, "hall and den")
    assert (await watch.refresh()).changed == ()
    assert len(preparing.biases) == 1
    await watch.close()


async def test_whoever_leaves_while_a_household_is_heard_does_not_wait() -> None:
    vocabulary, preparing = Vocabulary(ENGLISH), Preparing()
    watch = Watch(vocabulary, preparing)
    hearing = asyncio.create_task(watch.hear("home", names("lamp")))
    await until(preparing.begun.is_set)
    hearing.cancel()
    await asyncio.wait({hearing})
    await asyncio.wait_for(watch.close(), 5)
    preparing.may_go_on.set()
    await until(lambda: preparing.biases)


async def test_hearing_that_takes_too_long_is_given_up_and_comes_after_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    vocabulary, preparing = Vocabulary(ENGLISH), Preparing()
    watch, before = Watch(vocabulary, preparing), set(threading.enumerate())
    monkeypatch.setattr("ds_plugin.vocabulary.watch.REFRESH_SECONDS", 0.05)
    with pytest.raises(TimeLimitError):
        await watch.hear("home", names("lamp"))
    [overdue] = set(threading.enumerate()) - before
    monkeypatch.setattr("ds_plugin.vocabulary.watch.REFRESH_SECONDS", 20.0)
    vocabulary.hear("home", names("hall"))
    preparing.may_go_on.set()
    await until(lambda: not overdue.is_alive())
    assert vocabulary.snapshot() == Bias((Phrase("hall", 1.0),))
    await watch.hear("two", names("den"))
    assert vocabulary.snapshot() == Bias((Phrase("hall", 1.0), Phrase("den", 1.0)))
    await watch.close()


async def test_no_thread_is_left_once_a_watch_is_closed() -> None:
    before = set(threading.enumerate())
    watch = Watch(Vocabulary(ENGLISH))
    await watch.hear("home", names("lamp"))
    await watch.close()
    assert set(threading.enumerate()) <= before
