"""The model store: bundles that come with the package, and those in the user's folder.

A model is named by its folder or zip (`en-small`), or by a path. Everything is verified when it is opened; listing never fails
because one bundle does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from ds_engine.bundle import Bundle
from ds_engine.errors import BundleError

BUNDLED = Path(__file__).parent / "bundles"
DEFAULT_MODEL = "en-small"


def default_folder() -> Path:
    """Where a user's own bundles lie."""
    return Path(platformdirs.user_data_dir("ds-plugin")) / "models"


@dataclass(frozen=True, slots=True)
class StoredModel:
    """One entry of the list: an opened bundle, or the reason why it cannot be."""

    name: str
    path: Path
    bundle: Bundle | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class ModelStore:
    """Folders that hold bundles, searched in order."""

    folders: tuple[Path, ...]

    @classmethod
    def standard(cls, own: str = "") -> ModelStore:
        """The user's folder (or `own`) before the bundled models, so that a bundle of the same name replaces ours."""
        return cls((Path(own) if own else default_folder(), BUNDLED))

    def open(self, name: str) -> Bundle:
        """Opens a model by name or path. Raises BundleError that says where was looked."""
        for path in self._candidates(name):
            if path.exists():
                return Bundle.open(path)
        known = ", ".join(sorted({_name(path) for path in self._paths()})) or "none"
        raise BundleError(f"no model {name!r}; known are: {known}")

    def list(self) -> list[StoredModel]:
        """Every bundle of every folder, broken ones included."""
        return [_stored(path) for path in self._paths()]

    def _candidates(self, name: str) -> Iterator[Path]:
        if name != Path(name).name:
            yield Path(name)
            return
        for folder in self.folders if name else ():
            yield folder / name
            yield folder / f"{name}.zip"

    def _paths(self) -> Iterator[Path]:
        for folder in self.folders:
            if folder.is_dir():
                yield from sorted(path for path in folder.iterdir() if path.is_dir() or path.suffix == ".zip")


def _stored(path: Path) -> StoredModel:
    try:
        return StoredModel(_name(path), path, Bundle.open(path))
    except BundleError as error:
        return StoredModel(_name(path), path, None, str(error))


def _name(path: Path) -> str:
    return path.name.removesuffix(".zip")  # the stem of `en-0.1` would be `en-0`
