"""Lanes of a network as rows of parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from il2.network.network import Network


def parameter_rows(network: Network, values: Mapping[str, np.ndarray | float]) -> np.ndarray:
    """Rows (lanes, n_parameters) in the order of the network: defaults with `values` put in.

    A value is a number for all lanes or an array (lanes,); names that the network lacks are ignored.
    """
    own = {name: value for name, value in values.items() if name in network.parameter_names}
    lanes = max((np.size(value) for value in own.values()), default=1)
    columns = [np.broadcast_to(own.get(name, default), (lanes,)) for name, default in network.defaults().items()]
    return np.stack(columns, axis=-1).astype(float)
