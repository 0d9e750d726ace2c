"""Acceptance: was this sentence of a grammar really said? The two searches' results in, a probability out.

A logistic model over a few numbers that tell a sentence that was said from one that only came closest: how far the closed search
lies behind the open one on the same rows (which any words at all could have used), how far ahead of its own second best, how long
the sentence is, and how badly its worst word fits. Its weights come from `calibration.acceptance` of the bundle's manifest, fitted by
`ds_training.acceptance` on people; without them the open search's score alone decides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ds_engine.errors import BundleError
from ds_engine.manifest import Manifest
from ds_engine.transcript import Hypothesis

MAX_LEAD = 30.0  # nats: what is further ahead of the second best is no surer
_UNCALIBRATED: Mapping[str, float] = {"behind_per_character": -2.0, "bias": 3.0}


def evidence(sentences: Sequence[Hypothesis], spoken: Hypothesis) -> dict[str, float]:
    """What speaks for the best of the closed search's `sentences` and what against it, beside the open search's best.

    Differences are natural logs of scores; characters are those of the text but spaces.
    """
    best = sentences[0]
    characters = max(1, _characters(best))
    behind = spoken.score - best.score
    others = [other.score for other in sentences[1:] if other.text != best.text]
    return {
        "behind": behind,
        "behind_per_character": behind / characters,
        "lead": min(MAX_LEAD, best.score - max(others, default=-math.inf)),
        "log_characters": math.log(characters),
        "longer": float(characters - _characters(spoken)),
    }


def _characters(hypothesis: Hypothesis) -> int:
    return sum(len(word.text) for word in hypothesis.words)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The weights of the evidence, and of nothing at all ("bias")."""

    weights: Mapping[str, float] = field(default_factory=lambda: _UNCALIBRATED)

    @classmethod
    def of(cls, manifest: Manifest) -> Acceptance:
        """Those of a bundle. Raises BundleError for a weight that is no finite number or of an evidence that is unknown."""
        given = manifest.calibration.get("acceptance", dict, dict(_UNCALIBRATED))
        for name, weight in given.items():
            if name not in KNOWN:
                raise BundleError(f"manifest: calibration.acceptance: {name!r:.40} is unknown; known are {', '.join(KNOWN)}")
            if type(weight) not in (int, float) or not math.isfinite(weight):
                raise BundleError(f"manifest: calibration.acceptance: {name} must be a finite number, got {weight!r:.40}")
        return cls(given)

    def probability(self, sentences: Sequence[Hypothesis], spoken: Hypothesis) -> float:
        """How probable it is that the closed search's best sentence is, word for word, what was said. No sentence has 0."""
        if not sentences[0].words:
            return 0.0
        found = evidence(sentences, spoken)
        total = self.weights.get("bias", 0.0) + sum(self.weights.get(name, 0.0) * value for name, value in found.items())
        return 1 / (1 + math.exp(-max(-_MOST, min(_MOST, total))))


_MOST = 700.0  # nats: further away a probability is 0 or 1
_NOTHING = Hypothesis("", (), 0.0, 0.0)
KNOWN = ("bias", *evidence((_NOTHING,), _NOTHING))
