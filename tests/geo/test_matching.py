"""Matching against brute force: who may, in which order, the best, and what nobody leaves."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, linear_sum_assignment, milp

from geo.assignment import assign_best
from geo.columns import encode
from geo.eligibility import admits, judge
from geo.errors import InputError
from geo.matching import (
    DEFAULT_WEIGHTS,
    OPERATOR_WEIGHTS,
    PARTS,
    Supply,
    Wants,
    failed_checks,
    find_cause,
    parts_of,
    rank_spaces,
    read_weights,
    score_demands,
    score_pair,
    score_spaces,
    take_best,
    weigh,
)
from geo.pairs import drop_pairs, list_pairs
from geo.solver import Watch
from geo.stable import assign_stable, find_blocking

WEIGHTS, THEIRS = weigh(DEFAULT_WEIGHTS), weigh(read_weights(OPERATOR_WEIGHTS))
NAN = float("nan")


def make_supply(count, rng, *, divisible=True):
    area = rng.integers(2, 12, count) * 10.0
    part = np.where(rng.random(count) < (0.5 if divisible else -1), area / 2, area)
    technical = rng.choice([0.0, 1.0, NAN], (count, 6), p=[0.2, 0.6, 0.2])
    return Supply(
        vacant_m2=np.where(rng.random(count) < 0.15, 0.0, area),
        part_m2=part,
        rent=rng.choice([10.0, 20.0, 30.0, NAN], count),
        technical=technical,
        lab=rng.integers(-1, 2, count).astype(np.int32),
        kind=rng.integers(-1, 3, count).astype(np.int32),
        unit=rng.integers(-1, 2, count).astype(np.int32),
        industries=rng.integers(-1, 3, count).astype(np.int32),
        stages=rng.integers(-1, 2, count).astype(np.int32),
        services=rng.integers(-1, 2, count).astype(np.int32),
        available_day=rng.choice([0.0, 60.0, 400.0, NAN], count),
        min_term=rng.choice([6.0, 12.0, NAN], count),
        max_term=rng.choice([24.0, 36.0, NAN], count),
        place=rng.integers(-1, 3, count),
    )


def make_wants(count, rng):
    least = rng.integers(1, 8, count) * 10.0

    def fit(values):
        made = rng.random((count, values + 1)).round(2)
        made[:, -1] = 0.0
        return made

    return Wants(
        min_m2=least,
        max_m2=np.where(rng.random(count) < 0.2, np.inf, least + rng.integers(0, 6, count) * 10.0),
        max_rent=rng.choice([15.0, 25.0, 50.0, NAN], count),
        technical=rng.choice([1.0, NAN], (count, 6), p=[0.1, 0.9]),
        lab=rng.choice([-1, -1, 0, 1], count).astype(np.int32),
        kind=rng.integers(-1, 3, count).astype(np.int32),
        start_day=rng.choice([30.0, NAN], count),
        term=rng.choice([12.0, 30.0, NAN], count),
        by_place=rng.random(count) < 0.5,
        industry_fit=fit(3),
        stage_fit=fit(2),
        service_fit=fit(2),
        unit_fit=fit(2),
        place_fit=fit(3),
        amenity_fit=fit(3),
    )


def failures(supply, wants, d, s):
    """Say in plain Python what a pair fails."""
    vacant, found = supply.vacant_m2[s], []
    if vacant <= 0:
        found.append("vacant")
    elif max(wants.min_m2[d], min(supply.part_m2[s], vacant)) > min(wants.max_m2[d], vacant):
        found.append("area")
    if supply.rent[s] > wants.max_rent[d]:
        found.append("rent")
    lab = wants.lab[d] >= 0 and supply.lab[s] >= 0 and wants.lab[d] != supply.lab[s]
    if lab or any(a < b for a, b in zip(supply.technical[s], wants.technical[d], strict=True)):
        found.append("technical")
    if wants.term[d] < supply.min_term[s] or wants.term[d] > supply.max_term[s]:
        found.append("term")
    return tuple(found)


@pytest.fixture(params=range(6))
def market(request):
    rng = np.random.default_rng(request.param)
    return make_supply(25, rng), make_wants(12, rng)


def test_what_a_pair_fails_is_told_check_by_check(market):
    supply, wants = market
    for d in range(12):
        _, fails = score_spaces(supply, wants, d, WEIGHTS)
        told = [failed_checks(int(bits)) for bits in fails]
        assert told == [failures(supply, wants, d, s) for s in range(25)]


def test_scores_are_the_weighted_parts(market):
    supply, wants = market
    rated = 0
    for d in range(12):
        score, fails = score_spaces(supply, wants, d, WEIGHTS)
        for s in range(25):
            parts = parts_of(supply, wants, d, s)
            assert all(0 <= part <= 1 for part in parts.values())
            expected = sum(DEFAULT_WEIGHTS[name] * parts[name] for name in PARTS)
            assert score[s] == (0 if fails[s] else pytest.approx(expected, abs=1e-4))
            rated += not fails[s]
    assert rated


def test_ranking_agrees_from_every_side(market):
    supply, wants = market
    best, scores = rank_spaces(supply, wants, WEIGHTS, limit=5)
    for d in range(12):
        score, fails = score_spaces(supply, wants, d, WEIGHTS)
        able = [s for s in range(25) if not fails[s]]
        expected = sorted(able, key=lambda s: (-score[s], s))[:5]
        assert take_best(score, fails, 5).tolist() == expected
        assert [s for s in best[d].tolist() if s >= 0] == expected
        assert scores[d, : len(expected)].tolist() == [score[s] for s in expected]
        for s in expected:
            other, their_fails = score_demands(supply, wants, s, WEIGHTS)
            assert (other[d], their_fails[d]) == (score[s], 0)


BETTER = {
    "rent": lambda s: s._replace(rent=np.where(np.isnan(s.rent), 5.0, s.rent - 5.0)),
    "vacant": lambda s: s._replace(vacant_m2=s.vacant_m2 + 10.0),
    "part": lambda s: s._replace(part_m2=s.part_m2 / 2),
    "technical": lambda s: s._replace(technical=np.ones_like(s.technical)),
    "sooner": lambda s: s._replace(available_day=np.zeros_like(s.available_day)),
    "shorter": lambda s: s._replace(min_term=np.full_like(s.min_term, NAN)),
}


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from(sorted(BETTER)))
def test_a_better_offer_never_ranks_lower(seed, what):
    rng = np.random.default_rng(seed)
    supply, wants = make_supply(6, rng), make_wants(4, rng)
    better = BETTER[what](supply)
    for d in range(4):
        before, fails_before = score_spaces(supply, wants, d, WEIGHTS)
        after, fails_after = score_spaces(better, wants, d, WEIGHTS)
        able = fails_before == 0
        assert not fails_after[able].any()
        assert (after[able] >= before[able] - 1e-12).all()


def check_sound(supply, wants, pairs, result):
    used = np.zeros(len(supply.rent))
    for d, pair in enumerate(result.pair.tolist()):
        if pair < 0:
            continue
        assert pairs.starts[d] <= pair < pairs.starts[d + 1]
        s = int(pairs.space[pair])
        assert failures(supply, wants, d, s) == ()
        assert wants.min_m2[d] <= pairs.area_m2[pair] <= wants.max_m2[d]
        used[s] += pairs.area_m2[pair]
    assert (used <= supply.vacant_m2 + 1e-6).all()


def brute_best(pairs, capacity):
    """Try every assignment."""
    demands = len(pairs.starts) - 1
    options = [[-1, *range(pairs.starts[d], pairs.starts[d + 1])] for d in range(demands)]
    best = 0.0
    for choice in product(*options):
        taken = [pair for pair in choice if pair >= 0]
        used = np.zeros(len(capacity))
        np.add.at(used, pairs.space[taken], pairs.area_m2[taken])
        if (used <= capacity + 1e-9).all():
            best = max(best, float(pairs.score[taken].sum()))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_best_assignment_equals_brute_force(seed):
    rng = np.random.default_rng(100 + seed)
    supply, wants = make_supply(4, rng), make_wants(5, rng)
    pairs = list_pairs(supply, wants, WEIGHTS, THEIRS)
    result = assign_best(pairs, supply.vacant_m2, gap=1e-9)
    check_sound(supply, wants, pairs, result)
    expected = brute_best(pairs, supply.vacant_m2)
    assert result.objective == pytest.approx(expected, abs=1e-6)
    assert result.bound >= expected - 1e-6


def test_best_assignment_is_sound_and_proven(market):
    supply, wants = market
    pairs = list_pairs(supply, wants, WEIGHTS, THEIRS)
    result = assign_best(pairs, supply.vacant_m2)
    check_sound(supply, wants, pairs, result)
    assert result.bound >= result.objective - 1e-6
    again = assign_best(pairs, supply.vacant_m2)
    assert again.pair.tolist() == result.pair.tolist()
    stable = assign_stable(pairs, supply.vacant_m2)
    assert stable.objective <= result.bound + 1e-6


def brute_blocking(pairs, capacity, chosen):
    """Count pairs that would rather have each other, one by one."""
    count, demand = 0, pairs.demand
    held = {d: pair for d, pair in enumerate(chosen.tolist()) if pair >= 0}
    for pair, d in enumerate(demand.tolist()):
        s, own = pairs.space[pair], held.get(d)
        if own is not None and pairs.score[pair] <= pairs.score[own]:
            continue
        there = [other for other in held.values() if pairs.space[other] == s]
        room = capacity[s] - sum(pairs.area_m2[other] for other in there)
        room += sum(
            pairs.area_m2[other] for other in there
            if pairs.operator[other] < pairs.operator[pair]
        )  # fmt: skip
        count += pairs.area_m2[pair] <= room + 1e-9
    return count


@pytest.mark.parametrize("seed", range(10))
def test_undivided_space_has_no_blocking_pair(seed):
    rng = np.random.default_rng(200 + seed)
    supply, wants = make_supply(10, rng, divisible=False), make_wants(14, rng)
    supply = supply._replace(part_m2=supply.vacant_m2)
    pairs = list_pairs(supply, wants, WEIGHTS, THEIRS)
    result = assign_stable(pairs, supply.vacant_m2)
    check_sound(supply, wants, pairs, result)
    assert result.blocking == 0
    assert brute_blocking(pairs, supply.vacant_m2, result.pair) == 0


@pytest.mark.parametrize("seed", range(10))
def test_blocking_pairs_are_counted_as_by_hand(seed):
    rng = np.random.default_rng(300 + seed)
    supply, wants = make_supply(8, rng), make_wants(12, rng)
    pairs = list_pairs(supply, wants, WEIGHTS, THEIRS)
    for result in (assign_stable(pairs, supply.vacant_m2), assign_best(pairs, supply.vacant_m2)):
        check_sound(supply, wants, pairs, result)
        assert result.blocking == brute_blocking(pairs, supply.vacant_m2, result.pair)
        count, first = find_blocking(pairs, supply.vacant_m2, result.pair, limit=3)
        assert (result.blocking, min(count, 3)) == (count, len(first))


def test_nobody_and_nothing():
    rng = np.random.default_rng(0)
    supply, wants = make_supply(3, rng), make_wants(2, rng)
    supply = supply._replace(vacant_m2=np.zeros(3))
    pairs = list_pairs(supply, wants, WEIGHTS, THEIRS)
    for result in (assign_best(pairs, supply.vacant_m2), assign_stable(pairs, supply.vacant_m2)):
        assert (result.objective, result.blocking, result.pair.tolist()) == (0.0, 0, [-1, -1])


def test_causes():
    assert find_cause(np.array([2, 2, 4, 6], dtype=np.uint8)) == "area"
    assert find_cause(np.array([6, 12], dtype=np.uint8)) == "rent"
    assert find_cause(np.array([2, 0], dtype=np.uint8)) == "taken"


@pytest.mark.parametrize(
    "given_", [{"colour": 1}, {"rent": -1}, {"rent": float("nan")}, {"rent": 0}, {"rent": True}]
)
def test_bad_weights_are_refused(given_):
    with pytest.raises(InputError, match="weights"):
        read_weights(given_)


RULES = [
    {"key": "base", "subject": "demand", "zh": "基本", "en": "Base", "clause": "一",
     "all": [{"fact": "staff", "op": "ge", "value": 0.3},
             {"fact": "used", "op": "is", "value": False}]},
    {"key": "premium", "subject": "demand", "zh": "优质", "en": "Premium", "requires": ["base"],
     "all": [], "any_min": 2,
     "any": [{"fact": "ip", "op": "ge", "value": 1}, {"fact": "rd", "op": "ge", "value": 5},
             {"fact": "talent", "op": "is", "value": True}]},
    {"key": "other", "subject": "incubator", "all": []},
]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "base", "premium"),
    [
        ({"staff": 0.3, "used": False, "ip": 1, "rd": 9}, "pass", "pass"),
        ({"staff": 0.3, "used": False, "ip": 1}, "pass", "unknown"),
        ({"staff": 0.3, "used": False, "ip": 0, "rd": 1}, "pass", "fail"),
        ({"staff": 0.2}, "fail", "fail"),
        ({"staff": 0.5}, "unknown", "unknown"),
        ({"staff": "many", "used": False}, "unknown", "unknown"),
        (None, "unknown", "unknown"),
    ],
)
def test_not_known_is_kept_apart_from_no(facts, base, premium):
    verdicts = judge(RULES, facts, subject="demand")
    assert [(one.rule, one.outcome) for one in verdicts] == [("base", base), ("premium", premium)]
    assert admits(verdicts) == base
    assert [one.gate for one in verdicts] == [True, False]


def test_rules_that_make_no_sense():
    loop = [{"key": "a", "subject": "demand", "requires": ["a"]}]
    with pytest.raises(InputError, match="requires itself"):
        judge(loop, {}, subject="demand")
    odd = [{"key": "a", "subject": "demand", "all": [{"fact": "x", "op": "like", "value": 1}]}]
    with pytest.raises(InputError, match="like"):
        judge(odd, {"x": 1}, subject="demand")


def test_values_are_numbered_in_their_order():
    assert encode([("a", "b"), None, ("a", "b")]).choices() == ("a", "b")


@pytest.mark.parametrize("seed", range(8))
def test_indivisible_spaces_give_what_linear_assignment_gives(seed):
    """Where nothing is divided, scipy's Hungarian method knows the best."""
    rng = np.random.default_rng(400 + seed)
    supply, wants = make_supply(18, rng, divisible=False), make_wants(14, rng)
    # Demands as large as whole spaces: no two fit into one.
    wants = wants._replace(min_m2=np.maximum(wants.min_m2, 1.0), max_m2=np.full(14, np.inf))
    supply = supply._replace(part_m2=supply.vacant_m2)
    pairs = list_pairs(supply, wants, WEIGHTS, THEIRS)
    gain = np.zeros((14, 18))
    gain[pairs.demand, pairs.space] = pairs.score
    rows, columns = linear_sum_assignment(gain, maximize=True)
    result = assign_best(pairs, supply.vacant_m2, watch=Watch.start(50, gap=1e-9))
    check_sound(supply, wants, pairs, result)
    assert result.objective == pytest.approx(gain[rows, columns].sum(), abs=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_divisible_spaces_give_what_another_solver_gives(seed):
    rng = np.random.default_rng(500 + seed)
    supply, wants = make_supply(9, rng), make_wants(16, rng)
    pairs = list_pairs(supply, wants, WEIGHTS, THEIRS)
    result = assign_best(pairs, supply.vacant_m2, watch=Watch.start(50, gap=1e-9))
    once = np.zeros((16, len(pairs.space)))
    once[pairs.demand, np.arange(len(pairs.space))] = 1
    fits = np.zeros((9, len(pairs.space)))
    fits[pairs.space, np.arange(len(pairs.space))] = pairs.area_m2
    found = milp(
        -pairs.score,
        constraints=[LinearConstraint(once, ub=1), LinearConstraint(fits, ub=supply.vacant_m2)],
        integrality=np.ones(len(pairs.space)),
        bounds=Bounds(0, 1),
    )
    assert result.objective == pytest.approx(-found.fun, abs=1e-5)


def take_wants(wants, kept):
    return Wants(*(values[kept] for values in wants))


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(0, 5))
def test_fewer_demands_are_worth_less_and_leave_more_for_the_others(seed, gone):
    rng = np.random.default_rng(seed)
    supply, wants = make_supply(5, rng), make_wants(6, rng)
    kept = np.arange(6) != gone
    best = brute_best(list_pairs(supply, wants, WEIGHTS, THEIRS), supply.vacant_m2)
    pairs = list_pairs(supply, take_wants(wants, kept), WEIGHTS, THEIRS)
    without = assign_best(pairs, supply.vacant_m2, watch=Watch.start(50, gap=1e-9)).objective
    whole = list_pairs(supply, wants, WEIGHTS, THEIRS)
    result = assign_best(whole, supply.vacant_m2, watch=Watch.start(50, gap=1e-9))
    others = sum(whole.score[pair] for d, pair in enumerate(result.pair) if pair >= 0 and d != gone)
    assert without <= best + 1e-6
    assert without >= others - 1e-6


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_equals_come_in_the_order_of_their_ids_and_the_same_input_in_the_same_order(seed):
    rng = np.random.default_rng(seed)
    supply, wants = make_supply(8, rng), make_wants(3, rng)
    twice = Supply(*(np.concatenate([values, values]) for values in supply))
    best, _ = rank_spaces(twice, wants, WEIGHTS, limit=16)
    again, _ = rank_spaces(twice, wants, WEIGHTS, limit=16)
    assert best.tolist() == again.tolist()
    for d in range(3):
        score, _ = score_spaces(twice, wants, d, WEIGHTS)
        row = [s for s in best[d].tolist() if s >= 0]
        assert row == sorted(row, key=lambda s: (-score[s], s))
        assert [s for s in row if s < 8] == [s - 8 for s in row if s >= 8]
        for s in row[:4]:
            one = score_pair(twice, wants, d, s, WEIGHTS)
            assert one == (pytest.approx(score[s]), 0)


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_dropped_pairs_are_matched_by_nobody(seed):
    rng = np.random.default_rng(seed)
    supply, wants = make_supply(6, rng), make_wants(6, rng)
    pairs = list_pairs(supply, wants, WEIGHTS, THEIRS)
    dropped = rng.random(len(pairs.space)) < 0.4
    fewer = drop_pairs(pairs, dropped)
    gone = set(zip(pairs.demand[dropped].tolist(), pairs.space[dropped].tolist(), strict=True))
    assert len(fewer.space) + len(gone) == len(pairs.space)
    assert not gone & set(zip(fewer.demand.tolist(), fewer.space.tolist(), strict=True))
    result = assign_best(fewer, supply.vacant_m2)
    check_sound(supply, wants, fewer, result)
    assert result.objective <= brute_best(pairs, supply.vacant_m2) + 1e-6


def test_one_who_stops_gets_the_best_found_so_far():
    rng = np.random.default_rng(7)
    supply, wants = make_supply(30, rng), make_wants(40, rng)
    pairs = list_pairs(supply, wants, WEIGHTS, THEIRS)
    told = []
    result = assign_best(
        pairs,
        supply.vacant_m2,
        watch=Watch.start(50, cancel=lambda: True),
        progress=lambda stage, share: told.append((stage, share)),
    )
    check_sound(supply, wants, pairs, result)
    assert result.objective > 0
    assert told[-1] == ("done", 1.0)


def test_blocking_pairs_are_named():
    rng = np.random.default_rng(301)
    supply, wants = make_supply(8, rng), make_wants(12, rng)
    pairs = list_pairs(supply, wants, WEIGHTS, THEIRS)
    result = assign_best(pairs, supply.vacant_m2)
    count, first = find_blocking(pairs, supply.vacant_m2, result.pair, limit=1000)
    assert (count, len(first)) == (result.blocking, result.blocking)
    for pair in first.tolist():
        own = result.pair[pairs.demand[pair]]
        assert own < 0 or pairs.score[pair] > pairs.score[own]
