"""Results for people and for programs: text, plain dictionaries, and a figure."""

from __future__ import annotations

import math
from dataclasses import asdict
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from il2.experiments.criterion import ENOUGH_SHARE
from il2.experiments.result import Measurement, Result
from il2.knowledge.quantity import GRADES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe and Ito
LABEL, TITLE = 38, 90  # letters of a line
LINE, GAP, TICKS = 12, 9, 40  # heights in points
PANEL, TALLEST, TITLES, INCH = 3 * 80, 5 * 72, 100, 72
SHAPE = 9 / 10  # height over width of a panel that has room
WIDE = 50  # how far the x values of a figure reach before their axis is logarithmic
DASHES = ("-", "--", "-.", ":")


def as_dict(result: Result) -> dict[str, Any]:
    """What JSON can hold: NaN becomes None and infinity the text 'inf'."""
    plain: dict[str, Any] = _plain(asdict(result))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def as_text(result: Result) -> str:
    """A report in lines of plain text."""
    lines = [
        f"{result.experiment} {result.title}: {result.verdict} ({result.reason})",
        result.question,
        *(f"{name}: {text}" for name, text in _described(result) if text),
    ]
    if result.measurements:
        lines += [
            f"origin: {result.origin}" + (f", decided by {', '.join(result.decided_by)}" if result.decided_by else ""),
            f"ablation: {result.ablation or 'none'} ({'reverses' if result.ablation_reverses else 'does not reverse'} "
            f"the result; its criteria fail in {_share(result.ablation_share)} of the draws)",
            f"{result.draws} draws, {result.failed_draws} failed; all criteria at once hold in {_share(result.share)}",
            *_graded(result),
            "",
            *_table([_row(m) for m in result.measurements]),
        ]
    lines += ["", *(f"{c.id} {c.verdict}, {c.origin or '-'}: {c.statement} ({c.reason})" for c in result.claims)]
    lines += [
        "",
        f"il2 {result.il2_version}, parameters {result.parameter_set} ({result.parameter_hash}), seed {result.seed}, "
        f"weakest grade {result.weakest_grade or '-'}",
    ]
    return "\n".join(lines)


def _graded(result: Result) -> list[str]:
    """How many numbers of which grade it rests on."""
    grades = [p.grade for p in result.parameters if p.grade]
    varied = ", ".join(f"{grades.count(g)} {g}" for g in GRADES if g in grades)
    read = ", ".join(f"{n} {grade}" for grade, n in result.read)
    found = [f"{len(grades)} parameters are varied ({varied})"] if varied else []
    return ["grades: " + "; ".join([*found, *([f"read from tables: {read}"] if read else [])])]


def _described(result: Result) -> tuple[tuple[str, str], ...]:
    return ("set-up", result.setup), ("observable", result.observable), ("criterion", result.criterion)


def _row(m: Measurement) -> tuple[str, ...]:
    unit = "" if m.unit == "dimensionless" else f" {m.unit}"
    value, band = f"{m.value:.3g}{unit}", f"{m.low:.3g} to {m.high:.3g}"
    if m.holds is None:
        return m.name, value, band, "", "", "", "", ""
    origin = "wiring" if m.structural else "/".join(m.decided_by)
    holds = "holds" if m.holds else "FAILS"
    return m.name, value, band, m.criterion, holds, _share(m.share), f"{m.ablated:.3g}", origin


def _table(found: list[tuple[str, ...]]) -> list[str]:
    head = ("measurement", "default", "5 to 95 %", "criterion", "", "share", "ablated", "decided by")
    table = [head, *found]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    return ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in table]


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.0%}"


def figure(result: Result) -> Figure:
    """Left the curves of the default set with bands over the draws; right the share of draws by criterion.

    It grows with the number of criteria and of curves, so that no label touches another.
    """
    from matplotlib.figure import Figure

    tested = [m for m in result.measurements if m.holds is not None]
    labels = [_label(m) for m in tested]
    names = [_wrapped(curve.label, LABEL) for curve in result.curves]
    columns = 2 if len(names) > 4 and max(map(len, names)) <= LABEL else 1
    below = LINE * sum(name.count("\n") + 1 for name in names) / columns
    beside = sum(LINE * (label.count("\n") + 1) + GAP for label in labels)
    roomy = beside >= TALLEST + TICKS + below  # the legend finds its place under a panel of fixed shape
    high = beside if roomy else max(PANEL, beside) + below
    drawing = Figure(figsize=(11 if names else 8, (high + TITLES) / INCH), layout="constrained")
    if names:
        left, right = drawing.subplots(1, 2, width_ratios=(3, 2))
        _curves(left, result, names, columns)
        if roomy:
            left.set_box_aspect(SHAPE)
            left.set_anchor("N")
            left.get_legend().set_in_layout(False)
    else:
        right = drawing.subplots()
    _criteria(right, tested, labels)
    drawing.suptitle(_wrapped(f"{result.experiment} {result.title}: {result.verdict}", TITLE))
    return drawing


def _curves(axes: Axes, result: Result, names: list[str], columns: int) -> None:
    from matplotlib.transforms import ScaledTranslation

    for i, (curve, name) in enumerate(zip(result.curves, names, strict=True)):
        colour, single = COLOURS[i % len(COLOURS)], len(curve.x) == 1
        axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.12, linewidth=0)
        (line,) = axes.plot(curve.x, curve.y, color=colour, label=name, linestyle=DASHES[i % len(DASHES)])
        line.set_marker("o" if single else "")
    ends = [x for curve in result.curves for x in curve.x]
    wide = min(ends) > 0 and max(ends) > WIDE * min(ends)
    axes.set(xscale="log" if wide else "linear")
    below = _wrapped(result.axes[0], 2 * LABEL)
    axes.set_xlabel(below)
    axes.set_ylabel(_wrapped(result.axes[1], LABEL))
    axes.set_title("default set; band: 5 to 95 % of draws", fontsize="medium")
    down = ScaledTranslation(0, -(TICKS + LINE * below.count("\n")) / INCH, axes.figure.dpi_scale_trans)
    axes.legend(
        frameon=False, fontsize="small", ncols=columns, loc="upper center", bbox_to_anchor=(0.5, 0),
        bbox_transform=axes.transAxes + down, handlelength=3,
    )  # fmt: skip


def _criteria(axes: Axes, tested: list[Measurement], labels: list[str]) -> None:
    """A bar by criterion. What fails says so in words and is hatched, so that colour alone tells nothing."""
    heights = [LINE * (label.count("\n") + 1) + GAP for label in labels]
    places = [sum(heights[:i]) + high / 2 for i, high in enumerate(heights)]
    for place, m in zip(places, tested, strict=True):
        met = bool(m.holds) and m.share >= ENOUGH_SHARE
        look = COLOURS[0] if met else COLOURS[1]
        axes.barh(place, 100 * m.share, height=LINE, color=look, hatch="" if met else "///", edgecolor="white")
        text = _share(m.share) + ("" if m.holds else ", fails by default")
        axes.annotate(text, (100, place), (4, 0), textcoords="offset points", va="center", fontsize="small")
    axes.set_yticks(places, labels, fontsize="small")
    axes.set_ylim(sum(heights), 0)
    axes.axvline(100 * ENOUGH_SHARE, color="black", linewidth=1, linestyle="--")
    axes.set(xlim=(0, 100), xlabel="draws in which it holds (%)")
    axes.set_title("criteria", fontsize="medium")


def _label(m: Measurement) -> str:
    """Name and threshold in one line where they fit."""
    if len(m.name) + len(m.criterion) < LABEL:
        return _wrapped(f"{m.name} {m.criterion}", LABEL)
    return f"{_wrapped(m.name, LABEL)}\n{_wrapped(m.criterion, LABEL)}"


def _wrapped(text: str, letters: int) -> str:
    """Lines of so many letters, of which nothing is read as mathematics."""
    printed = "".join(c if c.isprintable() else " " for c in text)
    return "\n".join(wrap(printed, letters)).replace("$", r"\$")
