"""The discrete adjoint of Rodas5P on lanes: logged steps are taken again and traversed backwards, as LLVM IR.

With W = D I - J(y) and the stages U_s of the forward step (see `rodas5p`), the adjoint of a step solves W^T v_s for
each stage, last first, sends v_s through the transposed Jacobian of that stage, and at the end sends
sum_s v_s U_s^T through the derivatives of J itself. Step sizes are taken as they were.
"""

from __future__ import annotations

from llvmlite import ir

from il2.engine import kernel, rodas5p
from il2.engine.elimination import eliminate, transposed
from il2.engine.lanes import POINTER, Lanes, Layout
from il2.engine.sideways import Back, through_jacobian, through_rates
from il2.engine.traverse import traverse
from il2.network.program import Program
from il2.network.reverse import copied

LAST = rodas5p.STAGES - 1
CARRIED = len(rodas5p.A)  # stages from here on are the stage before them plus its increment


class BackwardLayout(Layout):
    """Workspace of the backward pass; v holds the adjoints of the stages, `lam` that of the state."""

    def sizes(self):
        yield from (("y", self.n), ("k", self.constants), ("d", 1), ("lu", self.entries), ("pivot", 1))
        for name in ("u", "v", "stage"):
            yield name, self.n * rodas5p.STAGES
        yield from (("lam", self.n), ("ybar", self.n), ("sbar", self.n), ("kbar", self.constants))
        for name in ("h", "active", "lane", "step", "index"):
            yield name, 1


def modules(program: Program, width: int) -> tuple[str, str, Layout]:
    """IR text of the kernels and of the driver of the backward pass, and the layout that they share."""
    elimination = eliminate(program)
    n, constants = program.n_states, len(program.constants)
    layout = BackwardLayout(n, constants, len(elimination.entries), len(program.parameters), width)
    own = dict.fromkeys(("y", "k", "d", "lu", "pivot", "x", "u", "v", "ybar", "kbar"), width)

    def arrays(*names: str) -> dict[str, int]:
        return {name: own[name] for name in names}

    rates = copied(program.rates)
    added = tuple(rates.add(rates.load("x", i), v) for i, v in enumerate(program.derivative))
    back, solution = transposed(elimination)
    factored = {"lu": elimination.entries, "pivot": (elimination.least_pivot,)}
    prepared = {"k": program.constants, "y": program.initial}
    texts = [
        kernel.declarations({1, width}),
        kernel.function("prepare", program.prepare, {"p": 1, "k": width, "y": width}, prepared, 1),
        kernel.function("rates", rates, arrays("y", "k", "x"), {"x": added}, width),
        kernel.function("factor", elimination.factor, arrays("y", "k", "d", "lu", "pivot"), factored, width),
        kernel.function("solve", elimination.solve, arrays("lu", "x"), {"x": elimination.solution}, width),
        kernel.function("solve_transposed", back, arrays("lu", "x"), {"x": solution}, width),
        _printed("through_rates", through_rates(program), own, width),
        _printed("through_jacobian", through_jacobian(program), own, width),
    ]
    counts = {"prepare": 3, "rates": 3, "factor": 5, "solve": 2, "solve_transposed": 2}
    lanes = Lanes(layout, program.controlled, counts | {"through_rates": 5, "through_jacobian": 6})
    traverse(lanes, step_back(lanes))
    return "\n".join(texts), str(lanes.module), layout


def _printed(name: str, back: Back, own: dict[str, int], width: int) -> str:
    arrays = {key: own[key] for key in back.arrays}
    return kernel.function(name, back.tape, arrays, {"ybar": back.states, "kbar": back.constants}, width)


def step_back(lanes: Lanes) -> ir.Function:
    """step_back(workspace): from y, k, h and lam (adjoint after the step) to lam before it; adds to kbar."""
    f = ir.Function(lanes.module, ir.FunctionType(ir.VoidType(), [POINTER]), "step_back")
    f.linkage = "internal"
    (workspace,) = f.args
    b = ir.IRBuilder(f.append_basic_block("entry"))
    n = lanes.layout.n
    at = {
        name: lanes.array(b, workspace, name) for name in ("y", "k", "lu", "d", "pivot", "lam", "ybar", "sbar", "kbar")
    }
    u, v, stage = ([lanes.array(b, workspace, a, s * n) for s in range(rodas5p.STAGES)] for a in ("u", "v", "stage"))
    inverse_h = b.fdiv(lanes.splat(1.0), lanes.get(b, lanes.array(b, workspace, "h")))
    lanes.put(b, b.fmul(inverse_h, lanes.splat(1.0 / rodas5p.GAMMA)), at["d"])
    b.call(lanes.kernels["factor"], [at["y"], at["k"], at["d"], at["lu"], at["pivot"]])
    _again(lanes, b, at, u, stage, inverse_h)

    with lanes.loop(b, n) as i:
        value = lanes.get(b, lanes.element(b, at["lam"], i))
        for s in range(LAST):
            lanes.put(b, lanes.splat(0.0), lanes.element(b, v[s], i))
        lanes.put(b, value, lanes.element(b, v[LAST], i))
        lanes.put(b, value, lanes.element(b, at["sbar"], i))
        lanes.put(b, lanes.splat(0.0), lanes.element(b, at["ybar"], i))
    for s in reversed(range(rodas5p.STAGES)):
        b.call(lanes.kernels["solve_transposed"], [at["lu"], v[s]])
        bar = at["sbar"] if s else at["ybar"]
        b.call(lanes.kernels["through_rates"], [stage[s], at["k"], v[s], bar, at["kbar"]])
        _send(lanes, b, at, v, s, inverse_h)
    b.call(lanes.kernels["through_jacobian"], [at["y"], at["k"], u[0], v[0], at["ybar"], at["kbar"]])
    with lanes.loop(b, n) as i:
        lanes.put(b, lanes.get(b, lanes.element(b, at["ybar"], i)), lanes.element(b, at["lam"], i))
    b.ret_void()
    return f


def _again(lanes: Lanes, b: ir.IRBuilder, at: dict, u: list, stage: list, inverse_h: ir.Value) -> None:
    """Take the forward step once more, and keep its stages and increments."""
    for s in range(rodas5p.STAGES):
        c_over_h = [b.fmul(lanes.splat(c), inverse_h) for c in rodas5p.C[s]]
        with lanes.loop(b, lanes.layout.n) as i:
            before = [lanes.get(b, lanes.element(b, u[j], i)) for j in range(s)]
            start, value = lanes.splat(0.0), lanes.get(b, lanes.element(b, at["y"], i))
            for c, increment in zip(c_over_h, before, strict=True):
                start = lanes.fma(b, start, c, increment)
            if s < CARRIED:
                for a, increment in zip(rodas5p.A[s], before, strict=True):
                    value = lanes.fma(b, value, lanes.splat(a), increment)
            else:
                value = b.fadd(lanes.get(b, lanes.element(b, stage[s - 1], i)), before[-1])
            lanes.put(b, value, lanes.element(b, stage[s], i))
            lanes.put(b, start, lanes.element(b, u[s], i))
        b.call(lanes.kernels["rates"], [stage[s], at["k"], u[s]])
        b.call(lanes.kernels["solve"], [at["lu"], u[s]])


def _send(lanes: Lanes, b: ir.IRBuilder, at: dict, v: list, s: int, inverse_h: ir.Value) -> None:
    """Send the adjoints of stage s to what it was made of: earlier increments, the stage before, the state."""
    with lanes.loop(b, lanes.layout.n) as i:
        here, bar = lanes.get(b, lanes.element(b, v[s], i)), lanes.element(b, at["sbar"], i)
        stage_bar = lanes.get(b, bar)
        for j in range(s):
            target = lanes.element(b, v[j], i)
            total = lanes.fma(b, lanes.get(b, target), b.fmul(lanes.splat(rodas5p.C[s][j]), inverse_h), here)
            weight = rodas5p.A[s][j] if s < CARRIED else float(j == s - 1)
            lanes.put(b, lanes.fma(b, total, lanes.splat(weight), stage_bar) if weight else total, target)
        if 0 < s < CARRIED:
            lanes.put(b, lanes.splat(0.0), bar)
            target = lanes.element(b, at["ybar"], i)
            lanes.put(b, b.fadd(lanes.get(b, target), stage_bar), target)
