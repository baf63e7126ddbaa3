"""Stiff problems of the literature as networks: Robertson, HIRES, the Oregonator, E5 and POLLU.

Equations, constants and reference values as they are known from Hairer and Wanner (Solving Ordinary Differential
Equations II) and from the Test Set for IVP Solvers; the tests compare the solutions with the values.
"""

from il2.network.expression import Expr, num, sym
from il2.network.network import Compartment, Network, Parameter, Reaction, Species


def network(name: str, start: dict, constants: dict, rates: dict[str, Expr]) -> Network:
    """start: species to initial value, each of which is a parameter `NAME_0`; rates: species to its rate of change."""
    values = {**constants, **{f"{s}_0": v for s, v in start.items()}}
    return Network(
        name,
        compartments=(Compartment("box", 3),),
        species=tuple(Species(s, "box", sym(f"{s}_0"), "dimensionless") for s in start),
        parameters=tuple(Parameter(k, float(v), "dimensionless") for k, v in values.items()),
        reactions=tuple(Reaction(f"change of {s}", {s: 1}, rates[s]) for s in start),
    )


def names(prefix: str, count: int) -> list[Expr]:
    return [sym(f"{prefix}{i}") for i in range(1, count + 1)]


def robertson() -> Network:
    (y1, y2, y3), (k1, k2, k3) = names("y", 3), names("k", 3)
    slow, fast, back = k1 * y1, k2 * y2 * y2, k3 * y2 * y3
    rates = {"y1": back - slow, "y2": slow - back - fast, "y3": fast}
    return network("robertson", {"y1": 1, "y2": 0, "y3": 0}, {"k1": 0.04, "k2": 3e7, "k3": 1e4}, rates)


def hires() -> Network:
    y1, y2, y3, y4, y5, y6, y7, y8 = names("y", 8)
    values = (1.71, 0.43, 8.32, 0.0007, 8.75, 10.03, 0.035, 1.12, 1.745, 280.0, 0.69, 1.81)
    k = dict(zip("abcdefghijkl", values, strict=True))
    a, b, c, d, e, f, g, h, i, j, m, n = map(sym, k)
    bound = j * y6 * y8
    rates = {
        "y1": b * y2 + c * y3 + d - a * y1,
        "y2": a * y1 - e * y2,
        "y3": b * y4 + g * y5 - f * y3,
        "y4": c * y2 + a * y3 - h * y4,
        "y5": b * y6 + b * y7 - i * y5,
        "y6": m * y4 + a * y5 - b * y6 + m * y7 - bound,
        "y7": bound - n * y7,
        "y8": n * y7 - bound,
    }
    start = dict.fromkeys((f"y{q}" for q in range(1, 9)), 0.0) | {"y1": 1.0, "y8": 0.0057}
    return network("hires", start, k, rates)


def oregonator() -> Network:
    (y1, y2, y3), (s, q, w) = names("y", 3), map(sym, "sqw")
    rates = {"y1": s * (y2 + y1 * (1 - q * y1 - y2)), "y2": (y3 - (1 + y1) * y2) / s, "y3": w * (y1 - y3)}
    return network("oregonator", {"y1": 1, "y2": 2, "y3": 3}, {"s": 77.27, "q": 8.375e-6, "w": 0.161}, rates)


def e5() -> Network:
    (y1, y2, y3, y4), (a, b, c, m) = names("y", 4), map(sym, "abcm")
    first, second, third = a * y1, b * y1 * y3, m * c * y2 * y3
    rates = {"y1": -first - second, "y2": first - third, "y3": first - second - third + c * y4, "y4": second - c * y4}
    constants = {"a": 7.89e-10, "b": 1.1e7, "c": 1.13e3, "m": 1e6}
    return network("e5", {"y1": 1.76e-3, "y2": 0, "y3": 0, "y4": 0}, constants, rates)


POLLU_RATES = (0.35, 26.6, 1.23e4, 8.6e-4, 8.2e-4, 1.5e4, 1.3e-4, 2.4e4, 1.65e4, 9e3, 0.022, 1.2e4, 1.88, 1.63e4, 4.8e6,
               3.5e-4, 0.0175, 1e8, 4.44e11, 1.24e3, 2.1, 5.78, 0.0474, 1.78e3, 3.12)  # fmt: skip
POLLU_REACTANTS = ((1,), (2, 4), (5, 2), (7,), (7,), (7, 6), (9,), (9, 6), (11, 2), (11, 1), (13,), (10, 2), (14,),
                   (1, 6), (3,), (4,), (4,), (16,), (16,), (17, 6), (19,), (19,), (1, 4), (19, 1), (20,))  # fmt: skip
POLLU_CHANGES = {
    1: (-1, -10, -14, -23, -24, 2, 3, 9, 11, 12, 22, 25), 2: (-2, -3, -9, -12, 1, 21), 3: (-15, 1, 17, 19, 22),
    4: (-2, -16, -17, -23, 15), 5: (-3, 4, 4, 6, 7, 13, 20), 6: (-6, -8, -14, -20, 3, 18, 18), 7: (-4, -5, -6, 13),
    8: (4, 5, 6, 7), 9: (-7, -8), 10: (-12, 7, 9), 11: (-9, -10, 8, 11), 12: (9,), 13: (-11, 10), 14: (-13, 12),
    15: (14,), 16: (-18, -19, 16), 17: (-20,), 18: (20,), 19: (-21, -22, -24, 23, 25), 20: (-25, 24),
}  # fmt: skip


def pollu() -> Network:
    flux = {}
    for r, reactants in enumerate(POLLU_REACTANTS, start=1):
        law = sym(f"k{r}")
        for i in reactants:
            law = law * sym(f"y{i}")
        flux[r] = law
    rates = {
        f"y{i}": sum((flux[abs(r)] * (1 if r > 0 else -1) for r in rs), num(0.0)) for i, rs in POLLU_CHANGES.items()
    }
    start = dict.fromkeys((f"y{i}" for i in range(1, 21)), 0.0)
    start |= {"y2": 0.2, "y4": 0.04, "y7": 0.1, "y8": 0.3, "y9": 0.01, "y17": 0.007}
    return network("pollu", start, {f"k{r}": v for r, v in enumerate(POLLU_RATES, start=1)}, rates)


# Network, end time, absolute tolerance, and states known at that time.
PROBLEMS = {
    "robertson": (robertson, 40.0, 1e-14, {"y1": 0.7158270688}),
    "hires": (hires, 321.8122, 1e-14, {"y1": 0.7371312573e-3, "y5": 0.2386356198e-2}),
    "oregonator": (oregonator, 360.0, 1e-12, {"y1": 1.000814870318523}),
    "e5": (e5, 1e3, 1e-24, {}),
    "pollu": (pollu, 60.0, 1e-18, {"y1": 0.5646255480e-1, "y2": 0.1342484130}),
}
