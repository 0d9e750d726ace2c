"""What an archive holds: a folder in, `contents.json` out with the size and SHA-256 of every file, and the check of it elsewhere."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ds_training.corpus import CorpusError

NAME = "contents.json"
_NAMED = 5  # files that an error names


class BoxError(CorpusError):
    """An archive that cannot be made or used as it is: the message names what is missing or wrong."""


@dataclass(frozen=True, slots=True)
class Item:
    """A file by its path in the archive, with `/`."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """All files in the order of their paths, but for `contents.json` itself, and the recipe's voices that do not travel."""

    items: tuple[Item, ...]
    without: tuple[str, ...]  # names as `ds_training.synthesis --without` takes them

    @classmethod
    def of(cls, folder: Path, without: tuple[str, ...] = ()) -> Contents:
        """The files as they lie there now."""
        return cls(tuple(_item(folder, path) for path in _files(folder)), without)

    @classmethod
    def read(cls, folder: Path) -> Contents:
        """What the archive says of itself. Raises BoxError where it says nothing that can be read."""
        try:
            data = json.loads((folder / NAME).read_text("utf-8"))
            return cls(tuple(Item(**item) for item in data["items"]), tuple(data["without"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BoxError(f"{folder / NAME}: not the contents of an archive ({error})") from error

    def write(self, folder: Path) -> None:
        """One item a line, so that two archives can be compared with `diff`."""
        items = ",\n".join(json.dumps(asdict(item), ensure_ascii=False) for item in self.items)
        (folder / NAME).write_text(f'{{"without": {json.dumps(self.without)},\n"items": [\n{items}\n]}}\n', "utf-8")

    def check(self, folder: Path) -> None:
        """Raises BoxError where a file is missing or was changed; what was added does not matter."""
        wrong = [item.path for item in self.items if not (folder / item.path).is_file() or _item(folder, folder / item.path) != item]
        if wrong:
            more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
            raise BoxError(f"{folder}: missing or changed: {', '.join(wrong[:_NAMED])}{more}")


def _files(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.is_file() and path != folder / NAME and path.suffix != ".pyc")
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _item(folder: Path, path: Path) -> Item:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Item(path.relative_to(folder).as_posix(), path.stat().st_size, digest)
