"""Every hook: what plugins say, how it combines, and what becomes of it where one of them fails."""

from __future__ import annotations

import asyncio
from typing import Any

import click
import numpy as np

from ds_engine.bias import Bias, Phrase
from ds_engine.transcript import Partial, Transcript
from ds_plugin import hookimpl
from ds_plugin.adapter import Adapter
from ds_plugin.config import Option, Settings
from ds_plugin.guard import MAX_FAULTS
from ds_plugin.hooks import Hooks
from ds_plugin.vocabulary.source import Household, Publish
from tests.ds_plugin.helpers import EITHER, INFO, RECORDING, as_either, hooked, loaded, plugin, transcript
from tests.ds_plugin.sources import Source, names

TOY: Any = print


def test_hook_ds_register_model_family() -> None:
    family = plugin(ds_register_model_family=lambda register: register("toy", TOY))
    assert hooked(family).model_families() == {"toy": TOY}


def test_hook_ds_register_decoder() -> None:
    decoder = plugin(ds_register_decoder=lambda register: register("toy", TOY))
    assert hooked(decoder).decoders() == {"toy": TOY}


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


def test_hook_ds_register_options() -> None:
    options = (Option("uri", str, "", ""),)
    assert hooked(plugin(ds_register_options=lambda register: register("toy", options))).options() == {"toy": options}


async def test_hook_ds_configure() -> None:
    def configure(settings: Any, register: Any) -> None:
        register(plugin(ds_transform_transcript=lambda transcript: transcript.with_text(settings["toy"]["letter"])))

    def options(register: Any) -> None:
        register("toy", (Option("letter", str, "", ""),))

    hooks = hooked(plugin(ds_register_options=options, ds_configure=configure))
    assert not hooks.implemented("ds_transform_transcript")
    hooks.configure(Settings({("toy", "letter"): "t"}))
    assert (await hooks.transform(INFO, transcript("+"))).text == "t"


async def test_hook_ds_vocabulary_source() -> None:
    async def published(publish: Publish) -> None:
        publish(names("hall"))

    given = Source("home", lambda: names("lamp"), published)
    [source] = hooked(plugin(ds_vocabulary_source=lambda: given), plugin(ds_vocabulary_source=lambda: None)).vocabulary_sources()
    found: list[Household] = []
    await source.run(("en",), found.append)
    assert (source.name, source.stored(("en", "de"))) == ("home", names("lamp"))
    assert found == [names("hall")]
    assert given.languages == [("en",), ("en", "de")]


def test_sources_of_one_name_are_told_apart_by_their_plugin() -> None:
    def several(settings: Any, register: Any) -> None:
        for _ in range(2):
            register(plugin(ds_vocabulary_source=lambda: Source("home")))

    home = plugin(ds_vocabulary_source=lambda: Source("home"))
    hooks = hooked(home, plugin(ds_vocabulary_source=lambda: Source("home"), ds_configure=several))
    hooks.configure(Settings({}))
    assert [source.name for source in hooks.vocabulary_sources()] == ["home", "home (two)", "home (two 2)", "home (two 3)"]


@EITHER
async def test_hook_ds_bias(either: str) -> None:
    one = plugin(ds_bias=as_either(either, lambda utterance: Bias((Phrase("lamp", 1.0), Phrase(utterance.language)))))
    two = plugin(ds_bias=as_either(either, lambda: Bias((Phrase("lamp", 2.0),))))
    none = plugin(ds_bias=as_either(either, lambda: None))
    assert await hooked(one, two, none).bias(INFO) == Bias((Phrase("lamp", 2.0), Phrase("en")))


@EITHER
async def test_hook_ds_utterance_started(either: str) -> None:
    told: list[Any] = []
    await hooked(plugin(ds_utterance_started=as_either(either, lambda utterance: told.append((utterance,))))).started(INFO)
    assert told == [(INFO,)]


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

    def passing(utterance: Any, transcript: Transcript, recording: Any, deadline: float) -> None:
        assert 0 < deadline <= 20
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


def test_a_stranger_cannot_take_the_name_of_a_built_in() -> None:
    def greedy(maker: Any) -> object:
        return plugin(ds_register_decoder=lambda register: register("greedy", maker))

    assert hooked(greedy(TOY), greedy(repr)).decoders() == {"greedy": TOY}


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
