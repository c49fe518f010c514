"""Siting: maximal covering beside spopt with the same solver, large ones against the clock."""

import time
from collections.abc import Iterator

import numpy as np
import pulp
from scipy import sparse
from spopt.locate import MCLP

from geo.graph import positions_at_nodes
from geo.programme import plan_programme
from geo.programme_model import Task
from geo.site_reach import walk_reach
from geo.siting import Siting, cover_most
from geo.solver import Watch
from tests.bench.networks import LIMIT_S, Town
from tests.bench.table import DisagreementError, Row, summarise, timed

SMALL, LARGE = (10_000, 500, 20), (62_000, 2_000, 40)  # demand, sites, p
LARGE_GAP, LARGE_S = 0.01, 60.0
UNITS, YEARS, SITES = 13, (2025, 2026, 2027), 600
PEER_S = 600


def instance(town: Town, demand: int, sites: int) -> tuple[sparse.csr_array, np.ndarray]:
    """Draw demand and sites among the junctions of a town; reach is a walk of 15 minutes."""
    random = np.random.default_rng(21)
    demand = min(demand, town.nodes)
    at = random.choice(town.nodes, demand, replace=False)
    places = random.choice(town.nodes, min(sites, town.nodes), replace=False)
    reach = walk_reach(
        town.network,
        town.costs,
        positions_at_nodes(town.network, places),
        positions_at_nodes(town.network, at),
        limit_s=LIMIT_S,
    )
    return reach, random.integers(1, 400, demand).astype(np.float64)


def peer_covers(reach: sparse.csr_array, weights: np.ndarray, p: int) -> float:
    """Let spopt write the model, and HiGHS solve it."""
    costs = np.where(reach.toarray(), 0.0, 2.0)
    model = MCLP.from_cost_matrix(costs, weights, 1.0, p_facilities=p)
    model.solve(pulp.HiGHS(msg=False, timeLimit=PEER_S))
    return float(model.problem.objective.value())


def most_demand(town: Town, repeats: int) -> Iterator[Row]:
    """Compare 10,000 points and 500 sites with spopt: the same optimum, and how much quicker."""
    demand, sites, p = SMALL
    reach, weights = instance(town, demand, sites)

    def ours() -> Siting:
        return cover_most(reach, weights, p, watch=Watch.start(LARGE_S))

    ours()
    times = [timed(ours) for _ in range(repeats)]
    # The peer takes so long that it is asked once.
    peer_s, best = timed(lambda: peer_covers(reach, weights, p))
    answer = times[0][1]
    if abs(answer.covered - best) > 0.5 or answer.status != "optimal":
        raise DisagreementError(
            f"siting on {town.name}: ours serves {answer.covered:,.0f} ({answer.status}), "
            f"the peer's {best:,.0f}"
        )
    yield summarise(
        [(seconds, peer_s) for seconds, _ in times],
        job=f"siting {len(weights):,} × {reach.shape[1]}, p = {p}",
        network=town.name,
        nodes=town.nodes,
        peer="spopt + HiGHS",
        goal=50,
    )


def large_demand(town: Town) -> Iterator[Row]:
    """Hold 62,000 points and 2,000 sites against a minute and 1 %."""
    demand, sites, p = LARGE
    reach, weights = instance(town, demand, sites)
    watch = Watch.start(LARGE_S, gap=LARGE_GAP)
    seconds, answer = timed(lambda: cover_most(reach, weights, p, watch=watch))
    yield against_clock(
        f"siting {len(weights):,} × {reach.shape[1]:,}, p = {p}", town, seconds, answer.gap
    )


def programme(town: Town) -> Iterator[Row]:
    """Hold a programme of 13 units, 3 years and 600 sites against a minute and 1 %."""
    random = np.random.default_rng(22)
    unit = random.integers(0, UNITS, SITES)
    capacity = np.round(random.lognormal(np.log(38_000), 0.6, SITES), -2)
    total = np.bincount(unit, weights=capacity, minlength=UNITS)
    cost = np.round(capacity * random.uniform(1_800, 4_200, SITES), -4)
    task = Task(
        capacity_m2=capacity,
        cost_cny=cost,
        earliest_year=YEARS[0] + random.integers(0, 2, SITES),
        unit=unit,
        units=tuple(f"unit {number}" for number in range(UNITS)),
        years=YEARS,
        need_m2=np.outer(total * 0.35, [0.25, 0.6, 1.0]),
        towns=sparse.csr_array(random.random((34, SITES)) < 0.02),
        cover_by=YEARS[-1],
        budget_cny=cost.sum() * np.array([0.1, 0.12, 0.16]),
    )
    watch = Watch.start(LARGE_S, gap=LARGE_GAP)
    start = time.perf_counter()
    answer = plan_programme(task, alternatives=0, watch=watch)
    seconds = time.perf_counter() - start
    name = f"programme {UNITS} × {len(YEARS)} × {SITES}"
    yield against_clock(name, town, seconds, answer.gap)


def against_clock(job: str, town: Town, seconds: float, gap: float | None) -> Row:
    """Make a row whose peer is the minute that the job may take; no proof, no row."""
    if gap is None or gap > LARGE_GAP:
        raise DisagreementError(f"{job} on {town.name}: the gap proven is {gap}")
    return summarise(
        [(seconds, LARGE_S)],
        job=job,
        network=town.name,
        nodes=town.nodes,
        peer="a minute",
        goal=1,
        more={"gap": round(gap, 5)},
    )


def siting(town: Town, repeats: int) -> Iterator[Row]:
    """Measure all of siting on one town."""
    yield from most_demand(town, repeats)
    yield from large_demand(town)
    yield from programme(town)
