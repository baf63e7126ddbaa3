"""PEtab problems (version 1 and 2, models in SBML) as fit problems.

A lane is a condition. A parameter that is estimated becomes a free number; a condition that sets something, and an
override in the measurement table, become values of lanes or uses of free numbers. An observable is written into the
network with its overrides and its transformation; where it is `background + scale * readout` with two free numbers of
its own, they become scale and background of the points. Noise is normal on the scale of the transformation, with a
number, a free number, or a number times a free number for its standard deviation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from il2.errors import Il2Error, did_you_mean
from il2.fit.block import Block, Points, Use, block
from il2.fit.free import DYNAMIC, NOISE, OBSERVATION
from il2.fit.problem import Problem
from il2.formats.formula import of_sympy
from il2.formats.petab_free import free_number
from il2.formats.petab_sheets import sheets
from il2.formats.petab_tables import LIN, LOG10, NORMAL, Measured, Number, Sheet, Watched
from il2.formats.sbml_read import CLOCK, PLAIN, Imported, read_sbml
from il2.network.expression import Expr, add, log, mul, num, sym, symbols
from il2.network.network import Observable, Parameter, check


@dataclass(frozen=True)
class FromPetab:
    """A problem, its nominal values on the scales (n,), and what to add to its log likelihood to get PEtab's.

    constant: of noise with a fixed standard deviation, and of the transformations of the data.
    """

    problem: Problem
    nominal: np.ndarray
    constant: float

    def log_likelihood(self, x: np.ndarray) -> float:
        """The log likelihood as PEtab defines it, without priors, at `x` (n,) on the scales."""
        return float(sum(part.sum() for part in self.problem.pointwise(x))) + self.constant


def read_petab(path: Path, threads: int | None = None) -> FromPetab:
    """The problem of a PEtab YAML file.

    Raises `Il2Error` for what petab's linter refuses, and for what a problem cannot hold: preequilibration, events,
    noise that is not normal or that depends on the prediction, and priors that are not normal on the scale.
    """
    found = sheets(path)
    numbers = {n.name: n for sheet in found for n in sheet.numbers}
    parts = [_Part(sheet, numbers) for sheet in found]
    blocks, constant = [], 0.0
    for part in parts:
        blocks.append(part.block())
        constant += part.constant
    kinds = {name: kind for part in reversed(parts) for name, kind in part.kinds().items()}
    for part in parts:
        kinds |= dict.fromkeys(part.acting, DYNAMIC)
    free, nominal = [], []
    for n in numbers.values():
        if n.estimated and n.name in kinds:
            item = free_number(n, kinds[n.name], path.stem)
            free.append(item)
            centre = item.centre if math.isnan(n.nominal) else n.nominal
            nominal.append(item.to_scale(min(max(centre, item.low), item.high)))
    degrees = {sheet.observables[row.observable].degrees for sheet in found for row in sheet.measurements}
    if len(degrees) > 1:
        raise Il2Error("observables differ in the degrees of their noise", where=path.stem, how="Give one number.")
    problem = Problem(path.stem, tuple(free), tuple(blocks), threads, degrees=degrees.pop())
    return FromPetab(problem, np.array(nominal), constant)


class _Part:
    """Makes the block of one model; `block` is called once."""

    def __init__(self, sheet: Sheet, numbers: dict[str, Number]) -> None:
        self.sheet, self.where = sheet, sheet.name
        self.numbers = numbers
        self.estimated = {n.name for n in numbers.values() if n.estimated}
        self.lanes = list(dict.fromkeys(row.condition for row in sheet.measurements))
        self.set = {name for lane in self.lanes for name in sheet.conditions.get(lane, {})}
        self.imported = self._imported()
        own = self.imported.network.defaults().items()
        self.fixed = {n: v for n, v in own if n not in self.estimated and n not in self.imported.given}
        self.fixed |= {n.name: n.nominal for n in numbers.values() if not n.estimated}
        self.values: dict[str, np.ndarray] = {}
        self.uses: list[Use] = []
        self.added: dict[str, Parameter] = {}
        self.readouts: dict[Expr, str] = {}
        self.constant = 0.0
        self.acting: set[str] = set()
        self.observing: set[str] = set()
        self.noises: set[str] = set()

    def kinds(self) -> dict[str, str]:
        """What each free number of this block is, but for those that act in the network."""
        seen = dict.fromkeys(self.observing, OBSERVATION) | dict.fromkeys(self.noises - self.observing, NOISE)
        return seen | dict.fromkeys(self.acting, DYNAMIC)

    def _imported(self) -> Imported:
        import libsbml

        model = libsbml.readSBMLFromString(self.sheet.sbml).getModel()
        self.own = {p.getId() for p in model.getListOfParameters()} if model else set()
        entities = {*self.own, *(s.getId() for s in model.getListOfSpecies())} if model else set()
        entities |= {c.getId() for c in model.getListOfCompartments()} if model else set()
        assigned = {a.getSymbol() for a in model.getListOfInitialAssignments()} if model else set()
        listed = {n for n in self.numbers if n in entities}
        values = {n: self.numbers[n].nominal for n in listed & self.own if not math.isnan(self.numbers[n].nominal)}
        given = (self.set & entities) | (listed & assigned)
        formulas = [f for o in self.sheet.observables.values() for f in (o.formula, o.noise)]
        clock = any(s.name == CLOCK for f in formulas for s in f.free_symbols)
        return read_sbml(self.sheet.sbml, values, self.estimated, given, clock)

    def block(self) -> Block:
        rows = self.sheet.measurements
        if not rows:
            raise Il2Error("there are no measurements", where=self.where)
        times = sorted({row.time for row in rows})
        made = [self._point(row) for row in rows]
        base = self.imported.network
        for name in base.parameter_names:
            if name in self.estimated and name not in self.imported.given:
                self._lanes(name, name)
        for name, (takes, keeps) in self.imported.given.items():
            self._lanes(name, takes, keeps)
        for name in self.added:
            self._lanes(name, name)
        network = check(
            replace(
                base, parameters=(*base.parameters, *self.added.values()),
                observables=tuple(Observable(name, expr, PLAIN) for expr, name in self.readouts.items()),
            )
        )  # fmt: skip
        laws = [*(r.rate for r in network.reactions), *(s.initial for s in network.species)]
        inner = {name for law in (*laws, *(d.expr for d in network.derived)) for name in symbols(law)}
        for use in self.uses:
            (self.acting if use.parameter in inner else self.observing).add(use.free)
        names = tuple(self.readouts.values())
        signal, scale, background, noise, value = zip(*made, strict=True)
        points = Points(
            lane=np.array([self.lanes.index(row.condition) for row in rows]),
            time=np.array([times.index(row.time) for row in rows]),
            readout=np.array([names.index(s) for s in signal]), value=np.array(value, float),
            scale=np.array(scale, object), background=np.array(background, object), noise=np.array(noise, object),
            censored=np.zeros(len(rows), int), weight=np.ones(len(rows)),
        )  # fmt: skip
        self.observing |= {n for n in (*scale, *background) if n}
        self.noises |= {n for n in noise if n}
        return block(network, times, names, self.values, self.uses, points)

    def _lanes(self, name: str, parameter: str, keeps: str = "") -> None:
        """Values and uses of a parameter in each lane, from the conditions or the parameter table."""
        default = {p.name: p.value for p in (*self.imported.network.parameters, *self.added.values())}[parameter]
        values, kept = np.full(len(self.lanes), default), np.ones(len(self.lanes))
        acting: dict[tuple[str, float], list[int]] = {}
        for i, lane in enumerate(self.lanes):
            given = self.sheet.conditions.get(lane, {}).get(name)
            if given is None and name not in self.numbers:
                continue
            text = sym(name) if given is None else of_sympy(given, sym, {}, f"{self.where}: {lane}, {name}")
            values[i], factors = self._monomial(text, f"{lane}, {name}")
            kept[i] = 0.0
            for key in factors:
                acting.setdefault(key, []).append(i)
        self.values[parameter] = values
        if keeps:
            self.values[keeps] = kept
        self.uses += [Use(parameter, free, np.array(at), power) for (free, power), at in acting.items()]

    def _monomial(self, text: Expr, what: str) -> tuple[float, list[tuple[str, float]]]:
        """A number times powers of free numbers."""
        number, factors = 1.0, []
        for part in text.args if text.kind == "mul" else (text,):
            base, power = part.args if part.kind == "pow" else (part, 1.0)
            if base.kind == "num":
                number *= base.args[0] ** power
            elif base.kind == "sym" and base.args[0] in self.fixed:
                number *= self.fixed[base.args[0]] ** power
            elif base.kind == "sym" and base.args[0] in self.estimated:
                factors.append((base.args[0], power))
            else:
                why = "a condition sets a number, a parameter, or a product of them"
                raise Il2Error(f"{text} is not read", where=f"{self.where}: {what}", why=why)
        return number, factors

    def _point(self, row: Measured) -> tuple[str, str, str, str, float]:
        """Readout, scale, background, noise and value of a measurement."""
        watched = self.sheet.observables[row.observable]
        where = f"{self.where}: {row.observable}"
        if watched.distribution != NORMAL:
            how = "Give normal noise; a transformation of the observable may be lin, log or log10."
            raise Il2Error(f"{watched.distribution} noise is not read", where=where, how=how)
        deviation, noise = self._noise(watched, row, where)
        value, expr = row.value, self._said(watched.formula, watched.placeholders, row.overrides, where)
        if watched.transformation != LIN:
            if not value > 0:
                raise Il2Error(f"the measurement {value:g} has no logarithm", where=where)
            per = math.log(10) if watched.transformation == LOG10 else 1.0
            self.constant -= math.log(value * per)
            value, expr = math.log(value) / per, log(expr) / per
        self.constant -= math.log(deviation)
        expr, value = expr / deviation if deviation != 1 else expr, value / deviation
        signal, scale, background = self._split(expr)
        name = self.readouts.get(signal)
        if name is None:
            taken = sum(n == row.observable or n.startswith(f"{row.observable} ") for n in self.readouts.values())
            name = self.readouts[signal] = f"{row.observable} {taken + 1}" if taken else row.observable
        for needed in symbols(signal) - self._known():
            self._add(needed)
        return name, scale, background, noise, value

    def _noise(self, watched: Watched, row: Measured, where: str) -> tuple[float, str]:
        expr = self._said(watched.noise, watched.noise_placeholders, row.noise_overrides, where)
        try:
            number, factors = self._monomial(expr, row.observable)
        except Il2Error:
            factors = [("", 0.0)]
        if len(factors) > 1 or any(power != 1.0 for _, power in factors):
            raise Il2Error(
                f"the noise {expr} is not read", where=where,
                why="it is a number, a parameter, or a number times a parameter, and knows no prediction",
            )  # fmt: skip
        if not number > 0:
            raise Il2Error(f"the noise is {number:g}", where=where, how="Give a number above zero.")
        return number, factors[0][0] if factors else ""

    def _said(self, formula: Any, placeholders: tuple[str, ...], overrides: tuple[Any, ...], where: str) -> Expr:
        """A formula with overrides put in, over names of the network, of the tables and numbers."""
        table = dict(zip(placeholders, overrides, strict=False))

        def meaning(name: str) -> Expr:
            if name in table:
                return of_sympy(table[name], outer, {}, where)
            return outer(name)

        def outer(name: str) -> Expr:
            if name in self.imported.meaning:
                return self.imported.meaning[name]
            if name in self.fixed and name not in self.set:
                return num(self.fixed[name])
            return sym(name)

        return of_sympy(formula, meaning, {}, where)

    def _split(self, expr: Expr) -> tuple[Expr, str, str]:
        """Readout, scale and background of an observable; a free number that does more stays in the readout."""
        scale = background = ""
        if expr.kind == "add":
            lone = [c for c in expr.args if self._lonely(c) and c.args[0] not in symbols(_without(expr, c))]
            if len(lone) == 1:
                background, expr = lone[0].args[0], _without(expr, lone[0])
        if expr.kind == "mul":
            lone = [c for c in expr.args if self._lonely(c) and c.args[0] not in symbols(_without(expr, c))]
            if len(lone) == 1:
                scale, expr = lone[0].args[0], _without(expr, lone[0])
        return expr, scale, background

    def _lonely(self, expr: Expr) -> bool:
        """A free number that nothing in the model or in the conditions knows."""
        return expr.kind == "sym" and expr.args[0] in self.estimated - self._known() - self.set

    def _known(self) -> set[str]:
        network = self.imported.network
        return {*network.parameter_names, *network.species_names, *(d.name for d in network.derived)}

    def _add(self, name: str) -> None:
        if name not in self.numbers and name not in self.set:
            raise Il2Error(f"unknown name {name!r}", where=self.where, how=did_you_mean(name, self.numbers))
        self.added.setdefault(name, Parameter(name, 1.0, PLAIN))


def _without(expr: Expr, part: Expr) -> Expr:
    join = add if expr.kind == "add" else mul
    rest = list(expr.args)
    rest.remove(part)
    return join(*rest)
