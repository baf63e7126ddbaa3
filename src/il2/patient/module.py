"""Parts of diseases that can be joined to a patient, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from il2.network.expression import Expr
from il2.network.network import Network
from il2.patient.asthma import asthma
from il2.patient.autoimmunity import autoimmunity
from il2.patient.graft import graft
from il2.patient.hiv import hiv
from il2.patient.tumour import tumour


@dataclass(frozen=True)
class Seen:
    """What a disease sees of a patient. excess: programme over that at rest, by cell. il2: free IL-2 and drugs that
    act as IL-2 at the cells, nM. free: share of IL2RA that no antibody covers."""

    excess: Mapping[str, Expr]
    il2: Expr
    free: Expr


def modules() -> dict[str, Callable[[Seen], Network]]:
    """Functions that build the part of a disease, by its name."""
    return {
        "tumour": lambda seen: tumour(seen.excess),
        "autoimmunity": lambda seen: autoimmunity(seen.excess),
        "HIV": lambda seen: hiv(seen.excess["Th"]),
        "graft": lambda seen: graft(seen.il2, seen.free),
        "asthma": lambda seen: asthma(seen.il2, seen.free),
    }
