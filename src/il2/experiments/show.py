"""Results for people and for programs: text, plain dictionaries, and a figure."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from il2.experiments.criterion import ENOUGH_SHARE
from il2.experiments.result import Measurement, Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe and Ito
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


def _described(result: Result) -> tuple[tuple[str, str], ...]:
    return ("set-up", result.setup), ("observable", result.observable), ("criterion", result.criterion)


def _row(m: Measurement) -> tuple[str, ...]:
    unit = "" if m.unit == "dimensionless" else f" {m.unit}"
    value, band = f"{m.value:.3g}{unit}", f"{m.low:.3g} to {m.high:.3g}"
    if m.holds is None:
        return m.name, value, band, "", "", "", "", ""
    origin = "structure" if m.structural else "/".join(m.decided_by)
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
    """Left the curves of the default set with bands over the draws; right the share of draws by criterion."""
    from matplotlib.figure import Figure

    tested = [m for m in result.measurements if m.holds is not None]
    drawing = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = drawing.subplots(1, 2, width_ratios=(3, 2))
    for i, curve in enumerate(result.curves):
        colour = COLOURS[i % len(COLOURS)]
        left.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.12, linewidth=0)
        left.plot(curve.x, curve.y, color=colour, linestyle=DASHES[i % len(DASHES)], label=curve.label)
    ends = [x for curve in result.curves for x in curve.x]
    wide = ends and min(ends) > 0 and max(ends) > WIDE * min(ends)
    left.set(xscale="log" if wide else "linear", xlabel=result.axes[0], ylabel=result.axes[1])
    left.set_title("default set; band: 5 to 95 % of draws")
    if result.curves:
        left.legend(frameon=False, fontsize="small")
    places = range(len(tested))
    colours = [COLOURS[0] if m.holds and m.share >= ENOUGH_SHARE else COLOURS[1] for m in tested]
    right.barh(places, [100 * m.share for m in tested], color=colours)
    right.set_yticks(places, [f"{m.name} {m.criterion}" for m in tested], fontsize="small")
    right.invert_yaxis()
    right.axvline(100 * ENOUGH_SHARE, color="black", linewidth=1, linestyle="--")
    right.set(xlim=(0, 100), xlabel="draws in which it holds (%)", title="criteria")
    drawing.suptitle(f"{result.experiment} {result.title}: {result.verdict}")
    return drawing
