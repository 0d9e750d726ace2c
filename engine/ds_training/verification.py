"""What a verification says: checks with what was found and what is needed; see verify.py."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """Of one check."""

    PASSED = "passed"
    FAILED = "failed"
    REPORTED = "reported"  # worth knowing, and no fault or not asked to be one
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold: its name, what was found (with the unit in the name where it is a number), and in words what is needed."""

    name: str
    outcome: Outcome
    found: float | str
    needed: str


@dataclass(frozen=True, slots=True)
class Report:
    """All checks of one bundle, in the order in which they were made."""

    bundle: str  # name and version
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.outcome is not Outcome.FAILED for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        return {"bundle": self.bundle, "passed": self.passed, "checks": [asdict(check) for check in self.checks]}


class VerificationError(ValueError):
    """A bundle that does not hold what it must: the message names what failed, `report` has everything that was checked."""

    def __init__(self, report: Report) -> None:
        failed = (f"{check.name} needs {check.needed}, got {check.found}" for check in report.checks if check.outcome is Outcome.FAILED)
        super().__init__(f"{report.bundle}: " + "; ".join(failed))
        self.report = report


def check(name: str, found: float | str, needed: str, *, holds: bool, otherwise: Outcome = Outcome.FAILED) -> Check:
    """A check that passed if it `holds`."""
    return Check(name, Outcome.PASSED if holds else otherwise, found, needed)
