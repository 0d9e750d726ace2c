"""The fallback: what another Wyoming server says takes the place of what we were not sure of, and nothing that it does harms us."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import re
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from wyoming.asr import Transcript as WyomingTranscript
from wyoming.asr import TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import AsrModel, AsrProgram, Attribution, Describe, Info
from wyoming.server import AsyncEventHandler, AsyncServer, AsyncTcpServer

from ds_engine.audio import AudioFormat, PcmDecoder
from ds_engine.observer import Recording, UtteranceInfo
from ds_engine.transcript import Hypothesis, Match, Partial, Transcript, Word
from ds_plugin import builtin
from ds_plugin.config import ConfigError, Schema, Settings
from ds_plugin.hooks import Hooks
from ds_plugin.host import HOST_OPTIONS, Host
from ds_plugin.plugins import Plugins
from ds_wyoming import fallback as module
from ds_wyoming import plugin
from ds_wyoming.address import Tcp, Unix
from ds_wyoming.fallback import MAX_ANSWER, Fallback, _name
from ds_wyoming.requests import SECOND_HAND, SECOND_HAND_CONTEXT, Asking, parse
from ds_wyoming.settings import FALLBACK, FALLBACK_OPTIONS, FallbackSettings
from tests.ds_plugin.command_line import LIGHT, run
from tests.ds_wyoming.raw import frame
from tests.ds_wyoming.serving import CountingDecoder, DecoderPlugin, Heard, plain_text, serving, silence, transcribed, until

INFO = UtteranceInfo("1", AudioFormat(), "en", "test")
SPEECH = Recording(AudioFormat(), bytes(range(256)) * 50)
OURS = Transcript(
    Hypothesis("secret words", (Word("secret", 0, 1, 0.2),), 0.2, -9.0), (Hypothesis("other", (), 0.1, -10.0),), "en", "small"
)
LONG = 20.0  # s, that no test needs
SOON = 1.0  # s, for those that end at their deadline

ABOUT = Attribution("somebody", "")


def about(*models: str) -> Event:
    """What a server says of itself."""
    known = [AsrModel(name, ABOUT, installed=True, description=None, version=None, languages=["en"]) for name in models]
    return Info(asr=[AsrProgram("whisper", ABOUT, installed=True, description=None, version=None, models=known)]).event()


class Handler(AsyncEventHandler):
    """A server of the wyoming package: answers audio-stop with these events, and writes down what it is sent."""

    def __init__(self, answers: list[Event], received: list[Event], *streams: Any) -> None:
        super().__init__(*streams)
        self._answers = answers
        self._received = received

    async def handle_event(self, event: Event) -> bool:
        self._received.append(event)
        if Describe.is_type(event.type):
            await self.write_event(about("base"))
        if event.type == "audio-stop":
            for answer in self._answers:
                await self.write_event(answer)
        return True


@asynccontextmanager
async def another(*answers: Event) -> AsyncIterator[tuple[Tcp, list[Event]]]:
    """A real server; gives its address and what it receives."""
    received: list[Event] = []
    server = AsyncServer.from_uri("tcp://127.0.0.1:0")
    assert isinstance(server, AsyncTcpServer)
    await server.start(functools.partial(Handler, list(answers), received))
    try:
        assert isinstance(server._server, asyncio.Server)
        yield Tcp("127.0.0.1", server._server.sockets[0].getsockname()[1]), received
    finally:
        await server.stop()


Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def misbehaving(talk: Conversation) -> AsyncIterator[tuple[Tcp, list[bool]]]:
    """A server that does as it likes; gives its address and, per connection, whether it is over."""
    over: list[bool] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(over)
        over.append(False)
        try:
            with contextlib.suppress(ConnectionError):
                await talk(reader, writer)
                while await reader.read(2**16):  # until we have gone
                    pass
        finally:
            over[number] = True
            writer.close()

    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that what is not read piles up with its sender
    async with await asyncio.start_server(converse, sock=listener):
        yield Tcp("127.0.0.1", listener.getsockname()[1]), over
        await until(lambda: all(over))


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What we have logged; asyncio says when a test's own steps are slow."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("ds_")]


async def asked(address: Tcp | Unix, deadline: float = LONG, recording: Recording = SPEECH, **change: Any) -> Transcript | None:
    return await Fallback(address, **change).ds_fallback(INFO, OURS, recording, deadline)


def transcript(text: str) -> Event:
    return WyomingTranscript(text).event()


STREAMED = [TranscriptStart().event(), TranscriptChunk("turn on").event(), TranscriptChunk(" the lamp").event()]


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ([transcript("turn on the lamp")], "turn on the lamp"),
        ([WyomingTranscript("Turn on the lamp.", language="de").event()], "Turn on the lamp."),
        ([*STREAMED, transcript("turn on the lamp"), TranscriptStop().event()], "turn on the lamp"),
        ([*STREAMED, TranscriptStop().event()], "turn on the lamp"),
        ([Event("ping"), Event("detection", {"name": "x"}, b"payload"), transcript(" turn\n\ton  the lamp\0 ")], "turn on the lamp"),
        ([transcript("u\u0308ber")], "über"),
    ],
)
async def test_the_text_of_another_server_takes_our_place(answers: list[Event], text: str) -> None:
    async with another(*answers) as (address, _):
        offered = await asked(address)
    assert offered is not None
    assert offered.best == Hypothesis(text, (), OURS.best.confidence, OURS.best.score)
    assert offered.alternatives == (OURS.best, *OURS.alternatives)
    assert (offered.language, offered.model) == ("en", "whisper base")


async def test_the_server_hears_what_home_assistant_would_send_it() -> None:
    async with another(transcript("x")) as (address, received):
        await asked(address)
    kinds = [event.type for event in received]
    assert kinds[:3] == ["describe", "transcribe", "audio-start"]
    assert set(kinds[3:-1]) == {"audio-chunk"}
    assert kinds[-1] == "audio-stop"
    assert received[1].data["language"] == "en"
    assert b"".join(event.payload or b"" for event in received) == SPEECH.data
    assert all((event.data["rate"], event.data["width"], event.data["channels"]) == (16_000, 2, 1) for event in received[2:-1])


async def test_the_language_may_be_chosen() -> None:
    async with another(transcript("x")) as (address, received):
        await asked(address, language="de-CH")
    assert received[1].data["language"] == "de-CH"


def test_a_request_of_ours_is_known_as_second_hand() -> None:
    assert parse(Event("transcribe", {"context": SECOND_HAND_CONTEXT})) == Asking(origin=SECOND_HAND)
    for context in ({}, {"ds_plugin": "x"}, {"ds_plugin": "fallback", "x": 1}):
        assert parse(Event("transcribe", {"context": context})) == Asking(context=context)


@pytest.mark.parametrize(
    "source",
    [
        AudioFormat(48_000, 3, 2),
        AudioFormat(8_000, 1, 1),
        AudioFormat(44_100, 4, 8),
        AudioFormat(16_000, 4, 1, floating=True),
        AudioFormat(16_000, 8, 2, floating=True),
        AudioFormat(4_000, 2, 1),
    ],
    ids=str,
)
@pytest.mark.parametrize("frames", [0, 1, 12_345])
async def test_other_formats_are_converted(source: AudioFormat, frames: int) -> None:
    samples = np.sin(np.arange(frames * source.channels) / 20)
    if source.floating:
        data = samples.astype(f"<f{source.width}").tobytes()
    else:
        data = (samples * (2 ** (8 * source.width - 1) - 1)).astype("<i8").view(np.uint8).reshape(-1, 8)[:, : source.width].tobytes()
    async with another(transcript("x")) as (address, received):
        assert await asked(address, recording=Recording(source, data + b"\1" * (source.frame_bytes - 1)))
    decoder = PcmDecoder(source, 16_000)
    wanted = np.concatenate([decoder.decode(data), decoder.flush()])
    got = np.frombuffer(b"".join(event.payload or b"" for event in received), "<i2") / 2**15
    assert got.shape == wanted.shape
    assert np.allclose(got, np.clip(wanted, -1, 1), atol=2**-14)


async def test_an_unfinished_frame_is_dropped() -> None:
    async with another(transcript("x")) as (address, received):
        await asked(address, recording=Recording(AudioFormat(), b"\1\2\3"))
    assert [event.payload for event in received if event.payload] == [b"\1\2"]


@pytest.mark.parametrize("text", ["", " \n\t ", "...", "secret words", "Secret words!"])
async def test_an_answer_that_says_nothing_new_leaves_ours_with_its_words(text: str, caplog: pytest.LogCaptureFixture) -> None:
    async with another(transcript(text)) as (address, _):
        assert await asked(address) is None
    assert not logged(caplog)


async def _deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads nothing and says nothing, until its peer has gone."""
    transport: Any = writer.transport
    transport.pause_reading()
    while await asyncio.to_thread(peers_open, transport.get_extra_info("peername")[1]):
        pass
    transport.abort()


def peers_open(port: int) -> bool:
    """True while our end of a connection is established."""
    return any(each.laddr.port == port and each.status == psutil.CONN_ESTABLISHED for each in psutil.Process().net_connections("tcp"))


async def test_an_early_answer_ends_the_upload() -> None:
    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(frame("transcript", data={"text": "early"}))
        await _deaf(reader, writer)

    much = Recording(AudioFormat(), bytes(2**24))
    async with misbehaving(early) as (address, _):
        offered = await asked(address, recording=much)
    assert offered is not None
    assert offered.text == "early"
    assert offered.model == str(address)


def answering(*data: bytes) -> Conversation:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"".join(data))

    return talk


async def _leaving(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.transport.abort()


async def _half_a_frame(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b'{"type": "transcript", "data_length": 99}\n{"text": "secret')
    await writer.drain()
    writer.close()


MISBEHAVIOUR: dict[str, tuple[Conversation, str]] = {
    "leaves": (_leaving, "closed the connection without an answer|the connection broke"),
    "resets": (_resetting, "the connection broke|without an answer"),
    "cut off": (_half_a_frame, r"no Wyoming \(bad-frame\)|the connection broke"),
    "http": (answering(b"HTTP/1.1 400 secret words\r\n\r\n"), r"no Wyoming \(bad-frame\)"),
    "endless header": (answering(b'{"type": "secret' + b"x" * 200_000), r"no Wyoming \(frame-too-large\)"),
    "huge payload": (answering(frame("transcript", payload_length=5_000_000_000)), r"no Wyoming \(frame-too-large\)"),
    "huge data": (answering(frame("transcript", data_length=5_000_000_000)), r"no Wyoming \(frame-too-large\)"),
    "nested": (answering(b'{"type": "x", "data": ' + b"[" * 20_000 + b"\n"), r"no Wyoming \(bad-frame\)"),
    "no object": (answering(b"[]\n"), r"no Wyoming \(bad-frame\)"),
    "not UTF-8": (answering(b'{"type": "\xff\xfe"}\n'), r"no Wyoming \(bad-frame\)"),
    "no text": (answering(frame("transcript", data={"secret": "words"})), "no text of at most"),
    "text of another type": (answering(frame("transcript", data={"text": ["secret"]})), "no text of at most"),
    "text without end": (answering(frame("transcript", data={"text": "secret" + "x" * MAX_ANSWER})), "no text of at most"),
    "chunk of another type": (answering(frame("transcript-chunk", data={"text": 5})), "no text of at most"),
    "chunks without end": (answering(*[frame("transcript-chunk", data={"text": "secret " * 100})] * 20), "no text of at most"),
    "error": (answering(frame("error", data={"text": "secret words", "code": "busy"})), "it answered busy$"),
    "error with speech": (answering(frame("error", data={"text": "secret", "code": "secret words"})), "it answered with an error$"),
    "error without code": (answering(frame("error", data={"text": "secret", "code": 5})), "it answered with an error$"),
}


@pytest.mark.parametrize("name", MISBEHAVIOUR)
async def test_a_server_that_misbehaves_leaves_ours(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    talk, reason = MISBEHAVIOUR[name]
    before = asyncio.all_tasks()
    async with misbehaving(talk) as (address, over):
        assert await asked(address) is None
        await until(lambda: over == [True])
        await until(lambda: asyncio.all_tasks() <= before)
    [message] = logged(caplog)
    assert re.search(f"^wyoming_fallback.uri: {address}: .*({reason})", message), message
    assert f"WARNING  {module.__name__}" in caplog.text
    assert "secret" not in message


async def test_a_server_that_is_not_there_leaves_ours(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    async with misbehaving(_leaving) as (address, _):
        pass
    gone: list[Tcp | Unix] = [
        address,
        Unix(tmp_path / "none.sock"),
        Unix(Path("/" + "x" * 200)),
        Tcp("x" * 70 + ".invalid", 1),
        Unix(Path("/a\0b")),
    ]
    for where in gone:
        assert await asked(where) is None
    assert ["cannot be reached" in message for message in logged(caplog)] == [True] * len(gone)


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads everything and says nothing."""


async def _endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Talks of other things for ever."""
    while not writer.transport.is_closing():
        writer.write(frame("ping", data={"text": "x"}) * 10)
        await writer.drain()
        await asyncio.sleep(0)


@pytest.mark.parametrize("talk", [_silent, _deaf, _endless], ids=lambda talk: talk.__name__)
async def test_the_deadline_ends_it_and_leaves_nothing_behind(talk: Conversation, caplog: pytest.LogCaptureFixture) -> None:
    before = asyncio.all_tasks()
    hooks = hooked(uri="tcp://127.0.0.1:1")
    async with misbehaving(talk) as (address, over):
        configure(hooks, uri=str(address))
        began = asyncio.get_running_loop().time()
        much = Recording(AudioFormat(), bytes(2**24))
        assert await hooks.fallback(INFO, OURS, much, SOON) is None
        assert asyncio.get_running_loop().time() - began < SOON + 2
        await until(lambda: over == [True])
        await until(lambda: asyncio.all_tasks() <= before)
    assert "no answer within 0.9 s" in caplog.text
    assert "took longer" not in caplog.text  # which would be the plugin's fault


async def test_a_speaker_who_leaves_takes_the_question_along() -> None:
    before = asyncio.all_tasks()
    async with misbehaving(_silent) as (address, over):
        fallback = Fallback(address)
        asking = asyncio.create_task(fallback.ds_fallback(INFO, OURS, SPEECH, LONG))
        await until(lambda: over == [False])
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await until(lambda: over == [True])
        await until(lambda: asyncio.all_tasks() <= before)
    assert not fallback._asking


async def test_a_server_without_an_answer_is_left_alone_for_a_while(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    talk = [answering(frame("error", data={"text": "x", "code": "busy"}))]

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await talk[0](reader, writer)

    async with misbehaving(converse) as (address, connections):
        fallback = Fallback(address)
        for _ in range(3):
            assert await fallback.ds_fallback(INFO, OURS, SPEECH, LONG) is None
        assert len(connections) == 1
        monkeypatch.setattr(module, "REST_SECONDS", -1.0)
        fallback._rests_until = 0.0
        for _ in range(3):
            assert await fallback.ds_fallback(INFO, OURS, SPEECH, LONG) is None
        assert len(connections) == 4
        assert len(logged(caplog)) == 1  # once, until it answers again
        good = answering(frame("transcript", data={"text": "good"}))
        bad, talk[0] = talk[0], good
        assert await fallback.ds_fallback(INFO, OURS, SPEECH, LONG) is not None
        talk[0] = bad
        assert await fallback.ds_fallback(INFO, OURS, SPEECH, LONG) is None
        assert len(logged(caplog)) == 2


@pytest.mark.parametrize(
    ("info", "name"),
    [
        (about("base").data, "whisper base"),
        (about("base", "large").data, "whisper"),
        (about().data, "whisper"),
        ({}, ""),
        ({"asr": None}, ""),
        ({"asr": [None, 5, {"name": "x"}]}, ""),
        ({"asr": [{"installed": True}]}, ""),
        ({"asr": [{"installed": True, "name": 5, "models": [{"installed": True, "name": []}]}]}, ""),
        ({"asr": [{"installed": True, "name": "a\nb\0", "models": "x"}]}, "a b"),
        ({"asr": [{"installed": True, "name": "x" * 1000}]}, "x" * 100),
    ],
)
def test_the_name_is_what_the_server_says_of_itself(info: dict[str, Any], name: str) -> None:
    assert _name(info) == name


# the plugin and its settings


def hooked(decoder: CountingDecoder | None = None, **values: Any) -> Hooks:
    """Our plugins, with these values of the section."""
    plugins = Plugins()
    for number, each in enumerate([builtin, DecoderPlugin((decoder or CountingDecoder()).make), plugin]):
        assert not plugins.add(f"plugin{number}", lambda each=each: each).error  # type: ignore[misc]
    hooks = Hooks(plugins)
    configure(hooks, **values)
    return hooks


def settings(hooks: Hooks, *, enabled: bool = True, **values: Any) -> Settings:
    schema = Schema({**HOST_OPTIONS, **{each.name: each.options for each in hooks.adapters().values()}, **hooks.options()})
    ours = {(FALLBACK, name): value for name, value in values.items()}
    host = {("", "decoder"): "toy", ("fallback", "enabled"): enabled, ("fallback", "below"): 2.0, ("fallback", "deadline"): LONG}
    return schema.load(arguments={**host, **ours})


def configure(hooks: Hooks, **values: Any) -> None:
    hooks.configure(settings(hooks, **values))


def hosting(decoder: CountingDecoder | None = None, **values: Any) -> Host:
    """A host that is never sure of what it heard."""
    hooks = hooked(decoder)
    return Host.load(settings(hooks, **values), hooks)


class Saying(CountingDecoder):
    """Hears the same in everything."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def partial(self, state: tuple[Heard, int]) -> Partial:
        return Partial()

    def finish(self, state: tuple[Heard, int]) -> tuple[Hypothesis, ...]:
        return (Hypothesis(self._text, (), 0.1, 0.0, Match("home", "x", self._text)),)


def test_the_options_are_the_settings() -> None:
    loaded = Schema({FALLBACK: FALLBACK_OPTIONS}).load().section(FALLBACK)
    assert FallbackSettings(**loaded) == FallbackSettings()
    assert all(option.help for option in FALLBACK_OPTIONS)


@pytest.mark.parametrize("uri", ["stdio://", "tcp://localhost:0", "tcp://localhost", "10300", "http://localhost:1", "unix://x"])
def test_a_uri_that_leads_nowhere_is_refused_by_name(uri: str) -> None:
    with pytest.raises(ConfigError, match=r"^wyoming_fallback\.uri"):
        hooked(uri=uri)


def test_a_missing_package_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ds_wyoming.fallback")
    monkeypatch.setitem(sys.modules, "wyoming.asr", None)
    hooked()  # nobody is to be asked, and nothing is missing
    with pytest.raises(ConfigError, match=r"needs the extra 'wyoming'"):
        hooked(uri="tcp://localhost:10300")


def test_nobody_is_asked_unless_a_uri_says_whom() -> None:
    assert not hooked().implemented("ds_fallback")
    assert hooked(uri="tcp://localhost:10300").implemented("ds_fallback")


@pytest.mark.parametrize("enabled", [True, False])
async def test_a_connection_is_made_only_where_the_fallback_is_enabled(*, enabled: bool) -> None:
    async with another(transcript("theirs")) as (address, received):
        async with hosting(Saying("ours"), uri=str(address), enabled=enabled) as host:
            assert await plain_text(host, AudioFormat(), silence(0.5)) == ("theirs" if enabled else "ours")
        assert bool(received) is enabled


async def test_a_client_gets_what_the_other_server_heard(tmp_path: Path) -> None:
    async with serving(hosting(Saying("theirs")), f"unix://{tmp_path}/b.sock") as other:
        async with serving(hosting(Saying("ours"), uri=other)) as address:
            assert await transcribed(address, silence(1.0)) == "theirs"
        assert await transcribed(other, silence(1.0)) == "theirs"


async def test_two_servers_that_ask_each_other_come_to_an_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    uris = {name: f"unix://{tmp_path}/{name}.sock" for name in "ab"}
    decoders = {name: Saying(f"said by {name}") for name in "ab"}
    async with (
        serving(hosting(decoders["a"], uri=uris["b"]), uris["a"]) as a,
        serving(hosting(decoders["b"], uri=uris["a"]), uris["b"]) as b,
    ):
        assert await transcribed(a, silence(1.0)) == "said by b"
        assert await transcribed(b, silence(1.0)) == "said by a"
    assert [len(decoder.biases) for decoder in decoders.values()] == [2, 2]
    assert not logged(caplog)


async def test_a_server_that_asks_itself_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    uri, decoder = f"unix://{tmp_path}/a.sock", Saying("ours")
    async with serving(hosting(decoder, uri=uri), uri) as address:
        assert await transcribed(address, silence(1.0)) == "ours"
    assert len(decoder.biases) == 2
    assert logged(caplog) == [f"wyoming_fallback.uri: {uri}: it asks us in turn"]


class Relay(AsyncEventHandler):
    """Passes everything on to another server, but for what it does not know."""

    def __init__(self, target: list[str], *streams: Any) -> None:
        super().__init__(*streams)
        self._target = target
        self._client: AsyncClient | None = None
        self._back: asyncio.Task[None] | None = None

    async def handle_event(self, event: Event) -> bool:
        if self._client is None:
            self._client = AsyncClient.from_uri(self._target[0])
            await self._client.connect()
            self._back = asyncio.create_task(self._answers(self._client))
        event.data.pop("context", None)
        await self._client.write_event(event)
        return True

    async def _answers(self, client: AsyncClient) -> None:
        while (event := await client.read_event()) is not None:
            await self.write_event(event)

    async def disconnect(self) -> None:
        if self._client and self._back:
            self._back.cancel()
            await asyncio.gather(self._back, return_exceptions=True)
            await self._client.disconnect()


async def test_a_relay_that_forgets_who_asked_makes_no_circle(caplog: pytest.LogCaptureFixture) -> None:
    target: list[str] = []
    relay = AsyncServer.from_uri("tcp://127.0.0.1:0")
    assert isinstance(relay, AsyncTcpServer)
    await relay.start(functools.partial(Relay, target))
    assert isinstance(relay._server, asyncio.Server)
    uri, decoder = f"tcp://127.0.0.1:{relay._server.sockets[0].getsockname()[1]}", Saying("ours")
    async with serving(hosting(decoder, uri=uri)) as address:
        target.append(address)
        assert await transcribed(address, silence(1.0)) == "ours"
        await relay.stop()
    assert len(decoder.biases) == 2
    assert "it asks us in turn" in caplog.text


async def test_what_came_second_hand_is_never_passed_on() -> None:
    async with another(transcript("theirs")) as (address, received):
        second = UtteranceInfo("1", AudioFormat(), "en", SECOND_HAND)
        assert await Fallback(address).ds_fallback(second, OURS, SPEECH, LONG) is None
        assert not received


async def test_no_text_and_no_audio_get_into_the_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with another(transcript("secret answer")) as (address, _), hosting(Saying("secret words"), uri=str(address)) as host:
        assert await plain_text(host, AudioFormat(), SPEECH.data) == "secret answer"
    assert "secret" not in " ".join(logged(caplog))
    assert r"\x01\x02" not in caplog.text


_WATCH = """
import os, sys

def watch(event, arguments):
    if event == "socket.connect":
        sys.stderr.write(f"OUTBOUND {arguments[1]}\\n")

sys.addaudithook(watch)
"""


@pytest.mark.process
@pytest.mark.parametrize(
    ("values", "connects"),
    [
        ({"FALLBACK_BELOW": "2", "WYOMING_FALLBACK_URI": "tcp://127.0.0.1:9"}, False),
        ({"FALLBACK_BELOW": "2", "WYOMING_FALLBACK_URI": "tcp://127.0.0.1:9", "FALLBACK_ENABLED": "yes"}, True),
    ],
)
def test_the_command_line_connects_only_where_both_settings_say_so(values: dict[str, str], tmp_path: Path, *, connects: bool) -> None:
    (tmp_path / "sitecustomize.py").write_text(_WATCH)
    environment = {"PYTHONPATH": str(tmp_path), **{f"DS_PLUGIN_{name}": value for name, value in values.items()}}
    done = run("transcribe", str(LIGHT), environment=environment)
    assert ("OUTBOUND ('127.0.0.1', 9)" in done.stderr) is connects
    assert ("wyoming_fallback.uri: tcp://127.0.0.1:9: cannot be reached" in done.stderr) is connects
    assert (done.returncode, done.stdout.strip()) == (0, "turn on the kitchen light")
