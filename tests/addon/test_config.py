"""config.yaml and what must agree with it: translations, ds-plugin's defaults, the version, the rules of Home Assistant's linter."""

from __future__ import annotations

import copy
import struct
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import pytest
from ds_app.options import OTHERS, SETTINGS

import ds_plugin
from ds_engine.search.hybrid import Mode
from ds_plugin.config import Option
from ds_plugin.hooks import Hooks
from ds_plugin.host import HOST_OPTIONS
from ds_plugin.plugins import Plugins
from ds_wyoming.address import Tcp, parse_uri
from ds_wyoming.settings import ENDPOINTS
from tests.addon.layout import ADDON, loaded
from tests.addon.linting import KEYS, RETIRED, accepts, faults

CONFIG: dict[str, Any] = loaded("config.yaml")
LANGUAGES = sorted((ADDON / "translations").glob("*.yaml"))


def product() -> dict[tuple[str, str], Option]:
    """Every setting of ds-plugin and its plugins, by section and name."""
    hooks = Hooks(Plugins.discover([]))
    adapters = {adapter.name: adapter.options for adapter in hooks.adapters().values()}
    sections = {**HOST_OPTIONS, **adapters, **hooks.options()}
    return {(section, option.name): option for section, options in sections.items() for option in options}


def choices(kind: str) -> set[str]:
    """What an option of the kind list(a|b) can be."""
    return set(kind.removeprefix("list(").removesuffix(")").split("|"))


def changed(**values: Any) -> dict[str, Any]:
    """Our configuration with other values; None removes a key."""
    config = copy.deepcopy(CONFIG) | values
    return {name: value for name, value in config.items() if value is not None}


def test_the_linter_has_nothing_to_say() -> None:
    assert faults(CONFIG) == []


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        *(({name: None}, f"{name} is missing") for name in ("name", "version", "slug", "description", "arch")),
        *(({name: True}, name) for name in RETIRED),
        *(
            ({name: copy.deepcopy(key.default)}, f"{name} is ")
            for name, key in KEYS.items()
            if key.default in (True, False, "auto", "stable")
        ),
        ({"colour": "teal"}, "colour is no key"),
        ({"init": "no"}, "init must be bool"),
        ({"startup": "application"}, "by default"),
        ({"startup": "soon"}, "startup cannot be"),
        ({"options": {}, "schema": {}}, "by default"),
        ({"slug": "DS plugin"}, "slug"),
        ({"version": "latest"}, "version"),
        ({"arch": ["amd64", "armv7"]}, "armv7"),
        ({"image": "registry.example/ds-plugin:1"}, "tag"),
        ({"map": ["addon_config:rw"]}, "addon_config"),
        ({"map": ["share:write"]}, "share:write"),
        ({"map": [{"type": "addons"}]}, "addons"),
        ({"ports": {"10300": None}}, "port"),
        ({"ports": {"10300/tcp": 70000}}, "port"),
        ({"ingress": True, "webui": "http://[HOST]:[PORT:1]"}, "webui"),
        ({"ingress_port": 0}, "ingress_port"),
        ({"backup": "cold", "backup_pre": "true"}, "cold"),
        ({"schema": {**CONFIG["schema"], "mode": "list(closed|open)"}}, "default 'hybrid'"),
        ({"schema": {**CONFIG["schema"], "mode": "text"}}, "no schema"),
        ({"schema": {**CONFIG["schema"], "more": "str"}}, "more has no default"),
        ({"options": {**CONFIG["options"], "more": 1}}, "more has no schema"),
        ({"options": {**CONFIG["options"], "strictness": 1.5}}, "strictness"),
        ({"options": {**CONFIG["options"], "words": ["a", 1]}}, "words"),
    ],
)
def test_every_rule_of_the_linter_bites(values: dict[str, Any], fault: str) -> None:
    assert any(fault in each for each in faults(changed(**values)))


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_every_option_and_port_is_described_in_every_language_and_nothing_else(path: Any) -> None:
    words = loaded(f"translations/{path.name}")
    assert list(words) == ["configuration", "network"]
    assert list(words["configuration"]) == list(CONFIG["schema"])
    assert all(sorted(each) == ["description", "name"] and all(each.values()) for each in words["configuration"].values())
    assert words["network"].keys() == CONFIG["ports"].keys()


def test_english_is_there() -> None:
    assert [path.stem for path in LANGUAGES] == ["de", "en"]


def test_every_option_is_told_of_in_the_documentation() -> None:
    text = (ADDON / "DOCS.md").read_text()
    names = {name: each["name"] for name, each in loaded("translations/en.yaml")["configuration"].items()}
    assert [name for name, title in names.items() if f"| {title} (`{name}`) |" not in text] == []


def test_every_option_has_a_place_and_every_place_an_option() -> None:
    assert CONFIG["schema"].keys() == SETTINGS.keys() | OTHERS


@pytest.mark.parametrize("name", SETTINGS)
def test_every_option_is_a_setting_of_the_product_with_the_same_default(name: str) -> None:
    setting = product()[SETTINGS[name]]
    if name in CONFIG["options"]:
        assert CONFIG["options"][name] == setting.default
    elif name != "model":
        assert not setting.default


def test_the_product_takes_every_choice() -> None:
    schema: Mapping[str, Any] = CONFIG["schema"]
    assert choices(schema["mode"]) == set(Mode)
    assert choices(schema["endpoint"]) == set(ENDPOINTS)


@pytest.mark.parametrize(
    ("uri", "fine"), [("tcp://10.0.0.2:10300", True), ("tcp://voice.lan:1", True), ("10.0.0.2:10300", False), ("tcp://x", False)]
)
def test_the_address_of_a_second_opinion_must_be_one(uri: str, fine: bool) -> None:  # noqa: FBT001 - a table
    assert accepts(CONFIG["schema"]["fallback_server"], uri) is fine


def test_the_port_is_the_one_that_the_product_listens_on() -> None:
    address = parse_uri(str(product()["wyoming", "uri"].default))
    assert isinstance(address, Tcp)
    assert list(CONFIG["ports"]) == [f"{address.port}/tcp"]


def test_version_and_changelog_are_those_of_the_product() -> None:
    assert CONFIG["version"] == ds_plugin.__version__
    assert f"## {ds_plugin.__version__}\n" in (ADDON / "CHANGELOG.md").read_text()


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("cache/ds-plugin", False),
        ("state/ds-plugin", True),
        ("state/ds-plugin/home-assistant.json", True),
        ("options.json", True),
        ("words.txt", True),
    ],
)
def test_backups_leave_out_what_can_be_made_anew(path: str, kept: bool) -> None:  # noqa: FBT001 - a table
    outside = PurePosixPath("/mnt/data/supervisor/addons/data/0123abcd_ds_plugin") / path  # the Supervisor matches whole paths of the host
    assert any(outside.match(pattern) for pattern in CONFIG["backup_exclude"]) is not kept


def test_the_repository_says_what_it_is() -> None:
    repository = loaded("../repository.yaml")
    assert repository["name"]
    assert repository.keys() <= {"name", "url", "maintainer"}


@pytest.mark.parametrize(("name", "size"), [("icon.png", (128, 128)), ("logo.png", (250, 100))])
def test_pictures_have_the_sizes_that_home_assistant_shows(name: str, size: tuple[int, int]) -> None:
    data = (ADDON / name).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == size
    assert len(data) < 30_000


def test_nothing_of_the_layout_of_the_past_is_left() -> None:
    assert not list(ADDON.glob("build.*"))
    assert {"README.md", "DOCS.md", "CHANGELOG.md", "Dockerfile", "apparmor.txt"} <= {path.name for path in ADDON.iterdir()}
