"""What the models say of a number, an input, a reaction or a model, and the rows that they rest on."""

from __future__ import annotations

from il2.atlas.fact import FEW, Fact, Told, some
from il2.atlas.usage import homes, mechanisms, network, numbers, parameters, resolved, uses
from il2.cell.override import earlier
from il2.knowledge.calibrated import EARLIER, NAME, calibrated
from il2.knowledge.claim import claim
from il2.knowledge.quantity import Quantity
from il2.signalling.models import MODELS


def rests(model: str, name: str) -> tuple[str, ...]:
    """Sources of the numbers of a reaction."""
    found = next(r for r in network(model).reactions if r.name == name)
    rows = [resolved(p) for p in parameters(model, found)]
    return tuple(dict.fromkeys(s for q in rows if isinstance(q, Quantity) for s in q.sources))


def tell_number(name: str) -> Told:
    q = numbers()[name]
    span = "" if q.low is None or q.high is None else f", range {q.low:g} to {q.high:g}"
    facts = [
        Fact("value", f"{q.value:g} {q.unit}{span}", q.sources),
        *_calibrated(name),
        Fact("symbol", q.symbol),
        Fact("context", q.context),
        Fact("grade", q.grade),
        Fact("rivals", q.rivals),
        Fact("note", q.note),
        *(Fact("used by", f"{u.model}: {some(u.reactions, FEW)}") for u in uses().get(name, ())),
    ]
    if name not in uses():
        facts.append(Fact("used by", "no reaction of a named model"))
    carried = [
        m.claim
        for m in mechanisms()
        if any(u.model == m.model and set(u.reactions) & set(m.reactions) for u in uses().get(name, ()))
    ]
    facts.append(Fact("carries", ", ".join(dict.fromkeys(carried))))
    return "number", name, facts


def _calibrated(name: str) -> list[Fact]:
    """What the calibration made of a number, and what it was before."""
    found = calibrated().get(name)
    if found is None:
        return []
    interval = f"95 % interval {found.low:g} to {found.high:g}" if found.low < found.high else "held at a bound"
    return [
        Fact("calibrated", f"set {NAME}: {interval} (docs/calibration.md)"),
        Fact("before", f"set {EARLIER}: {earlier()[name]:g} {found.unit}; notes below were written for it"),
    ]


def tell_parameter(name: str) -> Told:
    facts = [Fact("set by", str(resolved(name)))]
    facts += [Fact("used by", f"{u.model}: {some(u.reactions, FEW)}") for u in uses()[name]]
    return "input of a model", name, facts


def tell_reaction(name: str) -> Told:
    found = homes(name)
    model, r = found[0]
    change = ", ".join(f"{n:+d} {s}" for s, n in r.change.items())
    facts = [Fact("changes", change), Fact("unit", r.unit)]
    for parameter in parameters(model, r):
        row = resolved(parameter)
        if isinstance(row, Quantity):
            facts.append(Fact("rests on", f"{parameter} = {row.value:g} {row.unit}, {row.grade}", row.sources))
        else:
            facts.append(Fact("rests on", f"{parameter}: {row}"))
    facts.append(Fact("in models", ", ".join(m for m, _ in found)))
    for m in mechanisms():
        if any(m.model == home and r.name in m.reactions for home, _ in found):
            c = claim(m.claim)
            facts.append(Fact("carries", f"{c.id} {c.statement} ({m.role}; {c.experiment})", (c.document,)))
    return "reaction", f"{model}: {r.name}", facts


def tell_model(name: str) -> Told:
    m, net = MODELS[name], network(name)
    used = [q for p in net.parameter_names if isinstance(q := resolved(p), Quantity)]
    facts = [
        Fact("what", m.summary),
        Fact("size", f"{len(net.species)} species, {len(net.reactions)} reactions, {len(net.parameters)} parameters"),
        Fact("rests on", f"{len(used)} sourced numbers", tuple(dict.fromkeys(s for q in used for s in q.sources))),
        Fact("print", f"il2 export {name} --text"),
    ]
    return "model", name, facts
