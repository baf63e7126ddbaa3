"""Rows of a PEtab parameter table as free numbers.

Version 2 tells no scale: a number with a lower bound above zero is searched on log10, unless its prior is normal. A
log-normal prior is taken as normal on the logarithm, without the factor 1/x of its density; the posterior is the same,
its mode is not. A uniform prior narrows the bounds.
"""

from __future__ import annotations

import math

from il2.errors import Il2Error
from il2.fit.free import Free
from il2.formats.petab_tables import LIN, LOG10, Number
from il2.formats.sbml_read import PLAIN


def free_number(n: Number, kind: str, where: str) -> Free:
    """An estimated row; `kind` is that of `Free`. Raises `Il2Error` for a prior that is not normal on the scale."""
    scale = n.scale or (LOG10 if n.low > 0 and n.prior != "normal" else LIN)
    ours = LIN if scale == LIN else LOG10
    unit = 1.0 if scale == LOG10 or ours == LIN else math.log(10)  # positions on the scale of the file per ours
    low, high = n.low, n.high

    def native(position: float) -> float:
        return position if scale == LIN else 10.0 ** (position / unit)

    centre, spread = n.nominal, math.inf
    normal_here = n.prior == "normal" and (n.on_scale or ours == LIN)
    if normal_here:
        centre, spread = native(n.of_prior[0]), n.of_prior[1] / unit
    elif n.prior == "log-normal" and ours == LOG10:
        centre, spread = math.exp(n.of_prior[0]), n.of_prior[1] / math.log(10)
    elif n.prior in ("uniform", "log-uniform"):
        ends = [native(v) if n.on_scale else v for v in n.of_prior] or [low, high]
        low, high = max(low, ends[0]), min(high, ends[1])
    elif n.prior:
        how = "Give a normal prior on the scale of the parameter, a uniform one or none."
        raise Il2Error(f"the prior {n.prior!r} on the scale {scale} is not read", where=f"{where}: {n.name}", how=how)
    if math.isnan(centre):
        centre = math.sqrt(low * high) if ours == LOG10 else 0.5 * (low + high)
    if math.isinf(spread):
        centre = min(max(centre, low), high)
    return Free(n.name, PLAIN, low, high, centre, spread, ours, kind, n.title)
