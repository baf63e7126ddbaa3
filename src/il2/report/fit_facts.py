"""What a report says of a fit before its figures: what was fitted, from what, and which files hold the rest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from il2.fit.predictive import SHARES
from il2.fit.run import SAME
from il2.fit.tidy import Tidy
from il2.report.markup import Markup, Piece, tag
from il2.report.panel import concentration, plain

if TYPE_CHECKING:
    from il2.fit.run import Fit

MOST_TIMES = 12
LEFT_OUT = (
    "A PEtab problem tells no doses, ligands and cells, so that there are no dose-response curves, and no parameter "
    "set for further predictions of responses"
)


def noun(of: Fit) -> str:
    """What a point is called."""
    return "well" if isinstance(of.made, Tidy) else "point"


def statement(of: Fit) -> str:
    """The result in a few sentences."""
    free, own = of.made.problem.free, [v for v, shown in zip(of.verdicts, of.made.shown, strict=True) if shown]
    known, agreeing = sum(v.determined for v in own), sum(s.cost <= of.starts[0].cost + SAME for s in of.starts)
    shares = " and ".join(f"{100 * s:.0f} %" for s in of.check.shares)
    wanted = " and ".join(f"{100 * s:.0f} %" for s in SHARES)
    if isinstance(of.made, Tidy):
        data = f"{len(of.made)} wells of {_listed(of.made.ligands)} on {_listed(of.made.wells.cell)}"
        numbers = (
            f"{len(free)} free numbers, {len(own)} of them in the model. The data determine {known} of these {len(own)}"
        )
    else:
        data = f"{len(of.made)} measurements of {_listed(of.made.groups)}"
        numbers = f"{len(free)} free numbers, of which the data determine {known}"
    starts = f"{agreeing} of {len(of.starts)} starts reached the same best optimum"
    if len(of.starts) == 1:
        starts = "One start was made, so that a better optimum may exist"
    inside = f"The {wanted} predictive intervals hold {shares} of the {noun(of)}s"
    return f"{data} were fitted with {numbers}. {starts}. {inside}."


def _listed(values: np.ndarray, most: int = 6) -> str:
    names = list(dict.fromkeys(map(str, values)))
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(plain(name, 30) for name in names[:most]) + more


def facts(of: Fit) -> Markup:
    """A list of what was read, and of what would give the same result again."""
    from il2 import __version__

    made, times = of.made, sorted(set(of.made.time.tolist()))
    command = str(of.settings.get("command") or "")
    told: list[tuple[str, Piece]] = [("Command", tag("code", command) if command else "called from Python")]
    told += _of_wells(made) if isinstance(made, Tidy) else _of_petab(of)
    unit = " min" if isinstance(made, Tidy) else ""
    several = len(times) > MOST_TIMES
    span = f"{len(times)} from {times[0]:g} to {times[-1]:g}" if several else ", ".join(f"{t:g}" for t in times)
    told += [
        ("Times", span + unit),
        ("Networks", ", ".join(dict.fromkeys(plain(b.network.name, 40) for b in made.problem.blocks))),
        ("Version", f"il2 {__version__}"),
    ]
    if of.parameters is not None:
        told.append(("Other values", f"parameter set {of.parameters.based_on}, hash {of.parameters.based_on_hash}"))
        told.append(("Parameter set out", f"hash {of.parameters.hash}"))
    told.append(("Starts, seed", f"{len(of.starts)}, {of.settings.get('seed')}"))
    if isinstance(made, Tidy) and made.held:
        told.append(("Held", ", ".join(f"{name}={value:g}" for name, value in made.held.items())))
    return tag("dl", [[tag("dt", name), tag("dd", text)] for name, text in told])


def _of_wells(made: Tidy) -> list[tuple[str, Piece]]:
    doses = made.wells.dose[made.wells.dose > 0]
    return [
        ("Data", f"{made.source}, hash {made.key}, values in {made.wells.unit}"),
        ("Doses", f"{len(set(doses.tolist()))} from {concentration(doses.min())} to {concentration(doses.max())}"),
    ]


def _of_petab(of: Fit) -> list[tuple[str, Piece]]:
    made = of.made
    conditions = list(dict.fromkeys(made.labels["condition"].tolist()))
    student = "" if math.isinf(made.problem.degrees) else ", but for noise that is Student's t"
    likelihood = sum(float(part.sum()) for part in made.problem.pointwise(of.x)) + made.constant
    return [
        ("Data", f"{made.source}, a PEtab problem, hash {made.key} of its files"),
        ("Conditions", f"{len(conditions)}: {_listed(np.array(conditions, object))}"),
        ("Log likelihood", f"{likelihood:.6g} at the best position, as PEtab defines it{student}, without priors"),
        ("Left out", LEFT_OUT + "."),
    ]


def files(of: Fit) -> Markup:
    """What the folder of a fit holds."""
    wells = isinstance(of.made, Tidy)
    result = (
        ("parameters.yaml", "the parameter set, for further predictions") if wells else
        ("parameters.tsv", "the parameter table of the problem with the estimates in nominalValue, for any PEtab tool")
    )  # fmt: skip
    told = (
        ("estimates.csv", "every free number: value, 95 % interval, prior, bounds, verdict"),
        ("starts.csv", "every start and its cost"),
        ("residuals.csv", f"every {noun(of)}: measured, expected, 90 % predictive interval, residual"),
        ("predictions.csv", f"curves over {'the doses' if wells else 'time'} with 95 % bands"),
        result,
        ("figures/", "the figures of this page"),
        ("fit.json, state/", "what a stopped fit needs to go on"),
    )
    return tag("dl", [[tag("dt", tag("code", name)), tag("dd", text)] for name, text in told])
