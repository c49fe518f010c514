"""Assignment: all demands to all spaces at once, the best there is.

A space that can be divided takes several demands, as long as their areas fit into what is vacant.
The best assignment is found over few pairs at first; prices of the relaxed model then say which of
the others are worth adding, and bound from above what any assignment of all pairs can reach, so
that the gap is proven for the whole problem.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numba import njit
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from geo.columns import Floats, Rows
from geo.pairs import TINY, Assignment, Flags, Pairs
from geo.solver import MixedInteger, Watch, solve
from geo.stable import find_blocking

Progress = Callable[[str, float], None]

GAP = 0.005
_TIME_LIMIT_S = 50.0
_FIRST = 12  # pairs of every demand in the first model
_ADDED = 6  # pairs of a demand that a round of pricing may add
_ROUNDS = 25
_LARGEST_TABLE = 30_000_000  # cells of a table of scores
_SETTLED = 1e-4  # the share by which the bound may exceed the relaxed model's worth


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
        Limits, how close is close enough, how to be told of the best found and the bound, and how
        to be stopped: the best found so far is then the answer. By default 50 s and `gap`.
    progress
        Called with the stage and the share done.

    Returns
    -------
    Assignment
        With a bound proven over all pairs.
    """
    tell = progress or _tell_nobody
    if _is_whole(pairs, capacity_m2):
        return _assign_whole(pairs, capacity_m2, tell)
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
    found = solve(_model(pairs, capacity_m2, active), watch=_turn(watch, bound), start=start)
    if len(found.values):
        taken = numbers[found.values > 0.5]
        better = np.full(len(chosen), -1, dtype=np.int64)
        better[pairs.demand[taken]] = taken
        chosen = better if pairs.score[taken].sum() >= pairs.worth(chosen) else chosen
    chosen = _fill_up(pairs, capacity_m2, chosen)
    tell("done", 1.0)
    objective = pairs.worth(chosen)
    proven = objective if not len(pairs.space) else bound
    return Assignment(
        chosen,
        objective,
        float(proven) if np.isfinite(proven) else None,
        find_blocking(pairs, capacity_m2, chosen)[0],
    )


def _is_whole(pairs: Pairs, capacity_m2: Floats) -> bool:
    """Tell whether no space has room for two demands, and the scores fit into a table."""
    demands, spaces = len(pairs.starts) - 1, len(np.unique(pairs.space))
    if not len(pairs.space) or demands * spaces > _LARGEST_TABLE:
        return False
    order = np.lexsort((pairs.area_m2, pairs.space))
    space, area = pairs.space[order], pairs.area_m2[order]
    second = np.flatnonzero(space[1:] == space[:-1]) + 1
    two = second[np.concatenate([[True], space[second[1:]] != space[second[:-1]]])[: len(second)]]
    return bool((area[two - 1] + area[two] > capacity_m2[space[two]] + TINY).all())


def _assign_whole(pairs: Pairs, capacity_m2: Floats, tell: Progress) -> Assignment:
    """Assign spaces that take one demand each, to the best (Crouse 2016)."""
    tell("whole", 0.1)
    known, column = np.unique(pairs.space, return_inverse=True)
    gain = np.zeros((len(pairs.starts) - 1, len(known)))
    number = np.full(gain.shape, -1, dtype=np.int64)
    gain[pairs.demand, column] = pairs.score
    number[pairs.demand, column] = np.arange(len(pairs.space))
    rows, columns = linear_sum_assignment(gain, maximize=True)
    chosen = np.full(len(gain), -1, dtype=np.int64)
    chosen[rows] = number[rows, columns]
    tell("done", 1.0)
    worth = pairs.worth(chosen)
    return Assignment(chosen, worth, worth, find_blocking(pairs, capacity_m2, chosen)[0])


def _turn(watch: Watch, bound: float) -> Watch:
    """Tell of scores that grow, where the solver speaks of costs that fall."""
    told = watch.progress
    if told is None:
        return watch
    return replace(watch, progress=lambda found, _bound: told(-found, bound))


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
        if chosen[d] < 0 and pairs.area_m2[pair] <= free[s] + TINY:
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
