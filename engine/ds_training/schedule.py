"""How learning rate and augmentation follow a run's progress: steps, hours of audio and seconds in, rate and strength out.

Progress is counted in hours of audio. A run that is also bounded in time has come as far as the larger of its two shares says; its
`reached` hours then run ahead of those that were heard, and everything that follows the hours follows these.
"""

from __future__ import annotations

from dataclasses import dataclass

from ds_training.settings import Settings


@dataclass(frozen=True, slots=True)
class Schedule:
    """The part of the settings that changes in the course of a run."""

    settings: Settings

    def reached(self, hours: float, seconds: float) -> float:
        """Hours of audio that the run has come as far as, after so many hours of audio and seconds of time."""
        settings = self.settings
        timed = settings.hours * seconds / (60 * settings.minutes) if settings.minutes else 0.0
        return max(hours, min(timed, settings.hours))

    def rate_at(self, step: int, hours: float) -> float:
        """The learning rate: rising over the first steps, level, falling to a hundredth over the last share of the hours."""
        settings = self.settings
        left = max(0.0, settings.hours - hours) / settings.hours
        falling = 0.01 + left / settings.cool_down if settings.cool_down else 1.0
        return settings.learning_rate * min(1.0, (step + 1) / max(1, settings.warm_up), falling)

    def strength_at(self, hours: float) -> float:
        """The strength of augmentation, see augment.py."""
        first, last = self.settings.strength
        return first + (last - first) * (min(1.0, hours / self.settings.ramp) if self.settings.ramp else 1.0)
