"""What an app's config.yaml may say: the keys with their kinds and defaults, as Home Assistant's linter and Supervisor know them in 2026.

A configuration goes in, faults come out, a line each. A key that says what holds anyway is a fault, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

REQUIRED = ("name", "version", "slug", "description", "arch")
ARCHITECTURES = frozenset({"aarch64", "amd64"})
FOLDERS = frozenset(  # that can be mapped, by names that are not on their way out
    {"data", "homeassistant_config", "app_config", "all_app_configs", "local_apps", "ssl", "backup", "share", "media"}
)
RETIRED = {
    "advanced": "is ignored since Supervisor 2026.03",
    "auto_uart": "was renamed to uart",
    "codenotary": "is not used any more",
    "full_access": "asks for more than any app needs",
    "snapshot_exclude": "was renamed to backup_exclude",
    "squash": "belongs to builds of the past",
    "watchdog": "is obsolete; the image has a HEALTHCHECK",
}
OPTION = re.compile(
    r"(bool|email|url|port|device(\(subsystem=[a-z]+\))?|(str|password)(\(\d*,\d*\))?|int(\(-?\d*,-?\d*\))?"
    r"|float(\((-?\d*\.?\d+)?,(-?\d*\.?\d+)?\))?|match\(.*\)|list\(.+\))\??"
)
_NONE = object()


@dataclass(frozen=True, slots=True)
class Key:
    """One key of config.yaml."""

    kind: type
    default: Any = _NONE
    choices: tuple[Any, ...] = ()


def _flags(names: str, default: bool = False) -> dict[str, Key]:  # noqa: FBT001, FBT002 - one table
    return dict.fromkeys(names.split(), Key(bool, default))


KEYS: Mapping[str, Key] = {
    **dict.fromkeys(
        ["name", "slug", "version", "description", "url", "image", "homeassistant", "ingress_entry", "panel_title", "webui"], Key(str)
    ),
    **dict.fromkeys(
        ["arch", "machine", "devices", "discovery", "services", "map", "privileged", "backup_exclude", "breaking_versions"], Key(list)
    ),
    **dict.fromkeys(["environment", "ports", "ports_description"], Key(dict)),
    **dict.fromkeys(["options", "schema", "ulimits"], Key(dict, {})),
    **dict.fromkeys(["backup_pre", "backup_post"], Key(str)),
    **_flags("audio auth_api devicetree docker_api gpio hassio_api homeassistant_api host_dbus host_ipc host_network host_pid host_uts"),
    **_flags("ingress ingress_stream journald kernel_modules legacy realtime stdin tmpfs uart udev usb video"),
    **_flags("apparmor init panel_admin", default=True),
    "backup": Key(str, "hot", ("hot", "cold")),
    "boot": Key(str, "auto", ("auto", "manual", "manual_only")),
    "hassio_role": Key(str, "default", ("default", "homeassistant", "backup", "manager", "admin")),
    "ingress_port": Key(int, 8099),
    "panel_icon": Key(str, "mdi:puzzle"),
    "stage": Key(str, "stable", ("stable", "experimental", "deprecated")),
    "startup": Key(str, "application", ("initialize", "system", "services", "application", "once")),
    "timeout": Key(int, 10),
}


def faults(config: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with a configuration."""
    return [*_keys(config), *_names(config), *_reach(config), *_options(config)]


def _keys(config: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{name} is missing" for name in REQUIRED if name not in config)
    for name, value in config.items():
        if name in RETIRED:
            yield f"{name} {RETIRED[name]}"
        elif name not in KEYS:
            yield f"{name} is no key"
        elif type(value) is not KEYS[name].kind:
            yield f"{name} must be {KEYS[name].kind.__name__}, got {value!r}"
        elif value == KEYS[name].default:
            yield f"{name} is {value!r} by default"
        elif KEYS[name].choices and value not in KEYS[name].choices:
            yield f"{name} cannot be {value!r}"


def _names(config: Mapping[str, Any]) -> Iterator[str]:
    if not re.fullmatch(r"[-_.a-z0-9]+", str(config.get("slug"))):
        yield f"slug {config.get('slug')!r} has characters that it may not have"
    if not re.fullmatch(r"\d+(\.\d+)*([-.]?[a-z]+\d*)?", str(config.get("version"))):
        yield f"version {config.get('version')!r} is none"
    yield from (f"arch {name!r} is not supported" for name in config.get("arch", []) if name not in ARCHITECTURES)
    if "image" in config and not re.fullmatch(r"[\w.{}-]+(:\d+)?(/[\w.{}-]+)+", str(config["image"])):
        yield f"image {config['image']!r} must be a name without a tag"


def _reach(config: Mapping[str, Any]) -> Iterator[str]:
    for entry in config.get("map", []):
        name, _, rights = entry.partition(":") if isinstance(entry, str) else (entry.get("type"), "", "ro")
        if name not in FOLDERS or rights not in {"", "ro", "rw"}:
            yield f"map {entry!r} is no folder that can be mapped"
    for port, outside in config.get("ports", {}).items():
        if not re.fullmatch(r"\d{1,5}/(tcp|udp)", str(port)) or not (outside is None or 0 < outside < 2**16):
            yield f"port {port!r}: {outside!r} is none"
    if config.get("ingress") and config.get("webui"):
        yield "webui has no place beside ingress"
    if config.get("ingress_port") == 0 and not config.get("host_network"):
        yield "ingress_port 0 is for apps in the host's network"
    if config.get("backup") == "cold" and {"backup_pre", "backup_post"} & config.keys():
        yield "a cold backup has no commands before or after"


def _options(config: Mapping[str, Any]) -> Iterator[str]:
    options, schema = config.get("options", {}), config.get("schema", {})
    for name in [*options, *(each for each in schema if each not in options)]:
        kind = schema.get(name)
        if kind is None:
            yield f"option {name} has no schema"
            continue
        kinds = kind if isinstance(kind, list) else [kind]
        if not all(isinstance(each, str) and OPTION.fullmatch(each) for each in kinds):
            yield f"option {name}: {kind!r} is no schema"
        elif name not in options and not kinds[0].endswith("?"):
            yield f"option {name} has no default, and may not be left out"
        elif name in options and not accepts(kind, options[name]):
            yield f"option {name}: the default {options[name]!r} is not {kind!r}"


def accepts(kind: str | list[str], value: Any) -> bool:
    """Whether an option of that kind can have the value, as the Supervisor sees it."""
    if isinstance(kind, list):
        return isinstance(value, list) and all(accepts(kind[0], each) for each in value)
    plain = kind.removesuffix("?")
    inside = plain.partition("(")[2].removesuffix(")")
    if plain.startswith("list("):
        return value in inside.split("|")
    if plain.startswith("match("):
        return isinstance(value, str) and re.match(inside, value) is not None
    if plain == "bool":
        return isinstance(value, bool)
    if plain.startswith(("int", "float")):
        least, _, most = inside.partition(",")
        number = isinstance(value, int if plain.startswith("int") else int | float) and not isinstance(value, bool)
        return number and float(least or "-inf") <= value <= float(most or "inf")
    return isinstance(value, str)
