"""An AppArmor profile and what strace saw of a run in, what the profile would have denied out.

`python -m tests.addon.confined PROFILE TRACE ROOT` prints a line for each path, and ends with 1 if there is any. TRACE is of `strace -f
-e trace=file`, ROOT the folder that was / to the run. What a kernel would do is not known from that, but a path that was forgotten is.
"""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

HARNESS = ("/srv/app", "/command", "/halted")  # what the tests themselves bring and write
SERVICE = "/run/service/ds-plugin"  # where relative paths begin that nobody has moved away from
_BASE = (("/dev/null", "rw"), ("/etc/ld.so.cache", "mr"))  # of the abstraction `base`
_CALL = re.compile(r"(\d+) +(\w+)\((.*)\) += \d")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_RULE = re.compile(r"^\s+(/\S*)\s+([a-z]+),\s*$", re.MULTILINE)
_OPENS = frozenset({"open", "openat"})
_CHANGES = frozenset({"chmod", "fchmodat", "mkdir", "mkdirat", "mknod", "mknodat", "rename", "renameat", "rmdir", "unlink", "unlinkat"})


@dataclass(frozen=True, slots=True)
class Profile:
    """The file rules of a profile: patterns with the rights that they give."""

    rules: tuple[tuple[re.Pattern[str], str], ...]

    @classmethod
    def of(cls, text: str) -> Profile:
        """Reads a profile's text; variables stand for /proc and process ids."""
        plain = text.replace("@{PROC}", "/proc").replace("@{pid}", "[0-9]*")
        return cls(tuple((pattern(glob), rights) for glob, rights in (*_RULE.findall(plain), *_BASE)))

    def denies(self, path: str, wanted: Iterable[str]) -> str:
        """Those of the wanted rights that no rule gives; a folder may be named with its slash."""
        given = {right for rule, rights in self.rules if rule.match(path) or rule.match(f"{path}/") for right in rights}
        return "".join(sorted(set(wanted) - given))


def pattern(glob: str) -> re.Pattern[str]:
    """AppArmor's wildcards as a regular expression."""
    parts = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}
    found = re.findall(r"\*\*|\[[^]]*\]|.", glob)
    return re.compile("".join(parts.get(part, part if part.startswith("[") else re.escape(part)) for part in found) + r"\Z")


def touched(lines: Iterable[str], root: Path) -> Mapping[str, set[str]]:
    """The rights that a run has made use of, by path: r, w and x."""
    found: dict[str, set[str]] = defaultdict(set)
    folders: dict[str, str] = {}
    for line in lines:
        if not (match := _CALL.match(line)):
            continue
        process, call, arguments = match.groups()
        if call not in _CHANGES | _OPENS | {"chdir", "execve"}:
            continue
        paths = [str(PurePosixPath(folders.get(process, SERVICE), each)) for each in _TEXT.findall(arguments)]
        if call == "chdir":
            folders[process] = paths[0]
        for path in paths if call in _CHANGES else paths[:1]:
            found[resolved(path, root)] |= set(_rights(call, arguments))
    return found


def resolved(path: str, root: Path, depth: int = 40) -> str:
    """A path as the kernel sees it: links below `root` are followed."""
    current = PurePosixPath("/")
    parts = os.path.normpath(path).strip("/").split("/")
    for number, part in enumerate(parts):
        here = root / str(current / part).strip("/")
        if depth and here.is_symlink():
            return resolved(str(current.joinpath(here.readlink(), *parts[number + 1 :])), root, depth - 1)
        current /= part
    return str(current)


def _rights(call: str, arguments: str) -> str:
    if call == "execve":
        return "x"
    if call in _CHANGES:
        return "w"
    if call not in _OPENS:
        return ""
    reads = "" if "O_WRONLY" in arguments else "r"
    return reads + ("w" if re.search("O_WRONLY|O_RDWR|O_CREAT", arguments) else "")


def denied(profile: Profile, lines: Iterable[str], root: Path) -> Iterator[str]:
    """A line for every path with the rights that are missing."""
    for path, wanted in sorted(touched(lines, root).items()):
        missing = "" if path.startswith(HARNESS) else profile.denies(path, wanted)
        if missing:
            yield f"{path}: {missing}"


if __name__ == "__main__":
    with Path(sys.argv[2]).open(errors="replace") as trace:
        faults = list(denied(Profile.of(Path(sys.argv[1]).read_text()), trace, Path(sys.argv[3])))
    sys.stdout.writelines(f"{fault}\n" for fault in faults or ["nothing would have been denied"])
    sys.exit(bool(faults))
