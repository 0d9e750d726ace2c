"""Settings of a training run, and the schedule that follows them."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

import pytest

pytest.importorskip("torch")

from ds_training.schedule import Schedule
from ds_training.settings import Settings, SettingsError, add_options, from_options


def parsed(*words: str) -> Settings:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return from_options(parser.parse_args(words))


def test_the_command_line_knows_every_setting_and_its_default() -> None:
    assert parsed() == Settings() == Settings.of({})


def test_a_recipe_and_a_command_line_say_the_same() -> None:
    told = Settings.of({"size": "deep", "hours": 600, "strength": [0.2, 0.7], "keep": 2, "half": True, "seed": 5})
    assert parsed("--size", "deep", "--hours", "600", "--strength", ".2", ".7", "--keep", "2", "--half", "--seed", "5") == told
    assert isinstance(told.hours, float)
    assert Settings.of(asdict(told) | {"keep": 2}) == told


def test_the_options_of_the_commands_in_the_results_are_still_known() -> None:
    words = "--size deep --hours 600 --learning-rate 1.2e-3 --cool-down .6 --share .15 --strength 0.2 0.7 --ramp 150 --every 10 --seed 5"
    told = parsed(*words.split(), "--half", "--dropout", ".2", "--threads", "2")
    assert (told.learning_rate, told.cool_down, told.share, told.ramp, told.dropout, told.threads) == (1.2e-3, 0.6, 0.15, 150, 0.2, 2)


def test_later_layers_win() -> None:
    told = Settings.of({"hours": 2, "seed": 3}, {"hours": 5})
    assert (told.hours, told.seed) == (5, 3)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"hourz": 3}, "training.hourz is unknown; did you mean hours"),
        ({"hours": "3"}, "training.hours needs a number, got '3'"),
        ({"minutes": True}, "training.minutes needs a number, got True"),
        ({"seed": 1.5}, "training.seed needs a whole number"),
        ({"half": 1}, "training.half needs true or false"),
        ({"strength": [1]}, "training.strength needs 2 values, got 1"),
        ({"strength": 1}, "training.strength needs an array"),
        ({"strength": [0, 3]}, r"strength needs to lie in 0..1, got \(0.0, 3.0\)"),
        ({"hours": 0}, "hours needs to lie in"),
        ({"hours": float("nan")}, "hours needs to lie in"),
        ({"hours": float("inf")}, "hours needs to lie in"),
        ({"hours": 10**400}, "needs to lie in .*, got inf"),
        ({"share": 0}, "share needs to lie in"),
        ({"size": "huge"}, r"size needs one of .*small.*, got 'huge'"),
        ({"device": "tpu"}, "device needs one of auto, cpu, cuda"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(table: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        Settings.of(table)
    assert "\n" not in str(caught.value)


def test_the_learning_rate_rises_stays_and_falls() -> None:
    schedule = Schedule(Settings(hours=100, learning_rate=1.0, warm_up=10, cool_down=0.5))
    rates = [schedule.rate_at(step, hours) for step, hours in ((0, 0), (4, 1), (99, 20), (99, 75), (99, 100))]
    assert rates == [0.1, 0.5, 1.0, 0.51, 0.01]


def test_no_warm_up_no_cool_down_and_no_ramp_are_possible() -> None:
    schedule = Schedule(Settings(hours=100, learning_rate=1.0, warm_up=0, cool_down=0, ramp=0))
    assert [schedule.rate_at(step, hours) for step, hours in ((0, 0), (99, 100))] == [1.0, 1.0]
    assert schedule.strength_at(0) == 1.0


def test_the_strength_rises_to_the_end_of_its_ramp() -> None:
    schedule = Schedule(Settings())
    assert [schedule.strength_at(hours) for hours in (0, 50, 200)] == [0.5, 0.75, 1.0]


@pytest.mark.parametrize(("hours", "seconds", "reached"), [(10, 0, 10), (10, 60, 20), (30, 60, 30), (10, 300, 100), (10, 9000, 100)])
def test_progress_is_the_larger_share_of_hours_and_minutes(hours: float, seconds: float, reached: float) -> None:
    assert Schedule(Settings(hours=100, minutes=5)).reached(hours, seconds) == reached


def test_time_does_not_count_where_it_is_not_bounded() -> None:
    assert Schedule(Settings(hours=100)).reached(3, 1e9) == 3
