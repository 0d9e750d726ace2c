"""Plugins load one by one: whatever is wrong with one is in the report, and the others are there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ds_plugin import builtin, hookimpl
from ds_plugin.hooks import Hooks
from ds_plugin.plugins import BUILTIN, Plugins
from tests.ds_plugin.helpers import plugin

GOOD = plugin(ds_register_decoder=lambda register: register("toy", print))

OURS = ["home_assistant", "http", "train", "wyoming"]  # entry points of this distribution


@pytest.fixture
def over() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


class Misspelt:
    @hookimpl
    def ds_register_decoder(self, register: Callable[..., None]) -> None:
        register("half", print)

    @hookimpl
    def ds_transfrom_transcript(self) -> None:
        """There is no such hook."""


class UnknownArgument:
    @hookimpl
    def ds_bias(self) -> None:
        """A sound one before the other."""

    @hookimpl
    def ds_final(self, text: str) -> None:
        """No hook has this argument."""


class Wrapper:
    @hookimpl(wrapper=True)
    def ds_bias(self) -> Iterator[None]:
        yield


class OldWrapper:
    @hookimpl(hookwrapper=True)
    def ds_bias(self) -> Iterator[None]:
        yield


class Touchy:
    def __dir__(self) -> list[str]:
        raise RuntimeError("do not touch")


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (Misspelt, "ds_transfrom_transcript"),
        (UnknownArgument, "Argument(s) {'text'} are declared in the hookimpl but can not be found in the hookspec"),
        (Wrapper, "ds_bias: hook wrappers are not supported"),
        (OldWrapper, "ds_bias: hook wrappers are not supported"),
        (Touchy, "do not touch"),
    ],
)
def test_a_plugin_with_wrong_hooks_is_left_out_entirely(odd: type, why: str, caplog: pytest.LogCaptureFixture) -> None:
    plugins = Plugins()
    report = plugins.add("odd", odd)
    assert report.error.startswith("plugin odd: ")
    assert why in report.error
    assert report.hooks == []
    assert "plugin odd" in caplog.text
    assert not plugins.add("good", lambda: GOOD).error
    assert set(Hooks(plugins).decoders()) == {"toy"}
    assert not any(plugins.implementations(hook) for hook in ("ds_bias", "ds_final"))


@pytest.mark.parametrize("error", [ImportError("no module"), SystemExit(2), KeyboardInterrupt(), asyncio.CancelledError()], ids=repr)
def test_a_plugin_that_fails_to_import_is_reported(error: BaseException) -> None:
    def load() -> object:
        raise error

    plugins = Plugins()
    report = plugins.add("odd", load, "odd.plugin (odd)")
    assert report.error.startswith("plugin odd: loading raised ")
    assert type(error).__name__ in report.error
    assert not plugins.add("good", lambda: GOOD).error


def test_a_plugin_that_hangs_while_importing_is_given_up(over: threading.Event) -> None:
    plugins = Plugins(load_deadline=0.01)
    assert plugins.add("odd", lambda: over.wait(60)).error == "plugin odd: loading took longer than 0.01 s"
    plugins = Plugins()
    assert not plugins.add("good", lambda: GOOD).error


def test_two_plugins_of_one_name_are_told_apart() -> None:
    plugins = Plugins()
    names = [plugins.add(name, lambda: plugin(ds_bias=lambda: None)).name for name in ("a", "a_2", "a", "a")]
    assert names == ["a", "a_2", "a_3", "a_4"]
    assert len(plugins.implementations("ds_bias")) == 4


def test_one_plugin_under_two_names_is_registered_once() -> None:
    plugins = Plugins()
    assert not plugins.add("first", lambda: GOOD).error
    assert "already registered" in plugins.add("second", lambda: GOOD).error
    assert set(Hooks(plugins).decoders()) == {"toy"}


def test_the_report_says_what_was_loaded_from_where() -> None:
    plugins = Plugins()
    report = plugins.add("good", lambda: GOOD, "good.plugin (good)")
    assert (report.name, report.source, report.hooks) == ("good", "good.plugin (good)", ["ds_register_decoder"])


def test_a_function_gets_the_arguments_it_asks_for() -> None:
    plugins = Plugins()
    plugins.add("good", lambda: plugin(ds_final=lambda transcript: transcript))
    [implementation] = plugins.implementations("ds_final")
    assert implementation.bind({"utterance": 1, "transcript": 2})() == 2


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the import path with a distribution of two plugins, one of them broken."""
    (tmp_path / "goodone.py").write_text("from ds_plugin import hookimpl\n@hookimpl\ndef ds_bias():\n    return None\n")
    (tmp_path / "brokenone.py").write_text("import does_not_exist\n")
    about = tmp_path / "strangers-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: strangers\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[ds_plugin]\nzbroken = brokenone\nagood = goodone\n")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_entry_points_are_found_in_order_after_the_built_ins(installed: Path) -> None:
    loaded = Plugins.discover(OURS).loaded
    assert [report.name for report in loaded] == [BUILTIN, "agood", "zbroken"]
    assert [report.source for report in loaded[1:]] == ["goodone (strangers)", "brokenone (strangers)"]
    assert "No module named 'does_not_exist'" in loaded[2].error
    assert loaded[1].hooks == ["ds_bias"]


def test_a_disabled_entry_point_is_not_even_imported(installed: Path) -> None:
    (installed / "goodone.py").write_text("raise SystemExit")
    assert [report.name for report in Plugins.discover([*OURS, "agood", "zbroken"]).loaded] == [BUILTIN]


def test_an_entry_point_of_no_distribution_is_named_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("copy", "ds_plugin.builtin", "ds_plugin")
    monkeypatch.setattr("ds_plugin.plugins.entry_points", lambda group: [entry])
    plugins = Plugins.discover()
    assert [(report.name, bool(report.error)) for report in plugins.loaded] == [(BUILTIN, False), ("copy", True)]
    assert plugins.loaded[1].source == "ds_plugin.builtin (?)"
    assert "greedy" in Hooks(plugins).decoders()
    assert plugins.implementations("ds_register_decoder")[0].function is builtin.ds_register_decoder
