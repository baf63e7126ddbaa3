"""Counter-based random numbers: Philox4x32-10, the same bits in NumPy and in generated code.

The seed is the key; event number and stream (the lane) make up the counter. Philox permutes the counters of a
key, so no two events of any two streams of a seed ever share their four words, and the draw of an event
needs nothing but its place. Source: Salmon, Moraes, Dror and Shaw 2011, Proc SC11, doi 10.1145/2063384.2063405.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir

from il2.engine.lanes import DOUBLE, INT, Lanes
from il2.errors import Il2Error

ROUNDS = 10
MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
WEYL = 0x9E3779B9, 0xBB67AE85
LOW = 0xFFFFFFFF
ONE_BITS = 0x3FF0000000000000  # of the double 1.0
BELOW_ONE = 1.0 - 2.0**-53


def round_keys(seed: int) -> np.ndarray:
    """The key of every round, (10, 2); `seed` is a whole number from 0 to 2^64 - 1."""
    if not 0 <= seed < 2**64:
        raise Il2Error(f"the seed is {seed}", how="Give a whole number from 0 to 2^64 - 1.")
    first = seed & LOW, seed >> 32
    return np.array([[(k + r * w) & LOW for k, w in zip(first, WEYL, strict=True)] for r in range(ROUNDS)], np.int64)


def words(seed: int, stream: np.ndarray, event: np.ndarray) -> np.ndarray:
    """The four 32-bit words of every (stream, event), as uint64 of shape (4, ...)."""
    stream, event = np.broadcast_arrays(np.asarray(stream, np.uint64), np.asarray(event, np.uint64))
    half, low = np.uint64(32), np.uint64(LOW)
    c = [event & low, event >> half, stream & low, stream >> half]
    for k0, k1 in round_keys(int(seed)).astype(np.uint64):
        p0, p1 = (np.uint64(m) * x for m, x in zip(MULTIPLIERS, (c[0], c[2]), strict=True))
        c = [(p1 >> half) ^ c[1] ^ k0, p1 & low, (p0 >> half) ^ c[3] ^ k1, p0 & low]
    return np.stack(c)


def uniforms(seed: int, stream: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two uniform numbers per (stream, event): the first in (0, 1), the second in [0, 1), 52 bits each."""
    c = words(seed, stream, event)
    first, second = (((c[i + 1] << np.uint64(32)) | c[i]) >> np.uint64(12) for i in (0, 2))
    one = np.uint64(ONE_BITS)
    return (first | one).view(np.float64) - BELOW_ONE, (second | one).view(np.float64) - 1.0


# --- the same as LLVM IR, for W lanes ----------------------------------------------------------------------------
def draw(lanes: Lanes, b: ir.IRBuilder, keys: ir.Value, stream: ir.Value, event: ir.Value) -> tuple[ir.Value, ir.Value]:
    """`uniforms` of W lanes; `keys` points to the round keys, `stream` and `event` are vectors of integers."""
    vector = ir.VectorType(INT, lanes.w)

    def splat(value: int) -> ir.Constant:
        return ir.Constant(vector, [value] * lanes.w)

    def high(x: ir.Value) -> ir.Value:
        return b.lshr(x, splat(32))

    def low(x: ir.Value) -> ir.Value:
        return b.and_(x, splat(LOW))

    c = [low(event), high(event), low(stream), high(stream)]
    for r in range(ROUNDS):
        k0, k1 = (
            b.bitcast(lanes.broadcast(b, b.load(b.gep(keys, [INT(2 * r + i)], source_etype=INT), typ=DOUBLE)), vector)
            for i in (0, 1)
        )
        p0, p1 = (b.mul(x, splat(m)) for m, x in zip(MULTIPLIERS, (c[0], c[2]), strict=True))
        c = [b.xor(b.xor(high(p1), c[1]), k0), low(p1), b.xor(b.xor(high(p0), c[3]), k1), low(p0)]

    def unit(lower: ir.Value, upper: ir.Value, less: float) -> ir.Value:
        bits = b.lshr(b.or_(b.shl(upper, splat(32)), lower), splat(12))
        return b.fsub(b.bitcast(b.or_(bits, splat(ONE_BITS)), lanes.vector), lanes.splat(less))

    return unit(c[0], c[1], BELOW_ONE), unit(c[2], c[3], 1.0)


def negative_log(lanes: Lanes, b: ir.IRBuilder, x: ir.Value) -> ir.Value:
    """-log(x) of normal positive x: 2^k m with m about 1, and log m = 2 atanh((m - 1)/(m + 1)) as a series.

    |(m - 1)/(m + 1)| <= 0.1716, so that eleven terms leave less than 1e-17; the error is below two units in the
    last place. Written out because LLVM calls the library once per lane.
    """
    vector = ir.VectorType(INT, lanes.w)

    def integers(value: int) -> ir.Constant:
        return ir.Constant(vector, [value] * lanes.w)

    root_half = 0x3FE6A09E667F3BCD  # bits of sqrt(1/2)
    shifter, shifter_bits = 1.5 * 2.0**52, 0x4338000000000000
    high_ln2, low_ln2 = 0.6931471803691238, 1.9082149292705877e-10  # ln 2 in two parts, the first with zeros below
    bits = b.bitcast(x, vector)
    k = b.ashr(b.sub(bits, integers(root_half)), integers(52))
    m = b.bitcast(b.sub(bits, b.shl(k, integers(52))), lanes.vector)
    exponent = b.fsub(b.bitcast(b.add(k, integers(shifter_bits)), lanes.vector), lanes.splat(shifter))
    s = b.fdiv(b.fsub(m, lanes.splat(1.0)), b.fadd(m, lanes.splat(1.0)))
    z = b.fmul(s, s)
    series = lanes.splat(2.0 / 21.0)
    for n in range(19, 2, -2):
        series = lanes.fma(b, lanes.splat(2.0 / n), series, z)
    part = lanes.fma(b, b.fmul(exponent, lanes.splat(low_ln2)), b.fmul(s, z), series)
    part = lanes.fma(b, part, lanes.splat(2.0), s)
    return b.fneg(lanes.fma(b, part, exponent, lanes.splat(high_ln2)))
