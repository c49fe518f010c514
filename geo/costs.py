"""Walking times: what each street costs a walker, both ways, in whole milliseconds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, LifoQueue
from threading import Lock

import numpy as np
from numba import njit

from geo.edges import BARRED_MS
from geo.errors import Fault, InputError
from geo.graph import Flags, Floats, Ints, WalkNetwork
from geo.hierarchy import Hierarchy, build_hierarchy
from geo.search import UNREACHABLE, Arcs, Workspace, make_workspace
from geo.slope import STEEPEST_GRADE, grades, slope_factors

_MS_A_METRE_AT_1_KM_H = 3600.0
_FIRST_HORIZON_S = 900.0


@dataclass(frozen=True)
class SpeedProfile:
    """How somebody walks.

    Parameters
    ----------
    key
        Name of the profile.
    speed_km_h
        Speed on level streets.
    steps_factor
        Walking time on stairs as a multiple of that on streets.
    steps_allowed
        Whether stairs can be used at all.
    max_grade
        Steepest rise or fall (rise over run) that can be used; None for no limit. Has effect only
        where heights are known.

    Raises
    ------
    InputError
        When a number is not above 0.

    Examples
    --------
    >>> SpeedProfile("adult", 4.0).speed_km_h
    4.0
    """

    key: str
    speed_km_h: float
    steps_factor: float = 1.0
    steps_allowed: bool = True
    max_grade: float | None = None

    def __post_init__(self) -> None:
        numbers = {"speed_km_h": self.speed_km_h, "steps_factor": self.steps_factor}
        if self.max_grade is not None:
            numbers["max_grade"] = self.max_grade
        faults = [
            Fault(f"profile {self.key!r}, {name}", "is not a number above 0", value, "correct it")
            for name, value in numbers.items()
            if not (math.isfinite(value) and value > 0.0)
        ]
        if not faults and self.speed_km_h > 40.0:
            faults = [
                Fault(
                    f"profile {self.key!r}, speed_km_h",
                    "is no walking speed",
                    self.speed_km_h,
                    "give kilometres an hour, at most 40",
                )
            ]
        if faults:
            raise InputError("; ".join(map(str, faults)), faults)


@dataclass(frozen=True, eq=False)
class WalkCosts:
    """The walking times of one profile on one network.

    Parameters
    ----------
    profile
        Who walks.
    forward_ms, backward_ms
        Time over each whole edge along and against its course; `UNREACHABLE` where barred.
    along_forward, along_backward
        Time from the edge's start to each vertex, and from its end back to each vertex, in
        milliseconds; empty when time runs evenly along every edge (no heights).
    arcs, reverse
        Arcs between nodes without loops and barred ways, and the same turned round.
    symmetric
        Whether every way takes as long as the way back.
    """

    profile: SpeedProfile
    forward_ms: Ints
    backward_ms: Ints
    along_forward: Floats
    along_backward: Floats
    arcs: Arcs
    reverse: Arcs
    symmetric: bool
    _idle: LifoQueue[Workspace] = field(default_factory=LifoQueue, repr=False)
    _hierarchies: dict[float, Hierarchy] = field(default_factory=dict, repr=False)
    _ordering: Lock = field(default_factory=Lock, repr=False)

    @contextmanager
    def workspace(self) -> Iterator[Workspace]:
        """Lend the arrays of a search; searches at the same time get arrays of their own."""
        try:
            lent = self._idle.get_nowait()
        except Empty:
            lent = make_workspace(len(self.arcs.offsets) - 1)
        yield lent
        # Only after success: a search that broke off leaves times behind.
        self._idle.put(lent)

    def arc_list(self) -> tuple[Ints, Ints, Ints]:
        """Give tail, head and milliseconds of every arc: the graph as other programs take it."""
        tails = np.repeat(
            np.arange(len(self.arcs.offsets) - 1, dtype=np.int32), np.diff(self.arcs.offsets)
        )
        return tails, self.arcs.heads, self.arcs.ms

    def hierarchy(self, limit_s: float = _FIRST_HORIZON_S) -> Hierarchy:
        """Give the order of elimination that sweeps use, good for times up to a limit at least.

        Made at first use, for the least of 15, 30, 60 … minutes that holds the limit, and kept.

        Parameters
        ----------
        limit_s
            Longest time of interest, in seconds.
        """
        horizon_s = _FIRST_HORIZON_S
        while horizon_s < limit_s:
            horizon_s *= 2.0
        # Questions at the same time wait for one order rather than each make it.
        with self._ordering:
            if horizon_s not in self._hierarchies:
                self._hierarchies[horizon_s] = build_hierarchy(
                    self.arcs, self.reverse, horizon_ms=int(horizon_s * 1000.0)
                )
            return self._hierarchies[horizon_s]


def walk_costs(network: WalkNetwork, profile: SpeedProfile) -> WalkCosts:
    """Give the walking time over every edge of a network for one profile.

    Parameters
    ----------
    network
        The network.
    profile
        Who walks. Without heights the times are those of level ground.

    Returns
    -------
    WalkCosts
        Times in whole milliseconds, rounded edge by edge.
    """
    pace = _MS_A_METRE_AT_1_KM_H / (profile.speed_km_h * network.speed_factor)
    pace = np.where(network.steps, pace * profile.steps_factor, pace)
    closed = network.steps & (not profile.steps_allowed)
    along_forward, along_backward = np.empty(0), np.empty(0)
    if network.has_heights:
        along_forward, along_backward = _times_along(network, profile, pace, closed)
        forward = along_forward[network.parts[1:] - 1] if network.edge_count else np.empty(0)
        backward = along_backward[network.parts[:-1]] if network.edge_count else np.empty(0)
    else:
        forward = backward = network.length_m * pace
    forward_ms = _whole_ms(forward, closed | (network.foot < 0))
    backward_ms = _whole_ms(backward, closed | (network.foot > 0))
    rows_ms = np.where(network.backward, backward_ms[network.edge], forward_ms[network.edge])
    arcs = Arcs(*_quickest(network.offsets, network.heads, rows_ms))
    symmetric = bool(np.array_equal(forward_ms, backward_ms))
    reverse = arcs if symmetric else Arcs(*_turn_round(arcs.offsets, arcs.heads, arcs.ms))
    return WalkCosts(
        profile,
        forward_ms,
        backward_ms,
        along_forward,
        along_backward,
        arcs,
        reverse,
        symmetric,
    )


def _whole_ms(ms: Floats, closed: Flags) -> Ints:
    """Round to whole milliseconds; what is closed or longer than any limit is unreachable."""
    whole = np.where(closed, UNREACHABLE, np.minimum(np.rint(ms), UNREACHABLE))
    return whole.astype(np.int32)


def _times_along(
    network: WalkNetwork, profile: SpeedProfile, pace: Floats, closed: Flags
) -> tuple[Floats, Floats]:
    """Give the time from the edge's start, and from its end, to every vertex, with slope."""
    run = np.diff(network.vertex_m, prepend=0.0)
    first = np.zeros(len(run), dtype=bool)
    first[network.parts[:-1]] = True
    run[first] = 0.0
    rise = np.diff(network.vertex_z, prepend=0.0)
    grade = grades(rise, run)
    sizes = np.diff(network.parts)
    level_ms = run * np.repeat(pace, sizes)
    limit = STEEPEST_GRADE if profile.max_grade is None else profile.max_grade
    too_steep = np.abs(grade) > limit
    no_there = too_steep | np.repeat(closed | (network.foot < 0), sizes)
    no_back = too_steep | np.repeat(closed | (network.foot > 0), sizes)
    there = np.where(no_there, BARRED_MS, level_ms * slope_factors(grade))
    back = np.where(no_back, BARRED_MS, level_ms * slope_factors(-grade))
    return _sum_along(there, network.parts), _sum_back(back, network.parts)


@njit(cache=True, nogil=True)
def _sum_along(ms: Floats, parts: Ints) -> Floats:
    sums = np.zeros(len(ms))
    for row in range(len(parts) - 1):
        for k in range(parts[row] + 1, parts[row + 1]):
            sums[k] = sums[k - 1] + ms[k]
    return sums


@njit(cache=True, nogil=True)
def _sum_back(ms: Floats, parts: Ints) -> Floats:
    sums = np.zeros(len(ms))
    for row in range(len(parts) - 1):
        for k in range(parts[row + 1] - 2, parts[row] - 1, -1):
            sums[k] = sums[k + 1] + ms[k + 1]
    return sums


@njit(cache=True, nogil=True)
def _quickest(offsets: Ints, heads: Ints, ms: Ints) -> tuple[Ints, Ints, Ints]:
    """Keep the quickest of the rows to one head (they lie together); no loops, nothing barred."""
    new_offsets = np.zeros_like(offsets)
    new_heads = np.empty_like(heads)
    new_ms = np.empty(len(heads), dtype=np.int32)
    size = 0
    for i in range(len(offsets) - 1):
        begin = size
        for at in range(offsets[i], offsets[i + 1]):
            if heads[at] == i or ms[at] >= UNREACHABLE:
                continue
            if size > begin and new_heads[size - 1] == heads[at]:
                new_ms[size - 1] = min(new_ms[size - 1], ms[at])
            else:
                new_heads[size] = heads[at]
                new_ms[size] = ms[at]
                size += 1
        new_offsets[i + 1] = size
    return new_offsets, new_heads[:size].copy(), new_ms[:size].copy()


@njit(cache=True, nogil=True)
def _turn_round(offsets: Ints, heads: Ints, ms: Ints) -> tuple[Ints, Ints, Ints]:
    """Turn arcs round: their transpose."""
    new_offsets = np.zeros_like(offsets)
    for at in range(len(heads)):
        new_offsets[heads[at] + 1] += 1
    for i in range(len(offsets) - 1):
        new_offsets[i + 1] += new_offsets[i]
    fill = new_offsets[:-1].copy()
    new_heads = np.empty_like(heads)
    new_ms = np.empty_like(ms)
    for i in range(len(offsets) - 1):
        for at in range(offsets[i], offsets[i + 1]):
            new_heads[fill[heads[at]]] = i
            new_ms[fill[heads[at]]] = ms[at]
            fill[heads[at]] += 1
    return new_offsets, new_heads, new_ms
