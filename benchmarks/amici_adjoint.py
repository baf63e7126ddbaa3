"""AMICI's adjoint as a process of its own: `IL2_AMICI_PYTHON amici_adjoint.py FOLDER`, started by `gradient_peers.py`.

FOLDER holds model.xml and case.npz. A line "RTOL ATOL" on standard input is answered with "il2 SECONDS" after the
gradients (lanes, parameters) of all lanes were written to found.npy. Needs no il2.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import amici
import amici.sim.sundials as simulation
import numpy as np
from amici import MeasurementChannel, SbmlImporter

FAR = 1e12  # a measurement that no observable reaches: with Laplace noise of scale 1, d llh / d observable is 1


def main(folder: Path) -> None:
    case = np.load(folder / "case.npz")
    channel = MeasurementChannel("seen", formula=str(case["formula"]), noise_distribution="laplace", sigma=1.0)
    SbmlImporter(folder / "model.xml").sbml2amici(
        "bench", folder / "bench", observation_model=[channel], verbose=False, compute_conservation_laws=False
    )
    model = simulation.import_model_module("bench", folder / "bench").get_model()
    model.set_timepoints(case["times"])
    given = {str(name): i for i, name in enumerate(case["ids"])}
    order = [given[name] for name in model.get_free_parameter_ids()]
    lanes = [_lane(model, row[order], len(case["times"])) for row in case["parameters"]]
    print(f"il2 {amici.__version__}", flush=True)
    for line in sys.stdin:
        solver = _solver(model, *map(float, line.split()))
        start = time.process_time()
        found = [simulation.run_simulation(model, solver, lane) for lane in lanes]  # run_simulations is slower
        rows = np.array([lane["sllh"] for lane in found])
        spent = time.process_time() - start
        gradients = np.empty_like(rows)
        gradients[:, order] = rows
        np.save(folder / "found.npy", gradients)
        print(f"il2 {spent!r}", flush=True)


def _lane(model, parameters: np.ndarray, times: int):
    data = simulation.ExpData(model)
    data.set_measurements([FAR] * times)
    data.free_parameters = parameters
    return data


def _solver(model, rtol: float, atol: float):
    solver = model.create_solver()
    solver.set_sensitivity_order(simulation.SensitivityOrder.first)
    solver.set_sensitivity_method(simulation.SensitivityMethod.adjoint)
    solver.set_return_data_reporting_mode(simulation.RDataReporting.likelihood)
    solver.set_max_steps(100_000)
    solver.set_max_steps_backward_problem(100_000)
    for kind in ("", "_b", "_quadratures"):
        getattr(solver, f"set_relative_tolerance{kind}")(rtol)
        getattr(solver, f"set_absolute_tolerance{kind}")(atol)
    return solver


if __name__ == "__main__":
    main(Path(sys.argv[1]))
