"""EC50: the dose at half of maximum minus minimum on the rising limb, interpolated in log dose."""

from __future__ import annotations

import numpy as np

SETTLED = 0.05  # share of the whole rise over the last step of dose below which a curve counts as flat


def rises_at_the_end(doses: np.ndarray, response: np.ndarray) -> bool:
    """Whether the response still grows at the highest dose, so that its EC50 is only a lower bound."""
    y = np.asarray(response, float)[np.argsort(doses)]
    return bool(y[-1] == y.max() and y[-1] - y[-2] > SETTLED * (y.max() - y.min()))


def ec50(doses: np.ndarray, response: np.ndarray) -> float:
    """EC50 in the unit of `doses` (positive), NaN where the response does not rise through its half.

    The rising limb runs from the smallest dose to the dose of the largest response, and the minimum is
    taken on it, so that a fall at high dose does not count.
    """
    order = np.argsort(doses)
    x, y = np.log10(np.asarray(doses, float)[order]), np.asarray(response, float)[order]
    keep = np.isfinite(y)
    x, y = x[keep], y[keep]
    if len(y) < 2:
        return float("nan")
    top = int(np.argmax(y))
    half = (y[top] + y[: top + 1].min()) / 2
    for j in range(top, 0, -1):
        if y[j - 1] < half <= y[j]:
            return float(10 ** (x[j - 1] + (half - y[j - 1]) / (y[j] - y[j - 1]) * (x[j] - x[j - 1])))
    return float("nan")
