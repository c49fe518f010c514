"""Covering questions against full enumeration, and what must hold for any of them."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from geo.covering import Choice, merge_demand, served_weight
from geo.errors import InputError
from geo.maximal import build_up, make_cover, solve_maximal
from geo.siting import cover_all, cover_most
from geo.solver import MixedInteger, Watch, solve

reaches = arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(2, 7)))
weights = st.lists(st.integers(0, 20), min_size=9, max_size=9)


def as_reach(table):
    return sparse.csr_array(np.asarray(table, dtype=bool))


def best_by_trying(table, weight, p, fixed=(), forbidden=()):
    count = table.shape[1]
    sets = [
        some
        for some in combinations([one for one in range(count) if one not in forbidden], p)
        if set(fixed) <= set(some)
    ]
    return max(float(weight[table[:, list(some)].any(axis=1)].sum()) for some in sets)


@settings(max_examples=60)
@given(reaches, weights, st.data())
def test_most_is_the_best_of_all_sets(table, weight, data):
    weight = np.array(weight[: len(table)], dtype=float)
    p = data.draw(st.integers(1, table.shape[1]))
    answer = cover_most(as_reach(table), weight, p, curve_to=1)
    assert answer.status == "optimal"
    assert answer.covered == best_by_trying(table, weight, p)
    assert answer.bound == pytest.approx(answer.covered)
    assert len(answer.sites) == p
    assert answer.covered == float(weight[table[:, list(answer.sites)].any(axis=1)].sum())
    for point in answer.curve:
        assert point.covered == best_by_trying(table, weight, point.p)
    for other in answer.alternatives:
        assert other.objective <= answer.covered
        assert other.objective == served_weight(as_reach(table), weight, other.sites)
        assert len(other.sites) == p
        assert set(other.sites) != set(answer.sites)


@settings(max_examples=40)
@given(reaches, weights, st.data())
def test_settled_sites_are_kept_and_left_out(table, weight, data):
    weight = np.array(weight[: len(table)], dtype=float)
    count = table.shape[1]
    fixed = data.draw(st.integers(0, count - 1))
    forbidden = data.draw(st.integers(0, count - 1).filter(lambda one: one != fixed))
    p = data.draw(st.integers(1, count - 1))
    choice = Choice(frozenset({fixed}), frozenset({forbidden}))
    answer = cover_most(as_reach(table), weight, p, choice=choice)
    assert fixed in answer.sites
    assert forbidden not in answer.sites
    assert answer.covered == best_by_trying(table, weight, p, {fixed}, {forbidden})


@settings(max_examples=60)
@given(reaches)
def test_all_is_the_smallest_of_all_sets(table):
    reachable = table.any(axis=1)
    answer = cover_all(as_reach(table))
    sizes = [
        size
        for size in range(table.shape[1] + 1)
        for some in combinations(range(table.shape[1]), size)
        if table[:, list(some)].any(axis=1).sum() == reachable.sum()
    ]
    assert answer.objective == sizes[0] == len(answer.sites)
    assert answer.covered == reachable.sum()
    assert answer.unreachable == tuple(np.flatnonzero(~reachable))
    assert answer.gap == 0.0
    for other in answer.alternatives:
        assert table[:, list(other.sites)].any(axis=1).sum() == reachable.sum()
        assert other.objective >= answer.objective


@settings(max_examples=40)
@given(reaches, weights, st.data())
def test_what_must_hold(table, weight, data):
    weight = np.array(weight[: len(table)], dtype=float)
    reach, p = as_reach(table), data.draw(st.integers(1, table.shape[1]))
    answer = cover_most(reach, weight, p)
    merged, total, _ = merge_demand(reach, weight)
    count = table.shape[1]
    cover = make_cover(merged, total, p, lower=np.zeros(count), upper=np.ones(count))
    assert cover.covered(build_up(cover)) <= answer.covered  # the greedy rule is never better
    for site in answer.chosen:  # removing a site never raises coverage, and loses what it adds
        rest = [other for other in answer.sites if other != site.site]
        assert served_weight(reach, weight, rest) == answer.covered - site.adds
    assert cover_most(reach, 2.0 * weight, p).covered == 2.0 * answer.covered


def clustered(points, sites, seed=3):
    random = np.random.default_rng(seed)
    centre = random.random((8, 2)) * 9_000
    at = centre[random.integers(0, 8, points)] + random.normal(0, 900, (points, 2))
    place = at[random.choice(points, sites, replace=False)]
    near = np.hypot(*(at[:, None, :] - place[None, :, :]).transpose(2, 0, 1)) <= 700
    return as_reach(near), random.integers(1, 100, points).astype(float)


def test_branching_agrees_with_the_plain_model():
    reach, weight = clustered(400, 40)
    merged, total, _ = merge_demand(reach, weight)
    groups, count, p = *merged.shape, 7
    plain = MixedInteger(
        costs=np.r_[np.zeros(count), -total],
        lower=np.zeros(count + groups),
        upper=np.ones(count + groups),
        integer=np.r_[np.ones(count, dtype=bool), np.zeros(groups, dtype=bool)],
        rows=sparse.csr_array(
            sparse.vstack(
                [
                    sparse.hstack([-merged.astype(float), sparse.eye_array(groups)]),
                    sparse.csr_array(np.r_[np.ones(count), np.zeros(groups)][None, :]),
                ]
            )
        ),
        row_lower=np.r_[np.full(groups, -np.inf), float(p)],
        row_upper=np.r_[np.zeros(groups), float(p)],
    )
    answer = cover_most(reach, weight, p)
    assert answer.covered == pytest.approx(-solve(plain).objective)
    assert answer.gap == 0.0


def test_same_question_same_answer():
    reach, weight = clustered(300, 30)
    assert cover_most(reach, weight, 5) == cover_most(reach, weight, 5)


def test_cancel_keeps_the_best_found_with_a_true_bound():
    reach, weight = clustered(600, 80)
    full = cover_most(reach, weight, 9)
    cut = cover_most(reach, weight, 9, watch=Watch.start(60, cancel=lambda: True))
    assert cut.status in ("cancelled", "optimal")
    assert len(cut.sites) == 9
    assert cut.covered <= full.covered <= cut.bound + 1e-6


def test_progress_tells_found_and_bound():
    heard = []
    reach, weight = clustered(300, 30)
    cover_most(
        reach, weight, 5, watch=Watch.start(60, progress=lambda *figures: heard.append(figures))
    )
    assert heard
    assert all(found <= bound + 1e-6 for found, bound in heard)


def test_merging_gives_equal_points_one_row():
    table = np.array([[1, 0, 1], [0, 0, 0], [1, 0, 1], [0, 1, 0]], dtype=bool)
    merged, total, group = merge_demand(as_reach(table), np.array([1.0, 5.0, 2.0, 4.0]))
    assert merged.shape == (2, 3)
    assert sorted(total) == [3.0, 4.0]
    assert group[0] == group[2] != group[3]
    assert group[1] == -1


@pytest.mark.parametrize(
    ("p", "weight", "said"),
    [
        (0, [1.0, 1.0], "give 1 to 2"),
        (3, [1.0, 1.0], "give 1 to 2"),
        (1, [1.0, float("nan")], "nan"),
        (1, [1.0, -1.0], "-1.0"),
        (1, [1.0], "give one a point"),
    ],
)
def test_wrong_input_is_told(p, weight, said):
    with pytest.raises(InputError, match=said):
        cover_most(as_reach([[1, 0], [0, 1]]), np.array(weight), p)


def test_a_choice_that_contradicts_itself_is_told():
    with pytest.raises(InputError) as told:
        Choice(frozenset({1, 9}), frozenset({1})).bounds(3)
    assert len(told.value.faults) == 2


def test_costs_decide_between_sites():
    reach = as_reach([[1, 1, 0], [1, 0, 1]])
    assert cover_all(reach, costs=np.array([5.0, 2.0, 2.0])).sites == (1, 2)
    assert cover_all(reach, costs=np.array([3.0, 2.0, 2.0])).sites == (0,)
    with pytest.raises(InputError, match="nan"):
        cover_all(reach, costs=np.array([1.0, np.nan, 1.0]))


def test_nothing_to_serve_needs_no_site():
    answer = cover_all(sparse.csr_array((0, 3), dtype=bool))
    assert (answer.status, answer.sites, answer.objective) == ("optimal", (), 0.0)
    nobody = cover_most(as_reach([[0, 0]]), np.array([4.0]), 1)
    assert (nobody.covered, nobody.unreachable) == (0.0, (0,))


def test_large_question_is_proven_close():
    reach, weight = clustered(4_000, 150)
    merged, total, _ = merge_demand(reach, weight)
    cover = make_cover(merged, total, 10, lower=np.zeros(150), upper=np.ones(150))
    core, status = solve_maximal(cover, watch=Watch.start(30, gap=0.02))
    assert status == "optimal"
    assert core.covered <= core.bound <= core.covered * 1.0205
