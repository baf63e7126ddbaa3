"""Forward sensitivities: against the adjoint, an analytic solution, and the steps of the network alone."""

import numpy as np
import pytest
from stiff import network as of_rates
from stiff import robertson

from il2.engine.gradient import gradient
from il2.engine.observe import readouts
from il2.engine.solve import Tolerances, solve
from il2.errors import ModelError
from il2.network.expression import sym
from il2.network.program import lower
from il2.network.sensitivity import tangent, with_sensitivities
from il2.signalling.models import MODELS

TIMES = np.array([5.0, 30.0])


def defaults(network):
    return np.array([[network.defaults()[n] for n in network.parameter_names]])


def test_decay_has_its_analytic_sensitivities():
    plain = of_rates("decay", {"y": 2.0}, {"k": 0.3}, {"y": sym("k") * sym("y") * -1.0})
    network = with_sensitivities(plain, ["k", "y_0"], controlled=True)
    y = solve(lower(network), defaults(network), TIMES, tolerances=Tolerances(1e-10, 1e-14)).y[0]
    assert y[:, 1] == pytest.approx(-TIMES * 2.0 * np.exp(-0.3 * TIMES), rel=1e-8)
    assert y[:, 2] == pytest.approx(np.exp(-0.3 * TIMES), rel=1e-8)


@pytest.mark.parametrize("name", ["response-IL2", "response-IL2-depleted"])
def test_they_agree_with_the_adjoint(name):
    plain = MODELS[name].build()
    plain = plain.with_values({"IL2RA_count": 3000.0, "IL2RB_count": 700.0, "IL2RG_count": 9000.0, "IL2_dose": 0.1})
    chosen = ["ligand_association_rate", "KD_IL2_IL2RA", "internalisation_IL2RB", "STAT5_total", "IL2RA_count"]
    tight = Tolerances(rtol=1e-9, atol=1e-11)
    network = with_sensitivities(plain, chosen, controlled=True)
    p = defaults(network)
    y = solve(lower(network), p, TIMES, tolerances=tight).y
    names = [tangent("pstat5", by) for by in chosen]
    forward = readouts(network, names, y, p)[0].sum(0)

    def of(values, lanes):
        return values.sum((1, 2)), np.ones_like(values)

    from il2.engine.observe import observed

    program = lower(plain)
    back = gradient(program, p, TIMES, observed(plain, ["pstat5"], p, of), tolerances=tight)
    adjoint = back.parameters[0, [program.parameters.index(by) for by in chosen]]
    assert forward == pytest.approx(adjoint, rel=1e-6)


def test_uncontrolled_sensitivities_leave_the_steps_as_they_are():
    plain = robertson()
    network = with_sensitivities(plain, ["k1", "k3"])
    times = np.array([0.4, 40.0])
    alone, both = (solve(lower(n), defaults(n), times) for n in (plain, network))
    assert (alone.accepted == both.accepted).all()
    assert both.y[:, :, :3] == pytest.approx(alone.y, rel=1e-9)


def test_an_unknown_parameter_is_named():
    with pytest.raises(ModelError, match="Did you mean 'k1'"):
        with_sensitivities(robertson(), ["k11"])


def test_they_are_not_taken_twice():
    with pytest.raises(ModelError, match="already"):
        with_sensitivities(with_sensitivities(robertson(), ["k1"]), ["k1"])
