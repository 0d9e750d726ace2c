"""Plugins with settings of their own: who is told what, who may be called what, and what a plugin may add once it knows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ds_engine.transcript import Transcript
from ds_plugin import builtin, hookimpl
from ds_plugin.adapter import Adapter
from ds_plugin.config import ConfigError, Option, Schema, Settings
from ds_plugin.guard import MAX_FAULTS
from ds_plugin.hooks import Hooks
from ds_plugin.host import HOST_OPTIONS
from ds_plugin.observer import HookObserver
from tests.ds_plugin.command_line import run
from tests.ds_plugin.helpers import INFO, LONG, SHORT, heard, hooked, hosted, loaded, plugin, transcript

TOKEN = (Option("token", str, "none", ""),)
NOTHING = Settings({})


@pytest.fixture
def over() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def owner(section: str, told: list[Any], options: tuple[Option, ...] = TOKEN) -> object:
    """A plugin with one section, which writes down what it is told."""
    return plugin(ds_register_options=lambda register: register(section, options), ds_configure=telling(told))


def telling(told: list[Any]) -> Callable[..., None]:
    def configure(settings: Any) -> None:
        told.append(settings)

    return configure


def appending(letter: str) -> object:
    return plugin(ds_transform_transcript=lambda transcript: transcript.with_text(transcript.text + letter))


def registering(*objects: object) -> object:
    """A plugin that registers these whatever it is told."""

    def configure(register: Callable[[object], None]) -> None:
        for each in objects:
            register(each)

    return plugin(ds_configure=configure)


def naming(section: str, *options: str) -> object:
    return plugin(ds_register_options=lambda register: register(section, tuple(Option(name, str, "", "") for name in options)))


def adapting(name: str, *options: str) -> object:
    adapter = Adapter(name, "", tuple(Option(option, str, "", "") for option in options), print)  # type: ignore[arg-type]
    return plugin(ds_register_adapter=lambda register: register(adapter))


def test_a_plugin_is_told_its_own_sections_and_no_others() -> None:
    mine: list[Any] = []
    others: list[Any] = []
    adapter = Adapter("door", "", (Option("bell", str, "", ""),), print)  # type: ignore[arg-type]

    class Both:
        @hookimpl
        def ds_register_adapter(self, register: Callable[[Adapter], None]) -> None:
            register(adapter)

        @hookimpl
        def ds_register_options(self, register: Callable[[str, tuple[Option, ...]], None]) -> None:
            register("cellar", TOKEN)

        @hookimpl
        def ds_configure(self, settings: Any) -> None:
            mine.append(settings)

    hooks = hooked(Both(), owner("attic", others))
    values = {("cellar", "token"): "secret", ("door", "bell"): "ding", ("attic", "token"): "treasure", ("", "model"): "en"}
    hooks.configure(Settings(values))
    assert mine == [{"door": {"bell": "ding"}, "cellar": {"token": "secret"}}]
    assert others == [{"attic": {"token": "treasure"}}]


def test_a_plugin_cannot_change_what_others_are_told() -> None:
    told: list[Any] = []

    def spoiling(settings: Any) -> None:
        settings["a"]["names"].append("spoilt")
        settings["a"]["token"] = "spoilt"

    options = (*TOKEN, Option("names", list[str], [], ""))
    hooks = hooked(plugin(ds_register_options=lambda register: register("a", options), ds_configure=spoiling), owner("b", told, options))
    settings = Schema({"a": options, "b": options}).load()
    hooks.configure(settings)
    hooks.configure(settings)
    assert told == [{"b": {"token": "none", "names": []}}] * 2


def test_without_a_section_a_plugin_is_told_nothing_and_may_register_all_the_same() -> None:
    told: list[Any] = []
    hooked(plugin(ds_configure=telling(told))).configure(Settings({("", "model"): "en"}))
    assert told == [{}]


def test_settings_that_know_nothing_of_a_section_leave_its_defaults() -> None:
    told: list[Any] = []
    hooked(owner("attic", told)).configure(NOTHING)
    assert told == [{"attic": {"token": "none"}}]


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        (naming("attic", "a"), naming("attic", "b"), "attic"),
        (adapting("attic", "a"), naming("attic", "b"), "attic"),
        (naming("attic", "a"), adapting("attic", "b"), "attic"),
        (naming("attic_box", "key"), naming("attic", "box_key"), "DS_PLUGIN_ATTIC_BOX_KEY"),
        (naming("attic", "key"), naming("attic_key", "file"), "DS_PLUGIN_ATTIC_KEY_FILE"),
        (naming("x"), naming("limits", "a"), "limits"),
        (naming("x"), adapting("limits", "a"), "limits"),
        (naming("x"), naming("model", "a"), "model"),
        (naming("x"), naming("log", "level"), "DS_PLUGIN_LOG_LEVEL"),
        (naming("x"), naming("config", "a"), ""),
        (naming("attic", "a"), naming("cellar", "a"), ""),
    ],
    ids=str,
)
def test_a_name_that_exists_stays_with_its_first_owner(first: object, second: object, clash: str) -> None:
    plugins = loaded(first, second)
    hooks = Hooks(plugins)
    sections = {**hooks.options(), **{name: adapter.options for name, adapter in hooks.adapters().items()}}
    assert len(sections) == (1 if clash else 2)
    assert plugins.loaded[0].guard.faults == []
    faults = plugins.loaded[1].guard.faults
    assert [fault.partition(" ")[2] for fault in faults] == ([f"registers {clash!r}, which exists already"] if clash else [])
    Schema({**HOST_OPTIONS, **sections}).load()


@pytest.mark.parametrize("hook", ["ds_register_options", "ds_register_decoder"])
def test_asking_to_be_last_or_first_takes_no_name_from_a_built_in(hook: str) -> None:
    values: dict[str, tuple[Any, Any]] = {"ds_register_options": ("toy", TOKEN), "ds_register_decoder": ("toy", print)}
    mine = values[hook]

    def greedy(**order: bool) -> object:
        def implementation(register: Callable[..., None]) -> None:
            register("toy", () if hook == "ds_register_options" else repr)

        return type("Greedy", (), {hook: staticmethod(hookimpl(**order)(implementation))})()  # type: ignore[call-overload]

    hooks = hooked(plugin(**{hook: lambda register: register(*mine)}), greedy(trylast=True), greedy(tryfirst=True))
    assert (hooks.options() if hook == "ds_register_options" else hooks.decoders()) == {"toy": mine[1]}


async def test_a_transform_that_is_switched_off_delays_nobody() -> None:
    def configure(settings: Any, register: Callable[[object], None]) -> None:
        if settings["shout"]["on"]:
            register(plugin(ds_transform_transcript=lambda transcript: transcript.with_text(transcript.text.upper())))

    switch = plugin(ds_register_options=lambda register: register("shout", (Option("on", bool, False, ""),)), ds_configure=configure)
    hooks = hooked(switch)
    observer = HookObserver(hooks)
    for on, text in ((False, "lamp"), (True, "LAMP"), (True, "LAMP"), (False, "lamp")):
        hooks.configure(Settings({("shout", "on"): on}))
        assert observer.rewrites is on
        assert (await observer.complete(INFO, transcript("lamp"), None)).text == text


async def test_what_is_registered_comes_before_those_that_were_loaded() -> None:
    hooks = hooked(registering(appending("a"), appending("b")), appending("c"), registering(appending("d")))
    hooks.configure(NOTHING)
    assert (await hooks.transform(INFO, transcript("+"))).text == "+dbac"
    hooks.configure(NOTHING)
    assert (await hooks.transform(INFO, transcript("+"))).text == "+dbac"


async def test_its_faults_are_the_plugins() -> None:
    bad = plugin(ds_transform_transcript=lambda: 1 / 0)
    plugins = loaded(registering(bad), registering(appending("b")))
    hooks = Hooks(plugins, LONG)
    hooks.configure(NOTHING)
    for _ in range(MAX_FAULTS):
        assert (await hooks.transform(INFO, transcript("+"))).text == "+b"
    assert [report.guard.disabled for report in plugins.loaded] == [True, False]
    hooks.configure(NOTHING)
    assert (await hooks.transform(INFO, transcript("+"))).text == "+b"
    assert len(plugins.loaded[0].guard.faults) == MAX_FAULTS


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), TimeoutError()], ids=lambda e: type(e).__name__)
async def test_half_a_configuration_is_none(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    def configure(register: Callable[[object], None]) -> None:
        register(appending("x"))
        if failing:
            raise error

    failing = False
    plugins = loaded(registering(appending("a")), plugin(ds_configure=configure), registering(appending("c")))
    hooks = Hooks(plugins, LONG)
    hooks.configure(NOTHING)
    assert (await hooks.transform(INFO, transcript("+"))).text == "+cxa"
    failing = True
    hooks.configure(NOTHING)
    assert (await hooks.transform(INFO, transcript("+"))).text == "+ca"
    assert f"plugin two: ds_configure raised {type(error).__name__}" in caplog.text
    assert [len(report.guard.faults) for report in plugins.loaded] == [0, 1, 0]


async def test_a_plugin_that_hangs_is_not_waited_for_and_comes_too_late(over: threading.Event) -> None:
    late = threading.Event()

    def configure(register: Callable[[object], None]) -> None:
        over.wait(60)
        register(appending("x"))
        late.set()

    hooks = hooked(plugin(ds_configure=configure), registering(appending("b")), deadlines=SHORT)
    hooks.configure(NOTHING)
    over.set()
    assert late.wait(60)
    assert (await hooks.transform(INFO, transcript("+"))).text == "+b"


def test_a_wrong_value_is_the_users_to_mend_and_no_fault_of_the_plugin() -> None:
    def refusing(settings: Any) -> None:
        raise ConfigError("attic.token must be a secret, got 'none'")

    plugins = loaded(plugin(ds_configure=refusing))
    with pytest.raises(ConfigError, match=r"^attic\.token must be a secret, got 'none'$"):
        Hooks(plugins).configure(NOTHING)
    assert plugins.loaded[0].guard.faults == []


@dataclass(frozen=True)
class Equal:
    """Two of these are equal, which is pluggy's idea of the same plugin."""

    @hookimpl
    def ds_transform_transcript(self, transcript: Transcript) -> Transcript:
        return transcript.with_text(transcript.text + "=")


class Misspelt:
    @hookimpl
    def ds_transfrom_transcript(self) -> None:
        """There is no such hook."""


class Wrapper:
    @hookimpl(wrapper=True)
    def ds_bias(self) -> Iterator[None]:
        yield


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ([5], "it has no hooks"),
        ([None], "it has no hooks"),
        ([plugin(ds_register_decoder=lambda: None)], "ds_register_decoder comes too late"),
        ([plugin(ds_configure=lambda: None)], "ds_configure comes too late"),
        ([Misspelt()], "ds_transfrom_transcript"),
        ([Wrapper()], "ds_bias: hook wrappers are not supported"),
        ([Equal(), Equal()], "already registered"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_object_that_cannot_take_part_is_refused_with_all_that_came_with_it(odd: list[Any], why: str) -> None:
    plugins = loaded(registering(appending("a")), registering(appending("b"), *odd, appending("c")))
    hooks = Hooks(plugins, LONG)
    hooks.configure(NOTHING)
    assert (await hooks.transform(INFO, transcript("+"))).text == "+a"
    [fault] = plugins.loaded[1].guard.faults
    assert fault.startswith("ds_configure registers what cannot be: ")
    assert why in fault


async def test_a_plugin_cannot_register_itself_again() -> None:
    class Itself:
        @hookimpl
        def ds_configure(self, register: Callable[[object], None]) -> None:
            register(self)

    plugins = loaded(Itself())
    Hooks(plugins).configure(NOTHING)
    assert len(plugins.loaded[0].guard.faults) == 1


async def test_equal_objects_replace_each_other() -> None:
    hooks = hooked(registering(Equal()))
    for _ in range(3):
        hooks.configure(NOTHING)
        assert (await hooks.transform(INFO, transcript("+"))).text == "+="


async def test_configuring_while_somebody_speaks_changes_their_end_only() -> None:
    host = hosted(registering(appending("!")))
    async with host:
        assert (await heard(host)).text == "hello"
        host._observer._hooks.configure(NOTHING)
        assert (await heard(host)).text == "hello!"


def test_the_built_in_plugin_adds_nothing_by_default() -> None:
    hooks = hooked(builtin)
    hooks.configure(Schema({**HOST_OPTIONS, **hooks.options()}).load())
    assert not hooks.implemented("ds_transform_transcript")


def test_settings_reach_a_plugin_of_another_distribution(tmp_path: Path) -> None:
    folder = installed(tmp_path)
    (tmp_path / "secret").write_text("from a file\n")
    config = tmp_path / "config.toml"
    config.write_text("[teller]\nname = 'from toml'\n")
    done = run("--config", str(config), "tell", environment={"PYTHONPATH": folder, "DS_PLUGIN_TELLER_TOKEN_FILE": str(tmp_path / "secret")})
    assert done.stdout.strip() == "{'teller': {'name': 'from toml', 'token': 'from a file'}}"
    assert done.stderr == ""
    config.write_text("[teller]\nnam = 'x'\n")
    wrong = run("--config", str(config), "tell", environment={"PYTHONPATH": folder})
    assert (wrong.returncode, "did you mean 'teller.name'?" in wrong.stderr) == (2, True)


def installed(folder: Path) -> str:
    """A folder that, on the path, is an installed distribution whose command prints what its plugin is told."""
    (folder / "teller.py").write_text(
        "import click\n"
        "from ds_plugin import hookimpl\n"
        "from ds_plugin.config import Option\n"
        "@click.command()\n"
        "@click.pass_obj\n"
        "def tell(app):\n"
        "    app.hooks.configure(app.settings())\n"
        "@hookimpl\n"
        "def ds_register_command(register):\n"
        "    register(tell)\n"
        "@hookimpl\n"
        "def ds_register_options(register):\n"
        "    register('teller', (Option('name', str, '', ''), Option('token', str, '', '')))\n"
        "@hookimpl\n"
        "def ds_configure(settings):\n"
        "    print(settings)\n"
    )
    about = folder / "teller-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: teller\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[ds_plugin]\nteller = teller\n")
    return str(folder)
