"""The image's recipe, its services and its AppArmor profile, read as text: what they must have, and what they must not."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.addon.layout import ADDON, CODE, ROOTFS, SERVICES
from tests.addon.recipe import instructions
from tests.project import ROOT

DOCKERFILE = (ADDON / "Dockerfile").read_text()
PROFILE = (ADDON / "apparmor.txt").read_text()
PINNED = r"ghcr\.io/home-assistant/base-debian:[a-z]+-\d{4}\.\d{2}\.\d+(@sha256:[0-9a-f]{64})?"


def recipe_faults(text: str) -> list[str]:
    """What is wrong with a Dockerfile of an app."""
    steps = instructions(text)
    runs = [rest for name, rest in steps if name == "RUN"]
    health = [rest for name, rest in steps if name == "HEALTHCHECK"]
    labels = " ".join(rest for name, rest in steps if name == "LABEL")
    rules = {
        "FROM must be the one official image, with its version": [rest for name, rest in steps if name == "FROM"]
        and all(re.fullmatch(PINNED, rest) for name, rest in steps if name == "FROM"),
        "no BUILD_FROM": "BUILD_FROM" not in text,
        "a HEALTHCHECK asks the server": len(health) == 1 and "ds_wyoming.health" in health[0],
        "nothing from the network is run": not any(re.search(r"(curl|wget)[^&|]*\|\s*(ba)?sh|ADD\s+https?:", run) for run in runs),
        "nothing is added": not any(name == "ADD" for name, _ in steps),
        "apt-get is clean": all(
            "--no-install-recommends" in run and "rm -rf /var/lib/apt/lists" in run for run in runs if "apt-get" in run
        ),
        "pip is exact and compiles nothing": all(
            "--only-binary :all:" in run and "--constraint" in run and "--no-cache-dir" in run for run in runs if "pip install" in run
        ),
        "labels": all(f"{name}=" in labels for name in ("io.hass.type", "io.hass.version", "io.hass.arch")),
        "telemetry is off": any(name == "ENV" and "ORT_DISABLE_TELEMETRY=1" in rest for name, rest in steps),
        "no entry point besides the base's": not any(name in {"ENTRYPOINT", "CMD"} for name, _ in steps),
        "the services are copied": ("COPY", "rootfs /") in steps,
        "what cannot be written later is compiled": any("compileall" in run for run in runs),
    }
    return [rule for rule, holds in rules.items() if not holds]


def test_the_recipe_keeps_all_rules() -> None:
    assert recipe_faults(DOCKERFILE) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("trixie-2026.08.0", "latest", "FROM"),
        ("base-debian:", "base-debian-of-somebody:", "FROM"),
        ("FROM ", "ARG BUILD_FROM\nFROM ", "BUILD_FROM"),
        ("HEALTHCHECK", "# HEALTHCHECK", "HEALTHCHECK"),
        ("COPY rootfs /", "COPY rootfs /\nRUN curl -s x | sh", "network"),
        ("COPY rootfs /", "COPY rootfs /\nADD x /", "added"),
        (" --no-install-recommends", "", "apt-get"),
        ("--only-binary :all:", "", "pip"),
        ("--constraint /tmp/wheel/constraints.txt", "", "pip"),
        ("io.hass.type", "io.hass.kind", "labels"),
        ("compileall", "pyflakes", "compiled"),
        ("ENV ORT", "# ENV ORT", "telemetry"),
        ("HEALTHCHECK", 'CMD ["/run.sh"]\nHEALTHCHECK', "entry point"),
    ],
)
def test_every_rule_of_the_recipe_bites(old: str, new: str, rule: str) -> None:
    assert old in DOCKERFILE
    assert any(rule in each for each in recipe_faults(DOCKERFILE.replace(old, new)))


def test_the_wheel_is_installed_with_all_that_the_app_offers_and_with_extras_that_exist() -> None:
    [extras] = re.findall(r"\.whl\)\[([a-z,-]+)\]", DOCKERFILE)
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras.split(",")) == {"wyoming", "home-assistant", "normalise", "mic"}
    assert set(extras.split(",")) <= known.keys()


def test_services_are_declared_as_s6_wants_them() -> None:
    kinds = {path.parent.name: path.read_text() for path in SERVICES.glob("*/type")}
    assert kinds == {"ds-plugin": "longrun\n", "discovery": "oneshot\n"}
    assert {path.name for path in (SERVICES / "user/contents.d").iterdir()} == kinds.keys()
    assert [path.name for path in (SERVICES / "ds-plugin/dependencies.d").iterdir()] == ["base"]
    assert [path.name for path in (SERVICES / "discovery/dependencies.d").iterdir()] == ["ds-plugin"]


@pytest.mark.parametrize("name", ["run", "finish"])
def test_scripts_may_be_run_and_say_by_what(name: str) -> None:
    path = SERVICES / "ds-plugin" / name
    assert path.stat().st_mode & 0o111 == 0o111
    assert path.read_text().startswith("#!/")


def test_what_the_image_runs_is_in_it() -> None:
    text = "".join(path.read_text() for path in SERVICES.rglob("*") if path.is_file())
    named = set(re.findall(r"/opt/ds-app[\w/.]*", text))
    assert named == {"/opt/ds-app"}
    assert (CODE / "__main__.py").is_file()
    assert all(name in (CODE / "__main__.py").read_text() for name in re.findall(r"/opt/ds-app (\w+)", text))


def test_no_secret_and_no_shell_stands_between_options_and_server() -> None:
    text = "".join(path.read_text() for path in [*SERVICES.rglob("*"), *CODE.rglob("*.py")] if path.is_file())
    assert not re.search(r"\beval\b|shell=True|bashio|jq |os\.system", text)


def test_the_image_holds_no_file_that_should_not_be_there() -> None:
    suffixes = {path.suffix for path in ROOTFS.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert suffixes <= {"", ".py"}


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="needs Debian's shellcheck")
@pytest.mark.parametrize(
    "path", [SERVICES / "ds-plugin/run", SERVICES / "ds-plugin/finish", ROOT / "scripts/app"], ids=lambda path: path.name
)
def test_shellcheck_has_nothing_to_say(path: Path) -> None:
    found = subprocess.run(["shellcheck", "-e", "SC1008", path], capture_output=True, text=True, check=False)
    assert found.stdout == ""


def parsed(profile: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "profile"
    path.write_text(profile)
    parser = shutil.which("apparmor_parser") or "/usr/sbin/apparmor_parser"
    return subprocess.run([parser, "-QTK", path], capture_output=True, text=True, check=False)


needs_parser = pytest.mark.skipif(
    not (shutil.which("apparmor_parser") or Path("/usr/sbin/apparmor_parser").exists()), reason="needs Debian's apparmor"
)


@needs_parser
def test_the_profile_is_one(tmp_path: Path) -> None:
    assert parsed(PROFILE, tmp_path).returncode == 0


@needs_parser
@pytest.mark.parametrize(("old", "new"), [("rwkl,\n  /share", "rwkq,\n  /share"), ("capability kill", "capability killing"), ("}\n", "")])
def test_a_profile_that_is_none_is_noticed(old: str, new: str, tmp_path: Path) -> None:
    assert old in PROFILE
    assert parsed(PROFILE.replace(old, new), tmp_path).returncode != 0


def test_the_profile_gives_no_more_than_it_says() -> None:
    rules = [line.strip().rstrip(",") for line in PROFILE.splitlines() if line.startswith("  ") and not line.strip().startswith("#")]
    assert "profile ds_plugin flags=(attach_disconnected,mediate_deleted) {" in PROFILE
    assert not {"file", "capability", "network", "mount", "ptrace", "dbus"} & set(rules)
    assert not [rule for rule in rules if re.match(r"(mount|ptrace|pivot_root|capability sys_|capability net_|network (raw|packet))", rule)]
    writable = {rule.split()[0] for rule in rules if rule.startswith(("/", "@")) and "w" in rule.split()[-1]}
    assert {path.split("/")[1] for path in writable} <= {"dev", "run", "var", "tmp", "data", "share", "@{pid}"}
    assert {path for path in writable if path.startswith("/share")} == {"/share/ds-plugin/{,**}"}
    assert {path for path in writable if path.startswith("/var")} == {"/var/run/{,**}"}
