"""Every hook: what plugins say, how it combines, and what becomes of it where one of them fails."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import click
import numpy as np
import pytest

from ds_engine.bias import Bias, Phrase
from ds_engine.transcript import Partial, Transcript
from ds_plugin import hookimpl
from ds_plugin.adapter import Adapter
from ds_plugin.config import Option
from ds_plugin.guard import MAX_FAULTS
from ds_plugin.hooks import Hooks
from tests.ds_plugin.helpers import ASKED, INFO, LONG, RECORDING, REGISTERING, SHORT, Case, hooked, loaded, plugin, transcript

EITHER = pytest.mark.parametrize("either", ["sync", "async"])
ALL = [pytest.param(case, id=case.hook) for case in (*REGISTERING, *ASKED)]
ASYNC = [pytest.param(case, id=case.hook) for case in ASKED]


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set once the test is over: what hangs lets go."""
    event = threading.Event()
    yield event
    event.set()


def as_either(either: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, or a coroutine function of the same arguments."""
    if either == "sync":
        return function

    @functools.wraps(function)  # pluggy looks at the arguments of the wrapped one
    async def implementation(**arguments: Any) -> Any:
        await asyncio.sleep(0)
        return function(**arguments)

    return implementation


async def outcome(case: Case, hooks: Hooks) -> Any:
    result = case.call(hooks)
    return await result if inspect.isawaitable(result) else result


def test_hook_ds_register_model_family() -> None:
    family = plugin(ds_register_model_family=lambda register: register("toy", print))
    assert hooked(family).model_families() == {"toy": print}


def test_hook_ds_register_decoder() -> None:
    decoder = plugin(ds_register_decoder=lambda register: register("toy", print))
    assert hooked(decoder).decoders() == {"toy": print}


def test_hook_ds_register_adapter() -> None:
    adapter = Adapter("toy", "", (Option("uri", str, "", ""),), print)  # type: ignore[arg-type]
    assert hooked(plugin(ds_register_adapter=lambda register: register(adapter))).adapters() == {"toy": adapter}


def test_hook_ds_register_command() -> None:
    command = click.Command("toy")
    assert hooked(plugin(ds_register_command=lambda register: register(command))).commands() == {"toy": command}


def test_hook_ds_register_audio_filter() -> None:
    class Louder:
        def __init__(self, rate: int) -> None:
            self.rate = rate

        def process(self, block: Any) -> Any:
            return block * np.float32(self.rate)

    filters = hooked(plugin(ds_register_audio_filter=lambda register: register("louder", Louder))).audio_filters()
    assert filters["louder"](3).process(np.ones(2, np.float32)).tolist() == [3, 3]


@EITHER
async def test_hook_ds_bias(either: str) -> None:
    one = plugin(ds_bias=as_either(either, lambda utterance: Bias((Phrase("lamp", 1.0), Phrase(utterance.language)))))
    two = plugin(ds_bias=as_either(either, lambda: Bias((Phrase("lamp", 2.0),))))
    none = plugin(ds_bias=as_either(either, lambda: None))
    assert await hooked(one, two, none).bias(INFO) == Bias((Phrase("lamp", 2.0), Phrase("en")))


@EITHER
async def test_hook_ds_utterance_started(either: str) -> None:
    told: list[Any] = []
    await hooked(plugin(ds_utterance_started=as_either(either, lambda utterance: told.append(utterance)))).started(INFO)
    assert told == [INFO]


@EITHER
async def test_hook_ds_partial(either: str) -> None:
    told: list[Any] = []
    hooks = hooked(plugin(ds_partial=as_either(either, lambda utterance, partial: told.append((utterance, partial)))))
    await hooks.partial(INFO, Partial("turn on", "turn"))
    assert told == [(INFO, Partial("turn on", "turn"))]


@EITHER
async def test_hook_ds_final(either: str) -> None:
    told: list[Any] = []
    hooks = hooked(plugin(ds_final=as_either(either, lambda utterance, transcript: told.append((utterance, transcript)))))
    await hooks.final(INFO, transcript("lamp"))
    assert told == [(INFO, transcript("lamp"))]


@EITHER
async def test_hook_ds_utterance_ended(either: str) -> None:
    told: list[Any] = []
    hooks = hooked(plugin(ds_utterance_ended=as_either(either, lambda utterance, error: told.append((utterance, error)))))
    error = ValueError("x")
    await hooks.ended(INFO, error)
    assert told == [(INFO, error)]


@EITHER
async def test_hook_ds_transform_transcript(either: str) -> None:
    def appending(letter: str) -> object:
        return plugin(ds_transform_transcript=as_either(either, lambda transcript: transcript.with_text(transcript.text + letter)))

    silent = plugin(ds_transform_transcript=as_either(either, lambda: None))
    hooks = hooked(appending("a"), silent, appending("b"))
    assert (await hooks.transform(INFO, transcript("+"))).text == "+ba"  # the one loaded last is the first


@EITHER
async def test_hook_ds_fallback(either: str) -> None:
    asked: list[Any] = []

    def passing(utterance: Any, transcript: Transcript, recording: Any) -> None:
        asked.append((utterance, transcript, recording))

    answering = plugin(ds_fallback=as_either(either, lambda transcript: transcript.with_text("better")))
    hooks = hooked(
        plugin(ds_fallback=as_either(either, lambda: asked.append("never"))), answering, plugin(ds_fallback=as_either(either, passing))
    )
    offered = await hooks.fallback(INFO, transcript("bad"), RECORDING, 20)
    assert offered == transcript("better")
    assert asked == [(INFO, transcript("bad"), RECORDING)]


async def test_order_obeys_tryfirst_and_trylast() -> None:
    class First:
        @hookimpl(tryfirst=True)
        def ds_transform_transcript(self, transcript: Transcript) -> Transcript:
            return transcript.with_text(transcript.text + "f")

    class Last:
        @hookimpl(trylast=True)
        def ds_transform_transcript(self, transcript: Transcript) -> Transcript:
            return transcript.with_text(transcript.text + "l")

    middle = plugin(ds_transform_transcript=lambda transcript: transcript.with_text(transcript.text + "m"))
    assert (await hooked(First(), middle, Last()).transform(INFO, transcript())).text == "fml"


@pytest.mark.parametrize("case", ALL)
@pytest.mark.parametrize(
    "error", [ValueError("x"), SystemExit(3), asyncio.CancelledError(), TimeoutError()], ids=lambda e: type(e).__name__
)
@EITHER
async def test_a_plugin_that_raises_costs_its_own_contribution_only(case: Case, error: BaseException, either: str) -> None:
    def raising() -> None:
        raise error

    log: list[str] = []
    bad = plugin(**{case.hook: as_either("sync" if case in REGISTERING else either, raising)})
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
    ("ds_transform_transcript", Transcript(replace(GOOD, words=("lamp",)))),  # type: ignore[arg-type]
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
        ("ds_register_adapter", (Adapter("limits", "", (), print),)),  # type: ignore[arg-type]
        ("ds_register_adapter", (Adapter("Big One", "", (), print),)),  # type: ignore[arg-type]
        ("ds_register_adapter", (Adapter("toy", "", ("uri",), print),)),  # type: ignore[arg-type]
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


def test_a_stranger_cannot_take_the_name_of_a_built_in() -> None:
    def greedy(maker: object) -> object:
        return plugin(ds_register_decoder=lambda register: register("greedy", maker))

    assert hooked(greedy(print), greedy(repr)).decoders() == {"greedy": print}


async def test_the_fallbacks_share_one_deadline() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    late = plugin(ds_fallback=lambda transcript: transcript.with_text("too late"))
    assert await hooked(late, plugin(ds_fallback=never)).fallback(INFO, transcript(), RECORDING, 0.01) is None


def test_a_hook_counts_as_implemented_until_its_plugin_is_disabled() -> None:
    plugins = loaded(plugin(ds_bias=lambda: None))
    hooks = Hooks(plugins)
    assert hooks.implemented("ds_bias")
    assert not hooks.implemented("ds_fallback")
    for _ in range(MAX_FAULTS):
        plugins.loaded[0].guard.refuse("ds_bias", "is not wanted")
    assert not hooks.implemented("ds_bias")
