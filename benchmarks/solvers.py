"""The engine and its peers behind one call, each prepared as well as its interface allows."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from problem import TIMES, Problem
from tapes import jacobian_function, rates_function

import il2
from il2.engine.compile import compiled
from il2.engine.solve import Tolerances, solve
from il2.formats.sbml import sbml_ids, to_sbml

FROM_ZERO = np.array([0.0, *TIMES])
MOST_STEPS = 100_000
Solve = Callable[[Problem, float, float], np.ndarray]  # (problem, rtol, atol) -> states (lanes, times, states)


@dataclass(frozen=True)
class Kind:
    """How to set up a solver; `modules` are the imports that it needs, `package` gives the version."""

    package: str
    modules: tuple[str, ...]
    setup: Callable[[Problem], Solve]


def engine(problem: Problem) -> Solve:
    compiled(problem.program)

    def run(problem: Problem, rtol: float, atol: float) -> np.ndarray:
        tolerances = Tolerances(rtol=rtol, atol=atol)
        return solve(problem.program, problem.parameters, TIMES, tolerances=tolerances, threads=1).y

    return run


def roadrunner(problem: Problem) -> Solve:
    """CVODE on the SBML model; the constants of a lane are set as plain values, so that nothing is recompiled."""
    runner = sbml_runner(problem)
    ids = sbml_ids(problem.network)
    constants, species = constant_places(runner, problem), species_places(runner, problem)
    runner.timeCourseSelections = [ids["species", name] for name in problem.program.states]
    times = list(FROM_ZERO)

    def run(problem: Problem, rtol: float, atol: float) -> np.ndarray:
        model, initial, values = runner.model, problem.prepared[1], problem.constants
        runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = rtol, atol
        out = np.empty((len(initial), len(TIMES), problem.program.n_states))
        for lane in range(len(initial)):
            model.setTime(0.0)
            model.setGlobalParameterValues(constants, values[lane])
            model.setFloatingSpeciesAmounts(species, initial[lane])
            out[lane] = np.asarray(runner.simulate(times=times))[1:]
        return out

    return run


def sbml_runner(problem: Problem):
    """libroadrunner with the exported SBML, compiled by its newer back end at its highest level."""
    from roadrunner import Config, RoadRunner

    Config.setValue(Config.LLVM_BACKEND, Config.LLJIT)
    Config.setValue(Config.LLJIT_OPTIMIZATION_LEVEL, Config.AGGRESSIVE)
    runner = RoadRunner(to_sbml(problem.network))
    runner.integrator.maximum_num_steps = MOST_STEPS
    return runner


def species_places(runner, problem: Problem) -> list[int]:
    """Indices of the program's states among the species of the model."""
    species, ids = list(runner.model.getFloatingSpeciesIds()), sbml_ids(problem.network)
    return [species.index(ids["species", name]) for name in problem.program.states]


def constant_places(runner, problem: Problem) -> list[int]:
    """Indices of the parameters and derived constants among the global parameters of the model."""
    parameters, ids = list(runner.model.getGlobalParameterIds()), sbml_ids(problem.network)
    return [parameters.index(ids["constant", name]) for name in problem.constant_names]


def numbalsoda(problem: Problem) -> Solve:
    """LSODA in C++; right-hand side and loop over lanes are machine code. It differences its Jacobian."""
    import numba
    from numbalsoda import lsoda, lsoda_sig

    options = {"fastmath": {"contract"}, "error_model": "numpy"}
    rates = numba.cfunc(lsoda_sig, **options)(rates_function(problem.program))

    @numba.njit
    def batch(address, initial, constants, times, rtol, atol):
        out = np.empty((len(initial), len(times) - 1, initial.shape[1]))
        for lane in range(len(initial)):
            y, good = lsoda(address, initial[lane], times, constants[lane], rtol, atol, MOST_STEPS)
            out[lane] = y[1:] if good else np.full_like(out[lane], np.nan)
        return out

    def run(problem: Problem, rtol: float, atol: float) -> np.ndarray:
        constants, initial = problem.prepared
        return batch(rates.address, initial.copy(), np.ascontiguousarray(constants), FROM_ZERO, rtol, atol)

    return run


def odeint(problem: Problem) -> Solve:
    """SciPy's older interface to LSODA, with compiled right-hand side and analytic Jacobian."""
    from scipy.integrate import odeint as integrate

    f, jacobian = numba_equations(problem)

    def run(problem: Problem, rtol: float, atol: float) -> np.ndarray:
        constants, initial = problem.prepared
        out = np.empty((len(initial), len(TIMES), problem.program.n_states))
        for lane, (k, y) in enumerate(zip(constants, initial, strict=True)):
            out[lane] = integrate(
                f, y, FROM_ZERO, (k,), jacobian, rtol=rtol, atol=atol, tfirst=True, mxstep=MOST_STEPS
            )[1:]
        return out

    return run


def solve_ivp(problem: Problem) -> Solve:
    """SciPy's newer interface to LSODA, with the same compiled functions."""
    from scipy.integrate import solve_ivp as integrate

    f, jacobian = numba_equations(problem)

    def run(problem: Problem, rtol: float, atol: float) -> np.ndarray:
        constants, initial = problem.prepared
        out = np.empty((len(initial), len(TIMES), problem.program.n_states))
        span = 0.0, float(TIMES[-1])
        for lane, (k, y) in enumerate(zip(constants, initial, strict=True)):
            found = integrate(f, span, y, "LSODA", TIMES, args=(k,), jac=jacobian, rtol=rtol, atol=atol)
            out[lane] = found.y.T
        return out

    return run


def numba_equations(problem: Problem) -> tuple[Callable, Callable]:
    """f(t, y, k) and jacobian(t, y, k) as Numba functions that can be called from Python."""
    import numba

    compile = numba.njit(fastmath={"contract"}, error_model="numpy")
    rates, entries = compile(rates_function(problem.program)), compile(jacobian_function(problem.program))
    n = problem.program.n_states

    @numba.njit
    def f(t, y, k):
        out = np.empty(n)
        rates(t, y, out, k)
        return out

    @numba.njit
    def jacobian(t, y, k):
        out = np.zeros((n, n))
        entries(t, y, out, k)
        return out

    return f, jacobian


ENGINE = "il2 engine"
SOLVERS = {
    ENGINE: Kind("il2", ("il2.engine.solve",), engine),
    "libroadrunner": Kind("libroadrunner", ("roadrunner", "libsbml"), roadrunner),
    "numbalsoda": Kind("numbalsoda", ("numba", "numbalsoda"), numbalsoda),
    "SciPy odeint": Kind("scipy", ("numba", "scipy.integrate"), odeint),
    "SciPy solve_ivp LSODA": Kind("scipy", ("numba", "scipy.integrate"), solve_ivp),
}


def installed(name: str) -> bool:
    """Whether everything that a solver needs can be imported."""
    try:
        for module in SOLVERS[name].modules:
            importlib.import_module(module)
    except (ImportError, OSError):
        return False
    return True


def package_version(package: str) -> str:
    """Version of an installed distribution; that of il2 may run from its source tree."""
    if package == "il2":
        return il2.__version__
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
