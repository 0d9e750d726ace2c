"""Logistic regression: numbers that speak for or against in, a weight for each out. Small, exact, by Newton's method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
_STEPS = 100
_CONVERGED = 1e-9


def fit(features: Doubles, labels: npt.NDArray[np.bool_], strength: float = 1.0) -> Doubles:
    """Weights of `features` [cases, n] and, last, of nothing: [n + 1], for numbers as they are.

    `strength` holds the weights of the standardised numbers back (ridge). Raises ValueError where all labels are the same.
    """
    if labels.all() or not labels.any():
        raise ValueError("logistic regression needs cases of both kinds")
    mean, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)
    cases = np.column_stack(((features - mean) / deviation, np.ones(len(features))))
    held = np.append(np.full(features.shape[1], strength), 0.0)
    weights = np.zeros(cases.shape[1])
    for _ in range(_STEPS):
        found = probabilities(cases @ weights)
        slope = cases.T @ (found - labels) + held * weights
        curve = (cases * (found * (1 - found))[:, None]).T @ cases + np.diag(held + 1e-9)
        step = np.linalg.solve(curve, slope)
        weights -= step
        if np.abs(step).max() < _CONVERGED:
            break
    plain = weights[:-1] / deviation
    return np.append(plain, weights[-1] - float(plain @ mean))


def probabilities(logits: Doubles) -> Doubles:
    """The logistic function, without overflow."""
    found: Doubles = 0.5 * (1 + np.tanh(logits / 2))
    return found


def area(scores: Sequence[float] | Doubles, labels: npt.NDArray[np.bool_]) -> float:
    """Area under the ROC curve: how often a case of the one kind scores above one of the other; ties count half."""
    values = np.asarray(scores, np.float64)
    ordered, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    ones = int(labels.sum())
    return float((ranks[labels].sum() - ones * (ones + 1) / 2) / (ones * (len(ordered[places]) - ones)))
