"""SBML documents made plain for reading: one level, functions written out, and what is never read refused."""

from __future__ import annotations

from typing import Any

from il2.errors import Il2Error
from il2.formats.sbml import _libsbml

TIMES = {1.0: "s", 60.0: "min", 3600.0: "h", 86400.0: "d"}


def document(text: str) -> Any:
    """The document at level 3 with functions written out and local parameters made global.

    Raises `Il2Error` where it is malformed, and where python-libsbml is missing.
    """
    lib = _libsbml()
    found = lib.readSBMLFromString(text)
    for error in [found.getError(i) for i in range(found.getNumErrors())]:
        if error.getSeverity() >= lib.LIBSBML_SEV_ERROR:
            raise Il2Error(" ".join(error.getMessage().split()), where=f"SBML, line {error.getLine()}")
    if found.getModel() is None:
        raise Il2Error("the document has no model", where="SBML")
    if found.getLevel() > 2:
        _packages(found)
    elif not found.setLevelAndVersion(3, 1, False):
        raise Il2Error(f"level {found.getLevel()} could not be made level 3", where="SBML")
    for option in ("expandFunctionDefinitions", "promoteLocalParameters"):
        wish = lib.ConversionProperties()
        wish.addOption(option, True)
        if found.convert(wish) != lib.LIBSBML_OPERATION_SUCCESS:
            raise Il2Error(f"libSBML could not do {option}", where="SBML")
    return found


def each(parent: Any, kind: str) -> list[Any]:
    """All parts of a kind of a libSBML object."""
    plural = kind if kind == "Species" else f"{kind}s"
    return [getattr(parent, f"get{kind}")(i) for i in range(getattr(parent, f"getNum{plural}")())]


def refuse(model: Any, where: str) -> None:
    """Raise `Il2Error` for the first thing in a model that is never read."""
    factors = model.isSetConversionFactor() or any(s.isSetConversionFactor() for s in each(model, "Species"))
    moving = {r.getVariable() for r in each(model, "Rule") if not r.isAlgebraic()}
    found = {
        "events": model.getNumEvents() > 0,
        "algebraic rules": any(r.isAlgebraic() for r in each(model, "Rule")),
        "conversion factors": factors,
        "fast reactions": any(r.isSetFast() and r.getFast() for r in each(model, "Reaction")),
        "compartments of changing size": any(c.getId() in moving for c in each(model, "Compartment")),
    }
    for what in [what for what, there in found.items() if there]:
        raise Il2Error(f"the model has {what}, which are not read", where=where, how="Write it without them.")


def time_word(model: Any) -> str:
    """The unit of time of a model, seconds where it tells none that is known."""
    units = model.getUnitDefinition(model.getTimeUnits())
    if units is None or units.getNumUnits() != 1:
        return "s"
    unit = units.getUnit(0)
    return TIMES.get(unit.getMultiplier() * 10.0 ** unit.getScale(), "s")


def _packages(found: Any) -> None:
    for i in range(found.getNumPlugins()):
        prefix = found.getPlugin(i).getPrefix()
        if found.getPackageRequired(prefix):
            raise Il2Error(f"the model needs the SBML package {prefix!r}, which is not read", where="SBML")
