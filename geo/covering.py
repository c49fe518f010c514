"""What covering models share: who serves whom, merged demand, settled candidates, and reasons.

A *reach* matrix has a row for each demand point and a column for each candidate, true where the
candidate serves the point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from geo.errors import Fault, InputError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Choice:
    """What the planner has settled about the candidates before the solver starts."""

    fixed: frozenset[int] = frozenset()
    forbidden: frozenset[int] = frozenset()

    def bounds(self, count: int) -> tuple[Floats, Floats]:
        """Return the lower and upper bounds of the yes-or-no of each candidate.

        Raises
        ------
        InputError
            When a candidate is both fixed and forbidden, or does not exist.
        """
        faults = [
            Fault(f"site {site}", "is both fixed and forbidden", fix="leave one of the two")
            for site in sorted(self.fixed & self.forbidden)
        ]
        faults += [
            Fault(f"site {site}", "is not a candidate", fix=f"there are {count} candidates")
            for site in sorted(self.fixed | self.forbidden)
            if not 0 <= site < count
        ]
        if faults:
            raise InputError(str(faults[0]), faults)
        lower, upper = np.zeros(count), np.ones(count)
        lower[list(self.fixed)] = 1.0
        upper[list(self.forbidden)] = 0.0
        return lower, upper


@dataclass(frozen=True)
class ChosenSite:
    """A chosen candidate and why it is there.

    Parameters
    ----------
    site
        Number of the candidate.
    adds
        Weight of the demand that would be lost without it.
    serves
        Weight of all demand within its reach.
    shares_with
        Other chosen candidates that serve part of the same demand.
    alone
        Demand points that only it serves.
    year
        The year in which it opens, in a programme.
    """

    site: int
    adds: float
    serves: float
    shares_with: tuple[int, ...]
    alone: tuple[int, ...]
    year: int | None = None


@dataclass(frozen=True)
class Alternative:
    """Another set of sites, nearly as good: its objective and what differs."""

    sites: tuple[int, ...]
    objective: float
    without: tuple[int, ...]
    instead: tuple[int, ...]


@dataclass(frozen=True)
class CurvePoint:
    """How much demand `p` sites serve, and what `p` sites serve at most."""

    p: int
    covered: float
    bound: float


def as_reach(reach: sparse.csr_array) -> sparse.csr_array:
    """Return a reach matrix of true values only, each pair once, in order."""
    clean = sparse.csr_array(reach, dtype=bool)
    if clean is reach:
        clean = clean.copy()
    clean.sum_duplicates()
    clean.eliminate_zeros()
    clean.sort_indices()
    return clean


def check_weights(reach: sparse.csr_array, weights: Floats) -> None:
    """Check that every demand point has a weight from 0 up.

    Raises
    ------
    InputError
        With the first wrong one.
    """
    if reach.shape[0] != len(weights):
        raise InputError(
            f"weights: {len(weights)} for {reach.shape[0]} demand points; give one a point"
        )
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise InputError(
            f"weight of demand point {bad[0]}: is not a number from 0 up "
            f"({float(weights[bad[0]])!r}); mend or leave out the point"
        )


def merge_demand(reach: sparse.csr_array, weights: Floats) -> tuple[sparse.csr_array, Floats, Ints]:
    """Merge demand points that exactly the same candidates serve.

    They are one point to the solver: merging leaves the optimum as it is, the model far smaller.

    Parameters
    ----------
    reach
        Demand points × candidates.
    weights
        Weight of each demand point.

    Returns
    -------
    reach, weights, group
        One row a group, its summed weight, and the group of each point; points that nobody
        serves have the group -1.

    >>> reach = sparse.csr_array(np.array([[1, 0], [1, 1], [1, 0], [0, 0]], dtype=bool))
    >>> merged, weight, group = merge_demand(reach, np.array([1.0, 2.0, 3.0, 9.0]))
    >>> weight.tolist(), group.tolist()
    ([2.0, 4.0], [1, 0, 1, -1])
    """
    reach = as_reach(reach)
    served = np.flatnonzero(np.diff(reach.indptr))
    if not len(served):
        nobody = np.full(reach.shape[0], -1, dtype=np.int64)
        return sparse.csr_array((0, reach.shape[1]), dtype=bool), np.empty(0), nobody
    # Two independent 64-bit random sums of the served candidates tell sets apart: a chance of
    # under 1e-26 that any two of a million differ and collide.
    keys = np.random.default_rng(0).integers(0, 2**63, size=(2, reach.shape[1]), dtype=np.uint64)
    first_key, second_key = (
        np.add.reduceat(key[reach.indices], reach.indptr[served].astype(np.int64)) for key in keys
    )
    order = np.lexsort((second_key, first_key))
    new = np.r_[True, (np.diff(first_key[order]) != 0) | (np.diff(second_key[order]) != 0)]
    number = np.empty(len(served), dtype=np.int64)
    number[order] = np.cumsum(new) - 1
    first = np.full(int(new.sum()), len(served), dtype=np.int64)
    np.minimum.at(first, number, np.arange(len(served)))
    # Groups that most candidates serve come first; equal ones in the order of the points.
    rank = np.lexsort((first, -np.diff(reach.indptr)[served][first]))
    place = np.empty(len(rank), dtype=np.int64)
    place[rank] = np.arange(len(rank))
    group = np.full(reach.shape[0], -1, dtype=np.int64)
    group[served] = place[number]
    total = np.bincount(group[served], weights=weights[served], minlength=len(rank)).astype(float)
    return sparse.csr_array(reach[served[first[rank]]]), total, group


def served_weight(reach: sparse.csr_array, weights: Floats, sites: Sequence[int]) -> float:
    """Return the weight of the demand that a set of candidates serves.

    >>> reach = sparse.csr_array(np.array([[1, 0], [1, 1], [0, 1]], dtype=bool))
    >>> served_weight(reach, np.array([1.0, 2.0, 4.0]), [1])
    6.0
    """
    if not len(sites):
        return 0.0
    times = np.asarray(sparse.csr_array(reach[:, list(sites)], dtype=np.int64).sum(axis=1))
    return float(weights[times.reshape(-1) > 0].sum())


def explain(
    reach: sparse.csr_array, weights: Floats, sites: Sequence[int]
) -> tuple[ChosenSite, ...]:
    """Say for each chosen site what it alone adds, and with whom it shares; the greatest first."""
    if not len(sites):
        return ()
    chosen = sparse.csc_array(reach[:, list(sites)], dtype=np.int64)
    times = np.asarray(chosen.sum(axis=1)).reshape(-1)
    common = (chosen.T @ chosen).toarray()
    reasons = []
    for place, site in enumerate(sites):
        points = np.sort(chosen.indices[chosen.indptr[place] : chosen.indptr[place + 1]])
        alone = points[times[points] == 1]
        others = [
            int(sites[other]) for other in np.flatnonzero(common[place]).tolist() if other != place
        ]
        reasons.append(
            ChosenSite(
                site=int(site),
                adds=float(weights[alone].sum()),
                serves=float(weights[points].sum()),
                shares_with=tuple(others),
                alone=tuple(int(point) for point in alone),
            )
        )
    return tuple(sorted(reasons, key=lambda reason: (-reason.adds, -reason.serves, reason.site)))
