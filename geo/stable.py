"""Stable matching: who would rather have each other, and deferred acceptance that leaves none."""

from __future__ import annotations

import heapq

import numpy as np
from numba import njit

from geo.columns import Floats, Rows
from geo.pairs import TINY, Assignment, Pairs


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
        chosen, pairs.worth(chosen), None, find_blocking(pairs, capacity_m2, chosen)[0]
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
    if area_m2 > room + TINY:
        return None
    gone = []
    while area_m2 > free[space] + TINY:
        _, negative, other = heapq.heappop(held)
        free[space] += pairs.area_m2[other]
        gone.append(-negative)
    free[space] -= area_m2
    heapq.heappush(held, (*liked, pair))
    return gone


def find_blocking(
    pairs: Pairs, capacity_m2: Floats, chosen: Rows, *, limit: int = 0
) -> tuple[int, Rows]:
    """Count the pairs in which both sides would rather have each other, and name the first.

    The demand likes the space better than its own, or has none; and the operator has room for it,
    or would have by letting go only of demands that it likes less.

    Returns
    -------
    tuple
        How many there are, and the numbers of the first `limit`.
    """
    taken = np.flatnonzero(chosen >= 0)
    spaces = pairs.space[chosen[taken]]
    order = np.argsort(spaces, kind="stable")
    starts = np.searchsorted(spaces[order], np.arange(len(capacity_m2) + 1))
    holders = chosen[taken][order]
    used = np.bincount(spaces, weights=pairs.area_m2[chosen[taken]], minlength=len(capacity_m2))
    first = np.empty(limit, dtype=np.int64)
    count = int(_find_blocking(pairs, capacity_m2 - used, chosen, starts, holders, first))
    return count, first[:count]


@njit(cache=True, nogil=True)
def _find_blocking(
    pairs: Pairs, free: Floats, chosen: Rows, starts: Rows, holders: Rows, first: Rows
) -> int:
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
            if pairs.area_m2[pair] <= room + TINY:
                if blocking < len(first):
                    first[blocking] = pair
                blocking += 1
    return blocking
