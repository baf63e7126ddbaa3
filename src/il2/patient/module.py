"""Parts of diseases that can be joined to a patient, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from il2.network.network import Network


@cache
def modules() -> dict[str, Callable[..., Network]]:
    """Functions that build the part of a disease, by the name of the disease."""
    return {}
