"""Matching: indivisible spaces beside scipy's Hungarian method, large markets against the clock."""

from collections.abc import Iterator

import numpy as np
from scipy.optimize import linear_sum_assignment

from geo.assignment import assign_best
from geo.matching import DEFAULT_WEIGHTS, Supply, Wants, rank_spaces, score_spaces, take_best, weigh
from geo.pairs import Pairs, list_pairs
from geo.solver import Watch
from tests.bench.table import DisagreementError, Row, measure, summarise, timed
from tests.geo.test_matching import make_supply, make_wants

WEIGHTS = weigh(DEFAULT_WEIGHTS)
DEMANDS, SPACES, MANY = 2_000, 10_000, 100_000
RANK_S, ONE_S, ASSIGN_S, GAP = 2.0, 0.1, 60.0, 0.01
_MARKET = "made-up market"


def market(demands: int, spaces: int, *, divisible: bool = True) -> tuple[Supply, Wants]:
    """Draw both sides as the tests do."""
    rng = np.random.default_rng(23)
    return make_supply(spaces, rng, divisible=divisible), make_wants(demands, rng)


def indivisible(repeats: int) -> Iterator[Row]:
    """Assign whole spaces: the same optimum as scipy finds, and how the times compare."""
    supply, wants = market(DEMANDS // 2, SPACES // 4, divisible=False)
    supply = supply._replace(part_m2=supply.vacant_m2)
    wants = wants._replace(max_m2=np.full(len(wants.max_m2), np.inf))
    pairs = list_pairs(supply, wants, WEIGHTS, WEIGHTS)
    gain = np.zeros((len(wants.min_m2), len(supply.rent)))
    gain[pairs.demand, pairs.space] = pairs.score

    def ours() -> float:
        watch = Watch.start(ASSIGN_S, gap=1e-6)
        return assign_best(pairs, supply.vacant_m2, watch=watch).objective

    def theirs() -> float:
        rows, columns = linear_sum_assignment(gain, maximize=True)
        return float(gain[rows, columns].sum())

    mine, best = ours(), theirs()
    if abs(mine - best) > 1e-4 * best:
        raise DisagreementError(f"assignment: ours is worth {mine:.4f}, scipy's {best:.4f}")
    yield summarise(
        measure(ours, theirs, repeats=repeats),
        job=f"assignment {gain.shape[0]:,} × {gain.shape[1]:,}, whole spaces",
        network=_MARKET,
        nodes=len(pairs.space),
        peer="scipy linear_sum_assignment",
    )


def large(repeats: int) -> Iterator[Row]:
    """Rank and assign large markets within the time allowed, the gap proven."""
    supply, wants = market(DEMANDS, SPACES)
    rank_spaces(supply, wants, WEIGHTS)
    times = [timed(lambda: rank_spaces(supply, wants, WEIGHTS))[0] for _ in range(repeats)]
    yield _allowed(f"ranking {DEMANDS:,} × {SPACES:,}", times, RANK_S, DEMANDS * SPACES)
    many, _ = market(1, MANY)

    def one() -> object:
        score, fails = score_spaces(many, wants, 0, WEIGHTS)
        return take_best(score, fails, 20)

    one()
    times = [timed(one)[0] for _ in range(repeats)]
    yield _allowed(f"ranking 1 × {MANY:,}", times, ONE_S, MANY)

    def assign() -> tuple[Pairs, float | None]:
        pairs = list_pairs(supply, wants, WEIGHTS, WEIGHTS)
        watch = Watch.start(ASSIGN_S, gap=GAP / 2)
        return pairs, assign_best(pairs, supply.vacant_m2, watch=watch).gap

    seconds, (pairs, gap) = timed(assign)
    if gap is None or gap > GAP:
        raise DisagreementError(f"assignment {DEMANDS:,} × {SPACES:,}: the gap proven is {gap}")
    name = f"assignment {DEMANDS:,} × {SPACES:,}, gap {gap:.2%}"
    yield _allowed(name, [seconds], ASSIGN_S, len(pairs.space))


def _allowed(job: str, times: list[float], limit_s: float, size: int) -> Row:
    """Make a row whose peer is the time allowed."""
    pairs = [(seconds, limit_s) for seconds in times]
    about = {"network": _MARKET, "nodes": size, "peer": f"{limit_s:g} s allowed", "goal": 1}
    return summarise(pairs, job=job, **about)


def matching(repeats: int) -> Iterator[Row]:
    """Every job of matching."""
    yield from indivisible(repeats)
    yield from large(repeats)
