"""How busy a GPU is: `nvidia-smi`, where there is one, in; the means of its answers out."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

FIELDS = ("utilization.gpu", "memory.used", "power.draw")
TIMEOUT = 10.0  # seconds


def ask() -> str:
    """One line of figures for the first GPU, or nothing."""
    if shutil.which("nvidia-smi") is None:
        return ""
    command = ["nvidia-smi", f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader,nounits"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=True).stdout  # noqa: S603  # as above
    except (OSError, subprocess.SubprocessError):
        return ""


class Gauge:
    """Means over all samples: percent, MiB and watts."""

    def __init__(self, ask: Callable[[], str] = ask) -> None:
        self._ask, self._sums, self._samples = ask, [0.0] * len(FIELDS), 0

    def sample(self) -> None:
        """Ask once; an answer that holds other things than numbers does not count."""
        cells = self._ask().partition("\n")[0].split(",")
        try:
            numbers = [float(cell) for cell in cells]
        except ValueError:
            return
        if len(numbers) == len(FIELDS):
            self._sums, self._samples = [one + other for one, other in zip(self._sums, numbers, strict=True)], self._samples + 1

    def means(self) -> dict[str, float]:
        """By field; nothing without a sample."""
        return {name: round(total / self._samples, 1) for name, total in zip(FIELDS, self._sums, strict=True)} if self._samples else {}
