"""Times between places, and what each of some origins reaches of each category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo.costs import WalkCosts
from geo.edges import Places, summarise, times_to_places
from geo.graph import Floats, Ints, Positions, WalkNetwork
from geo.places import edges_of, limit_in_ms, sort_places
from geo.pool import Cancel, Progress, run_pieces
from geo.search import UNREACHABLE

_ORIGINS_A_PIECE = 16


@dataclass(frozen=True, eq=False)
class ReachMatrix:
    """What each origin reaches of each category.

    Parameters
    ----------
    counts
        Facilities within the limit, (origins, categories).
    nearest_ms
        Time to the nearest in milliseconds, `UNREACHABLE` when none is within the limit.
    nearest_id
        Number of the nearest within its category; -1 when there is none.
    """

    counts: Ints
    nearest_ms: Ints
    nearest_id: Ints

    @property
    def nearest_minutes(self) -> Floats:
        """Minutes to the nearest; NaN when none is within the limit."""
        return np.where(self.nearest_ms < UNREACHABLE, self.nearest_ms / 60_000.0, np.nan)


def one_to_many(
    network: WalkNetwork,
    costs: WalkCosts,
    origins: Positions,
    targets: Positions,
    *,
    limit_s: float,
) -> Ints:
    """Give the times from origins to targets.

    Parameters
    ----------
    network, costs, limit_s
        As for `nearest`.
    origins, targets
        Places on edges; two on one edge meet directly or by the way round, whichever is quicker.

    Returns
    -------
    numpy.ndarray
        Milliseconds, (origins, targets); `UNREACHABLE` beyond the limit or off the network.
    """
    limit_ms = limit_in_ms(limit_s)
    places = sort_places(network, [targets], np.zeros(len(targets), dtype=np.int64))
    times = np.full((len(origins), len(targets)), UNREACHABLE, dtype=np.int32)
    _time_places(network, costs, origins, places, limit_ms, times)
    return times


def matrix(
    network: WalkNetwork,
    costs: WalkCosts,
    origins: Positions,
    facilities: Sequence[Positions],
    *,
    limit_s: float,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> ReachMatrix:
    """Give for every origin and category the number of facilities reached and the nearest.

    Parameters
    ----------
    network, costs, facilities, limit_s
        As for `nearest`.
    origins
        Places on edges.
    progress, cancel
        As for `geo.pool.run_pieces`.

    Returns
    -------
    ReachMatrix
        Origins by categories.

    Raises
    ------
    InputError
        When the limit makes no sense.
    CancelledError
        When stopped on request.
    """
    limit_ms = limit_in_ms(limit_s)
    sizes = [len(places) for places in facilities]
    group = np.repeat(np.arange(len(facilities)), sizes).astype(np.int32)
    places = sort_places(network, facilities, group)
    shape = (len(origins), len(facilities))
    counts = np.zeros(shape, dtype=np.int32)
    nearest_ms = np.full(shape, UNREACHABLE, dtype=np.int32)
    numbers = np.full(shape, -1, dtype=np.int32)
    # A few origins at a time, so that memory does not grow with origins times facilities.
    step = 256
    for first in range(0, len(origins), step):
        rows = slice(first, min(first + step, len(origins)))
        some = origins.take(np.arange(rows.start, rows.stop))
        times = np.full((len(some), len(group)), UNREACHABLE, dtype=np.int32)
        _time_places(network, costs, some, places, limit_ms, times, cancel=cancel)
        summarise(times, group, counts[rows], nearest_ms[rows], numbers[rows])
        if progress is not None:
            progress(rows.stop / len(origins))
    before = np.cumsum([0, *sizes[:-1]])[: len(sizes)]
    return ReachMatrix(
        counts, nearest_ms, np.where(numbers >= 0, numbers - before, -1).astype(np.int32)
    )


def _time_places(
    network: WalkNetwork,
    costs: WalkCosts,
    origins: Positions,
    places: Places,
    limit_ms: int,
    times: Ints,
    *,
    cancel: Cancel | None = None,
) -> None:
    edges = edges_of(network, costs)

    def run(rows: slice) -> None:
        with costs.workspace() as space:
            times_to_places(
                edges,
                costs.arcs,
                origins.edge[rows],
                origins.offset_m[rows],
                places,
                limit_ms,
                space,
                times[rows],
            )

    step = _ORIGINS_A_PIECE
    pieces = [slice(at, at + step) for at in range(0, len(origins), step)]
    run_pieces(run, pieces, cancel=cancel)
