"""The peers: each is given the very graph that our engine walks on, and the same facilities."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandana
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from tests.bench.networks import LIMIT_S, Town


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what C++ writes to standard output, which Python cannot catch, off the screen."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


NAMES = [f"category{number}" for number in range(12)]


class Pandana:
    """Contraction hierarchies in C++; its impedances are seconds here."""

    name = f"pandana {pandana.__version__}"

    def __init__(self, town: Town) -> None:
        tails, heads, ms = town.costs.arc_list()
        once = tails < heads  # streets go both ways alike: given once, as pandana wants them
        with _quiet():
            self.network = pandana.Network(
                pd.Series(town.network.x),
                pd.Series(town.network.y),
                pd.Series(tails[once]),
                pd.Series(heads[once]),
                # pandana cuts impedances off at the third decimal; the fifth keeps whole ones.
                pd.DataFrame({"seconds": ms[once] / 1000.0 + 1e-5}),
                twoway=True,
            )

    def place(self, town: Town, most: int) -> None:
        """Put the facilities and people on the graph; never part of a time."""
        x, y = pd.Series(town.network.x), pd.Series(town.network.y)
        for name, nodes in zip(NAMES, town.facility_nodes, strict=True):
            self.network.set_pois(name, LIMIT_S, most, x[nodes], y[nodes])
            self.network.set(pd.Series(nodes), name=name)
        self.network.set(pd.Series(np.arange(town.nodes)), pd.Series(town.people), name="people")

    def nearest_s(self, k: int) -> np.ndarray:
        """Seconds, (categories, nodes, k); the limit where there is none."""
        found = [self.network.nearest_pois(LIMIT_S, name, num_pois=k) for name in NAMES]
        return np.stack([table.to_numpy() for table in found])

    def counts(self) -> np.ndarray:
        """Count facilities, (categories, nodes); ranges must be computed before."""
        return np.stack(
            [self.network.aggregate(LIMIT_S, "count", "flat", name=name) for name in NAMES]
        )

    def people(self) -> np.ndarray:
        """Add up people, (nodes); ranges must be computed before."""
        return self.network.aggregate(LIMIT_S, "sum", "flat", name="people").to_numpy()

    def compute_ranges(self) -> None:
        self.network.precompute(LIMIT_S)


class Scipy:
    """Dijkstra from all facilities of a category at once."""

    name = "scipy min_only"

    def __init__(self, town: Town) -> None:
        tails, heads, ms = town.costs.arc_list()
        shape = (town.nodes, town.nodes)
        self.graph = csr_array((ms.astype(np.float64), (tails, heads)), shape=shape)

    def nearest_ms(self, town: Town) -> np.ndarray:
        """Milliseconds, (categories, nodes); infinite beyond the limit."""
        limit_ms = LIMIT_S * 1000.0
        found = [
            dijkstra(self.graph, indices=nodes, min_only=True, limit=limit_ms)
            for nodes in town.facility_nodes
        ]
        return np.stack(found)
