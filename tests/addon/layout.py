"""Where the app's files lie."""

from __future__ import annotations

from typing import Any

import yaml  # type: ignore[import-untyped,unused-ignore]  # ships no type information

from tests.project import ROOT

ADDON = ROOT / "addon"
ROOTFS = ADDON / "rootfs"
CODE = ROOTFS / "opt" / "ds-app"
SERVICES = ROOTFS / "etc" / "s6-overlay" / "s6-rc.d"


def loaded(name: str) -> Any:
    """A YAML file of the app's."""
    return yaml.safe_load((ADDON / name).read_text(encoding="utf-8"))
