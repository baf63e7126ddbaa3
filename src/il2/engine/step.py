"""One Rosenbrock step of W lanes and its error, as LLVM IR around the printed kernels."""

from __future__ import annotations

from llvmlite import ir

from il2.engine import rodas5p
from il2.engine.lanes import INT, POINTER, Lanes


def rosenbrock_step(lanes: Lanes) -> ir.Function:
    """step(workspace): from y, k, h writes new and the error estimate u[7]; pivot gets the smallest."""
    f = ir.Function(lanes.module, ir.FunctionType(ir.VoidType(), [POINTER, lanes.vector]), "step")
    f.linkage = "internal"
    workspace, h = f.args
    b = ir.IRBuilder(f.append_basic_block("entry"))
    n = lanes.layout.n
    y, k, lu, d = (lanes.array(b, workspace, a) for a in ("y", "k", "lu", "d"))
    new, pivot = lanes.array(b, workspace, "new"), lanes.array(b, workspace, "pivot")
    u = [lanes.array(b, workspace, "u", s * n) for s in range(rodas5p.STAGES)]
    inverse_h = b.fdiv(lanes.splat(1.0), h)
    lanes.put(b, b.fmul(inverse_h, lanes.splat(1.0 / rodas5p.GAMMA)), d)
    b.call(lanes.kernels["factor"], [y, k, d, lu, pivot])

    for s in range(rodas5p.STAGES):
        c_over_h = [b.fmul(lanes.splat(c), inverse_h) for c in rodas5p.C[s]]
        with lanes.loop(b, n) as i:
            before = [lanes.get(b, lanes.element(b, u[j], i)) for j in range(s)]
            if s == 0:
                start = lanes.splat(0.0)
            else:
                start = b.fmul(c_over_h[0], before[0])
                for c, value in zip(c_over_h[1:], before[1:], strict=True):
                    start = lanes.fma(b, start, c, value)
                if s < len(rodas5p.A):
                    stage = lanes.get(b, lanes.element(b, y, i))
                    for a, value in zip(rodas5p.A[s], before, strict=True):
                        stage = lanes.fma(b, stage, lanes.splat(a), value)
                else:
                    stage = b.fadd(lanes.get(b, lanes.element(b, new, i)), before[-1])
                lanes.put(b, stage, lanes.element(b, new, i))
            lanes.put(b, start, lanes.element(b, u[s], i))
        b.call(lanes.kernels["rates"], [new if s else y, k, u[s]])
        b.call(lanes.kernels["solve"], [lu, u[s]])
    with lanes.loop(b, n) as i:
        at = lanes.element(b, new, i)
        lanes.put(b, b.fadd(lanes.get(b, at), lanes.get(b, lanes.element(b, u[-1], i))), at)
    b.ret_void()
    return f


def mean_square_error(lanes: Lanes, b: ir.IRBuilder, workspace: ir.Value, rtol: ir.Value, atol: ir.Value) -> ir.Value:
    """Mean square of the scaled error over the controlled states."""
    y, new = lanes.array(b, workspace, "y"), lanes.array(b, workspace, "new")
    e = lanes.array(b, workspace, "u", (rodas5p.STAGES - 1) * lanes.layout.n)
    total = lanes.splat(0.0)
    for i, controlled in enumerate(lanes.controlled):
        if controlled:
            before, after, err = (lanes.get(b, lanes.element(b, p, i)) for p in (y, new, e))
            size = lanes.choose_max(b, b.call(lanes.absolute, [before]), b.call(lanes.absolute, [after]))
            scaled = b.fdiv(err, lanes.fma(b, atol, rtol, size))
            total = lanes.fma(b, total, scaled, scaled)
        else:  # only whether it is a number
            err = lanes.get(b, lanes.element(b, e, i))
            total = b.fadd(total, b.fmul(err, lanes.splat(0.0)))
    return b.fmul(total, lanes.splat(1.0 / sum(lanes.controlled)))


def tenth_root_inverse(lanes: Lanes, b: ir.IRBuilder, x: ir.Value) -> ir.Value:
    """x ** -0.1 for positive finite x: a guess from the exponent bits, then three Newton steps."""
    integers = ir.VectorType(INT, lanes.w)
    bits = b.sitofp(b.bitcast(x, integers), lanes.vector)
    guess = b.fsub(lanes.splat(1.1 * 1023.0 * 2.0**52), b.fmul(lanes.splat(0.1), bits))
    r = b.bitcast(b.fptosi(guess, integers), lanes.vector)
    for _ in range(3):
        r2 = b.fmul(r, r)
        r4 = b.fmul(r2, r2)
        r10 = b.fmul(b.fmul(r4, r4), r2)
        r = b.fmul(r, b.fsub(lanes.splat(1.1), b.fmul(lanes.splat(0.1), b.fmul(x, r10))))
    return r
