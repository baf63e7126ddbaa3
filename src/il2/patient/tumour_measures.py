"""Measures of targets on the reference model of a tumour (`il2.patient.kirschner_panetta`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from il2.errors import Il2Error
from il2.patient.kirschner_panetta import (
    TUMOUR,
    coexisting,
    cycle_onset,
    follow,
    infusion_threshold,
    intermediate_antigenicity,
    large_tumour_fold,
    small_tumour,
    transfer_threshold,
)

Row = dict[str, str]


def antigenicity_of(row: Row) -> float:
    """The antigenicity (1/d) in `with`; one that is no number above 0 is an Il2Error."""
    try:
        value = float(row["with"])
    except ValueError:
        value = 0.0
    if not value > 0:
        raise Il2Error(f"no antigenicity in {row['with']!r}", where=row["id"], how="Give it in 1/d, as 0.04.")
    return value


def tumour_fold(_: Row) -> float:
    """Antigenicity (1/d) at which the large tumour vanishes."""
    return large_tumour_fold().value


def large_tumour(row: Row) -> float:
    """Cells of the largest stable tumour at the antigenicity in `with`; none is 0."""
    return max((s.levels[TUMOUR] for s in coexisting(antigenicity_of(row)) if s.stable), default=0.0)


def tumour_cycle_onset(_: Row) -> float:
    """Antigenicity (1/d) below which the small tumour cycles."""
    return cycle_onset().value


def stable_small_tumour(row: Row) -> float:
    """Cells of the only stable tumour at the antigenicity in `with`."""
    return small_tumour(antigenicity_of(row))


def effector_transfer_threshold(_: Row) -> float:
    """Effectors per day above which the state without a tumour is stable."""
    return transfer_threshold().value


def IL2_infusion_threshold(_: Row) -> float:
    """IL-2 per day above which effectors grow without bound."""
    return infusion_threshold().value


def least_tumour(_: Row) -> float:
    """log10 of the fewest tumour cells between the peaks at an intermediate antigenicity; below 0 tells of less than
    one cell, which the equations cannot mean."""
    return follow(intermediate_antigenicity()).least_log10


MEASURES: Sequence[Callable[[Row], float]] = (
    tumour_fold,
    large_tumour,
    tumour_cycle_onset,
    stable_small_tumour,
    effector_transfer_threshold,
    IL2_infusion_threshold,
    least_tumour,
)
