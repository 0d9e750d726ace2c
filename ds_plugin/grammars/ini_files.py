"""The files of a Rhasspy profile that hold sentences, `sentences.ini`, `intents/*.ini` and `slots/` beside it, as texts and templates.

Programs of a profile (slot_programs, converters) are never run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from ds_engine.errors import GrammarError
from ds_plugin.grammars.ini_names import FindSlot
from ds_plugin.grammars.ini_template import Source

MAX_FILE_BYTES = 4 * 2**20
SENTENCES, INTENTS, SLOTS, PROGRAMS = "sentences.ini", "intents", "slots", "slot_programs"


def profile_folder(path: Path) -> Path:
    """The folder of the profile that a sentences.ini, or the folder itself, stands for."""
    return path if path.is_dir() else path.parent


def ini_texts(path: Path) -> dict[str, str]:
    """The sentences of a profile by file, each named from the profile's folder.

    Raises GrammarError where there are none, and for a file that cannot be read.
    """
    folder = profile_folder(path)
    main = SENTENCES if path.is_dir() else path.name
    names = [main] if (folder / main).is_file() or folder != path else []
    names += sorted(file.relative_to(folder).as_posix() for file in (folder / INTENTS).rglob("*.ini") if file.is_file())
    if not names:
        raise GrammarError(f"{path}: a Rhasspy profile needs {SENTENCES} or {INTENTS}/*.ini, and has neither")
    return {name: _text(folder / name) for name in names}


def slots_of_folder(folder: Path) -> FindSlot:
    """Finds slots as a profile has them: $rooms in slots/rooms, $home/rooms in slots/home/rooms, one value on a line."""

    def find(name: str) -> tuple[Source, ...] | str:
        file, program = f"{SLOTS}/{name}", f"{PROGRAMS}/{name.partition(',')[0]}"
        if ".." in PurePosixPath(name).parts or name.startswith("/") or "\\" in name:
            return "a slot's name stays below the folder slots"
        if _is_file(folder / file):
            return _values(file, _text(folder / file).splitlines())
        if _is_file(folder / program):
            return f"{program} is a program, which is not run: keep the lines that it writes in {file}"
        return f"there is no file {file}"

    return find


def slots_of_mapping(slots: Mapping[str, Sequence[str]]) -> FindSlot:
    """Finds slots among these, by name and arguments as a template has them, with or without the $."""
    by_name = {name.removeprefix("$"): values for name, values in slots.items()}

    def find(name: str) -> tuple[Source, ...] | str:
        if name not in by_name:
            return "it did not come with the sentences"
        values = by_name[name]
        if isinstance(values, str) or not all(isinstance(value, str) for value in values):
            return f"its values are no list of texts but {values!r:.60}"
        return _values(f"${name}", values)

    return find


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for the file system, a folder that nobody may look into
        return False


def _values(file: str, lines: Iterable[str]) -> tuple[Source, ...]:
    values: dict[str, Source] = {}
    for number, line in enumerate(lines, 1):
        if text := line.strip().replace("\\[", "["):
            values.setdefault(text, Source(file, number, text))
    return tuple(values.values())


def _text(path: Path) -> str:
    """A text file in UTF-8. Raises GrammarError for one that cannot be read, is no such text, or is larger than MAX_FILE_BYTES."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise GrammarError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise GrammarError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise GrammarError(f"{path}: not a text in UTF-8 ({error.reason} at byte {error.start})") from error
