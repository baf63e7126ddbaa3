"""Ways to the same gradient: the engine's adjoint, its central differences, CasADi's CVODES, and AMICI.

Each is set up once and gives, for a `Problem`, derivatives of the sum over output times of the observable, by the
parameters (lanes, parameters) and by the initial state (lanes, states).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from problem import TIMES, Problem
from tapes import needed

from il2.engine.gradient import gradient
from il2.engine.observe import observed
from il2.engine.solve import Tolerances, solve
from il2.formats.sbml import sbml_ids, to_sbml
from il2.network.network import Network
from il2.network.program import lower_expressions
from il2.network.tape import Tape
from il2.receptor.model import ACTIVE

Gradients = tuple[np.ndarray, np.ndarray | None]
Run = Callable[[Problem, float, float], tuple[Gradients, float]]  # with the seconds of the processor that it took
STEP = 1e-3  # of a parameter, in differences
FLAGS = ("-O3", "-march=native", "-fPIC", "-shared")
CVODES = {
    "max_num_steps": 100_000,
    "always_recalculate_jacobian": False,
    "interpolation_type": "polynomial",
    "steps_per_checkpoint": 10_000,
}
AMICI_PYTHON = "IL2_AMICI_PYTHON"


def total(readouts: np.ndarray, _lanes: slice) -> tuple[np.ndarray, np.ndarray]:
    return readouts.sum((1, 2)), np.ones_like(readouts)


def timed(work: Callable[[Problem, float, float], Gradients]) -> Run:
    def run(case: Problem, rtol: float, atol: float) -> tuple[Gradients, float]:
        start = time.process_time()
        found = work(case, rtol, atol)
        return found, time.process_time() - start

    return run


# --- the engine -----------------------------------------------------------------------------------------------
def adjoint(case: Problem, rtol: float, atol: float) -> Gradients:
    loss = observed(case.network, [ACTIVE], case.parameters, total)
    tolerances = Tolerances(rtol=rtol, atol=atol)
    found = gradient(case.program, case.parameters, TIMES, loss, tolerances=tolerances, threads=1)
    return found.parameters, found.initial


def differences(case: Problem, rtol: float, atol: float, scale: np.ndarray, step: float = STEP) -> Gradients:
    """Central differences; the initial values are moved by a part of `scale` (lanes, states)."""
    tolerances = Tolerances(rtol=rtol, atol=atol)
    p, start = case.parameters, case.prepared[1]
    by_p, up, down = _moved(p, step * np.where(p == 0, 1.0, np.abs(p)))
    value = _value(case, np.concatenate([up, down]), None, tolerances)
    by_y, up, down = _moved(start, step * scale)
    same = np.repeat(p, start.shape[1], axis=0)
    moved = _value(case, np.concatenate([same, same]), np.concatenate([up, down]), tolerances)
    return _quotient(value, by_p), _quotient(moved, by_y)


def _quotient(values: np.ndarray, h: np.ndarray) -> np.ndarray:
    return np.subtract(*np.split(values, 2)).reshape(h.shape) / (2 * h)


def _moved(x: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lanes, n = x.shape
    shift = h[:, :, None] * np.eye(n)
    return h, *((x[:, None] + sign * shift).reshape(lanes * n, n) for sign in (1, -1))


def _value(case: Problem, p: np.ndarray, start: np.ndarray | None, tolerances: Tolerances) -> np.ndarray:
    y = solve(case.program, p, TIMES, initial=start, tolerances=tolerances, threads=1).y
    return Problem(case.network, case.program, p).active(y).sum(1)


# --- CasADi ---------------------------------------------------------------------------------------------------
def casadi_adjoint(case: Problem) -> Run:
    make = _casadi(case, compile=True)

    def build(rtol: float, atol: float):
        back = make(rtol, atol).reverse(1)
        return lambda shift, p: back(shift, p, 0.0, 1.0)

    return _casadi_run(build)


def casadi_forward(case: Problem) -> Run:
    """All directions at once; CasADi integrates them in groups of at most 64."""
    make = _casadi(case, compile=False)  # generated C offers no second derivatives, which these need
    n, n_p = case.program.n_states, len(case.program.parameters)
    ones = np.eye(n + n_p)

    def build(rtol: float, atol: float):
        ahead = make(rtol, atol).forward(n + n_p)

        def both(shift, p):
            found = np.asarray(ahead(shift, p, 0.0, ones[:n], ones[n:])).ravel()
            return found[:n], found[n:]

        return both

    return _casadi_run(build)


def _casadi_run(build: Callable) -> Run:
    made: dict = {}

    def work(case: Problem, rtol: float, atol: float) -> Gradients:
        none = np.zeros(case.program.n_states)
        found = [made[rtol, atol](none, p) for p in case.parameters]
        by_y, by_p = (np.array([np.asarray(f[i]).ravel() for f in found]) for i in (0, 1))
        return by_p, by_y

    def run(case: Problem, rtol: float, atol: float) -> tuple[Gradients, float]:
        if (rtol, atol) not in made:
            made[rtol, atol] = build(rtol, atol)
            work(case.first(1), rtol, atol)
        return timed(work)(case, rtol, atol)

    return run


def _casadi(case: Problem, compile: bool) -> Callable:
    """make(rtol, atol): a function of shifts of the initial values and of the parameters to the summed observable."""
    import casadi as ca

    program = case.program
    n, n_p = program.n_states, len(program.parameters)
    y, k, p = ca.SX.sym("y", n), ca.SX.sym("k", len(program.constants)), ca.SX.sym("p", n_p)
    rates = _casadi_tape(program.rates, {"y": y, "k": k}, program.derivative)
    outputs = [_casadi_tape(program.prepare, {"p": p}, part) for part in (program.constants, program.initial)]
    prepare = ca.Function("prepare", [p], outputs)
    tape, places = lower_expressions(case.network, [o.expr for o in case.network.observables if o.name == ACTIVE])
    active = ca.Function("active", [y, p], [_casadi_tape(tape, {"y": y, "p": p}, places)])
    ode = {"x": y, "p": k, "ode": rates}
    if compile and shutil.which("gcc"):
        law = _casadi_compiled(ca.Function("rates", [y, k], [rates]))
        y_m, k_m = ca.MX.sym("y", n), ca.MX.sym("k", len(program.constants))
        ode = {"x": y_m, "p": k_m, "ode": law(y_m, k_m)}

    def make(rtol: float, atol: float):
        solver = ca.integrator("solver", "cvodes", ode, 0.0, list(TIMES), CVODES | {"reltol": rtol, "abstol": atol})
        shift, given = ca.MX.sym("shift", n), ca.MX.sym("given", n_p)
        constants, start = prepare(given)
        states = solver(x0=start + shift, p=constants)["xf"]
        value = sum(active(states[:, i], given) for i in range(len(TIMES)))
        return ca.Function("value", [shift, given], [value])

    return make


def _casadi_tape(tape: Tape, arrays: dict, outputs):
    import casadi as ca

    two = {"add": ca.plus, "sub": ca.minus, "mul": ca.times, "div": ca.rdivide, "pow": ca.power}
    one = {"neg": lambda x: -x, "exp": ca.exp, "log": ca.log}
    values: dict = {}
    for v in needed(tape, outputs):
        op, *parts = tape.ops[v]
        if op == "const":
            values[v] = ca.SX(parts[0])
        elif op == "load":
            values[v] = arrays[parts[0]][parts[1]]
        else:
            values[v] = (one | two)[op](*(values[part] for part in parts))
    return ca.vertcat(*(values[v] for v in outputs))


def _casadi_compiled(f):
    """The function and its first derivatives as generated C, compiled and loaded."""
    import casadi as ca

    with tempfile.TemporaryDirectory() as folder:
        code = ca.CodeGenerator("law.c")
        for part in (f, f.jacobian(), f.forward(1), f.reverse(1)):
            code.add(part)
        code.generate(folder + "/")
        library = f"{folder}/law.so"
        subprocess.run(["gcc", *FLAGS, f"{folder}/law.c", "-o", library], check=True)
        return ca.external(f.name(), library)


# --- AMICI ----------------------------------------------------------------------------------------------------
class Amici:
    """Its adjoint in a process of the interpreter that IL2_AMICI_PYTHON names; no derivatives by initial values."""

    def __init__(self, case: Problem) -> None:
        self.folder = tempfile.TemporaryDirectory()
        here, python = Path(self.folder.name), os.environ[AMICI_PYTHON]
        ids = sbml_ids(case.network)
        (here / "model.xml").write_text(to_sbml(case.network), encoding="utf-8")
        np.savez(
            here / "case.npz", parameters=case.parameters, times=TIMES, formula=sbml_formula(case.network),
            ids=[ids["constant", name] for name in case.program.parameters],
        )  # fmt: skip
        path = os.pathsep.join([str(Path(python).parent), os.environ["PATH"]])  # where pip put swig
        settings = {"PATH": path, "AMICI_CXXFLAGS": "-march=native"}
        settings |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        script = Path(__file__).with_name("amici_adjoint.py")
        self.process = subprocess.Popen(
            [python, str(script), str(here)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env=os.environ | settings,
        )  # fmt: skip
        self.version = self._answer()

    def __call__(self, case: Problem, rtol: float, atol: float) -> tuple[Gradients, float]:
        print(rtol, atol, file=self.process.stdin, flush=True)
        spent = float(self._answer())
        return (np.load(Path(self.folder.name) / "found.npy"), None), spent

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.folder.cleanup()

    def _answer(self) -> str:
        for line in self.process.stdout:
            if line.startswith("il2 "):
                return line.split()[1]
        raise RuntimeError("AMICI's process ended; run benchmarks/amici_adjoint.py by hand to see why")


def sbml_formula(network: Network) -> str:
    """The observable over SBML identifiers."""
    names = {name: found for (kind, name), found in sbml_ids(network).items() if kind in ("species", "constant")}
    text = str(next(o.expr for o in network.observables if o.name == ACTIVE))
    return re.sub(r"[A-Za-z][\w.@]*", lambda match: names[match[0]], text)
