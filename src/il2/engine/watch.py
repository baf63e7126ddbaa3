"""Expressions that are worked out on states while a model runs: conditions of triggers, amounts of events."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from il2.engine.evaluate import run
from il2.errors import Il2Error, did_you_mean
from il2.network.expression import Expr, substitute, symbols
from il2.network.network import Network
from il2.network.program import lower_expressions


class Watch:
    """Expressions over species, parameters, derived constants and observables of a network."""

    def __init__(self, network: Network, expressions: Sequence[Expr], where: str) -> None:
        observables = {o.name: o.expr for o in network.observables}
        plain = [substitute(e, observables) for e in expressions]
        known = {*network.species_names, *network.parameter_names, *(d.name for d in network.derived)}
        for name in sorted(set().union(*(symbols(e) for e in plain)) - known):
            how = did_you_mean(name, known | observables.keys())
            raise Il2Error(f"unknown name {name!r} in an expression", where=where, how=how)
        self.tape, self.outputs = lower_expressions(network, plain)

    def values(self, y: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Values (rows, expressions) for states y (rows, states) and parameters p (rows, parameters).

        Columns are contiguous, so that a row has the same bits in any company.
        """
        found = run(self.tape, {"y": np.asfortranarray(y), "p": np.asfortranarray(p)}, self.outputs)
        return np.broadcast_to(found, (len(y), len(self.outputs)))
