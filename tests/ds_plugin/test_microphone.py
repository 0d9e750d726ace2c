from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from ds_engine.audio import AudioFormat
from ds_engine.errors import InputError
from ds_plugin.microphone import MAX_WAITING, microphone


class FakePortAudio(types.ModuleType):
    """Stands in for the sounddevice package, whose library and hardware are not here."""

    class PortAudioError(Exception):
        pass

    def __init__(self, blocks: int = 0, fault: Exception | None = None) -> None:
        super().__init__("sounddevice")
        self.asked: dict[str, Any] = {}
        self.open = False
        self._blocks = blocks
        self._fault = fault

    def RawInputStream(self, *, callback: Callable[..., None], **asked: Any) -> FakePortAudio:  # noqa: N802 - the package's name
        if self._fault:
            raise self._fault
        self.asked, self._callback = asked, callback
        return self

    def __enter__(self) -> None:
        self.open = True
        for number in range(self._blocks):
            self._callback(bytes([number % 256]) * 4, 2, None, None)

    def __exit__(self, *_: object) -> None:
        self.open = False


async def test_blocks_come_as_they_are_recorded_and_the_device_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    device = FakePortAudio(blocks=3)
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    async with microphone(AudioFormat(16_000), "2") as pieces:
        assert device.open
        assert [await anext(pieces) for _ in range(3)] == [bytes([number]) * 4 for number in range(3)]
    assert not device.open
    assert device.asked == {"samplerate": 16_000, "channels": 1, "dtype": "int16", "blocksize": 800, "device": 2}


async def test_a_device_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    device = FakePortAudio()
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    async with microphone(AudioFormat(16_000), "USB"):
        assert device.asked["device"] == "USB"


async def test_what_nobody_takes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakePortAudio(blocks=MAX_WAITING + 50))
    async with microphone(AudioFormat()) as pieces:
        taken = [await anext(pieces) for _ in range(MAX_WAITING)]
    assert taken[-1] == bytes([(MAX_WAITING - 1) % 256]) * 4


async def test_a_device_that_cannot_be_opened_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakePortAudio(fault=FakePortAudio.PortAudioError("no default input device")))
    with pytest.raises(InputError, match="no default input device"):
        async with microphone(AudioFormat()):
            pass


async def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(InputError, match=r"ds-plugin\[mic\]"):
        async with microphone(AudioFormat()):
            pass
