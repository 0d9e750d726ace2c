"""`python /opt/ds-app serve` becomes the server, `python /opt/ds-app announce` tells Home Assistant of it."""  # noqa: INP001 - a folder that runs

import sys
from collections.abc import Callable

from ds_app.announce import main as announce
from ds_app.serve import main as serve

COMMANDS: dict[str, Callable[[list[str]], int]] = {"serve": serve, "announce": announce}

if __name__ == "__main__":
    name, *arguments = sys.argv[1:] or [""]
    if name not in COMMANDS:
        sys.exit(f"one of {', '.join(COMMANDS)} is needed, got {name!r}")
    sys.exit(COMMANDS[name](arguments))
