"""The programme against every possible one, and its words when there is none."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from geo.covering import Choice
from geo.errors import InputError
from geo.programme import carry_over, plan_programme
from geo.programme_model import Task
from geo.solver import Watch

YEARS = (2025, 2026)


def make_task(capacity, cost, unit, need, *, earliest=None, towns=None, **more):
    count = len(capacity)
    return Task(
        capacity_m2=np.array(capacity, dtype=float),
        cost_cny=np.array(cost, dtype=float),
        earliest_year=np.array(earliest or [YEARS[0]] * count),
        unit=np.array(unit),
        units=("Ash", "Birch"),
        years=YEARS,
        need_m2=np.array(need, dtype=float),
        towns=sparse.csr_array(np.array(towns or np.zeros((0, count)), dtype=bool)),
        cover_by=YEARS[-1],
        budget_cny=np.array(more.pop("budget", [np.inf, np.inf])),
        **more,
    )


def cheapest_by_trying(task):
    """The least cost of all programmes, None when there is none."""
    best = None
    lower, upper = task.choice.bounds(len(task.unit))
    for years in product(range(-1, len(YEARS)), repeat=len(task.unit)):
        opened = np.array(years)
        if ((opened < 0) & (lower > 0)).any() or ((opened >= 0) & (upper == 0)).any():
            continue
        early = (opened >= 0) & (np.array(YEARS)[opened] < task.earliest_year)
        if early.any() or not task.can_keep(opened):
            continue
        cost = task.spent_cny(opened).sum()
        best = cost if best is None else min(best, cost)
    return best


@st.composite
def tasks(draw):
    count = draw(st.integers(1, 5))
    numbers = st.lists(st.integers(1, 9), min_size=count, max_size=count)
    capacity = [10_000 * one for one in draw(numbers)]
    cost = [1_000_000 * one for one in draw(numbers)]
    unit = draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
    need = [sorted(10_000 * draw(st.integers(0, 8)) for _ in YEARS) for _ in range(2)]
    town = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    budget = [1_000_000.0 * draw(st.integers(3, 30)) for _ in YEARS]
    earliest = [draw(st.sampled_from(YEARS)) for _ in range(count)]
    return make_task(capacity, cost, unit, need, earliest=earliest, towns=[town], budget=budget)


@settings(max_examples=50)
@given(tasks())
def test_cheapest_of_all_programmes(task):
    answer = plan_programme(task, watch=Watch.start(30, gap=1e-9), alternatives=1)
    best = cheapest_by_trying(task)
    if best is None:
        assert answer.status == "infeasible"
        assert answer.conflicts
        return
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(best)
    assert answer.bound == pytest.approx(best)
    assert not answer.shortages
    assert not answer.open_towns
    for row, limit in zip(answer.years, task.budget_cny, strict=True):
        assert row.spent_cny <= limit * (1 + 1e-9)
    for other in answer.alternatives:
        assert other.objective >= best * (1 - 1e-9)
    for one in answer.prices:
        need = task.need_m2.copy()
        need[one.unit] = np.maximum(need[one.unit] - one.step_m2, 0)
        cheaper = cheapest_by_trying(replace(task, need_m2=need))
        assert one.saves_cny == pytest.approx(best - cheaper, abs=1)


@settings(max_examples=40)
@given(tasks())
def test_a_conflict_is_one_and_no_part_of_it_can_be_spared(task):
    answer = plan_programme(task, watch=Watch.start(30, gap=1e-9), alternatives=0)
    for conflict in answer.conflicts:
        assert cheapest_by_trying(_only(task, conflict.asked)) is None
        assert conflict.smallest
        for spared in conflict.asked:
            rest = [one for one in conflict.asked if one != spared]
            assert cheapest_by_trying(_only(task, rest)) is not None


def _only(task, asked):
    """The task with nothing asked but some things."""
    need = np.zeros_like(task.need_m2)
    budget = np.full_like(task.budget_cny, np.inf)
    towns = []
    for one in asked:
        if one.kind == "target":
            need[one.unit, one.year] = task.need_m2[one.unit, one.year]
        elif one.kind == "budget":
            budget[one.year] = task.budget_cny[one.year]
        else:
            towns.append(one.town)
    return Task(
        **{
            **{name: getattr(task, name) for name in task.__dataclass_fields__},
            "need_m2": need,
            "budget_cny": budget,
            "towns": task.towns[towns],
        }
    )


def test_each_site_opens_as_late_as_it_may():
    task = make_task([30_000, 30_000], [1e6, 1e6], [0, 0], [[10_000, 50_000], [0, 0]])
    answer = plan_programme(task, alternatives=0)
    assert sorted(one.year for one in answer.opened) == [2025, 2026]
    assert [row.need_m2 for row in answer.years] == [10_000, 50_000]


def test_why_names_what_would_break():
    task = make_task(
        [30_000, 5_000], [1e6, 1e6], [0, 1], [[0, 30_000], [0, 0]], towns=[[False, True]]
    )
    why = {one.site: one for one in plan_programme(task).opened}
    assert why[0].breaks == ((0, 2026, 30_000.0),)
    assert why[1].towns == (0,)


def test_a_target_too_large_alone_is_named_with_both_areas():
    task = make_task([20_000, 90_000], [1e6, 1e6], [0, 1], [[10_000, 50_000], [0, 80_000]])
    answer = plan_programme(task)
    assert answer.status == "infeasible"
    (conflict,) = answer.conflicts
    assert (conflict.needs_m2, conflict.has_m2) == (50_000, 20_000)
    assert [(one.unit, one.year, one.short_m2) for one in answer.shortages] == [(0, 2026, 30_000)]
    assert {one.site for one in answer.opened} == {0, 1}  # it comes as close as it can


def test_a_budget_that_does_not_pay_for_the_targets_is_named_with_both_sums():
    task = make_task(
        [50_000, 50_000], [4e6, 5e6], [0, 1], [[0, 50_000], [0, 50_000]], budget=[4e6, 4.5e6]
    )
    answer = plan_programme(task)
    (conflict,) = answer.conflicts
    assert {one.kind for one in conflict.asked} == {"target", "budget"}
    assert conflict.needs_cny > 0
    assert conflict.has_cny == 8.5e6


def test_areas_carry_over():
    targets = np.array([[42.0, 54.0, 60.0], [6.0, 10.0, 16.0]])
    reached = np.array([[20.0, np.nan, np.nan], [30.0, np.nan, np.nan]])
    assert carry_over(targets, reached).tolist() == [[22.0, 76.0, 136.0], [0.0, 0.0, 2.0]]


def test_cancelled_at_once_still_answers():
    task = make_task([50_000] * 4, [4e6] * 4, [0, 0, 1, 1], [[0, 50_000], [0, 90_000]])
    answer = plan_programme(task, watch=Watch.start(30, cancel=lambda: True))
    assert answer.status in ("optimal", "feasible", "cancelled")
    assert not answer.prices


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"budget": [0.0, 1e6]}, "budget of 2025"),
        ({"budget": [np.nan, 1e6]}, "budget of 2025"),
        ({"choice": Choice(frozenset({0}), frozenset({0}))}, "both fixed and forbidden"),
        ({"earliest": [2030], "choice": Choice(frozenset({0}))}, "2030"),
    ],
)
def test_wrong_input_is_told(more, said):
    task = make_task([10_000], [1e6], [0], [[0, 1], [0, 0]], **more)
    with pytest.raises(InputError, match=said):
        plan_programme(task)


def test_capacity_that_is_no_number_is_told():
    with pytest.raises(InputError, match="capacity_m2"):
        plan_programme(make_task([np.nan], [1e6], [0], [[0, 1], [0, 0]]))
