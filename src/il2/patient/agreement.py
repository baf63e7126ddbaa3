"""How far the short form of a patient, with terms read at a quasi-steady time, is from the full form."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from il2.knowledge.person import Person
from il2.patient.course import follow, plan_of
from il2.patient.regimen import Regimen

CELLS = ("Treg", "NK", "CD8")
STEPS_PER_DAY = 48


@dataclass(frozen=True)
class Agreement:
    """Short over full form: area and peak of the drug in plasma; highest rise of the pools of cells above 1."""

    area: float
    peak: float
    rise: dict[str, float]


def agreement(regimen: Regimen, person: Person, days: float) -> Agreement:
    """Both forms of one regimen of aldesleukin over some days."""
    drug = f"{regimen.drugs[0]}_nM"
    times = np.linspace(0.0, days, round(days * STEPS_PER_DAY) + 1)
    wanted = (drug, *(f"pool_{kind}" for kind in CELLS))
    plan = plan_of([regimen])
    short, full = (follow(regimen, person, times, wanted, plan=replace(plan, full=f)) for f in (False, True))
    area = np.trapezoid(short[drug][0], times) / np.trapezoid(full[drug][0], times)
    rise = {k: float((short[f"pool_{k}"].max() - 1) / (full[f"pool_{k}"].max() - 1)) for k in CELLS}
    return Agreement(float(area), float(short[drug].max() / full[drug].max()), rise)
