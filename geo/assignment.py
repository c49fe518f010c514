"""Assignment: all demands to all spaces at once, the best there is or one that nobody would leave.

A space that can be divided takes several demands, as long as their areas fit into what is vacant.
The best assignment is found over few pairs at first; prices of the relaxed model then say which of
the others are worth adding, and bound from above what any assignment of all pairs can reach, so
that the gap is proven for the whole problem.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import sparse

from geo.columns import Floats, Rows
from geo.matching import Supply, Wants, area_taken, rate, sift, weigh_parts
from geo.solver import MixedInteger, Watch, solve

Flags = npt.NDArray[np.bool_]
Progress = Callable[[str, float], None]

GAP = 0.005
_TIME_LIMIT_S = 50.0
_FIRST = 12  # pairs of every demand in the first model
_ADDED = 6  # pairs of a demand that a round of pricing may add
_ROUNDS = 25
_TINY = 1e-9
_SETTLED = 1e-4  # the share by which the bound may exceed the relaxed model's worth


class Pairs(NamedTuple):
    """The pairs that fail nothing, demand by demand.

    Parameters
    ----------
    starts
        Where the pairs of each demand begin, and the end.
    space
        The space of each pair, ascending within a demand.
    score
        How well the space suits the demand.
    operator
        How well the demand suits the space's operator.
    area_m2
        The smallest area that both accept.
    """

    starts: Rows
    space: Rows
    score: Floats
    operator: Floats
    area_m2: Floats

    @property
    def demand(self) -> Rows:
        """The demand of each pair."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


@dataclass(frozen=True, eq=False)
class Assignment:
    """Who goes where.

    Parameters
    ----------
    pair
        The pair of every demand, as a number of `Pairs`; -1 for none.
    objective
        Sum of the scores.
    bound
        What no assignment exceeds; None where none was proven.
    blocking
        Pairs in which both sides would rather have each other than what they have.
    """

    pair: Rows
    objective: float
    bound: float | None
    blocking: int

    @property
    def gap(self) -> float | None:
        """How far the best may be above, as a share of the bound."""
        if self.bound is None:
            return None
        return max(0.0, self.bound - self.objective) / max(self.bound, _TINY)


def list_pairs(supply: Supply, wants: Wants, weights: Floats, operator: Floats) -> Pairs:
    """List every pair that fails nothing.

    Parameters
    ----------
    supply, wants
        Both sides.
    weights, operator
        What the demands and the operators weigh the parts by.
    """
    counts = _count_pairs(supply, wants)
    starts = np.concatenate([[0], np.cumsum(counts)])
    size = int(starts[-1])
    pairs = Pairs(
        starts, np.empty(size, dtype=np.int64), np.empty(size), np.empty(size), np.empty(size)
    )
    _fill_pairs(supply, wants, weights, operator, pairs)
    return pairs


@njit(cache=True, nogil=True)
def _count_pairs(supply: Supply, wants: Wants) -> Rows:
    counts = np.zeros(len(wants.min_m2), dtype=np.int64)
    able = np.empty(len(supply.rent), dtype=np.int64)
    for d in range(len(counts)):
        counts[d] = sift(supply, wants, d, able)
    return counts


@njit(cache=True, nogil=True)
def _fill_pairs(
    supply: Supply, wants: Wants, weights: Floats, operator: Floats, pairs: Pairs
) -> None:
    parts, able = np.empty(len(weights)), np.empty(len(supply.rent), dtype=np.int64)
    for d in range(len(pairs.starts) - 1):
        at = pairs.starts[d]
        for s in able[: sift(supply, wants, d, able)]:
            rate(supply, wants, d, s, parts)
            pairs.space[at] = s
            pairs.score[at] = weigh_parts(parts, weights)
            pairs.operator[at] = weigh_parts(parts, operator)
            pairs.area_m2[at] = area_taken(supply, wants, d, s)
            at += 1


def assign_best(
    pairs: Pairs,
    capacity_m2: Floats,
    *,
    gap: float = GAP,
    watch: Watch | None = None,
    progress: Progress | None = None,
) -> Assignment:
    """Find the assignment with the greatest sum of scores.

    Parameters
    ----------
    pairs
        The pairs.
    capacity_m2
        What is vacant in every space.
    gap
        Share of the bound at which to stop.
    watch
        Limits; a minute by default.
    progress
        Called with the stage and the share done.

    Returns
    -------
    Assignment
        With a bound proven over all pairs.
    """
    tell = progress or _tell_nobody
    watch = watch or Watch(time.monotonic() + _TIME_LIMIT_S, gap)
    chosen = _assign_greedily(pairs, capacity_m2)
    active = _first_pairs(pairs)
    active[chosen[chosen >= 0]] = True
    bound = np.inf
    for number in range(_ROUNDS):
        tell("prices", 0.6 * number / _ROUNDS)
        relaxed = solve(_model(pairs, capacity_m2, active).relaxed(), watch=watch.within(20.0))
        if len(relaxed.prices) == 0 or relaxed.objective is None:
            break
        demands = len(pairs.starts) - 1
        rent = np.maximum(0.0, -relaxed.prices[demands:])
        worth = np.maximum(0.0, -relaxed.prices[:demands])
        reached, added = _price(pairs, rent, worth, active, _ADDED)
        bound = min(bound, float(rent @ capacity_m2) + reached)
        if not added or watch.over or bound + relaxed.objective <= _SETTLED * bound:
            break
    tell("whole", 0.65)
    numbers = np.flatnonzero(active)
    start = np.isin(numbers, chosen).astype(np.float64)
    found = solve(_model(pairs, capacity_m2, active), watch=watch, start=start)
    if len(found.values):
        taken = numbers[found.values > 0.5]
        better = np.full(len(chosen), -1, dtype=np.int64)
        better[pairs.demand[taken]] = taken
        chosen = better if pairs.score[taken].sum() >= _worth(pairs, chosen) else chosen
    chosen = _fill_up(pairs, capacity_m2, chosen)
    tell("done", 1.0)
    objective = _worth(pairs, chosen)
    proven = objective if not len(pairs.space) else bound
    return Assignment(
        chosen,
        objective,
        float(proven) if np.isfinite(proven) else None,
        count_blocking(pairs, capacity_m2, chosen),
    )


def assign_stable(pairs: Pairs, capacity_m2: Floats) -> Assignment:
    """Let demands ask in the order of their wishes; operators keep whom they like best.

    Deferred acceptance (Gale and Shapley 1962). Where no space is divided the result is stable, and
    no stable one suits any demand better. Where space is divided a stable one need not exist: then
    the pairs that would rather leave are counted.
    """
    demands = len(pairs.starts) - 1
    wishes: list[Rows | None] = [None] * demands
    asked = np.zeros(demands, dtype=np.int64)
    chosen = np.full(demands, -1, dtype=np.int64)
    free = capacity_m2.astype(np.float64)
    # The least liked of a space on top; of equals the later demand.
    held: dict[int, list[tuple[float, int, int]]] = {}
    waiting = list(range(demands - 1, -1, -1))
    while waiting:
        demand = waiting.pop()
        order = wishes[demand]
        if order is None:
            own = np.arange(pairs.starts[demand], pairs.starts[demand + 1])
            order = wishes[demand] = own[np.argsort(-pairs.score[own], kind="stable")]
        if asked[demand] == len(order):
            continue
        pair = int(order[asked[demand]])
        asked[demand] += 1
        gone = _accept(pairs, pair, demand, free, held.setdefault(int(pairs.space[pair]), []))
        if gone is None:
            waiting.append(demand)
            continue
        chosen[demand] = pair
        for other in gone:
            chosen[other] = -1
            waiting.append(other)
    return Assignment(
        chosen, _worth(pairs, chosen), None, count_blocking(pairs, capacity_m2, chosen)
    )


def _accept(
    pairs: Pairs, pair: int, demand: int, free: Floats, held: list[tuple[float, int, int]]
) -> list[int] | None:
    """Take a demand into a space; return whom that turns out, or None where it is refused."""
    space, area_m2 = int(pairs.space[pair]), float(pairs.area_m2[pair])
    liked = (float(pairs.operator[pair]), -demand)
    room = free[space] + sum(
        pairs.area_m2[other] for like, neg, other in held if (like, neg) < liked
    )
    if area_m2 > room + _TINY:
        return None
    gone = []
    while area_m2 > free[space] + _TINY:
        _, negative, other = heapq.heappop(held)
        free[space] += pairs.area_m2[other]
        gone.append(-negative)
    free[space] -= area_m2
    heapq.heappush(held, (*liked, pair))
    return gone


def count_blocking(pairs: Pairs, capacity_m2: Floats, chosen: Rows) -> int:
    """Count the pairs in which both sides would rather have each other.

    The demand likes the space better than its own, or has none; and the operator has room for it,
    or would have by letting go only of demands that it likes less.
    """
    taken = np.flatnonzero(chosen >= 0)
    spaces = pairs.space[chosen[taken]]
    order = np.argsort(spaces, kind="stable")
    starts = np.searchsorted(spaces[order], np.arange(len(capacity_m2) + 1))
    holders = chosen[taken][order]
    used = np.bincount(spaces, weights=pairs.area_m2[chosen[taken]], minlength=len(capacity_m2))
    return int(_count_blocking(pairs, capacity_m2 - used, chosen, starts, holders))


@njit(cache=True, nogil=True)
def _count_blocking(pairs: Pairs, free: Floats, chosen: Rows, starts: Rows, holders: Rows) -> int:
    blocking = 0
    for d in range(len(chosen)):
        own = pairs.score[chosen[d]] if chosen[d] >= 0 else -1.0
        for pair in range(pairs.starts[d], pairs.starts[d + 1]):
            if pairs.score[pair] <= own:
                continue
            space = pairs.space[pair]
            room = free[space]
            for at in range(starts[space], starts[space + 1]):
                if pairs.operator[holders[at]] < pairs.operator[pair]:
                    room += pairs.area_m2[holders[at]]
            if pairs.area_m2[pair] <= room + _TINY:
                blocking += 1
    return blocking


def _worth(pairs: Pairs, chosen: Rows) -> float:
    return float(pairs.score[chosen[chosen >= 0]].sum())


def _first_pairs(pairs: Pairs) -> Flags:
    """Choose the pairs of the first model: the best few of every demand."""
    active = np.zeros(len(pairs.space), dtype=np.bool_)
    for low, high in zip(pairs.starts[:-1], pairs.starts[1:], strict=True):
        order = np.argsort(-pairs.score[low:high], kind="stable")[:_FIRST]
        active[low + order] = True
    return active


def _assign_greedily(pairs: Pairs, capacity_m2: Floats) -> Rows:
    """Assign the best pair that still fits, one after another."""
    none = np.full(len(pairs.starts) - 1, -1, dtype=np.int64)
    return _fill_up(pairs, capacity_m2, none)


def _fill_up(pairs: Pairs, capacity_m2: Floats, chosen: Rows) -> Rows:
    """Give demands without a space the best that still fits."""
    taken = chosen[chosen >= 0]
    used = np.bincount(pairs.space[taken], weights=pairs.area_m2[taken], minlength=len(capacity_m2))
    order = np.argsort(-pairs.score, kind="stable")
    return _take_in_order(pairs, order, pairs.demand, capacity_m2 - used, chosen.copy())


@njit(cache=True, nogil=True)
def _take_in_order(pairs: Pairs, order: Rows, demand: Rows, free: Floats, chosen: Rows) -> Rows:
    for pair in order:
        d, s = demand[pair], pairs.space[pair]
        if chosen[d] < 0 and pairs.area_m2[pair] <= free[s] + _TINY:
            chosen[d] = pair
            free[s] -= pairs.area_m2[pair]
    return chosen


@njit(cache=True, nogil=True)
def _price(
    pairs: Pairs, rent: Floats, worth: Floats, active: Flags, most: int
) -> tuple[float, int]:
    """Sum what each demand could gain at best, and add the pairs that would improve the model."""
    reached, added = 0.0, 0
    for d in range(len(pairs.starts) - 1):
        best = 0.0
        for _ in range(most):
            found, gain = -1, worth[d] + 1e-7
            for pair in range(pairs.starts[d], pairs.starts[d + 1]):
                left = pairs.score[pair] - rent[pairs.space[pair]] * pairs.area_m2[pair]
                best = max(best, left)
                if left > gain and not active[pair]:
                    found, gain = pair, left
            if found < 0:
                break
            active[found] = True
            added += 1
        reached += best
    return reached, added


def _model(pairs: Pairs, capacity_m2: Floats, active: Flags) -> MixedInteger:
    """Return the model of some pairs: each demand once, no space beyond what is vacant."""
    numbers = np.flatnonzero(active)
    count, demands = len(numbers), len(pairs.starts) - 1
    at = np.arange(count)
    rows = sparse.csr_array(
        (
            np.concatenate([np.ones(count), pairs.area_m2[numbers]]),
            (
                np.concatenate([pairs.demand[numbers], demands + pairs.space[numbers]]),
                np.concatenate([at, at]),
            ),
        ),
        shape=(demands + len(capacity_m2), count),
    )
    return MixedInteger(
        costs=-pairs.score[numbers],
        lower=np.zeros(count),
        upper=np.ones(count),
        integer=np.ones(count, dtype=np.bool_),
        rows=rows,
        row_lower=np.full(demands + len(capacity_m2), -np.inf),
        row_upper=np.concatenate([np.ones(demands), capacity_m2]),
    )


def _tell_nobody(stage: str, share: float) -> None:
    del stage, share
