"""Whether voices speak: names in, what each says as a checksum out, by whatever programs PATH finds first.

    python -m ds_training.box.voices NAME...       prints one JSON object

A program that was carried elsewhere must say there what it says here; one without its voice may quietly take another.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ds_training.box.contents import BoxError
from ds_training.synthesisers import Voice, foreign_voices, voices

HELD_OUT = ("festival:ked_diphone", "festival:pc_diphone")  # heard in evaluations alone, see RESULTS.md
SENTENCE = "one two three"
TIMEOUT = 120.0  # seconds for all voices together; they take five
_SMALLEST = 4000  # bytes: a tenth of a second, more than an empty file has


def known() -> dict[str, Voice]:
    """All voices of the recipe by name."""
    return {voice.name: voice for voice in (*voices(), *foreign_voices())}


def checked(names: Sequence[str]) -> tuple[str, ...]:
    """The names. Raises BoxError for a voice that the recipe does not know, or that is held out."""
    unknown, held = sorted(set(names) - known().keys()), sorted(set(names) & set(HELD_OUT))
    if unknown or held or not names:
        raise BoxError(
            f"voices need to be of {', '.join(sorted(known().keys() - set(HELD_OUT)))}; got {', '.join(unknown + held) or 'none'}"
        )
    return tuple(names)


def say(voice: Voice) -> str:
    """SHA-256 of what the voice makes of a sentence, or nothing where it says nothing."""
    with tempfile.TemporaryDirectory() as name:
        try:
            voice.speak([SENTENCE], {}, random.Random(1), Path(name))  # noqa: S311  # the same sentence each time
            said = Path(name, "0.wav").read_bytes()
        except (OSError, ValueError, LookupError, subprocess.SubprocessError):  # LookupError: espeak-ng without variants
            return ""
    return hashlib.sha256(said).hexdigest() if len(said) > _SMALLEST else ""


def heard(names: Sequence[str], programs: Path | None = None) -> Mapping[str, str]:
    """What each voice says, by the programs in the folder `programs` (of programs.py), or by those that PATH has.

    Raises BoxError where not even that can be asked.
    """
    path = os.environ.get("PATH", "")
    environment = {**os.environ, "PATH": f"{programs.resolve() / 'bin'}:{path}" if programs else path}
    command = [sys.executable, "-m", "ds_training.box.voices", *names]
    try:
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=TIMEOUT)  # noqa: S603  # ourselves
    except subprocess.SubprocessError as error:
        raise BoxError(f"voices cannot be asked: {error} {getattr(error, 'stderr', '')}") from error
    found: Mapping[str, str] = json.loads(answer.stdout)
    return found


def check_carried(names: Sequence[str], programs: Path) -> None:
    """Raises BoxError for a voice that does not say from its carried copy what it says here."""
    here, carried = heard(names), heard(names, programs)
    wrong = [name for name in names if not here[name] or here[name] != carried[name]]
    if wrong:
        raise BoxError(f"{programs}: voices need to speak as they do here, got other sound or none from {', '.join(wrong)}")


def main() -> None:
    parser = argparse.ArgumentParser(description="What voices say, as checksums.")
    parser.add_argument("names", nargs="+", metavar="NAME")
    every = known()
    print(json.dumps({name: say(every[name]) for name in checked(parser.parse_args().names)}))


if __name__ == "__main__":
    main()
