"""Reliability: probabilities and what came true in; how well they tell right from wrong, how far off they are, and a picture out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ds_training.logistic import Doubles, area

BINS = 10
SIZE = (6.5, 7.5)  # inches
DPI = 130  # dots per inch


@dataclass(frozen=True, slots=True)
class Figures:
    """Of probabilities that something is right."""

    count: int
    right: float  # share
    auc: float  # area under the ROC curve
    ece: float  # expected calibration error: mean distance of probability and share of right, in BINS of equal width
    ece_by_count: float  # the same, in BINS of equally many
    brier: float  # mean squared error

    @classmethod
    def of(cls, probabilities: Doubles, right: npt.NDArray[np.bool_]) -> Figures:
        """Both [cases]. Raises ValueError where everything is right, or nothing."""
        if right.all() or not right.any():
            raise ValueError(f"figures of probabilities need right and wrong cases, got {len(right)} of one kind")
        return cls(
            count=len(right),
            right=round(float(right.mean()), 4),
            auc=round(area(probabilities, right), 4),
            ece=round(_error(probabilities, right, by_width(probabilities)), 4),
            ece_by_count=round(_error(probabilities, right, by_count(probabilities)), 4),
            brier=round(float(((probabilities - right) ** 2).mean()), 4),
        )


def by_width(probabilities: Doubles) -> Iterator[npt.NDArray[np.intp]]:
    """The places of the cases in each of BINS bins of equal width, those without any left out."""
    bins = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    return (np.flatnonzero(bins == number) for number in range(BINS) if (bins == number).any())


def by_count(probabilities: Doubles) -> Iterator[npt.NDArray[np.intp]]:
    """The places of the cases in each of BINS bins of equally many (within one), from the least probable on."""
    return (places for places in np.array_split(np.argsort(probabilities, kind="stable"), BINS) if len(places))


def _error(probabilities: Doubles, right: npt.NDArray[np.bool_], bins: Iterator[npt.NDArray[np.intp]]) -> float:
    off = ((len(places), abs(probabilities[places].mean() - right[places].mean())) for places in bins)
    return float(sum(count * distance for count, distance in off) / len(right))


def plot(curves: Mapping[str, tuple[Doubles, npt.NDArray[np.bool_]]], out: Path) -> None:
    """Draws the share of right cases over the probability, of each curve in bins of equally many, and below how often which is given."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(SIZE, DPI, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.plot((0, 1), (0, 1), color="grey", linewidth=0.8, label="as it should be")
    for number, (name, (probabilities, right)) in enumerate(curves.items()):
        bins = list(by_count(probabilities))
        given, true = ([float(values[places].mean()) for places in bins] for values in (probabilities, right))
        above.plot(given, true, marker="o", markersize=4, color=f"C{number}", label=name)
        below.hist(probabilities, np.linspace(0, 1, 2 * BINS + 1), histtype="step", density=True, color=f"C{number}")
    above.set_ylabel("share of right words")
    below.set_ylabel("density")
    below.set_xlabel("confidence of a word")
    above.set(xlim=(0, 1), ylim=(0, 1))
    for axes in (above, below):
        axes.grid(visible=True, alpha=0.3)
    above.legend(fontsize="small")
    FigureCanvasAgg(figure).print_png(str(out))
