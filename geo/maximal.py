"""Maximal covering made small: a bound from prices, a good set of sites, and what they settle.

The maximal covering location problem (Church and ReVelle 1974) chooses p sites that serve the most
demand. Relaxing "a group is served only as far as chosen sites reach" with a price on each group
leaves a problem that sorting solves; moving the prices by subgradient (Held, Wolfe and Crowder
1974) lowers the bound towards that of the linear relaxation (Galvão and ReVelle 1996). Exchanging
sites one by one (Teitz and Bart 1968) finds good sets. A candidate whose price shows that choosing
it, or leaving it, cannot beat the best set known is settled for good: the solver gets a small core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from geo.covering import merge_demand
from geo.solver import MixedInteger, Solution, Status, Watch, gap_of, solve

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_SAFE = 1e-9  # share of the bound that rounding may cost
_ROUNDS = 400
_PATIENCE = 10  # rounds without a better bound before the step is halved
_LEAST_STEP = 1e-4
_NEWEST = 0.1  # weight of the newest slope in the way that prices go
_TRIES = 200
_DRAWN = 4  # the site that fills a gap is drawn among so many of the best
_SEARCHES = (0, 30, 100, 200, 300)  # rounds whose set the exchange starts from
_LARGE = 400_000  # pairs above which interior points relax quicker than the simplex method


@dataclass(frozen=True, eq=False)
class Cover:
    """Merged demand and the candidates, both ways.

    Parameters
    ----------
    rows
        Groups × candidates, 1 where the candidate serves the group.
    columns
        Candidates × groups, the same turned.
    total
        Weight of each group.
    p
        How many candidates to choose.
    lower, upper
        Bounds of each candidate's yes-or-no: 1, 1 fixed; 0, 0 forbidden.
    """

    rows: sparse.csr_array
    columns: sparse.csr_array
    total: Floats
    p: int
    lower: Floats
    upper: Floats

    def times(self, sites: Ints) -> Ints:
        """Return how many of the sites serve each group."""
        served = [self.groups(site) for site in sites]
        flat = np.concatenate(served) if served else np.empty(0, dtype=np.int32)
        return np.bincount(flat, minlength=len(self.total))

    def groups(self, site: int) -> npt.NDArray[np.int32]:
        """Return the groups that a candidate serves."""
        found: npt.NDArray[np.int32] = self.columns.indices[
            self.columns.indptr[site] : self.columns.indptr[site + 1]
        ]
        return found

    def covered(self, sites: Ints) -> float:
        """Return the weight that sites serve together."""
        return float(self.total[self.times(sites) > 0].sum())


@dataclass(frozen=True, eq=False)
class Core:
    """What is known: a set of sites and its cover, a bound, and the candidates settled by them."""

    sites: Ints
    covered: float
    bound: float
    lower: Floats
    upper: Floats

    @property
    def free(self) -> Ints:
        """Candidates that nothing has settled yet."""
        return np.flatnonzero(self.lower < self.upper)

    @property
    def gap(self) -> float:
        """How far the cover may be from the best."""
        return gap_of(self.covered, self.bound) or 0.0


def make_cover(
    merged: sparse.csr_array, total: Floats, p: int, *, lower: Floats, upper: Floats
) -> Cover:
    """Put the problem together from merged demand and settled candidates."""
    rows = sparse.csr_array(merged, dtype=np.float64)
    return Cover(rows, sparse.csr_array(rows.T), total, p, lower, upper)


def solve_maximal(cover: Cover, *, watch: Watch) -> tuple[Core, Status]:
    """Choose p candidates that serve the most, proven within the gap of the watch.

    Prices first; where they leave a gap, those of the linear relaxation; where these do too, HiGHS
    branches over what is not settled, starting from the best set known.

    Returns
    -------
    core, status
        The best set with its proven bound, and `optimal`, `feasible` (time ran out) or `cancelled`.
    """
    core = _whole(cover, shrink(cover, watch=watch))
    _tell(watch, core)
    steps: tuple[Callable[[Cover, Core, Watch], Core], ...] = (_relax, _shake, _branch)
    if cover.rows.nnz > _LARGE:  # where the relaxation takes long, look for a better set first
        steps = (_shake, _relax, _branch)
    for step in steps:
        if core.gap <= watch.gap or watch.over or not len(core.free):
            break
        core = _whole(cover, step(cover, core, watch))
        _tell(watch, core)
    if core.gap <= watch.gap:
        return core, "optimal"
    return core, "cancelled" if watch.cancelled else "feasible"


def _whole(cover: Cover, core: Core) -> Core:
    """Lower the bound to a whole number, where every weight is whole."""
    if not np.all(cover.total == np.rint(cover.total)):
        return core
    return replace(core, bound=max(core.covered, float(np.floor(core.bound + 1e-6))))


def _tell(watch: Watch, core: Core) -> None:
    if watch.progress is not None:
        watch.progress(core.covered, core.bound)


def exchange(cover: Cover, sites: Ints) -> Ints:
    """Exchange one site for another as long as that serves more (Teitz and Bart 1968)."""
    sites = np.array(sites, dtype=np.int64)
    while True:
        change = swap_changes(cover, sites)
        place, other = np.unravel_index(int(np.argmax(change)), change.shape)
        if change[place, other] <= _SAFE * max(1.0, float(cover.total.sum())):
            return sites
        sites[place] = other


def swap_changes(cover: Cover, sites: Ints) -> Floats:
    """Return what each exchange would change: chosen sites × candidates; -inf where not allowed."""
    times = cover.times(sites)
    gains = np.asarray(cover.columns @ np.where(times == 0, cover.total, 0.0))
    # Weight that only one chosen site serves, by that site: it is lost, or taken over.
    owned = [groups[times[groups] == 1] for groups in map(cover.groups, sites)]
    owner = np.repeat(np.arange(len(sites)), [len(groups) for groups in owned])
    groups = np.concatenate(owned) if owned else np.empty(0, dtype=np.int32)
    alone = sparse.csr_array(
        (cover.total[groups], (groups, owner)), shape=(len(cover.total), len(sites))
    )
    taken_over = (cover.columns @ alone).toarray().T
    lost = np.bincount(owner, weights=cover.total[groups], minlength=len(sites))
    change: Floats = gains[None, :] + taken_over - lost[:, None]
    change[:, sites] = -np.inf
    change[:, cover.upper == 0] = -np.inf
    change[cover.lower[sites] > 0] = -np.inf
    return change


def build_up(cover: Cover) -> Ints:
    """Take the fixed sites, then one after another the one that adds most (the greedy rule)."""
    sites = np.flatnonzero(cover.lower > 0)
    uncovered = np.where(cover.times(sites) == 0, cover.total, 0.0)
    free = (cover.upper > 0) & (cover.lower == 0)
    while len(sites) < cover.p:
        gains = np.where(free, cover.columns @ uncovered, -np.inf)
        site = int(np.argmax(gains))
        sites = np.append(sites, site)
        free[site] = False
        uncovered[cover.groups(site)] = 0.0
    return sites[: cover.p]


def shrink(cover: Cover, *, watch: Watch, rounds: int = _ROUNDS) -> Core:
    """Bound the best cover from above and below by prices, and settle what the bounds allow.

    Prices move along an average of the last slopes, weighted towards the newest (Camerini, Fratta
    and Maffioli 1975): the bound comes far closer in the same rounds than along the last alone.
    """
    total = cover.total
    sites = exchange(cover, build_up(cover))
    known = cover.covered(sites)
    price = best_price = total / np.maximum(1, np.diff(cover.rows.indptr))
    way = np.zeros_like(total)
    bound, step, stalled = np.inf, 1.0, 0
    for number in range(rounds):
        picked = _pick(cover, np.asarray(cover.columns @ price))
        here = _bound(cover, price)
        stalled = 0 if here < bound * (1.0 - 1e-5) else stalled + 1
        if here < bound:
            bound, best_price = here, price
        other = exchange(cover, picked) if number in _SEARCHES else picked
        covered = cover.covered(other)
        if covered > known:
            sites, known = other, covered
        if (
            (gap_of(known, max(bound, known)) or 0.0) <= watch.gap
            or step < _LEAST_STEP
            or watch.over
        ):
            break
        if stalled >= _PATIENCE:
            step, stalled, price = step / 2, 0, best_price
            way[:] = 0.0
        way = _NEWEST * (cover.times(picked) - (total > price)) + (1.0 - _NEWEST) * way
        norm = float(way @ way)
        if norm == 0.0:
            break
        price = np.clip(price - step * max(here - known, 0.0) / norm * way, 0.0, total)
    core = Core(sites, known, max(bound, known), cover.lower, cover.upper)
    return _settle(cover, core, best_price)


def shake(cover: Cover, core: Core, *, watch: Watch, tries: int, seed: int = 0) -> Core:
    """Look for a better set: throw some sites of the best one out, fill up, exchange; repeat.

    Iterated local search (Lourenço, Martin and Stützle 2003); the same seed finds the same.
    """
    random = np.random.default_rng(seed)
    sites, known = core.sites, core.covered
    movable = int((cover.lower[sites] == 0).sum())
    for _ in range(tries if movable else 0):
        if watch.over or (gap_of(known, core.bound) or 0.0) <= watch.gap:
            break
        size = int(random.integers(1, max(2, movable // 2) + 1)) if movable > 1 else 1
        out = random.choice(np.flatnonzero(cover.lower[sites] == 0), size=size, replace=False)
        other = exchange(cover, _fill(cover, np.delete(sites, out), random))
        covered = cover.covered(other)
        if covered >= known:
            sites, known = other, covered
    return replace(core, sites=sites, covered=known, bound=max(core.bound, known))


def _fill(cover: Cover, sites: Ints, random: np.random.Generator) -> Ints:
    """Add sites up to p, each drawn among the few that add most."""
    uncovered = np.where(cover.times(sites) == 0, cover.total, 0.0)
    while len(sites) < cover.p:
        gains = np.asarray(cover.columns @ uncovered)
        gains[sites] = -np.inf
        gains[cover.upper == 0] = -np.inf
        allowed = int(np.isfinite(gains).sum())
        best = np.argsort(-gains, kind="stable")[: min(_DRAWN, allowed)]
        site = int(random.choice(best))
        sites = np.append(sites, site)
        uncovered[cover.groups(site)] = 0.0
    return sites


def _bound(cover: Cover, price: Floats) -> float:
    """Return what any allowed set serves at most, as prices prove."""
    value = np.asarray(cover.columns @ price)
    return float(value[_pick(cover, value)].sum() + np.maximum(cover.total - price, 0.0).sum())


def _pick(cover: Cover, value: Floats) -> Ints:
    """Return the p allowed candidates of the greatest value, the fixed ones first."""
    keyed = _keyed(cover.lower, cover.upper, value)
    if cover.p >= len(keyed):
        return np.arange(len(keyed))
    return np.argpartition(-keyed, cover.p - 1)[: cover.p]


def _keyed(lower: Floats, upper: Floats, value: Floats) -> Floats:
    return np.where(lower > 0, np.inf, np.where(upper > 0, value, -np.inf))


def _settle(cover: Cover, core: Core, price: Floats) -> Core:
    """Settle candidates that cannot be in, or cannot be out of, any set better than the known."""
    bound, value = _bound(cover, price), np.asarray(cover.columns @ price)
    lower, upper = core.lower.copy(), core.upper.copy()
    keyed = _keyed(lower, upper, value)
    order = np.argsort(-keyed, kind="stable")
    chosen, rest = order[: cover.p], order[cover.p :]
    room = max(bound - core.covered, 0.0) + _SAFE * bound
    if len(rest):
        with np.errstate(invalid="ignore"):
            upper[rest[keyed[chosen[-1]] - keyed[rest] > room]] = 0.0
            lower[chosen[keyed[chosen] - keyed[rest[0]] > room]] = 1.0
    return replace(core, lower=lower, upper=upper)


def _reduce(cover: Cover, core: Core) -> tuple[Cover, float]:
    """Drop what is settled: covered groups, lost candidates; merge again what became equal.

    Returns the cover over the free candidates, and the weight that is served for certain.
    """
    free, settled = core.free, np.flatnonzero(core.lower > 0)
    open_ = cover.times(settled) == 0
    merged, total, _ = merge_demand(
        sparse.csr_array(cover.rows[open_][:, free]), cover.total[open_]
    )
    smaller = make_cover(
        merged,
        total,
        cover.p - len(settled),
        lower=np.zeros(len(free)),
        upper=np.ones(len(free)),
    )
    return smaller, float(cover.total[~open_].sum())


def _shake(cover: Cover, core: Core, watch: Watch) -> Core:
    return shake(cover, core, watch=watch.within(watch.left_s / 4), tries=_TRIES)


def _relax(cover: Cover, core: Core, watch: Watch) -> Core:
    """Take the prices of the linear relaxation: the tightest bound that prices can give."""
    small, certain = _reduce(cover, core)
    solution = solve(
        write_model(small).relaxed(),
        watch=watch.within(watch.left_s / 2),
        interior=small.rows.nnz > _LARGE,
    )
    if not len(solution.prices):
        return core
    price = np.clip(-solution.prices[:-1], 0.0, small.total)
    bound = _bound(small, price)
    # A set that the relaxation likes may be better than all known.
    liked = np.argsort(-solution.values[: len(core.free)], kind="stable")[: small.p]
    settled = np.flatnonzero(core.lower > 0)
    sites = exchange(cover, np.r_[settled, core.free[liked]])
    if cover.covered(sites) > core.covered:
        core = replace(core, sites=sites, covered=cover.covered(sites))
    known = Core(core.sites, core.covered - certain, bound, small.lower, small.upper)
    inner = _settle(small, known, price)
    lower, upper = core.lower.copy(), core.upper.copy()
    lower[core.free], upper[core.free] = inner.lower, inner.upper
    tight = max(min(core.bound, certain + bound), core.covered)
    return replace(core, bound=tight, lower=lower, upper=upper)


def _branch(cover: Cover, core: Core, watch: Watch) -> Core:
    """Let HiGHS branch over the free candidates, from the best set known."""
    small, certain = _reduce(cover, core)
    chosen = np.isin(core.free, core.sites).astype(np.float64)
    start = None
    if chosen.sum() == small.p:
        start = np.r_[chosen, (small.times(np.flatnonzero(chosen)) > 0).astype(np.float64)]
    solution = solve(write_model(small), watch=_shifted(watch, certain), start=start)
    return _take(cover, core, solution, certain)


def _shifted(watch: Watch, certain: float) -> Watch:
    """Tell of the whole cover where the solver sees only the open part of it."""
    tell = watch.progress
    if tell is None:
        return watch
    return replace(watch, progress=lambda cost, low: tell(certain - cost, certain - low))


def _take(cover: Cover, core: Core, solution: Solution, certain: float) -> Core:
    """Take what the solver found; sets it left out of sight were proven no better."""
    if solution.status == "infeasible":
        return replace(core, bound=core.covered)
    bound = core.bound
    if solution.bound is not None:
        bound = max(core.covered, min(bound, certain - solution.bound))
    if solution.objective is None:
        return replace(core, bound=bound)
    picked = core.free[solution.values[: len(core.free)] > 0.5]
    sites = np.r_[np.flatnonzero(core.lower > 0), picked]
    covered = cover.covered(sites)
    if covered <= core.covered:
        return replace(core, bound=bound)
    return replace(core, sites=sites, covered=covered, bound=max(bound, covered))


def write_model(cover: Cover) -> MixedInteger:
    """Write maximal covering: groups are served (0 to 1) only as far as chosen sites reach."""
    groups, count = cover.rows.shape
    links = sparse.hstack([-cover.rows, sparse.eye_array(groups)])
    number = sparse.csr_array(np.r_[np.ones(count), np.zeros(groups)][None, :])
    return MixedInteger(
        costs=np.r_[np.zeros(count), -cover.total],
        lower=np.r_[cover.lower, np.zeros(groups)],
        upper=np.r_[cover.upper, np.ones(groups)],
        integer=np.r_[np.ones(count, dtype=bool), np.zeros(groups, dtype=bool)],
        rows=sparse.csr_array(sparse.vstack([links, number])),
        row_lower=np.r_[np.full(groups, -np.inf), float(cover.p)],
        row_upper=np.r_[np.zeros(groups), float(cover.p)],
    )
