"""One request's speech: a WAV in pieces in, a transcript out. Made for one utterance and thrown away with it."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from ds_plugin.wav import WavReader

if TYPE_CHECKING:
    from ds_engine.audio import AudioFormat
    from ds_engine.transcript import Transcript
    from ds_engine.utterance import Utterance
    from ds_plugin.host import Host


class Session:
    """An utterance that opens once the format of its audio is known. Use it as an async context manager."""

    def __init__(self, host: Host, language: str | None, model: str | None) -> None:
        self._host = host
        self._language = language
        self._model = model
        self._wav = WavReader()
        self._utterance: Utterance | None = None

    async def feed(self, data: bytes) -> None:
        """Takes bytes of the WAV; waits while the engine has enough to do. Raises SpeechError."""
        audio = self._wav.feed(data)
        if self._wav.format is not None:
            utterance = await self._opened(self._wav.format)
            await utterance.feed(audio)

    async def finish(self) -> Transcript:
        """The transcript of everything that came. Raises SpeechError."""
        utterance = await self._opened(self._wav.finish())
        return await utterance.finish()

    async def _opened(self, source: AudioFormat) -> Utterance:
        if self._utterance is None:
            self._utterance = await self._host.open(source, language=self._language, model=self._model, origin="http")
        return self._utterance

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._utterance is not None:
            await self._utterance.close()
