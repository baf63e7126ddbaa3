"""The model of a tumour, effector cells and IL-2 of Kirschner and Panetta: a reference for the numerics of disease.

    dE/dt = c T - mu2 E + p1 E I / (g1 + I) + s1
    dT/dt = r2 T (1 - b T) - a E T / (g2 + T)
    dI/dt = p2 E T / (g3 + T) - mu3 I + s2

Time is in d; all three are counted in cells, of which one stands for a unit of volume. Steady states are sought in
cells, by Newton in logarithms, and courses are followed in the logarithms of T and E: between its peaks the tumour
falls far below one cell, which tells that the equations fail there, not that the tumour is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from il2.engine.batch import parameter_rows
from il2.engine.reduced import Reduced, reduced
from il2.engine.solve import Tolerances, solve
from il2.errors import Il2Error
from il2.knowledge.quantity import quantity
from il2.network.expression import Expr, exp, log, num, sym
from il2.network.network import Compartment, Network, Observable, Parameter, Reaction, Species, compose
from il2.network.part import half, with_quantities
from il2.network.program import Program, lower
from il2.patient.bifurcation import Crossing, State, fold, hopf, loss_of_stability, steady_states

EFFECTORS, TUMOUR, IL2 = "effectors", "tumour", "IL2_in_cells"
TRANSFER, INFUSION, ONE = "effector_transfer", "IL2_infusion", "one_cell"
CELL, PER_DAY = "cell", "cell/d"
PREFIX = "Kirschner_Panetta"
ANTIGENICITY = f"{PREFIX}_antigenicity"
TOLERANCES = Tolerances(rtol=1e-8, atol=1e-8)
OUTPUTS_PER_DAY, DAYS = 10, 2000.0
BELOW_ONE = (
    "The tumour falls below one cell. The equations hold for many cells, so that this is neither an extinction nor a "
    "recovery from one; only a model with chance could tell them apart."
)


def logarithm(name: str) -> str:
    """Name of the logarithm of a number of cells."""
    return f"log_{name}"


@cache
def model() -> Network:
    """In cells (E, T, I), for steady states; it starts from one cell of each kind and no IL-2."""
    return _built("Kirschner-Panetta", {name: sym(name) for name in (EFFECTORS, TUMOUR, IL2)})


@cache
def logarithmic() -> Network:
    """In log E, log T and I, for courses in time, with the numbers of cells as observables."""
    cells = {name: sym(ONE) * exp(sym(logarithm(name))) for name in (EFFECTORS, TUMOUR)}
    return _built("Kirschner-Panetta in logarithms", cells | {IL2: sym(IL2)})


def _built(name: str, cells: dict[str, Expr]) -> Network:
    """The network over species that are the cells themselves, or their logarithms."""
    e, t, i = cells[EFFECTORS], cells[TUMOUR], cells[IL2]
    per_cell = {
        "effectors die": (EFFECTORS, -1, _q("effector_death")),
        "IL-2 drives effectors": (EFFECTORS, 1, _q("effector_growth") * half(i, _q("effector_growth_half_saturation"))),
        "tumour grows": (TUMOUR, 1, _q("tumour_growth") * (1 - _q("inverse_capacity") * t)),
        "effectors kill": (TUMOUR, -1, _q("kill_rate") * e / (_q("kill_half_saturation") + t)),
        "IL-2 is lost": (IL2, -1, _q("IL2_loss")),
    }
    made = e * half(t, _q("IL2_production_half_saturation"))
    whole = {
        "antigen recruits effectors": (EFFECTORS, sym(ANTIGENICITY) * t),
        "effectors are given": (EFFECTORS, sym(TRANSFER)),
        "effectors make IL-2": (IL2, _q("IL2_production") * made),
        "IL-2 is given": (IL2, sym(INFUSION)),
    }
    own = {species: species if expr == sym(species) else logarithm(species) for species, expr in cells.items()}
    logs = {species for species in cells if own[species] != species}
    units = {species: ("1/d" if species in logs else PER_DAY) for species in cells}
    reactions = [
        Reaction(label, {own[s]: sign}, rate if s in logs else rate * cells[s], num(0.0), units[s])
        for label, (s, sign, rate) in per_cell.items()
    ]
    reactions += [
        Reaction(label, {own[s]: 1}, rate / cells[s] if s in logs else rate, num(0.0), units[s])
        for label, (s, rate) in whole.items()
    ]
    start = {s: num(0.0) if s == IL2 else log(sym(f"{s}_at_start") / sym(ONE)) if s in logs else sym(f"{s}_at_start")
             for s in cells}  # fmt: skip
    network = Network(
        name,
        (Compartment("body", 3),),
        tuple(Species(own[s], "body", start[s], "dimensionless" if s in logs else CELL) for s in cells),
        (
            Parameter(TRANSFER, 0.0, PER_DAY),
            Parameter(INFUSION, 0.0, PER_DAY),
            Parameter(f"{EFFECTORS}_at_start", 1.0, CELL),
            Parameter(f"{TUMOUR}_at_start", 1.0, CELL),
            Parameter(ONE, 1.0, CELL, "what a logarithm is counted in"),
        ),
        reactions=tuple(reactions),
        observables=tuple(Observable(s, cells[s], CELL) for s in sorted(logs)),
    )
    return compose(name, with_quantities(network))


def _q(name: str) -> Expr:
    return sym(f"{PREFIX}_{name}")


def _value(name: str) -> float:
    return quantity(f"{PREFIX}_{name}").value


def coexisting(antigenicity: float, transfer: float = 0.0, infusion: float = 0.0) -> tuple[State, ...]:
    """All steady states with a tumour, by rising effectors; antigenicity in 1/d, what is given in cell/d."""
    return steady_states(_equations(), _row(antigenicity, transfer, infusion), _starts())


@cache
def large_tumour_fold() -> Crossing:
    """The antigenicity (1/d) at which the large tumour meets an unstable state and vanishes."""
    most = quantity(ANTIGENICITY).high or 1.0
    return fold(coexisting, most / 1000, most)


@cache
def cycle_onset() -> Crossing:
    """The antigenicity (1/d) below which the small tumour cycles and above which it is stable."""
    return hopf(coexisting, large_tumour_fold().high, quantity(ANTIGENICITY).high or 1.0)


def intermediate_antigenicity() -> float:
    """Between the two (1/d), in the middle of their logarithms: there is no stable tumour, large or small."""
    return float(np.sqrt(large_tumour_fold().value * cycle_onset().value))


def transfer_threshold(antigenicity: float | None = None) -> Crossing:
    """Effectors per day above which the state without a tumour is stable (cell/d).

    The antigenicity plays no part without a tumour; it is there to show that.
    """
    level = quantity(ANTIGENICITY).value if antigenicity is None else antigenicity
    start = np.array([[1.0, 0.0, 0.0]])

    def at(transfer: float) -> tuple[State, ...]:
        return steady_states(_equations(), _row(level, transfer), start)

    return loss_of_stability(at, 1.0, _value("effector_death") / _value("inverse_capacity"))


def infusion_threshold() -> Crossing:
    """IL-2 per day above which effectors grow without bound, with no tumour (cell/d): an artefact of the equations."""
    start = np.array([[0.0, 0.0, 1.0]])

    def at(infusion: float) -> tuple[State, ...]:
        row = _row(quantity(ANTIGENICITY).value, 0.0, infusion)
        return steady_states(_equations(), row, start, within=(EFFECTORS, IL2))

    return loss_of_stability(at, 1.0, _value("IL2_loss") / _value("inverse_capacity"))


def small_tumour(antigenicity: float) -> float:
    """Cells of the only stable tumour; none, or several, are an Il2Error."""
    found = [state for state in coexisting(antigenicity) if state.stable]
    if len(found) != 1:
        raise Il2Error(
            f"{len(found)} stable tumours at an antigenicity of {antigenicity:g} 1/d",
            where=PREFIX,
            how="Above the onset of cycles there is one.",
        )
    return found[0].levels[TUMOUR]


@dataclass(frozen=True, eq=False)
class TumourCourse:
    """A course from one cell of each kind: days and log10 of the numbers of cells, (times,).

    least_log10 is the least tumour after its highest peak, at least_at_d. note says what one below one cell means,
    and is empty otherwise.
    """

    days: np.ndarray
    log10_tumour: np.ndarray
    log10_effectors: np.ndarray
    least_log10: float
    least_at_d: float

    @property
    def below_one_cell(self) -> bool:
        return self.least_log10 < 0

    @property
    def note(self) -> str:
        return BELOW_ONE if self.below_one_cell else ""


def follow(antigenicity: float, days: float = DAYS, transfer: float = 0.0, infusion: float = 0.0) -> TumourCourse:
    """The course in logarithms over some days, ten outputs a day; one that cannot be integrated is an Il2Error."""
    program = _logarithmic_program()
    times = np.linspace(0.0, days, int(days * OUTPUTS_PER_DAY) + 1)
    given = {ANTIGENICITY: antigenicity, TRANSFER: transfer, INFUSION: infusion}
    found = solve(program, parameter_rows(logarithmic(), given), times, tolerances=TOLERANCES)
    if found.status[0] != 0:
        raise Il2Error(f"the course stops: {found.reason(0)}", where=PREFIX)
    effectors, tumour = (
        found.y[0, :, program.states.index(logarithm(name))] / np.log(10) for name in (EFFECTORS, TUMOUR)
    )
    peak = int(tumour.argmax())
    least = peak + int(tumour[peak:].argmin())
    return TumourCourse(times, tumour, effectors, float(tumour[least]), float(times[least]))


def _row(antigenicity: float, transfer: float = 0.0, infusion: float = 0.0) -> np.ndarray:
    given = {ANTIGENICITY: antigenicity, TRANSFER: transfer, INFUSION: infusion}
    return parameter_rows(model(), given)[0]


@cache
def _equations() -> Reduced:
    return reduced(model())


@cache
def _logarithmic_program() -> Program:
    return lower(logarithmic())


@cache
def _starts() -> np.ndarray:
    """Starts (starts, states) over all sizes of a tumour, each with the effectors and the IL-2 that hold it."""
    ratio = np.logspace(-9, 3, 97)
    tumour = ratio / (1 + ratio) / _value("inverse_capacity")
    left = 1 - _value("inverse_capacity") * tumour
    effectors = _value("tumour_growth") * left * (_value("kill_half_saturation") + tumour) / _value("kill_rate")
    made = _value("IL2_production") * effectors * tumour / (_value("IL2_production_half_saturation") + tumour)
    return np.stack([effectors, tumour, made / _value("IL2_loss")], axis=-1)
