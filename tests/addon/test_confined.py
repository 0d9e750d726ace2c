"""Whether a path is allowed by our profile, and whether a trace is read rightly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.addon.confined import Profile, denied, pattern, resolved, touched
from tests.addon.layout import ADDON

PROFILE = Profile.of((ADDON / "apparmor.txt").read_text())


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/data/state/ds-plugin/home-assistant.json", "rw"),
        ("/share/ds-plugin", "rw"),
        ("/share/ds-plugin/vocabulary/a b.txt", "rw"),
        ("/opt/ds-plugin/bin/python", "x"),
        ("/usr/bin/python3.13", "rx"),
        ("/opt/ds-plugin/lib/python3.13/site-packages/numpy/x.so", "r"),
        ("/run/s6-rc:s6-rc-init:a1b2/servicedirs/ds-plugin/run", "rx"),
        ("/run/s6-linux-init-container-results/exitcode", "rw"),
        ("/proc/self/fd/1", "r"),
        ("/proc/12/fd/1", "w"),
    ],
)
def test_what_the_app_needs_is_allowed(path: str, wanted: str) -> None:
    assert PROFILE.denies(path, wanted) == ""


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/opt/ds-plugin/bin/python", "w"),
        ("/etc/passwd", "w"),
        ("/usr/bin/sh", "w"),
        ("/share/somebody else's", "r"),
        ("/share/ds-plugin-too/x", "w"),
        ("/data/program", "x"),
        ("/share/ds-plugin/program", "x"),
        ("/run/program", "x"),
        ("/proc/sys/kernel/core_pattern", "w"),
        ("/config/secrets.yaml", "r"),
        ("/ssl/key.pem", "r"),
    ],
)
def test_what_the_app_has_no_business_with_is_denied(path: str, wanted: str) -> None:
    assert PROFILE.denies(path, wanted) == wanted


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [("/a/*", "/a/b", True), ("/a/*", "/a/b/c", False), ("/a/{,**}", "/a/", True), ("/a/**", "/a/b/c", True), ("/a.b", "/axb", False)],
)
def test_wildcards_are_apparmors(glob: str, path: str, fits: bool) -> None:  # noqa: FBT001 - a table
    assert bool(pattern(glob).match(path)) is fits


def test_a_trace_is_read_call_by_call(tmp_path: Path) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "bin").symlink_to("usr/bin")
    lines = [
        '7 openat(AT_FDCWD, "/data/x", O_WRONLY|O_CREAT|O_CLOEXEC, 0666) = 3',
        '7 openat(AT_FDCWD, "/data/none", O_RDONLY) = -1 ENOENT (No such file or directory)',
        '7 execve("/bin/sh", ["sh", "-c", "/not/a/path"], 0x7ffd /* 3 vars */) = 0',
        '8 chdir("/run/elsewhere") = 0',
        '8 rename("new", "old") = 0',
        '7 openat(AT_FDCWD, "event", O_RDONLY) = 4',
        '7 sendto(5, "no/path", 7, 0, NULL, 0) = 7',
        "7 +++ exited with 0 +++",
    ]
    found = {path: "".join(sorted(rights)) for path, rights in touched(lines, tmp_path).items() if rights}
    assert found == {
        "/data/x": "w",
        "/usr/bin/sh": "x",
        "/run/elsewhere/new": "w",
        "/run/elsewhere/old": "w",
        "/run/service/ds-plugin/event": "r",
    }


def test_a_path_that_was_forgotten_is_named(tmp_path: Path) -> None:
    lines = ['7 openat(AT_FDCWD, "/data/x", O_RDWR) = 3', '7 mkdir("/var/lib/x", 0777) = 0', '7 mkdir("/srv/app/x", 0777) = 0']
    assert list(denied(PROFILE, lines, tmp_path)) == ["/var/lib/x: w"]


def test_links_that_lead_nowhere_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("/a")
    assert resolved("/a/b", tmp_path) == "/a/b"
