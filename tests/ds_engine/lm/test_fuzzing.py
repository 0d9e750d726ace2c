"""The first cases of benchmarks/fuzz_language_models.py, which says what they are."""

from __future__ import annotations

import pytest

from benchmarks.fuzz_language_models import FORMATS, Format, run

CASES = 350  # of each format


@pytest.mark.parametrize("fuzzed", FORMATS, ids=lambda fuzzed: fuzzed.name)
def test_a_damaged_file_is_refused_or_gives_wrong_numbers(fuzzed: Format) -> None:
    outcomes = list(run(fuzzed, CASES))
    assert {f"{fuzzed.name} {number}: {outcome.failure}" for number, outcome in enumerate(outcomes) if outcome.failure} == set()
    assert 0 < sum(outcome.refused for outcome in outcomes) <= CASES
