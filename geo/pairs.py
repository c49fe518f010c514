"""Pairs of demands and spaces that fail nothing, and who goes where among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from geo.columns import Floats, Rows
from geo.matching import Supply, Wants, area_taken, rate, sift, weigh_parts

Flags = npt.NDArray[np.bool_]

TINY = 1e-9


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

    def worth(self, chosen: Rows) -> float:
        """Sum the scores of the pairs that demands have."""
        return float(self.score[chosen[chosen >= 0]].sum())


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
        return max(0.0, self.bound - self.objective) / max(self.bound, TINY)


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


def drop_pairs(pairs: Pairs, dropped: Flags) -> Pairs:
    """Return the pairs without some.

    >>> one = Pairs(np.array([0, 2]), np.array([3, 5]), *(np.ones(2) for _ in range(3)))
    >>> drop_pairs(one, np.array([True, False])).space
    array([5])
    """
    kept = ~dropped
    before = np.concatenate([[0], np.cumsum(kept)])
    return Pairs(
        before[pairs.starts],
        pairs.space[kept],
        pairs.score[kept],
        pairs.operator[kept],
        pairs.area_m2[kept],
    )
