"""The files of custom sentences while a service runs: read when they are first needed, and again once they have changed."""

from __future__ import annotations

from pathlib import Path

from ds_home_assistant.custom import Custom, read_custom, stamp_of
from ds_plugin.vocabulary.stamps import Stamp


class CustomFiles:
    """Files and folders. `refresh` does not bear being called from two threads at once."""

    def __init__(self, paths: tuple[Path, ...] = ()) -> None:
        self.paths = paths
        self.custom = Custom()  # what they held the last time
        self._stamp: Stamp | None = None

    def refresh(self) -> bool:
        """Reads them if they have changed; False where they have not. It takes as long as the disk and the parser do."""
        stamp = stamp_of(self.paths)
        if stamp == self._stamp:
            return False
        self._stamp = stamp  # first: what cannot be read is not tried again until it changes
        self.custom = read_custom(self.paths)
        return True
