"""A run on the other machine, with shell commands in place of its processes: what fails, what is done without, what is delivered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from ds_training.box.contents import Contents
from ds_training.box.place import TRAIN, Place
from ds_training.box.recipe import Recipe
from ds_training.box.supervise import Supervisor
from ds_training.box.voices import known
from ds_training.checkpoint import load_network, save_weights
from ds_training.corpus import Utterance, write_shard
from ds_training.model import BlockSpec, Network, NetworkSpec

TINY = NetworkSpec((BlockSpec(80, 8, 5, 2, 1), BlockSpec(8, 8, 5, 2, 1)), width=6)
LOGGED = '{"step": 9, "hours": 1.5, "seconds": 30, "loss": 2.0, "cer": 0.5, "wer": 0.9}'
SHARD = "cp {place.box}/shard.npz {place.shards}/synthetic-{seed}-0.npz"
TRAINED = "mkdir -p {place.training} && cp {place.box}/best.pt {place.training}/ && echo '{logged}' > {place.training}/log.jsonl"


@dataclass(frozen=True, slots=True)
class Fakes(Place):
    """Shell commands, told where things are."""

    probes: str = """echo '{{"device": "cpu"}}'"""
    prepares: str = "cp {place.box}/shard.npz {path}"
    synthesises: str = SHARD
    trains: str = TRAINED

    def probe(self, recipe: Recipe) -> list[str]:
        return self._shell(self.probes)

    def preparation(self, part: str) -> list[str]:
        return self._shell(self.prepares, path=self.real(part))

    def synthesis(self, seed: int, recipe: Recipe, without: object) -> list[str]:
        return self._shell(self.synthesises, seed=seed)

    def trainer(self, start: Path | None) -> list[str]:
        return self._shell(self.trains, logged=LOGGED, start=start)

    def _shell(self, command: str, **values: object) -> list[str]:
        return ["sh", "-c", command.format(place=self, **values), "sh"]  # options that follow are $1, $2, ...


def place(folder: Path, **commands: str) -> Fakes:
    """An unpacked archive without voices, so that none is asked whether it speaks."""
    box = folder / "box"
    box.mkdir()
    write_shard(box / "shard.npz", [Utterance(np.zeros((3600, 80), np.float16), "light", "anna", "l t")])
    save_weights(box / "best.pt", Network(TINY))
    Contents.of(box, tuple(known())).write(box)
    return Fakes(box, folder / "work", **commands)


def recipe(**changes: Any) -> Recipe:
    few: dict[str, Any] = {"minutes": 0.15, "margin": 3.5, "shards": 3, "start_with": 2, "patience": 0.1, "training": {"frames": 800}}
    return Recipe(**{**few, **changes})


def events(where: Place) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (where.result / "box.jsonl").read_text().splitlines()]


def named(where: Place) -> list[str]:
    return [event["event"] for event in events(where)]


def test_a_run_in_which_all_goes_well_delivers_weights_log_and_facts(tmp_path: Path) -> None:
    where = place(tmp_path)
    assert Supervisor(where, recipe()).run()
    assert load_network(where.result / "best.pt").spec == TINY
    assert (where.result / "log.jsonl").read_text().strip() == LOGGED
    facts = json.loads((where.result / "facts.json").read_text())
    assert facts["machine"] == {"device": "cpu"}
    assert facts["training"]["cer"] == 0.5
    assert facts["synthesis"]["shards"] >= 2
    assert facts["synthesis"]["hours"] == pytest.approx(0.01 * facts["synthesis"]["shards"], rel=0.1)
    assert named(where)[0] == "began"
    assert named(where)[-2:] == ["training ended", "ended"]
    assert "failed" not in " ".join(named(where))


def test_a_machine_without_the_device_ends_at_once_and_says_why(tmp_path: Path) -> None:
    where = place(tmp_path, probes="echo no GPU >&2; exit 1")
    assert not Supervisor(where, recipe()).run()
    [failed] = [event for event in events(where) if event["event"] == "failed"]
    assert failed["error"] == "training needs probe to work here, got: no GPU"
    assert failed["seconds"] < 3
    assert "training begins" not in named(where)


@pytest.mark.parametrize("said", ["true", "echo warning"])
def test_a_probe_that_gives_no_facts_ends_the_run_in_order(tmp_path: Path, said: str) -> None:
    where = place(tmp_path, probes=said)
    assert not Supervisor(where, recipe()).run()
    assert named(where)[-2:] == ["failed", "ended"]


def test_without_development_recordings_there_is_no_training(tmp_path: Path) -> None:
    where = place(tmp_path, prepares="echo broken; exit 3")
    assert not Supervisor(where, recipe()).run()
    assert "training needs prepare-development to work here, got: broken" in {event.get("error") for event in events(where)}


def test_without_recordings_to_train_on_there_is_synthetic_speech(tmp_path: Path) -> None:
    where = place(tmp_path, prepares="case {path} in *train*) exit 1;; *) cp {place.box}/shard.npz {path};; esac")
    assert Supervisor(where, recipe()).run()
    assert not where.real(TRAIN).exists()
    assert {"prepare-train failed", "training ended"} <= set(named(where))


def test_without_synthesis_there_are_recordings(tmp_path: Path) -> None:
    where = place(tmp_path, synthesises="echo mute; exit 1")
    assert Supervisor(where, recipe(shards=50, processes=((0.0, 4),))).run()
    failures = [event for event in events(where) if event["event"] == "synthesis failed"]
    assert 8 <= len(failures) < 20
    assert failures[0]["output"] == "mute"
    assert "synthesis given up" in named(where)


def test_with_nothing_to_hear_the_run_ends(tmp_path: Path) -> None:
    mute = "case {path} in *train*) exit 1;; *) cp {place.box}/shard.npz {path};; esac"
    where = place(tmp_path, prepares=mute, synthesises="exit 1")
    assert not Supervisor(where, recipe()).run()
    assert "training needs something to hear, got neither recordings nor synthetic speech" in {
        event.get("error") for event in events(where)
    }


def test_slow_synthesis_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    where = place(tmp_path, synthesises="[ {seed} -gt 1000 ] && sleep 60; " + SHARD)
    assert Supervisor(where, recipe(patience=0.03)).run()
    begins = next(event for event in events(where) if event["event"] == "training begins")
    assert begins["seconds"] >= 1.8


@pytest.mark.parametrize(
    ("said", "first", "second"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory", "--frames 800 --learning-rate 0.002", "--frames 400 --learning-rate 0.002"),
        ("train.py: error: training needs finite losses", "--frames 800 --learning-rate 0.002", "--frames 800 --learning-rate 0.001"),
        ("Segmentation fault", "--frames 800 --learning-rate 0.002", "--frames 800 --learning-rate 0.002"),
    ],
)
def test_training_that_fails_goes_on_with_what_may_help(tmp_path: Path, said: str, first: str, second: str) -> None:
    once = 'echo "$@" >> {place.work}/calls; [ -e {place.work}/once ] || {{ touch {place.work}/once; echo "' + said + '"; exit 1; }}; '
    where = place(tmp_path, trains=once + TRAINED)
    assert Supervisor(where, recipe(minutes=0.6, training={"frames": 800, "learning_rate": 0.002})).run()
    calls = (where.work / "calls").read_text().splitlines()
    assert [first in calls[0], second in calls[1], len(calls)] == [True, True, 2]
    assert said in next(event["output"] for event in events(where) if event["event"] == "training failed")


def test_training_that_goes_on_is_given_the_minutes_of_all_its_stretches(tmp_path: Path) -> None:
    where = place(tmp_path)
    where.training.mkdir(parents=True)
    (where.training / "log.jsonl").write_text('{"cer": 0.9, "seconds": 600}\n{"skipped": 1}\n{"cer": 0.8, "seco')
    assert Supervisor(where, recipe(minutes=0.6)).run()
    begins = next(event for event in events(where) if event["event"] == "training begins")
    assert 10 < begins["minutes"] < 10.6


def test_training_that_always_fails_leaves_its_best_checkpoint(tmp_path: Path) -> None:
    where = place(tmp_path, trains=TRAINED + "; echo diverged; exit 1")
    assert not Supervisor(where, recipe(minutes=0.6)).run()
    assert named(where).count("training begins") == 4
    assert load_network(where.result / "best.pt").spec == TINY


def test_training_that_does_not_end_is_asked_to_and_then_made_to_before_the_time_is_over(tmp_path: Path) -> None:
    where = place(tmp_path, trains="trap 'echo never' TERM; " + TRAINED + "; while true; do sleep 0.1; done")
    assert not Supervisor(where, recipe(minutes=0.13, margin=7.5)).run()
    assert {"training is asked to end", "training did not end in time"} <= set(named(where))
    assert events(where)[-1]["seconds"] <= 7.8
    assert "never" in (where.result / "training.txt").read_text()
    assert (where.result / "best.pt").exists()


def test_before_the_first_evaluation_the_last_checkpoint_is_delivered(tmp_path: Path) -> None:
    where = place(tmp_path, trains="mkdir -p {place.training} && cp {place.box}/best.pt {place.training}/last.pt")
    assert Supervisor(where, recipe()).run()
    assert load_network(where.result / "best.pt").spec == TINY


def test_a_checkpoint_that_cannot_be_read_is_noted_and_ends_nothing(tmp_path: Path) -> None:
    where = place(tmp_path, trains="mkdir -p {place.training} && echo junk > {place.training}/best.pt")
    assert not Supervisor(where, recipe()).run()
    assert "delivery failed" in named(where)
    assert named(where)[-1] == "ended"


def test_an_archive_that_was_damaged_on_the_way_is_not_run(tmp_path: Path) -> None:
    where = place(tmp_path)
    (where.box / "shard.npz").write_bytes(b"")
    assert not Supervisor(where, recipe()).run()
    assert "missing or changed: shard.npz" in events(where)[1]["error"]


def test_somebody_can_end_a_run_early(tmp_path: Path) -> None:
    where = place(tmp_path, trains=TRAINED + "; exec sleep 60")
    assert not Supervisor(where, recipe(minutes=5), stop=lambda: "training begins" in named(where)).run()
    assert {"stopped", "training is asked to end"} <= set(named(where))
    assert events(where)[-1]["seconds"] < 30


def test_who_does_not_end_when_somebody_ends_a_run_is_waited_for_half_the_margin(tmp_path: Path) -> None:
    where = place(tmp_path, trains="trap '' TERM; touch {place.work}/deaf; " + TRAINED + "; while true; do sleep 0.1; done")
    assert not Supervisor(where, recipe(minutes=5, margin=1), stop=(where.work / "deaf").exists).run()
    assert "training did not end in time" in named(where)
    assert events(where)[-1]["seconds"] < 30


def test_what_an_earlier_run_made_is_not_made_again(tmp_path: Path) -> None:
    where = place(tmp_path, prepares="exit 1", synthesises="exit 1")
    where.shards.mkdir(parents=True)
    for path in (
        where.real("train"),
        where.real("development"),
        *(where.shards / f"synthetic-{seed}-0.npz" for seed in (1000, 1001, 1002)),
    ):
        path.write_bytes((where.box / "shard.npz").read_bytes())
    assert Supervisor(where, recipe()).run()
    assert "failed" not in " ".join(named(where))
