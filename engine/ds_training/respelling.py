"""The respelling stage: a bundle and rules in, how else made-up names may be written into the manifest's `calibration.respelling`.

Rules are a JSON list of [pattern, [replacement, ...]], for one language, written by hand; en-small's are in en-small/respelling.json.
They hold for words that neither lexicon nor language model has, in closed grammars. It can be run again for any model; only the
manifest changes.

    python -m ds_training.respelling BUNDLE_FOLDER RULES.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ds_engine.errors import BundleError
from ds_engine.search.respelling import Respelling
from ds_training import bundle_folder

RESPELLING = "respelling"  # key of the manifest's calibration


def write(folder: Path, rules: Sequence[Any]) -> None:
    """Puts rules into the manifest of a bundle. Raises BundleError for what is no rule."""
    Respelling.read(rules)
    calibration = bundle_folder.manifest_in(folder)["calibration"]
    bundle_folder.change(folder, {}, calibration={**calibration, RESPELLING: list(rules)})


def main() -> None:
    parser = argparse.ArgumentParser(description="Tell a bundle how else made-up names may be written.")
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument("rules", type=Path, help="JSON list of [pattern, [replacement, ...]]")
    options = parser.parse_args()
    try:
        rules = json.loads(options.rules.read_bytes())
        if not isinstance(rules, list):
            raise BundleError(f"{options.rules}: a list of rules is needed")
        write(options.bundle, rules)
    except (OSError, ValueError, BundleError) as error:
        parser.error(str(error))
    print(json.dumps({RESPELLING: len(rules)}))


if __name__ == "__main__":
    main()
