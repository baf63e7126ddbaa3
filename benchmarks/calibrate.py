"""The calibration of the package: fit, draw, judge by prediction, and store.

    python benchmarks/calibrate.py search FOLDER [--uptake free] [--starts 8]   optima from many starts, resumable
    python benchmarks/calibrate.py sample FOLDER [--uptake free]                draws from the posterior around the best
    python benchmarks/calibrate.py cover FOLDER                                 coverage on wells held back
    python benchmarks/calibrate.py compare FOLDER                               candidates judged on what was left out
    python benchmarks/calibrate.py adopt FOLDER                                 write the tables of the package

Everything found is kept in FOLDER, so that a command that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np

from il2.files import whole_file, write_text
from il2.fit.candidate import MECHANISMS
from il2.fit.free import NOISE, OBSERVATION, native
from il2.fit.joint import Choice, Joint, joint, measured, rows_of, stored
from il2.fit.leave import KINDS, curve, leave, placed
from il2.fit.pin import at_bounds, pinned
from il2.fit.prior import UPTAKES
from il2.fit.score import score
from il2.fit.search import Start, climb, positions

EVALUATIONS, REFIT = 150, 25
SEED, CHAINS = 1, 2
HELD_BACK = 0.1  # share of wells of plates with two runs
STORED = 160  # draws in the package
DEFAULT = Choice()
BENCH = ("T008", "T009", "T012", "T016", "T019")
CHOICES = (
    {"default": DEFAULT, "uptake held": Choice("held")}
    | {name: Choice(mechanisms=(name,)) for name in MECHANISMS}
    | {f"counts within {spread:g}": Choice(count_spread=spread) for spread in (0.03, 0.3)}
    | {"no assay errors": Choice(assay_errors=False), "all bench protocols": Choice("held", bench=BENCH)}
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("search", "sample", "cover", "compare", "adopt"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--uptake", choices=UPTAKES, default="free")
    parser.add_argument("--starts", type=int, default=8, help="starts from the prior, besides the stored set")
    parser.add_argument("--draws", type=int, default=200, help="draws of each of two chains")
    parser.add_argument("--tune", type=int, default=200, help="draws of each chain before those that are kept")
    parser.add_argument("--refit", type=int, default=REFIT, help="evaluations of a refit; more go to left-out-*.json")
    parser.add_argument("--only", nargs="*", help="choices to compare")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    {"search": search, "sample": sample, "cover": cover, "compare": compare, "adopt": adopt}[options.what](options)


def search(options) -> None:
    made = joint(Choice(options.uptake), threads=options.threads)
    for k, x0 in enumerate([stored(made.problem), *positions(made.problem.free, options.starts + 1, SEED)[1:]]):
        path = options.folder / f"start-{options.uptake}-{k}.json"
        if not path.exists():
            keep(path, made, climb(made.problem, k, x0, EVALUATIONS))
        print(k, json.loads(path.read_text())["cost"], flush=True)
    _, x = best(options.folder, made)
    print(table(made, x).to_string(index=False))


def keep(path: Path, made: Joint, start: Start) -> None:
    content = {"cost": start.cost, "message": start.message, "evaluations": start.evaluations}
    content |= {"x": dict(zip(made.problem.names, start.x.tolist(), strict=True))}
    write_text(path, json.dumps(content, indent=1))


def best(folder: Path, made: Joint) -> tuple[float, np.ndarray]:
    """Cost and position of the best start that a folder holds."""
    found = [json.loads(path.read_text()) for path in sorted(folder.glob(f"start-{made.choice.uptake}-*.json"))]
    chosen = min(found, key=lambda item: item["cost"])
    return chosen["cost"], placed(made.problem, chosen["x"])


def from_folder(folder: Path, choice: Choice) -> dict[str, float]:
    """Where the fit of a choice begins: the best start of its priors, on the scales by name."""
    found = [json.loads(path.read_text()) for path in sorted(folder.glob(f"start-{choice.uptake}-*.json"))]
    return min(found, key=lambda item: item["cost"])["x"]


def table(made: Joint, x: np.ndarray):
    """Scores of the fitted points, by the scoring rules."""
    return score(made.points.assign(predicted=np.concatenate(made.problem.signals(x)))).table()


def sample(options) -> None:
    """Draws of all numbers but those that end at a bound, which are held there: the sampler would crawl along it."""
    from il2.fit.posterior import sample as draw

    made = joint(Choice(options.uptake), threads=options.threads)
    _, x = best(options.folder, made)
    ends = at_bounds(made.problem, x)
    problem = pinned(made.problem, x, ends)
    rest = climb(problem, 0, placed(problem, dict(zip(made.problem.names, x.tolist(), strict=True))), EVALUATIONS)
    begun = time.monotonic()

    def say(chain: int, number: int) -> None:
        if number % 20 == 0:
            print(f"chain {chain}, draw {number}, {time.monotonic() - begun:.0f} s", flush=True)

    found = draw(problem, rest.x, draws=options.draws, tune=options.tune, chains=CHAINS, seed=SEED, on_progress=say)
    np.savez(
        options.folder / f"posterior-{options.uptake}.npz", names=np.array(found.names), draws=found.draws,
        log_density=found.log_density, rhat=found.rhat, ess=found.ess, held=np.array(ends),
        divergences=found.divergences,
    )  # fmt: skip
    print(
        f"{found.divergences} divergences, largest R-hat {np.nanmax(found.rhat):.3f}, least ESS {found.ess.min():.0f}"
    )


def cover(options) -> None:
    """Coverage of predictive intervals on wells that were held back at random from plates with two runs."""
    from il2.fit.calibration import coverage, parted
    from il2.fit.posterior import sample as draw

    made = joint(Choice(options.uptake), threads=options.threads)
    _, x = best(options.folder, made)
    problem = pinned(made.problem, x, at_bounds(made.problem, x))
    twice = (made.points["replicate"] != "").to_numpy() & (made.points["set"] == "pbmc_pstat5").to_numpy()
    held = twice & (np.random.default_rng(SEED).random(len(made.points)) < HELD_BACK)
    masks = np.split(held, np.cumsum([len(of.points) for of in problem.blocks])[:-1])
    rest, unseen = parted(problem, masks)
    start = placed(rest, dict(zip(made.problem.names, x.tolist(), strict=True)))
    found = climb(rest, 0, start, EVALUATIONS)
    draws = draw(rest, found.x, draws=options.draws, tune=options.tune, chains=1, seed=SEED)
    shares = {str(level): share for level, share in coverage(rest, draws, unseen).items()}
    write_text(options.folder / "coverage.json", json.dumps({"wells": int(held.sum()), "shares": shares}))
    print(int(held.sum()), shares)


def compare(options) -> None:
    points = measured()
    for name, choice in CHOICES.items():
        if options.only and name not in options.only:
            continue
        prefix = "compare" if options.refit == REFIT else "left-out"
        path = options.folder / f"{prefix}-{name.replace(' ', '-')}.json"
        if path.exists():
            continue
        made = joint(choice, points, options.threads)
        start = from_folder(options.folder, choice)
        whole = climb(made.problem, 0, placed(made.problem, start), 60)
        x = dict(zip(made.problem.names, whole.x.tolist(), strict=True))
        folds = []

        def say(fold, name=name, folds=folds) -> None:
            points = fold.points
            sums = np.bincount(curve(points), weights=points["log_density"]).tolist()
            told = [] if fold.name == "cell line" else score(points).table().to_dict("records")
            folds.append({"kind": fold.kind, "name": fold.name, "curves": sums, "scores": told})
            print(name, fold.kind, fold.name, round(sum(sums), 1), flush=True)

        leave(choice, points, x, KINDS, most_evaluations=options.refit, threads=options.threads, on_done=say)
        fitted = table(made, whole.x).to_dict("records")
        write_text(path, json.dumps({"cost": whole.cost, "x": x, "folds": folds, "scores": fitted}))


def adopt(options) -> None:
    """Write knowledge/tables/calibrated.csv: the best position and draws of every number but scales and noise."""
    made = joint(Choice(options.uptake))
    _, x = best(options.folder, made)
    values = native(made.problem.free, x)
    sampled = np.load(options.folder / f"posterior-{options.uptake}.npz")
    place = {name: k for k, name in enumerate(sampled["names"].tolist())}
    draws = sampled["draws"].reshape(-1, len(place))
    chosen = np.linspace(0, len(draws) - 1, min(STORED, len(draws))).astype(int)
    lines = []
    for f, value in zip(made.problem.free, values, strict=True):
        if f.kind in (OBSERVATION, NOISE):
            continue
        own = 10.0 ** draws[:, place[f.name]] if f.name in place else np.full(len(draws), value)
        low, high = np.quantile(own, [0.025, 0.975])
        ends = min(low, value), max(high, value)
        told = [f"{v:.4g}" for v in (value, *ends)]
        lines += [[name, f.unit, *told, ";".join(f"{v:.4g}" for v in own[chosen])] for name in rows_of(f.name)]
    path = Path(__file__).parents[1] / "src" / "il2" / "knowledge" / "tables" / "calibrated.csv"
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(("name", "unit", "value", "low", "high", "draws"))
        writer.writerows(lines)
    print(f"{len(lines)} numbers, {len(chosen)} draws: {path}")


if __name__ == "__main__":
    main()
