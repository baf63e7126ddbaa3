"""Published results, each next to what the default parameter set gives.

A row of `target_runs.csv` is one check of a published result: its `measure` names a function of `il2.cell.measures` or
`il2.patient.measures` and the other columns are what that function is given. A result with several checks has one row
each (T013a, T013b) and is reproduced when all of them are. A row without a measure says in `reason` why it cannot be
shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from string import ascii_lowercase

from il2.cell import measures as of_cells
from il2.errors import Il2Error, did_you_mean
from il2.knowledge.result import PublishedResult, published
from il2.knowledge.table import number, rows
from il2.patient import measures as of_patients

REPRODUCED, MISSED, NOT_APPLICABLE, NOT_RUN = "reproduced", "missed", "not applicable", "not run"
CONFIRMED, INPUT, BESIDE = "yes", "input", "beside"  # beside: shown, not judged
CALIBRATION, NEGATIVE_CONTROL = "calibration", "negative control"
UNJUDGED = (INPUT, CALIBRATION, NEGATIVE_CONTROL, BESIDE)
MEASURES: Mapping[str, Callable[[dict[str, str]], float]] = {**of_cells.MEASURES, **of_patients.MEASURES}
NO_RUN = "no run of the model shows it yet"
DIGITS = 3  # a value is compared as it is printed


@dataclass(frozen=True)
class Outcome:
    """One check: the value of the model in the unit of the target, NaN where `reason` says why there is none.

    A range that is open at one end states a sign: the value must then differ from the other end.
    """

    id: str
    quantity: str
    condition: str
    unit: str
    target: float
    low: float
    high: float
    value: float
    use: str
    source: str
    confirmed: str = CONFIRMED
    run: str = ""
    command: str = ""
    note: str = ""
    reason: str = ""
    layer: str = ""

    @property
    def applicable(self) -> bool:
        return not self.reason

    @property
    def of(self) -> str:
        """The published result that the check belongs to."""
        return self.id.rstrip(ascii_lowercase)

    @property
    def printed(self) -> float:
        return float(f"{self.value:.{DIGITS}g}")

    @cached_property
    def reproduced(self) -> bool:
        value = self.printed
        if math.isinf(self.low) or math.isinf(self.high):
            return self.low < value < self.high
        return self.low <= value <= self.high

    @property
    def accepted(self) -> str:
        return accepted(self.low, self.high)

    @property
    def verdict(self) -> str:
        """Reproduced, missed with the factor to the nearest end of the range, not applicable, or not run."""
        if not self.applicable:
            return NOT_RUN if self.reason == NO_RUN else NOT_APPLICABLE
        if self.reproduced:
            return REPRODUCED
        bound = self.low if self.printed <= self.low else self.high  # an open end cannot be passed
        if not (math.isfinite(self.value) and self.value > 0 and bound > 0):
            return MISSED
        return f"{MISSED} by a factor of {max(self.value / bound, bound / self.value):.2g}"


def accepted(low: float, high: float) -> str:
    """A range in words; an infinite end leaves the other as a sign."""
    if math.isinf(high):
        return f"above {low:g}"
    return f"below {high:g}" if math.isinf(low) else f"{low:g} to {high:g}"


@dataclass(frozen=True)
class Score:
    """Ids of confirmed and applicable results: all, the reproduced ones, and those that are inputs of the model."""

    every: tuple[str, ...]
    reproduced: tuple[str, ...]
    inputs: tuple[str, ...]

    @property
    def missed(self) -> tuple[str, ...]:
        return tuple(name for name in self.every if name not in self.reproduced)

    @property
    def tested(self) -> tuple[str, ...]:
        """Those that could be missed by the model, not by a count that was put in."""
        return tuple(name for name in self.every if name not in self.inputs)


def layers() -> tuple[str, ...]:
    """Layers that have published results, in the order of the table."""
    return tuple(dict.fromkeys(p.layer for p in published().values()))


def targets(layer: str = "") -> list[Outcome]:
    """Every check of a layer, or of all, then the results that no run shows yet; an unknown layer is an Il2Error."""
    if layer and layer not in layers():
        raise Il2Error(f"no layer {layer!r}", where="targets", how=did_you_mean(layer, layers()))
    run = [_outcome(row) for row in rows("target_runs") if layer in ("", row["layer"])]
    done = {row["target"] for row in rows("target_runs")}
    return run + [_unshown(p) for p in published().values() if p.id not in done and layer in ("", p.layer)]


def _outcome(row: dict[str, str]) -> Outcome:
    target, low, high = (number(row[k]) for k in ("value", "low", "high"))
    assert low is not None and high is not None
    value = float(MEASURES[row["measure"]](row)) if row["measure"] else math.nan
    return Outcome(
        row["id"], row["quantity"], row["condition"], row["unit"], math.nan if target is None else target, low, high,
        value, row["use"], row["source"], row["confirmed"], row["run"], row["command"], row["note"], row["reason"],
        row["layer"],
    )  # fmt: skip


def _unshown(p: PublishedResult) -> Outcome:
    value, low, high = (p.value, p.low, p.high)
    return Outcome(
        p.id, p.quantity, p.condition, p.unit, math.nan if value is None else value,
        -math.inf if low is None else low, math.inf if high is None else high, math.nan, "", ";".join(p.sources),
        p.confirmed, note=p.note, reason=NO_RUN, layer=p.layer,
    )  # fmt: skip


def score(found: Iterable[Outcome]) -> Score:
    """Which confirmed and applicable results are reproduced; a result is when every row of it is."""
    counted = [o for o in found if o.applicable and o.confirmed == CONFIRMED and o.use != BESIDE]
    results = {name: list(group) for name, group in groupby(counted, key=lambda o: o.of)}
    return Score(
        tuple(results),
        tuple(name for name, group in results.items() if all(o.reproduced for o in group)),
        tuple(name for name, group in results.items() if all(o.use == INPUT for o in group)),
    )


@dataclass(frozen=True)
class Judged:
    """Ids of the results of a layer that the model could miss: confirmed, applicable, and neither put in, nor fitted,
    nor a negative control."""

    every: tuple[str, ...]
    reproduced: tuple[str, ...]

    @property
    def missed(self) -> tuple[str, ...]:
        return tuple(name for name in self.every if name not in self.reproduced)

    @property
    def share(self) -> float:
        return len(self.reproduced) / len(self.every) if self.every else math.nan


def judged(found: Iterable[Outcome]) -> Judged:
    """Which results are reproduced, of those that are confirmed, applicable and no input, calibration or negative
    control; a result is when all of its rows that are judged are."""
    every = score(o for o in found if o.use not in UNJUDGED)
    return Judged(every.every, every.reproduced)


LIGAND_UPTAKE, ACCESSIBLE = ("T018", "T019", "T020"), ("T023", "T024", "T025")
UNDER_THE_SKIN, TREG_TRIALS = ("T120", "T121", "T122"), ("T132", "T136")


def conflicts(found: Iterable[Outcome]) -> list[str]:
    """Which published results contradict one another, what the default set chooses and what it misses for it."""
    known = list(found)
    ids = {o.of for o in known}
    told = (
        (LIGAND_UPTAKE + ACCESSIBLE, _uptake_conflict),
        (UNDER_THE_SKIN, _exposure_conflict),
        (TREG_TRIALS, _treg_conflict),
    )
    return [tell(known) for names, tell in told if ids.issuperset(names)]


def _uptake_conflict(found: list[Outcome]) -> str:
    every = score(found)

    def kept(names: tuple[str, ...]) -> str:
        here, gone = ([n for n in names if (n in every.reproduced) == side] for side in (True, False))
        return f"reproduced {', '.join(here) or 'none'}, missed {', '.join(gone) or 'none'}"

    return (
        "Conflict: T018 to T020 follow labelled IL-2 (half of what is bound leaves the surface in 10 to 20 min, half "
        "is inside after 10 min); T023 to T025 follow what an antibody still finds of IL2RB and IL2RG (two thirds of "
        "IL2RB gone after 2 min, a third of IL2RG after 60 min). One uptake rate cannot give both: the loss within "
        "2 min asks for a half-life of seconds, or bound IL-2 hides the epitope. The default set chooses the ligand, "
        "and counts receptors whether hidden or not, so it must miss T023. "
        f"Ligand: {kept(LIGAND_UPTAKE)}. "
        f"Receptors: {kept(ACCESSIBLE)}."
    )


def _exposure_conflict(found: list[Outcome]) -> str:
    return (
        "Conflict: T120 to T122 measure the level under the skin and cannot all hold. T120 gives the bioavailability "
        "that the default set takes; T121 asks for a level after 9 h that this share and any steady loss cannot give; "
        "T122 asks for less exposure, so for a lower share or a faster loss. The default set keeps T113 and T120 and "
        f"changes nothing by regimen. {_sides(found, UNDER_THE_SKIN)}"
    )


def _treg_conflict(found: list[Outcome]) -> str:
    return (
        "Conflict: T132 asks one set of constants for four trials of low doses, among them an 8-fold rise of Treg in "
        "chronic graft-versus-host disease; T136 asks 3-fold or less of the same doses in health. Persons differ by "
        "counts, size and kidneys alone, and no constant by person or regimen is put in to part them. "
        f"{_sides(found, TREG_TRIALS)}"
    )


def _sides(found: list[Outcome], names: tuple[str, ...]) -> str:
    """What every check of some results gives."""
    rows_of = [o for o in found if o.of in names and o.applicable]
    return " ".join(f"{o.id}: {o.value:.3g} {_plain(o.unit)}({o.accepted}), {o.verdict}." for o in rows_of)


def _plain(unit: str) -> str:
    return "" if unit == "dimensionless" else f"{unit} "
