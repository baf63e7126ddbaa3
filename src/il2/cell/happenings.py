"""What happens to wells and when, as events of lanes: changes of medium, additions, antigen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from il2.cell.medium import ANTIGEN, GIVEN, NEUTRALISER, REMOVED, complexed, free, ledger
from il2.cell.well import CYTOKINES, Well
from il2.engine.event import Bolus, Event, Exchange, Switch, Washout
from il2.network.expression import num, sym
from il2.receptor.head import partner_row
from il2.receptor.model import dose

HOUR = 60.0


def events_of(wells: Sequence[Well], molecules: Sequence[str], w: np.ndarray) -> list[Event]:
    """Events of lanes that stand for the wells `w` (lanes,); where a well lacks one, it never happens.

    molecules: cytokines and receptor antibodies of the network.
    """
    out: list[Event] = []

    def at(times: Mapping[int, float], values: Mapping[int, float]) -> tuple[np.ndarray, np.ndarray]:
        time = np.array([times.get(k, np.inf) for k in range(len(wells))]) * HOUR
        value = np.array([values.get(k, 0.0) for k in range(len(wells))])
        return time[w], value[w]

    changes: dict[tuple[float, tuple[tuple[str, float], ...], int], dict[int, float]] = {}
    for k, well in enumerate(wells):
        for i, m in enumerate(well.medium_changes):
            changes.setdefault((m.fraction, tuple(sorted(m.fresh_nM.items())), i), {})[k] = m.time_h
    for (fraction, fresh, _), times in changes.items():
        time, _values = at(times, {})
        new = dict(fresh)
        for c in (m for m in molecules if m in CYTOKINES):
            out.append(Bolus(time, ledger(c, REMOVED), num(fraction) * sym(free(c))))
            out.append(Bolus(time, ledger(c, GIVEN), fraction * new.get(c, 0.0)))
            if c == "IL2":
                out.append(Bolus(time, ledger(c, REMOVED), num(fraction) * sym(complexed("IL2"))))
        targets = {free(c): new.get(c, 0.0) for c in molecules if c in CYTOKINES}
        targets |= {free(NEUTRALISER): 0.0, complexed("IL2"): 0.0}
        out.append(Exchange(time, targets, fraction))
    for what in dict.fromkeys(a.what for well in wells for a in well.additions):
        own = [[a for a in well.additions if a.what == what] for well in wells]
        for i in range(max(len(items) for items in own)):
            chosen = {k: items[i] for k, items in enumerate(own) if i < len(items)}
            time, value = at({k: a.time_h for k, a in chosen.items()}, {k: a.dose_nM for k, a in chosen.items()})
            if what in CYTOKINES:
                out += [Bolus(time, free(what), value), Bolus(time, ledger(what, GIVEN), value)]
            elif what == NEUTRALISER:
                out.append(Bolus(time, free(what), float(partner_row(what)["arms"]) * value))
            else:
                out.append(Switch(time, dose(what), value))
    for i in range(max(len(well.antigen) for well in wells)):
        items = {k: well.antigen[i] for k, well in enumerate(wells) if i < len(well.antigen)}
        time, value = at({k: a.time_h for k, a in items.items()}, {k: a.molecules for k, a in items.items()})
        out.append(Washout(time, ANTIGEN, value))
    return out
