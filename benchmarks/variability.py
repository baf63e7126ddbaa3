"""Spread of pSTAT5 over cells, predicted from receptors alone; and the tether that measured avidity would choose.

python benchmarks/variability.py [--markdown] [--figure FILE.png] [--cells 512] [--without-avidity]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from table import Table

from il2.fit.avidity import REACH, TETHER, chosen, rings
from il2.fit.population import ENDS, spread
from il2.fit.score import r2
from il2.fit.variability import aligned, compare
from il2.knowledge.parameters import CURRENT, fingerprint
from il2.knowledge.quantity import quantity

LIGANDS = ("IL2", "IL15", "WT N-term", "WT C-term", "R38Q N-term")
CELLS = ("Treg", "Th", "CD8", "NK")
CHAINS = ("IL2RA", "IL2RB", "IL2RG", "IL15RA")
RINGS = (
    ("both clones", (), (), True),
    ("both clones", (), (), False),
    ("C5", ("C5",), (), False),
    ("B22", ("B22",), (), False),
    ("both clones, reach free", (), (REACH,), True),
    ("both clones, reach free", (), (REACH,), False),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markdown", action="store_true", help="tables of docs/variability.md")
    parser.add_argument("--figure", type=Path, help="write the figure to this file")
    parser.add_argument("--cells", type=int, default=512, help="of each population, a power of two (512)")
    parser.add_argument("--without-avidity", action="store_true", help="the spread over cells alone")
    options = parser.parse_args()
    every = {end: aligned(options.cells, end) for end in ENDS}
    table = every["spread"]
    found = compare(table).set_index(["ligand", "cell"]).reindex([(n, c) for n in LIGANDS for c in CELLS])
    tables = [spreads(), fits(found), ratios(found), peaks(found), shifts(found), ranges(every)]
    if not options.without_avidity:
        tables += avidity()
    for each in tables:
        print(each.markdown() if options.markdown else each.text())
    if options.figure:
        from il2.report.figure import render
        from il2.report.variability import figure

        options.figure.write_bytes(render(figure(table)))


def spreads() -> Table:
    rows = []
    for kind in CELLS:
        found = spread(kind, CHAINS)
        cells = [f"{d:.2f}{'' if m else ' (assumed)'}" for d, m in zip(found.deviations, found.measured, strict=True)]
        rows.append((kind, *cells, f"{found.correlations[0, 1]:.2f}", f"{found.correlations[0, 2]:.2f}"))
    head = ("cell", *CHAINS, "IL2RA with IL2RB", "IL2RA with IL2RG")
    return Table("Spread of ln receptors over cells, and correlations", head, rows)


def fits(found) -> Table:
    head = ("ligand, cell", "wells", "R2 mean", "R2 SD", "r SD", "R2 SD, in proportion to the mean", "r log CV")
    names = ["wells", "r2_mean", "r2_sd", "r_sd", "r2_sd_naive", "r_cv"]
    note = f"Parameter set {CURRENT}, hash {fingerprint()}. R2 and r over all wells, doses and times of both runs."
    return Table("Standard deviation over cells", head, _rows(found, names, {"wells": ".0f"}), note)


def ratios(found) -> Table:
    head = ("ligand, cell", "weak, measured", "weak, predicted", "full, measured", "full, predicted", "height")
    names = ["cv_low_seen", "cv_low_told", "cv_top_seen", "cv_top_told", "height"]
    note = "Height: median over curves of predicted over measured largest variance over background."
    return Table("CV over background where cells answer weakly and fully", head, _rows(found, names), note)


def peaks(found) -> Table:
    rows = [(f"{n}, {c}", row["peaks"], _text(row["peak_log10"])) for (n, c), row in found.iterrows()]
    head = ("ligand, cell", "predicted of measured", "log10 of the ratio of doses")
    kept = [row for row in rows if not row[1].endswith(" 0")]
    return Table("Curves whose variance has its maximum inside the doses", head, kept)


def shifts(found) -> Table:
    names = ["shifts", "shift_seen", "shift_told", "shift_median_cell"]
    head = ("ligand, cell", "curves", "mean over median, measured", "predicted", "median over median cell, predicted")
    kept = found[found["shifts"] > 0]
    return Table("log10 of ratios of EC50s", head, _rows(kept, names, {"shifts": ".0f"}))


def ranges(every: dict) -> Table:
    """Pooled over wells, where the assumed spreads are at the ends of their range."""
    rows = []
    for name, own in (("unfused IL-2 and IL-15", True), ("Fc fusions", False)):
        scores = []
        for table in every.values():
            part = table[table["ligand"].isin(("IL2", "IL15")) == own]
            scores.append(r2(*(np.sqrt(part[c].to_numpy()) for c in ("seen_variance", "told_variance"))))
        rows.append((name, *map(_text, scores)))
    return Table("R2 of standard deviations, pooled, by the assumed spreads", ("ligands", *ENDS), rows)


def avidity() -> list[Table]:
    """What measured rings would choose for the tether, and verdicts on the problem with its prior."""
    found = {
        f"{what}, {'with' if prior else 'without'} the prior": chosen(rings(clones, candidates=more, prior=prior))
        for what, clones, more, prior in RINGS
    }
    rows = []
    for name, out in found.items():
        errors = [_text(out.values.get(f"KD error {clone}", np.nan)) for clone in ("C5", "B22")]
        reach = _text(out.values.get("reach", np.nan), ".2g")
        rows.append((name, *map(_limit, (out.values[TETHER], out.tether.low, out.tether.high)), *errors, reach))
        rows[-1] = (*rows[-1], f"{-out.best.cost:.1f}")
    known = quantity(TETHER)
    head = ("rings", TETHER, "low", "high", "KD error C5", "KD error B22", "reach", "log density")
    note = f"The prior: {known.value:g} ({known.low:g} to {known.high:g}), which stays the default."
    words = [tuple(v.text.removesuffix(".").split(": ", 1)) for v in next(iter(found.values())).verdicts]
    return [
        Table("The tether that measured rings would choose, 95 % interval", head, rows, note),
        Table("Verdicts, both clones with the prior", ("number", "verdict"), words),
    ]


def _limit(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"


def _rows(found, names: list[str], forms: dict[str, str] | None = None) -> list[tuple[str, ...]]:
    return [
        (f"{n}, {c}", *(_text(row[name], (forms or {}).get(name, ".2f")) for name in names))
        for (n, c), row in found.iterrows()
    ]


def _text(value: float, form: str = ".2f") -> str:
    return f"{value:{form}}" if np.isfinite(value) else "–"


if __name__ == "__main__":
    main()
