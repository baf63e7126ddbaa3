"""Measures of targets on IL-2 that cultures secrete: rates per producer, scaling laws, fall after a block, PRDM1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from il2.cell.answers import Row, in_unit
from il2.cell.culture_arms import courses, hours, own, spans, wells
from il2.cell.lanes import Courses
from il2.cell.well import Antigen, Well
from il2.gene.scaling import EXCESS, Exponents, exponents
from il2.gene.signal import PRIMED, SIGNAL
from il2.gene.transcription import methylation, mrna
from il2.knowledge.quantity import quantity

SECRETION, FREE, CELLS = "IL2_secretion", "IL2@medium", "cells"
POINTS_PER_HOUR = 4
FINE = 200  # points of a fall
LEFT = 0.1  # share of a peak that counts as gone
NFAT = (PRIMED, SIGNAL, "pstat5")


def even(until_h: float) -> np.ndarray:
    return np.linspace(0.0, until_h, round(until_h * POINTS_PER_HOUR) + 1)


def producing(course: Courses) -> np.ndarray:
    """Share of cells (times,) with NFAT in the nucleus, as the promoters of the cohort read it."""
    primed, signal, pstat5 = (own(course, name) for name in NFAT)
    rate, back = (quantity(name).value for name in ("STAT5_phosphorylation_rate", "STAT5_dephosphorylation_cytoplasm"))
    attained = pstat5 * (rate + back) / rate
    threshold = quantity("NFAT_threshold").value + quantity("pSTAT5_raised_threshold").value * attained
    steep = quantity("NFAT_steepness").value
    share: np.ndarray = primed * signal**steep / (signal**steep + threshold**steep)
    return share


def _per_producer(row: Row) -> tuple[np.ndarray, np.ndarray]:
    """Times and IL-2 secreted per producer (molecule/(cell*min))."""
    times = even(float(hours(row)[-1]))
    (course,) = courses(wells(row), times, (SECRETION, *NFAT))
    with np.errstate(divide="ignore", invalid="ignore"):
        return times, own(course, SECRETION) / producing(course)


def secretion_per_producer(row: Row) -> float:
    """Mean rate between two times, per cell with NFAT in the nucleus."""
    times, rate = _per_producer(row)
    start, end = hours(row)
    return in_unit(float(rate[(times >= start) & (times <= end)].mean()), "molecule/min", row)


def late_secretion_gain(row: Row) -> float:
    """Highest rate per producer between the last two times over the mean between the first two."""
    times, rate = _per_producer(row)
    a, b, c, d = hours(row)
    return float(rate[(times >= c) & (times <= d)].max() / rate[(times >= a) & (times <= b)].mean())


def _grid(row: Row) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Antigen, cells and the highest IL-2 (nM), each (cells, antigens); antigen of the last column is in excess."""
    low, ends = spans(row)
    (base,) = wells(low)
    antigen, cells = (np.geomspace(a, b, round(np.log10(b / a)) + 1) for a, b in (ends["antigen"], ends["number"]))
    excess = EXCESS * quantity("collective_TCR").value
    pairs = [(a, n) for n in cells for a in (*antigen, excess * n)]
    found = [replace(base, cells=(replace(base.cells[0], number=n),), antigen=(Antigen(a),)) for a, n in pairs]
    done = courses(found, even(float(hours(row)[-1])), (FREE,))
    peaks = np.array([own(c, FREE).max() for c in done]).reshape(len(cells), -1)
    a, n = (np.array(side).reshape(peaks.shape) for side in zip(*pairs, strict=True))
    return a, n, peaks


def _every(row: Row) -> Exponents:
    return exponents(*(part[:, :-1] for part in _grid(row)))


def _unsaturated(row: Row) -> Exponents:
    """The fit through conditions whose highest IL-2 is under half of that at the excess of antigen."""
    antigen, cells, peaks = _grid(row)
    kept = peaks < peaks[:, -1:] / 2
    return exponents(antigen[kept], cells[kept], peaks[kept])


def antigen_exponent(row: Row) -> float:
    """Power of antigen in the highest IL-2 over all decades, fitted together with that of cells."""
    return _every(row).antigen


def antigen_exponent_unsaturated(row: Row) -> float:
    """Power of antigen in the highest IL-2 below saturation, fitted together with that of cells."""
    return _unsaturated(row).antigen


def cell_exponent(row: Row) -> float:
    """Power of the number of cells in the highest IL-2 over all decades of antigen."""
    return _every(row).cells


def highest_il2(row: Row) -> float:
    """Highest IL-2 of all conditions."""
    return in_unit(float(_grid(row)[2][:, :-1].max()), "nM", row)


def _fall(row: Row, well: Well) -> float:
    """Time constant (h) of IL2 mRNA from the loss of antigen to a tenth, by a straight line through its logarithm."""
    start = well.antigen[-1].time_h
    times = np.concatenate([[0.0], np.linspace(start, float(hours(row)[-1]), FINE)])
    (course,) = courses([well], times, (mrna("IL2"),))
    level = own(course, mrna("IL2"))[1:]
    kept = level > LEFT * level[0]
    return -1 / float(np.polyfit(times[1:][kept], np.log(level[kept]), 1)[0])


def producer_fall(row: Row) -> float:
    """Time constant of the fall of IL2 mRNA after antigen is taken away."""
    return in_unit(_fall(row, wells(row)[0]), "h", row)


def producer_fall_ratio(row: Row) -> float:
    """Time constant of the first arm over that of the second."""
    first, second = (_fall(row, well) for well in wells(row))
    return first / second


def secretion_peak(row: Row) -> float:
    """Time of the peak of IL-2 secretion by all cells."""
    times = even(float(hours(row)[-1]))
    return in_unit(float(times[_secreted(row, times).argmax()]), "h", row)


def secretion_left(row: Row) -> float:
    """Percent of the peak of IL-2 secretion that is left at the time of the row."""
    made = _secreted(row, even(float(hours(row)[-1])))
    return 100 * float(made[-1] / made.max())


def _secreted(row: Row, times: np.ndarray) -> np.ndarray:
    (course,) = courses(wells(row), times, (SECRETION, CELLS))
    return own(course, SECRETION) * own(course, CELLS)


def mrna_gone(row: Row) -> float:
    """Time from the stimulus until IL2 mRNA is back at a tenth of its peak; infinite where it is not."""
    times = even(float(hours(row)[-1]))
    (course,) = courses(wells(row), times, (mrna("IL2"),))
    level = own(course, mrna("IL2"))
    gone = times[(level <= LEFT * level.max()) & (times > times[level.argmax()])]
    return in_unit(float(gone[0]) if len(gone) else np.inf, "h", row)


def demethylation_onset(row: Row) -> float:
    """Time at which 5 % of the methylation of the IL2 promoter is gone."""
    times = np.linspace(0.0, float(hours(row)[-1]), 1 + POINTS_PER_HOUR * POINTS_PER_HOUR * round(hours(row)[-1]))
    (course,) = courses(wells(row), times, (methylation("IL2"),))
    left = own(course, methylation("IL2"))
    return in_unit(float(np.interp(LEFT / 2, 1 - left / left[0], times)), "h", row)


def _two_answers(row: Row) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times and IL-2 secretion of a first stimulus, and of a second one on DNA as the first has left it."""
    times = even(float(hours(row)[-1]))
    (well,) = wells(row)
    (first,) = courses([well], times, (SECRETION, methylation("IL2")))
    left = float(own(first, methylation("IL2"))[-1])
    again = replace(well, cells=tuple(replace(c, changes={"IL2_methylation_at_start": left}) for c in well.cells))
    (second,) = courses([again], times, (SECRETION,))
    return times, own(first, SECRETION), own(second, SECRETION)


def second_answer_delay(row: Row) -> float:
    """Time to half of the peak of IL-2 secretion at the second stimulus over that at the first."""
    times, *answers = _two_answers(row)
    first, second = (float(times[np.argmax(rate >= rate.max() / 2)]) for rate in answers)
    return second / first


def second_answer_size(row: Row) -> float:
    """IL-2 per cell secreted after the second stimulus over that after the first."""
    times, first, second = _two_answers(row)
    return float(np.trapezoid(second, times) / np.trapezoid(first, times))


def half_rise(row: Row) -> float:
    """Time at which a reading first comes to half of its highest."""
    times = even(float(hours(row)[-1]))
    (course,) = courses(wells(row), times, (row["readout"],))
    level = own(course, row["readout"])
    return in_unit(float(times[np.argmax(level >= level.max() / 2)]), "h", row)


def correlation(row: Row) -> float:
    """Correlation over time, between the two times of the row, of two readings `a/b`."""
    start, end = hours(row)
    times = even(float(end))
    names = tuple(row["readout"].split("/"))
    (course,) = courses(wells(row), times, names)
    a, b = (own(course, name)[times >= start] for name in names)
    return float(np.corrcoef(a, b)[0, 1])


MEASURES: Sequence[Callable[[Row], float]] = (
    secretion_per_producer, late_secretion_gain, antigen_exponent, antigen_exponent_unsaturated, cell_exponent,
    highest_il2, producer_fall, producer_fall_ratio, secretion_peak, secretion_left,
    mrna_gone, demethylation_onset, second_answer_delay, second_answer_size, half_rise, correlation,
)  # fmt: skip
