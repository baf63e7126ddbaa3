"""The page of the calibration, from a folder that `benchmarks/calibrate.py` filled.

python benchmarks/calibration_report.py FOLDER            prints the tables as Markdown
python benchmarks/calibration_report.py FOLDER --write    puts them into docs/calibration.md
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas
from calibrate import CHOICES, best
from table import Table

from il2.fit.candidate import MECHANISMS
from il2.fit.free import DYNAMIC, NOISE, OBSERVATION, native
from il2.fit.identify import verdicts
from il2.fit.joint import Choice, joint, measured
from il2.fit.leave import KINDS, folds
from il2.fit.measured import COLUMNS
from il2.fit.score import score
from il2.fit.validate import BASELINES, RAMP

PAGE = Path(__file__).parents[1] / "docs" / "calibration.md"
MARK = "<!-- results -->"
NAMES = {"default": "uptake free (the default)", "uptake held": "uptake held to T018 to T020"}
SETS = ("default", "uptake held", "all bench protocols")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    found = {name: one for name in CHOICES if (one := read(options.folder, "compare", name))}
    longer = {name: read(options.folder, "left-out", name) or one for name, one in found.items()}
    tables = [fitted(found), unseen(longer), candidates(found), *numbers(options.folder)]
    text = "\n\n".join(table.markdown() for table in tables)
    if not options.write:
        print(text)
        return
    head = PAGE.read_text(encoding="utf-8").split(MARK)[0]
    PAGE.write_text(f"{head}{MARK}\n\n{text}\n", encoding="utf-8")


def read(folder: Path, prefix: str, name: str) -> dict:
    """What was found of a choice, or nothing."""
    path = folder / f"{prefix}-{name.replace(' ', '-')}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def fitted(found: dict) -> Table:
    rows = []
    for name in SETS:
        for row in found.get(name, {"scores": []})["scores"]:
            if row["times"] == "all":
                early = next(
                    r
                    for r in found[name]["scores"]
                    if r["times"] == "early" and (r["ligands"], r["cells"]) == (row["ligands"], row["cells"])
                )
                rows.append(
                    (
                        NAMES.get(name, name), row["ligands"], row["cells"], f"{row['r2']:.3f}",
                        f"{row['median_abs_log10_ec50']:.2f}", f"{early['median_abs_log10_ec50']:.2f}",
                        f"{row['bias_log10_ec50']:+.2f}", f"{row['within_3_fold']:.2f}", str(row["counted"]),
                    )
                )  # fmt: skip
    head = ("set", "ligands", "cells", "R2", "EC50 error", "early", "bias", "within 3-fold", "curves")
    note = "EC50 errors are medians in log10. Fusions with fitted errors of the assay; `il2 validate` has them without."
    return Table("What was fitted, by the scoring rules", head, rows, note)


def unseen(found: dict) -> Table:
    """Held-out scores of the default beside the best naive baseline on the same points."""
    points = measured()
    rows = []
    told = folds(points, ("ligand", "cell", "date"))
    for fold in found["default"]["folds"]:
        key = fold["kind"], fold["name"]
        if key not in told:
            continue
        part = points.loc[told[key], list(COLUMNS)].assign(flag="")
        others = {}
        for name, predict in BASELINES.items():
            given = part.assign(predicted=predict(part))
            if np.isfinite(given["predicted"]).any():
                others[name] = {(r["ligands"], r["cells"]): r for r in records(given) if r["times"] == "all"}
        held = next(
            (f for f in found.get("uptake held", {"folds": []})["folds"] if (f["kind"], f["name"]) == key), None
        )
        for row in fold["scores"]:
            if row["times"] != "all" or row["cells"] != "core":
                continue
            where = row["ligands"], row["cells"]
            own = {RAMP} if where[0] == "IL2" else set(others)
            rival = [o[where] for name, o in others.items() if where in o and name in own]
            r2, ec50 = max(r["r2"] for r in rival), min(r["median_abs_log10_ec50"] for r in rival)
            same = (
                [r for r in held["scores"] if (r["ligands"], r["cells"], r["times"]) == (*where, "all")] if held else []
            )
            beats = ("R2" if row["r2"] > r2 else "", "EC50" if row["median_abs_log10_ec50"] < ec50 else "")
            rows.append(
                (
                    *key, row["ligands"], f"{row['r2']:.2f}, {row['median_abs_log10_ec50']:.2f}",
                    f"{same[0]['r2']:.2f}, {same[0]['median_abs_log10_ec50']:.2f}" if same else "",
                    f"{r2:.2f}, {ec50:.2f}", " and ".join(filter(None, beats)) or "nothing",
                )
            )  # fmt: skip
    head = ("left out", "which", "ligands", "default", "uptake held", "best baseline", "the default beats it in")
    note = (
        "R2 and median EC50 error (log10) of Treg, Th, CD8 and NK that the refit did not see; best of the dose ramp, "
        "the wild-type curve reused and that curve shifted by a KD, each number by itself. For IL-2 the reused curve "
        "is another run and no baseline."
    )
    return Table("What was left out and predicted", head, rows, note)


def records(frame: pandas.DataFrame) -> list[dict]:
    return score(frame).table().to_dict("records")


def candidates(found: dict) -> Table:
    base, rows = found["default"], []
    for name, one in found.items():
        changes = [change(one, base, kind) for kind in (*KINDS, "")]
        cells = [f"{total:+.0f} ({error:.0f})" for total, error in changes]
        says = "" if name == "default" else verdict(*changes[-1])
        told = f"{name}: {MECHANISMS[name].says}" if name in MECHANISMS else NAMES.get(name, name)
        rows.append((told, f"{base['cost'] - one['cost']:+.0f}", *cells, says))
    head = ("choice", "fit", *(f"{kind} left out" for kind in KINDS), "all left out", "verdict")
    note = (
        "Log density of left-out points against the default, with its standard error over curves, over folds for "
        "all of them; fit is the log posterior density of all points at the optimum, which rises with every number "
        "that is added and with every prior that is widened. A refit begins at the fit to all points and gets 25 "
        "evaluations: a single fold may differ by some tens for that reason alone. Scales and backgrounds of left-out "
        "points are fitted to them, a scale for each ligand of a plate."
    )
    return Table("Candidates, judged by what they predict", head, rows, note)


def change(one: dict, base: dict, kind: str) -> tuple[float, float]:
    """Difference of held-out log density to the default and its standard error: over the curves of a kind, over folds
    for all, since the curves of a fold share one refit."""
    pairs = [
        np.array(a["curves"]) - np.array(b["curves"])
        for a, b in zip(one["folds"], base["folds"], strict=True)
        if kind in ("", a["kind"])
    ]
    every = np.concatenate(pairs) if kind else np.array([part.sum() for part in pairs])
    return float(every.sum()), float(every.std() * np.sqrt(len(every)))


def verdict(total: float, error: float) -> str:
    if abs(total) < 2 * error:
        return "predicts no better and no worse"
    return "predicts better" if total > 0 else "predicts worse"


def numbers(folder: Path) -> list[Table]:
    """What the data say of each number, in words, and how good the draws are."""
    made = joint(Choice())
    _, x = best(folder, made)
    told = {v.name: v for v in verdicts(made.problem, x)}
    values = native(made.problem.free, x)
    rows = [
        (f.name, f"{values[k]:.3g}", f.unit.replace("dimensionless", ""), told[f.name].text.removeprefix(f"{f.name}: "))
        for k, f in enumerate(made.problem.free)
        if f.kind == DYNAMIC
    ]
    out = [Table("What the data determine", ("number", "value", "unit", "in words"), rows)]
    path = folder / "posterior-free.npz"
    if path.exists():
        stored = np.load(path)
        kinds = {f.name: f.kind for f in made.problem.free}
        kind = np.array([kinds[name] for name in stored["names"].tolist()])
        lines = []
        for name, where in (
            ("constants and counts", DYNAMIC),
            ("scales and backgrounds", OBSERVATION),
            ("noise", NOISE),
        ):
            own = kind == where
            lines.append((name, str(int(own.sum())), f"{np.nanmax(stored['rhat'][own]):.3f}",
                          f"{np.nanmedian(stored['rhat'][own]):.3f}", f"{stored['ess'][own].min():.0f}",
                          f"{np.median(stored['ess'][own]):.0f}"))  # fmt: skip
        head = ("numbers", "how many", "largest R-hat", "median R-hat", "least ESS", "median ESS")
        chains, draws = stored["draws"].shape[:2]
        note = f"{chains} chains of {draws} draws after tuning; numbers that end at a bound are held there."
        out.append(
            Table("Draws from the posterior", head, lines, f"{note} {covered(folder / 'coverage.json')}".strip())
        )
    return out


def covered(path: Path) -> str:
    """A sentence on the coverage of predictive intervals, or nothing where it was not computed."""
    if not path.exists():
        return ""
    held = json.loads(path.read_text())
    shares = [f"{100 * share:.0f} % ({100 * float(level):.0f} % expected)" for level, share in held["shares"].items()]
    return (
        f"Of {held['wells']} wells held back at random, {' and '.join(shares)} lie inside their predictive intervals."
    )


if __name__ == "__main__":
    main()
