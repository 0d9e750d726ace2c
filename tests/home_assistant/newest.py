"""The client of a Home Assistant that no interpreter here can run: its own files, with stand-ins for what they import.

In comes the wheel's content, out goes a folder with a small package `homeassistant`: the client's modules as they are, but for what
Python 3.14 made of the language: annotations that wait (PEP 649), and `except A, B:` without brackets (PEP 758). Nothing of Home
Assistant's is kept in this repository.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

TAKEN = ("wyoming/const", "wyoming/data", "wyoming/error", "wyoming/stt", "stt/const", "stt/models")
STAND_INS = {
    "__init__": "import typing\nif not hasattr(typing, 'override'):\n    typing.override = lambda function: function\n",
    "const": "import enum\nPlatform = enum.StrEnum('Platform', ['STT', 'TTS', 'WAKE_WORD', 'CONVERSATION'])\n",
    "core": "class HomeAssistant:\n    pass\n",
    "exceptions": "class HomeAssistantError(Exception):\n    pass\n",
    "helpers/__init__": "",
    "helpers/entity_platform": "AddConfigEntryEntitiesCallback = object\n",
    "util/__init__": "",
    "util/hass_dict": "from typing import Generic, TypeVar\nT = TypeVar('T')\n\nclass HassKey(str, Generic[T]):\n    pass\n",
    "components/__init__": "",
    "components/wyoming/__init__": "",
    "components/wyoming/models": "WyomingConfigEntry = object\n",
    "components/stt/__init__": "from .const import *\nfrom .models import *\n\nclass SpeechToTextEntity:\n    pass\n",
}

_UNBRACKETED = re.compile(r"^( *except )([\w.]+(?:, *[\w.]+)+):", re.MULTILINE)


def runnable(text: str) -> str:
    """A module of Python 3.14 for the ones before."""
    return "from __future__ import annotations\n" + _UNBRACKETED.sub(r"\1(\2):", text)


def prepare(source: Path, folder: Path) -> Path:
    """`folder`, made anew, to be put in front of the module path; `source` holds the unpacked wheel."""
    shutil.rmtree(folder, ignore_errors=True)
    package = folder / "homeassistant"
    texts = {f"components/{name}": runnable((source / "homeassistant/components" / f"{name}.py").read_text()) for name in TAKEN}
    for name, text in (STAND_INS | texts).items():
        file = package / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder
