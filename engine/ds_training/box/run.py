"""The command on the other machine, `./run` in the unpacked archive: it runs the recipe, or waits for one that runs in the background.

    ./run [--minutes 9]                 to the end; results in --out
    ./run --minutes 24 --detach         in the background, in a session of its own
    ./run --wait 540                    until that ends, at most so many seconds; the results so far in --out

What is in the work folder is gone on with. Exit status: 0 where all is well (also where a run in the background still goes on), 1
where a run has failed, 2 for arguments that cannot be followed.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ds_training.box.contents import BoxError
from ds_training.box.deliver import gather, last_line
from ds_training.box.place import Place, module
from ds_training.box.recipe import NAME, Recipe, read_recipe
from ds_training.box.supervise import Supervisor

LOOK, TOLD = 0.5, 60.0  # seconds between two looks at a run in the background, and between two lines about it
STARTED = 20.0  # seconds in which a run in the background has begun


def run(place: Place, recipe: Recipe, start: Path | None = None) -> bool:
    """One run in this process, which SIGTERM ends early and in order. Raises BoxError where another one is going on in the folder."""
    asked: list[int] = []
    with locked(place):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _: asked.append(number))
        _note(place, succeeded=None)
        succeeded = Supervisor(place, recipe, start, stop=lambda: bool(asked)).run()
        _note(place, succeeded=succeeded)
        return succeeded


@contextlib.contextmanager
def locked(place: Place) -> Iterator[None]:
    """The work folder for this process alone, however it ends. Raises BoxError where another one has it."""
    place.work.mkdir(parents=True, exist_ok=True)
    with (place.work / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BoxError(f"{place.work} has a run going on; --wait for it") from error
        yield


def _note(place: Place, *, succeeded: bool | None) -> None:
    (place.work / "state.json").write_text(json.dumps({"succeeded": succeeded}), "utf-8")


def is_going(place: Place) -> bool:
    """Whether a run has the work folder now."""
    try:
        with locked(place):
            return False
    except BoxError:
        return True


def outcome(place: Place) -> bool:
    """Whether the newest run, which is over, has succeeded; one that vanished without a word has not."""
    path = place.work / "state.json"
    return path.exists() and json.loads(path.read_text("utf-8"))["succeeded"] is True


def detach(place: Place, arguments: Sequence[str]) -> None:
    """A run with these arguments in a session of its own, which ends of commands leave alone. Raises BoxError where it does not begin."""
    if is_going(place):
        raise BoxError(f"{place.work} has a run going on; --wait for it")
    printed = place.work / "box.txt"
    with printed.open("w") as file:
        process = subprocess.Popen(  # noqa: S603  # ourselves
            module("ds_training.box.run", *arguments), stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    latest = time.monotonic() + STARTED
    while not is_going(place) and process.poll() is None and time.monotonic() < latest:
        time.sleep(LOOK)
    if process.poll():
        raise BoxError(f"the run in the background ended at once: {printed.read_text('utf-8')[-1000:]}")
    print(f"process {process.pid} runs in the background", flush=True)


def wait(place: Place, seconds: float) -> bool:
    """Until the run in the background is over, at most so long; False only where it is over and has failed."""
    began, told = time.monotonic(), 0.0
    while is_going(place):
        passed = time.monotonic() - began
        if passed >= seconds:
            return True
        if passed >= told:
            print(json.dumps({"waiting": round(passed), **last_line(place.training / "log.jsonl")}), flush=True)
            told = passed + TOLD
        time.sleep(min(LOOK, seconds - passed))
    return outcome(place)


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="./run", description="Run the recipe of this archive.")
    parser.add_argument("box", type=Path, help=argparse.SUPPRESS)  # the folder of the archive, which ./run gives
    parser.add_argument("--minutes", type=float, help="all in all; those of box.toml if not given")
    parser.add_argument("--recipe", type=Path, help="another box.toml")
    parser.add_argument("--start", type=Path, help="other weights to start from: a checkpoint or the model.onnx of a bundle")
    parser.add_argument("--work", type=Path, help="folder for everything that is made, by default `work` beside this command")
    parser.add_argument("--out", type=Path, help="folder for the results, by default $OUT")
    parser.add_argument("--detach", action="store_true", help="return at once, and go on in the background")
    parser.add_argument("--wait", type=float, metavar="SECONDS", help="run nothing; wait for the run in the background")
    options = parser.parse_args(given)
    place = Place(options.box.resolve(), (options.work or options.box / "work").resolve())
    out = options.out or Path(os.environ.get("OUT") or options.box / "out")
    try:
        recipe = read_recipe(options.recipe or options.box / NAME)
        recipe = dataclasses.replace(recipe, minutes=options.minutes) if options.minutes else recipe
        if options.detach:
            detach(place, [*(each for each in given if each != "--detach"), "--out", str(place.work / "out")])
            return 0
        succeeded = run(place, recipe, options.start) if options.wait is None else wait(place, options.wait)
    except ValueError as error:  # BoxError among them
        parser.error(str(error))
    print(f"{out}: {', '.join(gather(place.result, out)) or 'nothing yet'}", flush=True)
    return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(main())
