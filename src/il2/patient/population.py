"""What a population of virtual patients shows: percentiles over time, shares of responders, answers over dose and
exposure. All percentiles are exact: those of all patients, from the courses that were kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from il2.errors import Il2Error
from il2.patient.binomial import LEVEL, Logistic, exact, logistic, percent
from il2.patient.cohort import ARM, COURSE, STATUS, STATUSES
from il2.patient.variable import Criterion, Read, Variable

PERCENTS = (5.0, 25.0, 50.0, 75.0, 95.0)
BYTES = 2 * 10**8  # of courses that are held at once
BINS = 8
FEWEST_EXPOSED = 2 * BINS
Record = dict[str, Any]
Settings = Mapping[str, Any]


def percentiles(read: Read, settings: Settings, percents: Sequence[float] = PERCENTS) -> list[Record]:
    """A row an arm, readout and day: the patients behind it, and percentiles over them (linear between neighbours)."""
    shares = [percent(p, "percentiles") for p in percents]
    arms, good = who(read)
    out, total = [], len(arms)
    for names in _batches(settings["readouts"], total * len(settings["report_d"]) * np.float32().itemsize):
        courses = read([COURSE + name for name in names])
        for name in names:
            for arm, one in enumerate(settings["arms"]):
                mine = courses[COURSE + name][good & (arms == arm)].astype(float)
                if not len(mine):
                    continue
                found = np.percentile(mine, shares, axis=0)
                for k, day in enumerate(settings["report_d"]):
                    row = {"arm": one["name"], "readout": name, "time_d": day, "patients": len(mine)}
                    out.append(row | {f"p{p:g}": float(found[i, k]) for i, p in enumerate(shares)})
    order = {name: i for i, name in enumerate(settings["readouts"])}
    place = {one["name"]: i for i, one in enumerate(settings["arms"])}
    return sorted(out, key=lambda r: (place[r["arm"]], order[r["readout"]], r["time_d"]))


def spread(
    read: Read, settings: Settings, variables: Sequence[Variable], percents: Sequence[float] = PERCENTS
) -> list[Record]:
    """A row an arm and variable: percentiles over patients."""
    shares = [percent(p, "percentiles") for p in percents]
    out = []
    for arm, mine, arrays in by_arm(read, settings, variables):
        for v in variables:
            found = np.percentile(v.of(arrays, settings)[mine], shares)
            row = {"arm": arm, "variable": v.text, "patients": int(mine.sum())}
            out.append(row | {f"p{p:g}": float(x) for p, x in zip(shares, found, strict=True)})
    return out


def responders(read: Read, settings: Settings, criteria: Sequence[Criterion], level: float = LEVEL) -> list[Record]:
    """A row an arm and criterion: who meets it, and the exact interval of the share."""
    out = []
    for arm, mine, arrays in by_arm(read, settings, [c.variable for c in criteria]):
        for c in criteria:
            met, number = int(c.met(arrays, settings)[mine].sum()), int(mine.sum())
            low, high = exact(met, number, level)
            out.append(
                {
                    "arm": arm, "criterion": c.text, "patients": number, "responders": met,
                    "share": met / number if number else np.nan, "low": low, "high": high, "level_percent": level,
                }
            )  # fmt: skip
    return out


def exposure_response(
    read: Read, settings: Settings, exposure: Variable, of: Criterion, bins: int = BINS, level: float = LEVEL
) -> tuple[list[Record], Logistic]:
    """Shares of responders in bins of equal numbers of patients over an exposure, and the logistic curve over its
    logarithm; over the patients of all arms who are exposed."""
    _, good = who(read)
    arrays = read([*dict.fromkeys((*exposure.arrays(settings), *of.variable.arrays(settings)))])
    x, met = exposure.of(arrays, settings), of.met(arrays, settings)
    with np.errstate(invalid="ignore"):
        mine = np.flatnonzero(good & (x > 0))
    if len(mine) < 2 * bins:
        how = f"Give at least {2 * bins} patients a drug."
        raise Il2Error(f"{len(mine)} patients have {exposure.text} above 0", where="exposure-response", how=how)
    mine = mine[np.argsort(x[mine], kind="stable")]
    out = []
    for part in np.array_split(mine, bins):
        hit = int(met[part].sum())
        low, high = exact(hit, len(part), level)
        out.append(
            {
                "exposure": exposure.text, "criterion": of.text, "from": float(x[part[0]]), "to": float(x[part[-1]]),
                "median": float(np.median(x[part])), "patients": len(part), "responders": hit,
                "share": hit / len(part), "low": low, "high": high, "level_percent": level,
            }
        )  # fmt: skip
    return out, logistic(x[mine], met[mine])


def failures(read: Read, settings: Settings) -> list[Record]:
    """A row an arm: patients, and how many of them failed by reason; these count nowhere else."""
    found = read([ARM, STATUS])
    out = []
    for arm, one in enumerate(settings["arms"]):
        codes = found[STATUS][found[ARM] == arm]
        counts = {name: int((codes == i).sum()) for i, name in enumerate(STATUSES) if i}
        out.append({"arm": one["name"], "patients": len(codes), "failed": sum(counts.values())} | counts)
    return out


def who(read: Read) -> tuple[np.ndarray, np.ndarray]:
    """Arm (n,) of every patient, and who was solved to the end (n,)."""
    found = read([ARM, STATUS])
    return found[ARM], found[STATUS] == 0


def by_arm(
    read: Read, settings: Settings, variables: Sequence[Variable]
) -> Iterator[tuple[str, np.ndarray, dict[str, np.ndarray]]]:
    """Name of an arm, which patients (n,) of all are its good ones, and the arrays that the variables need."""
    names = dict.fromkeys(name for v in variables for name in v.arrays(settings))
    found = read([ARM, STATUS, *names])
    for arm, one in enumerate(settings["arms"]):
        yield one["name"], (found[ARM] == arm) & (found[STATUS] == 0), found


def _batches(names: Sequence[str], size: int) -> list[list[str]]:
    """Names of courses, as many at once as memory is given to; size: bytes of one."""
    at_once = max(1, BYTES // max(size, 1))
    return [list(names[i : i + at_once]) for i in range(0, len(names), at_once)]
