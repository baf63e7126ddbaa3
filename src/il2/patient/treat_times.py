"""Times at which a treatment is read: even steps, and close ones after every dose, where levels rise and fall."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from il2.errors import Il2Error
from il2.knowledge.quantity import quantity
from il2.patient.regimen import Given

AFTER_DOSE_min = (15, 30, 60, 90, 120, 180, 240, 300, 360, 480, 720, 1080, 1440, 2160)
MOST_TIMES, MOST_GIVEN, LONGEST_d = 20_000, 5_000, 3_650
NEAR = 1e-6  # d; times that lie closer are one


def read_times(days: float, step: float, given: Sequence[Sequence[Given]]) -> np.ndarray:
    """Times (times,) in d from 0 to `days`: every `step`, and after every dose of every regimen up to the next dose.

    Il2Error for a length or step that is not above 0, for more than `LONGEST_d` or times beyond `MOST_TIMES`.
    """
    for name, value in (("days", days), ("step", step)):
        if isinstance(value, bool) or not (np.isfinite(value) and 0 < value <= LONGEST_d):
            raise Il2Error(f"{value:g} d", where=name, how=f"Give more than 0, at most {LONGEST_d} d.")
    if days / step > MOST_TIMES:  # before memory is asked for
        raise _too_many(days / step)
    per_day = quantity("minutes_per_day").value
    parts = [np.arange(0, days, step), np.array([days])]
    for doses in given:
        if len(doses) > MOST_GIVEN:
            raise Il2Error(f"{len(doses):,} doses", where="treat", how=f"Give at most {MOST_GIVEN:,}.")
        for start in _starts(doses):
            parts.append(start + np.concatenate([[0], AFTER_DOSE_min]) / per_day)
    times = np.unique(np.concatenate(parts))
    times = times[(times >= 0) & (times <= days)]
    times = times[np.concatenate([[True], np.diff(times) > NEAR])]
    times[-1] = days
    if len(times) > MOST_TIMES:
        raise _too_many(len(times))
    return times


def _too_many(times: float) -> Il2Error:
    how = "Give a longer step, fewer days or fewer doses."
    return Il2Error(f"{times:,.0f} times", where="step", why=f"the limit is {MOST_TIMES:,}", how=how)


def _starts(doses: Sequence[Given]) -> np.ndarray:
    """Starts of doses and ends of infusions, d."""
    return np.unique([t for g in doses for t in (g.time_d, g.time_d + g.duration_d)])
