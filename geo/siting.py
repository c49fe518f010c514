"""Siting: where new space should go, as answers that a solver has proven.

Two classical models over a *reach* matrix (demand points × candidates, true where one serves the
other); the third, the programme over years, stands in `geo.programme`:

- *set covering* (Toregas, Swain, ReVelle and Bergman 1971): the fewest, or cheapest, sites that
  serve every demand point;
- *maximal covering* (Church and ReVelle 1974): the p sites that serve the most demand.

Every answer carries the bound that was proven and the gap to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from geo.covering import (
    Alternative,
    Choice,
    ChosenSite,
    CurvePoint,
    as_reach,
    check_weights,
    explain,
    merge_demand,
    served_weight,
)
from geo.errors import InputError
from geo.maximal import Cover, make_cover, solve_maximal, swap_changes
from geo.solver import MixedInteger, Solution, Status, Watch, gap_of, solve

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_TIE = 1e-9
_CURVE_S = 3.0  # for one point of the curve, at most


@dataclass(frozen=True)
class Siting:
    """The answer to a covering question.

    Parameters
    ----------
    model
        `cover_all` or `cover_most`.
    status
        `optimal` within the gap asked for, `feasible` (time ran out), `cancelled`, `infeasible`.
    objective
        Number or cost of the sites (`cover_all`), or the weight served (`cover_most`).
    bound
        No set of sites is better than this.
    gap
        How far the objective may be from the best, as a share of it.
    covered, demand
        Weight served, and of all demand.
    chosen
        The sites with their reasons.
    alternatives
        Other sets nearly as good, the best first.
    curve
        The weight served by number of sites.
    unreachable
        Demand points that no allowed candidate serves.
    """

    model: str
    status: Status
    objective: float | None
    bound: float | None
    gap: float | None
    covered: float
    demand: float
    chosen: tuple[ChosenSite, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    curve: tuple[CurvePoint, ...] = ()
    unreachable: tuple[int, ...] = ()

    @property
    def sites(self) -> tuple[int, ...]:
        """Numbers of the chosen candidates, in order."""
        return tuple(sorted(site.site for site in self.chosen))


def cover_all(
    reach: sparse.csr_array,
    *,
    costs: Floats | None = None,
    choice: Choice | None = None,
    alternatives: int = 3,
    slack: float = 0.1,
    watch: Watch | None = None,
) -> Siting:
    """Choose the fewest sites (or the cheapest, with `costs`) that serve every demand point.

    Points that no allowed candidate serves cannot be covered by anyone: they are listed as
    `unreachable` and left out, instead of making the whole question impossible. The curve shows how
    much the best p sites serve for every p up to the answer.

    Parameters
    ----------
    reach
        Demand points × candidates.
    costs
        Cost of each candidate; without it every one costs 1.
    choice
        Candidates that are settled.
    alternatives
        How many other sets to look for, each within `slack` (a share) of the best.
    watch
        Limits; a minute by default.

    Raises
    ------
    InputError
        When a choice contradicts itself or a cost is not a number from 0 up.

    >>> reach = sparse.csr_array(np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]], dtype=bool))
    >>> answer = cover_all(reach, alternatives=0)
    >>> answer.sites, answer.objective, answer.gap
    ((1, 2), 2.0, 0.0)
    """
    watch = watch or Watch.start()
    reach = as_reach(reach)
    points, count = reach.shape
    lower, upper = (choice or Choice()).bounds(count)
    costs = _check_costs(costs, count)
    usable = as_reach(reach @ sparse.diags_array(upper, dtype=np.float64))
    weights = np.ones(points)
    merged, total, group = merge_demand(usable, weights)
    model = MixedInteger(
        costs=costs,
        lower=lower,
        upper=upper,
        integer=np.ones(count, dtype=bool),
        rows=sparse.csr_array(merged, dtype=np.float64),
        row_lower=np.ones(merged.shape[0]),
        row_upper=np.full(merged.shape[0], np.inf),
    )
    start = _greedy_cover(merged, costs, lower, upper)
    solution = _or_start(solve(model, watch=watch.within(watch.left_s * 0.7)), start)
    sites = _take(solution, lower)
    objective = float(costs[sites].sum())
    bound = None if solution.bound is None else min(_round_up(solution.bound, costs), objective)
    found = Siting(
        model="cover_all",
        status=solution.status,
        objective=objective,
        bound=bound,
        gap=gap_of(objective, bound),
        covered=served_weight(reach, weights, sites),
        demand=float(points),
        chosen=explain(reach, weights, sites),
        unreachable=tuple(np.flatnonzero(group < 0).tolist()),
    )
    others = _other_covers(model, sites, objective, alternatives, slack, watch)
    curve = _curve(merged, total, lower, upper, up_to=len(sites), watch=watch)
    return replace(found, alternatives=others, curve=curve)


def _check_costs(costs: Floats | None, count: int) -> Floats:
    if costs is None:
        return np.ones(count)
    costs = np.asarray(costs, dtype=np.float64)
    bad = np.flatnonzero(~(np.isfinite(costs) & (costs >= 0)))
    if len(costs) != count or len(bad):
        where = f"site {bad[0]} costs {float(costs[bad[0]])!r}" if len(bad) else f"{len(costs)}"
        raise InputError(f"costs: {where}; give each of the {count} candidates a number from 0 up")
    return costs


def _round_up(bound: float, costs: Floats) -> float:
    """Raise a bound to the next whole number, where every cost is whole."""
    whole = bool(np.all(costs == np.rint(costs)))
    return float(np.ceil(bound - 1e-6)) if whole else bound


def _greedy_cover(merged: sparse.csr_array, costs: Floats, lower: Floats, upper: Floats) -> Floats:
    """Take the candidate that serves most new groups for its cost, until all are served."""
    columns = sparse.csr_array(sparse.csr_array(merged, dtype=np.float64).T)
    chosen = lower.copy()
    open_ = np.asarray(columns.T @ chosen) < 0.5
    while open_.any():
        gains = np.where(upper > chosen, columns @ open_.astype(np.float64), 0.0)
        site = int(np.argmax(gains / np.maximum(costs, _TIE)))
        chosen[site] = 1.0
        open_[columns.indices[columns.indptr[site] : columns.indptr[site + 1]]] = False
    return chosen


def _or_start(solution: Solution, start: Floats) -> Solution:
    """Fall back on what was known before, where the solver had no time to find anything."""
    return solution if len(solution.values) else replace(solution, values=start)


def _take(solution: Solution, lower: Floats) -> list[int]:
    taken: list[int] = np.flatnonzero((solution.values > 0.5) | (lower > 0)).tolist()
    return taken


def _other_covers(
    model: MixedInteger,
    best: Sequence[int],
    objective: float,
    wanted: int,
    slack: float,
    watch: Watch,
) -> tuple[Alternative, ...]:
    """Find other covers within `slack` of the best: solve again with every set found cut off."""
    found: list[Alternative] = []
    limit = objective * (1.0 + slack) + _TIE
    last, until = list(best), watch.left_s / max(1, wanted) / 2
    for _ in range(wanted):
        if watch.over or not last:
            break
        # Another set leaves out at least one site of each set found before.
        cut = np.zeros(len(model.costs))
        cut[last] = 1.0
        model = model.with_row(cut, upper=len(last) - 1.0)
        other = solve(model, watch=watch.within(until))
        if other.objective is None or other.objective > limit:
            break
        last = np.flatnonzero(other.values > 0.5).tolist()
        found.append(_alternative(best, last, float(model.costs[last].sum())))
    return tuple(found)


def _alternative(best: Sequence[int], other: Sequence[int], objective: float) -> Alternative:
    without, instead = set(best) - set(other), set(other) - set(best)
    return Alternative(
        tuple(sorted(other)), objective, tuple(sorted(without)), tuple(sorted(instead))
    )


def cover_most(
    reach: sparse.csr_array,
    weights: Floats,
    p: int,
    *,
    choice: Choice | None = None,
    alternatives: int = 3,
    curve_to: int = 0,
    watch: Watch | None = None,
) -> Siting:
    """Choose `p` sites that serve the most demand.

    Alternatives are the best sets that differ from the answer by one site.

    Parameters
    ----------
    reach
        Demand points × candidates.
    weights
        Weight of each demand point.
    p
        How many sites, those fixed included.
    choice
        Candidates that are settled.
    alternatives
        How many other sets to give.
    curve_to
        Draw the curve from the fixed sites up to so many, at least up to `p`; 0 for no curve.
    watch
        Limits; a minute by default.

    Raises
    ------
    InputError
        When `p` is below the number of fixed or above that of allowed candidates, or a weight is
        not a number from 0 up.

    >>> reach = sparse.csr_array(np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]], dtype=bool))
    >>> answer = cover_most(reach, np.array([1.0, 1.0, 5.0]), 1)
    >>> answer.sites, answer.covered, answer.bound, answer.alternatives[0].sites
    ((2,), 5.0, 5.0, (1,))
    """
    watch = watch or Watch.start()
    weights = np.asarray(weights, dtype=np.float64)
    reach = as_reach(reach)
    check_weights(reach, weights)
    choice = choice or Choice()
    lower, upper = choice.bounds(reach.shape[1])
    _check_p(p, choice, upper)
    merged, total, _ = merge_demand(reach, weights)
    cover = make_cover(merged, total, p, lower=lower, upper=upper)
    core, status = solve_maximal(cover, watch=watch)
    answer = Siting(
        model="cover_most",
        status=status,
        objective=core.covered,
        bound=core.bound,
        gap=gap_of(core.covered, core.bound),
        covered=core.covered,
        demand=float(weights.sum()),
        chosen=explain(reach, weights, core.sites.tolist()),
        alternatives=_swaps(cover, core.sites, core.covered, alternatives),
        unreachable=tuple(_unreachable(reach, upper).tolist()),
    )
    if not curve_to:
        return answer
    most = min(max(curve_to, p), int(upper.sum()))
    known = CurvePoint(p, core.covered, core.bound)
    return replace(
        answer,
        curve=_curve(merged, total, lower, upper, up_to=most, watch=watch, known=known),
    )


def _check_p(p: int, choice: Choice, upper: Floats) -> None:
    least, most = max(1, len(choice.fixed)), int(upper.sum())
    if not least <= p <= most:
        raise InputError(
            f"p: {p} sites cannot be chosen; give {least} to {most} "
            f"({len(upper)} candidates, {len(choice.fixed)} fixed, "
            f"{len(choice.forbidden)} forbidden)"
        )


def _unreachable(reach: sparse.csr_array, upper: Floats) -> Ints:
    usable = np.asarray(sparse.csr_array(reach, dtype=np.float64) @ upper)
    return np.flatnonzero(usable == 0)


def _swaps(cover: Cover, sites: Ints, covered: float, wanted: int) -> tuple[Alternative, ...]:
    """Return the best sets that differ by one site: one out, another in."""
    change = swap_changes(cover, sites)
    order = np.argsort(-change, axis=None, kind="stable")[:wanted]
    found = []
    for place, other in zip(*np.unravel_index(order, change.shape), strict=True):
        if np.isfinite(change[place, other]):
            swapped = np.r_[np.delete(sites, place), other].tolist()
            worth = covered + float(change[place, other])
            found.append(_alternative(sites.tolist(), swapped, worth))
    return tuple(found)


def _curve(
    merged: sparse.csr_array,
    total: Floats,
    lower: Floats,
    upper: Floats,
    *,
    up_to: int,
    watch: Watch,
    known: CurvePoint | None = None,
) -> tuple[CurvePoint, ...]:
    """Solve for every number of sites; what time leaves out is left out of the curve.

    More sites never serve less, and never exceed what is served with still more.
    """
    points: list[CurvePoint] = [] if known is None else [known]
    for p in range(max(1, int(lower.sum())), up_to + 1):
        if known is not None and p == known.p:
            continue
        if watch.over:
            break
        cover = make_cover(merged, total, p, lower=lower, upper=upper)
        quiet = replace(watch.within(_CURVE_S), progress=None)
        core, _ = solve_maximal(cover, watch=quiet)
        points.append(CurvePoint(p, core.covered, core.bound))
    points.sort(key=lambda point: point.p)
    best = 0.0
    for place, point in enumerate(points):
        best = max(best, point.covered)
        points[place] = replace(point, covered=best, bound=max(best, point.bound))
    return tuple(points)
