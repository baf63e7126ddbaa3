"""The tables of a fit: estimates, starts, residuals and predictions as CSV, and the parameter set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from il2.files import whole_file
from il2.fit.free import native
from il2.fit.parameter_set import save
from il2.fit.predictive import noise_of
from il2.fit.run import Fit

if TYPE_CHECKING:
    import pandas

NORMAL_95 = 1.959964
PARAMETERS = "parameters.yaml"


def estimates(of: Fit) -> pandas.DataFrame:
    """A row a free number: value, 95 % interval and whence, prior, and the verdict in words."""
    import pandas

    by_profile = {p.name for p in of.profiles}
    records = []
    for k, (f, value, verdict) in enumerate(zip(of.tidy.problem.free, of.values, of.verdicts, strict=True)):
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
    """A row a well: measured, expected, 90 % predictive interval, and the residual over the noise."""
    import pandas

    wells, off = of.tidy.wells, of.tidy.wells.value - of.check.expected
    return pandas.DataFrame(
        {
            "line": wells.lines, "ligand": of.tidy.ligands, "cell": wells.cell, "dose_nM": wells.dose,
            "time_min": wells.time, "replicate": wells.replicate, "panel": wells.panel, "value": wells.value,
            "expected": of.check.expected, "low_90": of.check.low, "high_90": of.check.high, "residual": off,
            "residual_over_noise": off / noise_of(of.tidy, of.x), "inside_50": of.check.inside[0],
            "inside_90": of.check.inside[1],
        }
    )  # fmt: skip


def predictions(of: Fit) -> pandas.DataFrame:
    """Curves over the doses: the phosphorylated share and its 95 % band by the uncertainty of the numbers."""
    import pandas

    parts = []
    for found in of.curves:
        lanes, levels, times = (a.ravel() for a in np.indices(found.signal.shape))
        own = found.wells[lanes]
        parts.append(
            pandas.DataFrame(
                {
                    "ligand": of.tidy.ligands[own], "cell": of.tidy.wells.cell[own], "dose_nM": found.dose[levels],
                    "time_min": found.times[times], "phosphorylated": found.signal.ravel(),
                    "low_95": found.low.ravel(), "high_95": found.high.ravel(),
                }
            )
        )  # fmt: skip
    return pandas.concat(parts, ignore_index=True)


def write(of: Fit, folder: Path) -> Sequence[Path]:
    """Write estimates.csv, starts.csv, residuals.csv, predictions.csv and parameters.yaml."""
    made = {"estimates": estimates, "starts": starts, "residuals": residuals, "predictions": predictions}
    paths = []
    for name, table in made.items():
        paths.append(folder / f"{name}.csv")
        with whole_file(paths[-1]) as temporary:
            table(of).to_csv(temporary, index=False, float_format="%.8g")
    save(of.parameters, folder / PARAMETERS)
    return (*paths, folder / PARAMETERS)
