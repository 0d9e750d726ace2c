"""One request's speech, without HTTP around it."""

from __future__ import annotations

import pytest

from ds_engine.errors import AudioError, BusyError, LanguageError
from ds_engine.limits import Limits
from ds_http.session import Session
from tests.ds_engine.fakes import cut
from tests.ds_http.helpers import spoken
from tests.ds_plugin.helpers import hosted


@pytest.mark.parametrize("size", [1, 320, 10**6])
async def test_a_wav_in_pieces_of_any_size_gives_its_text(size: int) -> None:
    async with hosted() as host, Session(host, "en", "replay") as session:
        for piece in cut(spoken("on"), [size]):
            await session.feed(piece)
        assert (await session.finish()).text == "on"


async def test_the_utterance_is_opened_once_the_format_is_known_and_closed_with_the_session() -> None:
    async with hosted() as host:
        async with Session(host, None, None) as session:
            await session.feed(spoken("on")[:20])
            assert host.engine.utterances == 0
            await session.feed(spoken("on")[20:44])
            assert host.engine.utterances == 1
        assert host.engine.utterances == 0


async def test_a_wav_without_audio_has_no_text() -> None:
    async with hosted() as host, Session(host, None, None) as session:
        await session.feed(spoken(""))
        assert (await session.finish()).text == ""


async def test_faults_show_as_soon_as_they_can() -> None:
    async with hosted(limits=Limits(utterances=1)) as host, await host.open():
        for session, body, error in (
            (Session(host, "de", None), spoken("on")[:44], LanguageError),
            (Session(host, None, "gone"), spoken("on")[:44], LanguageError),
            (Session(host, None, None), spoken("on")[:44], BusyError),
            (Session(host, None, None), b"OggS12345678", AudioError),
        ):
            async with session:
                with pytest.raises(error):
                    await session.feed(body)
