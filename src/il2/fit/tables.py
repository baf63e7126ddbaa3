"""The tables of a fit: estimates, starts, residuals and predictions as CSV, and the parameter set of wells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from il2.files import whole_file
from il2.fit.dose_curves import Curves
from il2.fit.free import native
from il2.fit.parameter_set import save
from il2.fit.predictive import over_noise
from il2.fit.run import Fit
from il2.fit.tidy import Tidy
from il2.fit.time_curves import TimeCurve

if TYPE_CHECKING:
    import pandas

NORMAL_95 = 1.959964
PARAMETERS = "parameters.yaml"


def estimates(of: Fit) -> pandas.DataFrame:
    """A row a free number: value, 95 % interval and whence, prior, and the verdict in words."""
    import pandas

    by_profile = {p.name for p in of.profiles}
    records = []
    for k, (f, value, verdict) in enumerate(zip(of.made.problem.free, of.values, of.verdicts, strict=True)):
        record = {
            "name": f.name, "kind": f.kind, "unit": f.unit, "value": value, "low_95": verdict.low,
            "high_95": verdict.high, "interval_from": "profile" if f.name in by_profile else "curvature",
        }  # fmt: skip
        if of.posterior is not None:
            drawn = native((f,) * len(of.posterior.flat), of.posterior.flat[:, k])
            low, middle, high = np.percentile(drawn, [2.5, 50, 97.5])
            record |= {"posterior_median": middle, "posterior_low_95": low, "posterior_high_95": high}
            record |= {"rhat": of.posterior.rhat[k], "ess": of.posterior.ess[k]}
        known = np.isfinite(f.spread)
        ends = f.to_scale(f.centre) + NORMAL_95 * f.spread * np.array([-1.0, 1.0]) if known else np.full(2, np.nan)
        low, high = native((f, f), ends) if known else ends
        record |= {"prior_median": f.centre if known else np.nan, "prior_low_95": low, "prior_high_95": high}
        record |= {"lower_bound": f.low, "upper_bound": f.high}
        records.append(record | {"determined": verdict.determined, "verdict": verdict.text, "note": f.note})
    return pandas.DataFrame(records)


def starts(of: Fit) -> pandas.DataFrame:
    """The waterfall: a row a start, the best first; cost is minus the log density."""
    import pandas

    best = of.starts[0].cost
    return pandas.DataFrame(
        [
            {
                "rank": rank, "start": s.index, "cost": s.cost, "above_best": s.cost - best,
                "evaluations": s.evaluations, "message": s.message,
            }
            for rank, s in enumerate(of.starts, 1)
        ]
    )  # fmt: skip


def residuals(of: Fit) -> pandas.DataFrame:
    """A row a point: measured, expected, 90 % predictive interval, and the residual over the noise."""
    import pandas

    made, check = of.made, of.check
    value, expected, low, high = (made.measured(part) for part in (made.value, check.expected, check.low, check.high))
    found = {
        "value": value, "expected": expected, "low_90": low, "high_90": high, "residual": value - expected,
        "residual_over_noise": over_noise(made, of.x, check.expected), "inside_50": check.inside[0],
        "inside_90": check.inside[1],
    }  # fmt: skip
    return pandas.DataFrame(dict(made.labels) | found)


def predictions(of: Fit) -> pandas.DataFrame:
    """Curves with 95 % bands by the uncertainty of the numbers: the phosphorylated share over the doses of wells,
    else what is expected to be measured over time."""
    import pandas

    parts = []
    for found in of.curves:
        parts.append(
            pandas.DataFrame(_over_time(of, found) if isinstance(found, TimeCurve) else _over_doses(of, found))
        )
    return pandas.concat(parts, ignore_index=True)


def _over_doses(of: Fit, found: Curves) -> dict[str, np.ndarray]:
    assert isinstance(of.made, Tidy)
    lanes, levels, times = (a.ravel() for a in np.indices(found.signal.shape))
    own = found.wells[lanes]
    return {
        "ligand": of.made.ligands[own], "cell": of.made.wells.cell[own], "dose_nM": found.dose[levels],
        "time_min": found.times[times], "phosphorylated": found.signal.ravel(), "low_95": found.low.ravel(),
        "high_95": found.high.ravel(),
    }  # fmt: skip


def _over_time(of: Fit, found: TimeCurve) -> dict[str, np.ndarray]:
    first = found.points[0]
    names = {
        name: np.full(len(found.time), column[first], object)
        for name, column in of.made.labels.items()
        if name not in ("row", "time")
    }
    return names | {"time": found.time, "expected": found.signal, "low_95": found.low, "high_95": found.high}


def write(of: Fit, folder: Path) -> Sequence[Path]:
    """Write estimates.csv, starts.csv, residuals.csv and predictions.csv; of wells parameters.yaml, too."""
    made = {"estimates": estimates, "starts": starts, "residuals": residuals, "predictions": predictions}
    paths = []
    for name, table in made.items():
        paths.append(folder / f"{name}.csv")
        with whole_file(paths[-1]) as temporary:
            table(of).to_csv(temporary, index=False, float_format="%.8g")
    if of.parameters is not None:
        paths.append(folder / PARAMETERS)
        save(of.parameters, paths[-1])
    return tuple(paths)
