"""The JAX wrapper: values are those of the solve, derivatives those of the adjoint, and JAX works through both."""

import numpy as np
import pytest

from il2.engine.solve import solve
from il2.errors import Il2Error
from il2.network.program import lower
from il2.signalling.models import MODELS

jax = pytest.importorskip("jax", reason="JAX is not installed: pip install 'il2[jax]'")
TIMES = np.array([10.0, 30.0])


@pytest.fixture(scope="module")
def lanes():
    network = MODELS["response-IL2"].build()
    program = lower(network)
    p = np.tile([network.defaults()[n] for n in program.parameters], (3, 1))
    for j, name in enumerate(program.parameters):
        if name.endswith("_count"):
            p[:, j] = (500.0, 2000.0, 9000.0)
        elif name == "IL2_dose":
            p[:, j] = (0.01, 0.1, 1.0)
    return program, p


def test_thirty_two_bit_numbers_are_refused(lanes):
    from il2.engine.jax import states

    jax.config.update("jax_enable_x64", False)
    with pytest.raises(Il2Error, match="32-bit"):
        states(lanes[0], TIMES)


def test_values_and_derivatives_under_jit(lanes):
    from il2.engine.jax import states

    jax.config.update("jax_enable_x64", True)
    program, p = lanes
    function = states(program, TIMES)
    readout = program.states.index("pSTAT5.pSTAT5@nucleus")

    def loss(log_p):
        y = function(jax.numpy.exp(log_p))
        return jax.numpy.sum(jax.numpy.log1p(y[:, :, readout]))

    at = np.log(np.where(p > 0, p, 1.0))
    positive = np.exp(at)
    assert (np.asarray(function(positive)) == solve(program, positive, TIMES).y).all()
    value, slope = jax.jit(jax.value_and_grad(loss))(at)
    assert float(value) == pytest.approx(float(loss(at)))
    for j in (0, 1, 7, program.parameters.index("STAT5_phosphorylation_rate")):
        h = 1e-4
        up, down = at.copy(), at.copy()
        up[1, j] += h
        down[1, j] -= h
        expected = (float(loss(up)) - float(loss(down))) / (2 * h)
        assert float(slope[1, j]) == pytest.approx(expected, rel=2e-4, abs=1e-6)
