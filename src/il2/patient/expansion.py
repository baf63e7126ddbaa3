"""How activated T cells feel IL-2: most of it through the high-affinity receptor, little where IL2RA is covered.

A cell with a share f of its IL2RA free takes IL-2 through both kinds of receptor, so that its affinities add up by
share: x = C (f / EC50 + (1 - f) / EC50 without IL2RA), and the signal is x / (1 + x). Covering IL2RA so moves the EC50
from that of cells rich in IL2RA to that of cells without it.
"""

from __future__ import annotations

from il2.network.expression import Expr, sym

EC50, EC50_BARE = "activated_T_IL2_EC50", "activated_T_IL2_EC50_without_IL2RA"


def growth_signal(il2: Expr, free: Expr) -> Expr:
    """The signal, 0 to 1. il2: free IL-2 at the cell (nM). free: share of its IL2RA that is there and not covered."""
    felt = il2 * sym("pM_per_nM") * (free / sym(EC50) + (1 - free) / sym(EC50_BARE))
    return felt / (1 + felt)
