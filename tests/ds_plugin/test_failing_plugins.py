"""Plugins that raise, hang or return nonsense, in every hook: they are reported by name, and everybody else goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import click
import pytest

from ds_engine.bias import Bias
from ds_engine.transcript import Transcript, Word
from ds_plugin.adapter import Adapter
from ds_plugin.config import Option
from ds_plugin.guard import MAX_FAULTS
from ds_plugin.hooks import Hooks
from tests.ds_plugin.helpers import (
    ASKED,
    CONFIGURING,
    EITHER,
    GIVING,
    INFO,
    LONG,
    REGISTERING,
    SHORT,
    Case,
    as_either,
    loaded,
    outcome,
    plugin,
    transcript,
)
from tests.ds_plugin.sources import Source

SYNC = (*REGISTERING, CONFIGURING, GIVING)
ALL = [pytest.param(case, id=case.hook) for case in (*SYNC, *ASKED)]
ASYNC = [pytest.param(case, id=case.hook) for case in ASKED]


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set once the test is over: what hangs lets go."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("case", ALL)
@pytest.mark.parametrize(
    "error", [ValueError("x"), SystemExit(3), asyncio.CancelledError(), TimeoutError()], ids=lambda e: type(e).__name__
)
@EITHER
async def test_a_plugin_that_raises_costs_its_own_contribution_only(case: Case, error: BaseException, either: str) -> None:
    def raising() -> None:
        raise error

    log: list[str] = []
    bad = plugin(**{case.hook: as_either("sync" if case in SYNC else either, raising)})
    plugins = loaded(plugin(**{case.hook: case.good("a", log)}), bad, plugin(**{case.hook: case.good("b", log)}))
    assert case.shown(await outcome(case, Hooks(plugins, LONG)), log) == {"a", "b"}
    assert [len(report.guard.faults) for report in plugins.loaded] == [0, 1, 0]
    assert f"{type(error).__name__}" in plugins.loaded[1].guard.faults[0]


@pytest.mark.parametrize("case", ALL)
async def test_a_plugin_that_hangs_is_reported_and_at_last_disabled(
    case: Case, over: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[str] = []
    bad = plugin(**{case.hook: lambda: over.wait(60)})
    plugins = loaded(plugin(**{case.hook: case.good("a", log)}), bad, plugin(**{case.hook: case.good("b", log)}))
    others = {"b"} if case.hook == "ds_fallback" else {"a", "b"}  # fallbacks share their time: none is left for the next
    for _ in range(MAX_FAULTS):
        assert case.shown(await outcome(case, Hooks(plugins, SHORT)), log) == others
    assert f"plugin two: {case.hook} took longer than" in caplog.text
    assert [report.guard.disabled for report in plugins.loaded] == [False, True, False]
    assert case.shown(await outcome(case, Hooks(plugins, LONG)), log) == {"a", "b"}  # nobody waits for it any more


@pytest.mark.parametrize("case", ASYNC)
async def test_a_coroutine_that_never_returns_is_left_behind(case: Case) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    log: list[str] = []
    plugins = loaded(plugin(**{case.hook: never}), plugin(**{case.hook: case.good("a", log)}))
    assert case.shown(await outcome(case, Hooks(plugins, SHORT)), log) == {"a"}
    assert [len(report.guard.faults) for report in plugins.loaded] == [1, 0]


GOOD = transcript("good").best
NONSENSE: list[tuple[str, Any]] = [
    ("ds_bias", "lamp"),
    ("ds_bias", Bias(("lamp",))),  # type: ignore[arg-type]
    ("ds_transform_transcript", "text"),
    ("ds_transform_transcript", (letter for letter in "abc")),
    ("ds_transform_transcript", Transcript(None)),  # type: ignore[arg-type]
    ("ds_transform_transcript", transcript(None)),  # type: ignore[arg-type]
    ("ds_transform_transcript", Transcript(replace(GOOD, confidence="high"))),  # type: ignore[arg-type]
    ("ds_transform_transcript", Transcript(replace(GOOD, confidence=float("nan")))),
    ("ds_transform_transcript", Transcript(replace(GOOD, words=("lamp",)))),  # type: ignore[arg-type]
    ("ds_transform_transcript", Transcript(replace(GOOD, words=(Word("lamp", None, 1.0, 0.5),)))),  # type: ignore[arg-type]
    ("ds_transform_transcript", Transcript(GOOD, (None,))),  # type: ignore[arg-type]
    ("ds_fallback", {"text": "lamp"}),
]


@pytest.mark.parametrize(("hook", "nonsense"), NONSENSE)
async def test_nonsense_is_refused_by_name(hook: str, nonsense: object) -> None:
    [case] = [case for case in ASKED if case.hook == hook]
    log: list[str] = []
    plugins = loaded(plugin(**{hook: case.good("a", log)}), plugin(**{hook: lambda: nonsense}))
    assert case.shown(await outcome(case, Hooks(plugins, LONG)), log) == {"a"}
    [fault] = plugins.loaded[1].guard.faults
    assert fault == f"{hook} returned a {type(nonsense).__name__} that cannot be used"


async def test_a_result_that_raises_when_it_is_looked_at_is_refused() -> None:
    class Unbound:
        @property  # type: ignore[misc]
        def __class__(self) -> type:
            raise RuntimeError

    plugins = loaded(plugin(ds_bias=Unbound), plugin(ds_utterance_started=Unbound))
    assert await Hooks(plugins, LONG).bias(INFO) == Bias()
    await Hooks(plugins, LONG).started(INFO)
    assert len(plugins.loaded[0].guard.faults) == 1


@pytest.mark.parametrize(
    ("hook", "values"),
    [
        ("ds_register_model_family", (5, print)),
        ("ds_register_decoder", ("toy", "no factory")),
        ("ds_register_decoder", ("toy",)),
        ("ds_register_adapter", ("toy",)),
        ("ds_register_adapter", (Adapter("Big One", "", (), print),)),  # type: ignore[arg-type]
        ("ds_register_adapter", (Adapter("toy", "", ("uri",), print),)),  # type: ignore[arg-type]
        ("ds_register_adapter", (Adapter("toy", "", (Option("Big One", str, "", ""),), print),)),  # type: ignore[arg-type]
        ("ds_register_options", ("toy",)),
        ("ds_register_options", ("Toy", ())),
        ("ds_register_options", (5, ())),
        ("ds_register_options", ("toy", [Option("uri", str, "", "")])),
        ("ds_register_options", ("toy", ("uri",))),
        ("ds_register_options", ("toy", (Option("uri", str, "", ""), Option("uri", int, 0, "")))),
        ("ds_register_options", ("toy", (Option("key", str, "", ""), Option("key_file", str, "", "")))),
        ("ds_register_command", (print,)),
        ("ds_register_command", (click.Command(None),)),
        ("ds_register_audio_filter", ("", print)),
    ],
)
def test_half_a_registration_is_none(hook: str, values: tuple[Any, ...]) -> None:
    [case] = [case for case in REGISTERING if case.hook == hook]

    def half(register: Callable[..., None]) -> None:
        case.good("b", [])(register)
        register(*values)

    plugins = loaded(plugin(**{hook: case.good("a", [])}), plugin(**{hook: half}))
    assert case.shown(case.call(Hooks(plugins)), []) == {"a"}
    assert [len(report.guard.faults) for report in plugins.loaded] == [0, 1]


class Nameless(Source):
    """A source that cannot be asked for its name."""

    def __init__(self) -> None:
        """Sets none."""

    @property
    def name(self) -> str:  # type: ignore[override]
        raise SystemExit(3)


def unlike(**parts: Any) -> object:
    """A source that differs in these parts."""
    parts = {"name": "home", "stored": print, "run": print} | parts
    return type("Odd", (), {name: part for name, part in parts.items() if part is not None})()


@pytest.mark.parametrize(
    "odd",
    [Nameless(), 5, "home", Source, unlike(name=""), unlike(name=5), unlike(name=None), unlike(stored=None), unlike(run="home")],
    ids=lambda odd: type(odd).__name__,
)
def test_what_is_no_source_of_vocabulary_is_refused(odd: object) -> None:
    plugins = loaded(plugin(ds_vocabulary_source=lambda: Source("a")), plugin(ds_vocabulary_source=lambda: odd))
    assert [source.name for source in Hooks(plugins, LONG).vocabulary_sources()] == ["a"]
    [fault] = plugins.loaded[1].guard.faults
    assert fault.startswith("ds_vocabulary_source raised ")


@pytest.mark.parametrize("case", [pytest.param(case, id=case.hook) for case in REGISTERING])
def test_a_name_stays_with_the_plugin_that_was_loaded_first(case: Case) -> None:
    def same_and_another(register: Callable[..., None]) -> None:
        case.good("a", [])(register)
        case.good("b", [])(register)

    plugins = loaded(plugin(**{case.hook: case.good("a", [])}), plugin(**{case.hook: same_and_another}))
    hooks = Hooks(plugins)
    for _ in range(MAX_FAULTS + 1):  # asking again is no new fault
        assert set(case.call(hooks)) == {"a", "b"}
    assert plugins.loaded[0].guard.faults == []
    assert plugins.loaded[1].guard.faults == [f"{case.hook} registers 'a', which exists already"]
