"""A fit from data to verdicts, resumable: search, profiles, posterior and a predictive check, each kept when done."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from il2.errors import Il2Error, did_you_mean
from il2.fit import predictive
from il2.fit.dose_curves import Curves, dose_curves
from il2.fit.free import DYNAMIC, NOISE, native
from il2.fit.identify import Verdict, verdicts
from il2.fit.intervals import covariance
from il2.fit.made import Made
from il2.fit.parameter_set import ParameterSet
from il2.fit.posterior import Posterior, sample
from il2.fit.profile import Profile, profile
from il2.fit.search import Start, search
from il2.fit.store import Store, open_store
from il2.fit.tidy import AUTO, Tidy, tidy
from il2.fit.time_curves import TimeCurve, time_curves
from il2.knowledge.parameters import CURRENT, fingerprint

DETERMINED = "all-determined"
BAND_DRAWS = 60
CHAINS = 4
SAME = 1.0  # costs that differ by less are one optimum
FAR = 4.0  # a residual beyond so many times the noise is named
UNEVEN = 3.0  # residuals at high signals larger than at low ones by this factor are named
FEWEST_UNEVEN = 9  # points of a group that can be judged so
EXCESS = 2.0  # a noise larger than what replicates tell by this factor is misfit

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Fit:
    """What a fit found. x (n,): the best position. positions: (draws, n), from the posterior or from the curvature,
    on which bands rest. verdicts, profiles: of the free numbers. curves: over doses for wells, else over time.
    parameters: for further predictions, of wells alone. warnings: sentences."""

    made: Made
    starts: tuple[Start, ...]
    x: np.ndarray
    profiles: tuple[Profile, ...]
    verdicts: tuple[Verdict, ...]
    posterior: Posterior | None
    positions: np.ndarray
    check: predictive.Check
    curves: tuple[Curves, ...] | tuple[TimeCurve, ...]
    parameters: ParameterSet | None
    warnings: tuple[str, ...]
    settings: dict[str, object]

    @property
    def values(self) -> np.ndarray:
        """Values (n,) of the free numbers in their units."""
        return native(self.made.problem.free, self.x)


def fit(
    data: str | Path, *, out: str | Path | None = None, model: str = AUTO, free: Iterable[str] = (),
    fix: Iterable[str] = (), value: str = "", starts: int = 8, seed: int = 0, profiles: Sequence[str] = (),
    draws: int = 0, resume: bool = False, fresh: bool = False, threads: int | None = None, command: str = "",
    progress: Progress | None = None,
) -> Fit:  # fmt: skip
    """Fit a tidy CSV of wells. free, fix, model, value: see `il2.fit.tidy.tidy`; the rest as of `fit_made`."""
    made = tidy(Path(data), free=free, fix=fix, model=model, value=value, threads=threads)
    return fit_made(
        made, out=out, starts=starts, seed=seed, profiles=profiles, draws=draws, resume=resume, fresh=fresh,
        command=command, progress=progress,
    )  # fmt: skip


def fit_made(
    made: Made, *, out: str | Path | None = None, starts: int = 8, seed: int = 0, profiles: Sequence[str] = (),
    draws: int = 0, resume: bool = False, fresh: bool = False, command: str = "", progress: Progress | None = None,
) -> Fit:  # fmt: skip
    """Fit a problem; `il2.fit.tables.write` and `il2.report.fit.write` put the result into a folder.

    out: a folder that keeps what is done, so that the same call goes on after a stop and ends with the same result;
    without it nothing is kept. profiles: names of free numbers, or `all-determined`. draws: of each of four posterior
    chains, none by default. progress: called with what is done, how much of it and of how much. Raises Il2Error for
    data that cannot be fitted and for a folder of another fit.
    """
    if not made.problem.free:
        how = "Free a number, for example --free counts." if isinstance(made, Tidy) else "Let it estimate a number."
        raise Il2Error("nothing is free", where=made.source, how=how)
    _check_profiles(made, profiles)
    tell = progress or (lambda *_: None)
    if out is None:
        with TemporaryDirectory() as folder:
            store = open_store(Path(folder) / "fit", _manifest(made, seed))
            return _run(made, store, starts, seed, profiles, draws, command, tell)
    store = open_store(Path(out), _manifest(made, seed), resume=resume, fresh=fresh)
    return _run(made, store, starts, seed, profiles, draws, command, tell)


def _manifest(made: Made, seed: int) -> dict[str, object]:
    """What must not change between a stop and going on."""
    from il2 import __version__

    return {"data": made.key, **made.asked, "--seed": seed, "il2 version": __version__}


def _check_profiles(made: Made, names: Sequence[str]) -> None:
    for name in names:
        if name != DETERMINED and name not in made.problem.place:
            how = did_you_mean(name, (DETERMINED, *made.problem.names))
            raise Il2Error(f"no free number {name!r}", where="--profiles", how=how)


def _run(
    made: Made, store: Store, starts: int, seed: int, profiles: Sequence[str], draws: int, command: str, tell: Progress
) -> Fit:
    found = _search(made, store, starts, seed, tell)
    best = found[0]
    if not math.isfinite(best.cost):
        raise Il2Error(
            "no start could be solved", where=made.problem.name, why=best.message,
            how="Check counts and doses, or hold more numbers with --fix." if isinstance(made, Tidy) else "",
        )  # fmt: skip
    x = best.x
    shapes = _profiles(made, store, x, profiles, tell)
    posterior = _posterior(made, store, x, draws, seed, tell)
    told = verdicts(made.problem, x, shapes)
    if posterior is not None:
        rng = np.random.Generator(np.random.Philox(key=[seed, 9]))
        flat = posterior.flat
        positions = flat[rng.choice(len(flat), min(BAND_DRAWS, len(flat)), replace=False)]
    else:
        tell("draws for bands", 0, 1)
        positions = predictive.draws_around(made.problem, x, BAND_DRAWS, seed)
        tell("draws for bands", 1, 1)
    tell("predictive check", 0, 2)
    checked = predictive.check(made, x, positions)
    tell("predictive check", 1, 2)
    curves = dose_curves(made, x, positions) if isinstance(made, Tidy) else time_curves(made, x, positions)
    tell("predictive check", 2, 2)
    settings: dict[str, object] = {"seed": seed, "starts": starts, "draws": draws, "command": command}
    parameters = _parameters(made, x, told, command) if isinstance(made, Tidy) else None
    warnings = (*_warnings(made, found, x, posterior), *_uneven(made, x, checked.expected))
    return Fit(
        made, found, x, shapes, told, posterior, positions, checked, curves, parameters, warnings, settings
    )  # fmt: skip


def _search(made: Made, store: Store, starts: int, seed: int, tell: Progress) -> tuple[Start, ...]:
    done = [start for start in store.starts(len(made.problem.free)) if start.index < starts]
    count = len(done)
    tell("starts", count, starts)

    def keep(start: Start) -> None:
        nonlocal count
        store.keep_start(start)
        count += 1
        tell("starts", count, starts)

    return search(made.problem, starts, seed, done=done, on_done=keep)


def _profiles(made: Made, store: Store, x: np.ndarray, names: Sequence[str], tell: Progress) -> tuple[Profile, ...]:
    problem = made.problem
    wanted = [name for name in names if name != DETERMINED]
    if DETERMINED in names:
        found = zip(verdicts(problem, x), made.shown, strict=True)
        wanted += [v.name for v, shown in found if v.determined and shown]
    wanted = list(dict.fromkeys(wanted))
    done = store.profiles(x)
    out = []
    for k, name in enumerate(wanted):
        tell("profiles", k, len(wanted))
        if name not in done:
            done[name] = profile(problem, x, name)
            store.keep_profile(problem.place[name], x, done[name])
        out.append(done[name])
    if wanted:
        tell("profiles", len(wanted), len(wanted))
    return tuple(out)


def _posterior(made: Made, store: Store, x: np.ndarray, draws: int, seed: int, tell: Progress) -> Posterior | None:
    if not draws:
        return None
    if (found := store.posterior(x, draws)) is None:
        whole = 2 * draws * CHAINS
        found = sample(
            made.problem, x, draws=draws, tune=draws, chains=CHAINS, seed=seed,
            on_progress=lambda chain, drawn: tell("posterior", 2 * draws * chain + drawn + 1, whole),
        )  # fmt: skip
        store.keep_posterior(x, draws, found)
    return found


def _parameters(made: Tidy, x: np.ndarray, told: Sequence[Verdict], command: str) -> ParameterSet:
    from il2 import __version__

    problem = made.problem
    values = dict(zip(problem.names, native(problem.free, x).tolist(), strict=True))
    inside = [k for k, f in enumerate(problem.free) if f.kind == DYNAMIC]
    names = [problem.free[k].name for k in inside]
    units = {c.free.name: c.free.unit for c in made.candidates}
    every = names + [name for name in made.held if name not in names]
    spread = np.zeros((len(every), len(every)))
    spread[: len(inside), : len(inside)] = covariance(problem, x)[np.ix_(inside, inside)]
    return ParameterSet(
        name=f"fit of {Path(made.wells.path).name}",
        values={name: float(f"{values.get(name, made.held.get(name)):.10g}") for name in every},
        units={name: units[name] for name in every if name in units},
        intervals={v.name: (float(f"{v.low:.6g}"), float(f"{v.high:.6g}")) for v in told if v.name in names},
        determined=tuple(v.name for v in told if v.determined and v.name in names),
        observation={n: float(f"{v:.10g}") for n, v in values.items() if n not in names},
        covariance=tuple(tuple(float(f"{v:.6g}") for v in row) for row in spread),
        based_on=CURRENT, based_on_hash=fingerprint(), data=Path(made.wells.path).name, data_hash=made.wells.key,
        il2_version=__version__, command=command,
        note="covariance_log10 is of the log10 of the values in their order; held numbers have none",
    )  # fmt: skip


def _warnings(made: Made, starts: Sequence[Start], x: np.ndarray, posterior: Posterior | None) -> Iterable[str]:
    """What a reader must know before the numbers are used."""
    yield from made.notes
    agreeing = sum(start.cost <= starts[0].cost + SAME for start in starts)
    if agreeing == 1 and len(starts) > 1:
        yield "only one start reached the best optimum: more may find a better one (--starts)"
    if failed := sum(not math.isfinite(start.cost) for start in starts):
        yield f"{failed} of {len(starts)} starts failed"
    values = native(made.problem.free, x)
    known = "replicates tell" if isinstance(made, Tidy) else "its prior says"
    for f, value in zip(made.problem.free, values, strict=True):
        if f.kind == NOISE and math.isfinite(f.spread) and value > EXCESS * f.centre:
            yield (
                f"{f.name} is {value / f.centre:.2g} times what {known}: the model leaves something out there, "
                "and intervals may be too narrow"
            )
    if posterior is not None:
        if posterior.divergences:
            yield f"{posterior.divergences} draws diverged: intervals of the posterior may be too narrow"
        if (worst := float(np.nanmax(posterior.rhat, initial=1.0))) > 1.01:
            yield f"the chains have not mixed (R-hat up to {worst:.2f}): ask for more --draws"


def _uneven(made: Made, x: np.ndarray, expected: np.ndarray) -> Iterable[str]:
    """Groups of points whose residuals grow with the signal, more than their noise does."""
    off, found = np.abs(predictive.over_noise(made, x, expected)), []
    signal = made.measured(expected)
    for kind in dict.fromkeys(made.groups.tolist()):
        here = made.groups == kind
        if here.sum() < FEWEST_UNEVEN:
            continue
        low, high = np.quantile(signal[here], [1 / 3, 2 / 3])
        if np.median(off[here & (signal >= high)]) > UNEVEN * np.median(off[here & (signal <= low)]):
            found.append(str(kind))
    if found:
        yield (
            f"residuals of {', '.join(found)} grow with the signal more than the noise of the fit does: bands are too "
            "wide at low signals and too narrow at high ones"
        )
