"""What is missing where: against counting by hand and by trying every junction."""

import numpy as np
import pytest
from scipy.sparse.csgraph import dijkstra

from geo.costs import SpeedProfile, walk_costs
from geo.gaps import rank_additions, reach_nodes, street_minutes
from geo.graph import positions_at_nodes
from geo.network import network_from_lines
from geo.snap import snap

CRS = "EPSG:4549"
ADULT = SpeedProfile("adult", 3.6)  # a metre a second


@pytest.fixture(scope="module")
def grid():
    """A grid of streets, 12 × 12 junctions, 100 m apart."""
    x, y, line = [], [], []
    for i in range(12):
        for j in range(12):
            for di, dj in ((1, 0), (0, 1)):
                if i + di < 12 and j + dj < 12:
                    line += [len(line) // 2] * 2
                    x += [i * 100, (i + di) * 100]
                    y += [j * 100, (j + dj) * 100]
    return network_from_lines(np.array(x, float), np.array(y, float), np.array(line), crs=CRS)


def at(network, *points):
    return snap(network, [p[0] for p in points], [p[1] for p in points], max_snap_m=20)


def test_reach_nodes_equals_dijkstra(grid):
    costs = walk_costs(grid, ADULT)
    reached = reach_nodes(grid, costs, positions_at_nodes(grid, [0, 70, 139]), limit_s=350)
    tails, heads, ms = costs.arc_list()
    graph = np.full((grid.node_count,) * 2, np.inf)
    graph[tails, heads] = ms
    exact = dijkstra(graph, indices=[0, 70, 139])
    assert (reached.toarray() == (exact <= 350_000)).all()


def test_addition_that_completes_most_comes_first(grid):
    costs = walk_costs(grid, ADULT)
    # Two neighbours lack only category 1; one far away lacks both.
    origins = at(grid, (100, 100), (300, 100), (1100, 1100))
    missing = np.array([[False, True], [False, True], [True, True]])
    reached = reach_nodes(grid, costs, origins, limit_s=200)
    ranked = rank_additions(grid, reached, missing)
    best = ranked[0]
    assert (best.category, best.completes, best.helps) == (1, (0, 1), (0, 1))
    assert abs(best.x - 200) + abs(best.y - 100) <= 100
    assert [(one.category, one.completes, one.helps) for one in ranked[1:]] == [
        (0, (), (2,)),
        (1, (), (2,)),
    ]


def test_no_other_junction_completes_more(grid):
    costs = walk_costs(grid, ADULT)
    generator = np.random.default_rng(7)
    points = generator.integers(0, 12, size=(15, 2)) * 100.0
    missing = generator.random((15, 3)) < 0.4
    reached = reach_nodes(grid, costs, at(grid, *points), limit_s=250)
    ranked = rank_additions(grid, reached, missing, each=1)
    lacks_one = missing.sum(axis=1) == 1
    table = reached.toarray().astype(bool)
    for addition in ranked:
        ready = missing[:, addition.category] & lacks_one
        by_trying = max(int((table[:, node] & ready).sum()) for node in range(grid.node_count))
        assert len(addition.completes) == by_trying


def test_nothing_missing_needs_nothing(grid):
    costs = walk_costs(grid, ADULT)
    reached = reach_nodes(grid, costs, at(grid, (0, 0)), limit_s=100)
    assert rank_additions(grid, reached, np.zeros((1, 4), dtype=bool)) == []


def test_street_minutes_follow_the_quicker_way_out(grid):
    streets = street_minutes(grid, walk_costs(grid, ADULT), at(grid, (0, 0)), limit_s=600)
    away = np.minimum(streets.x0, streets.x1) + np.minimum(streets.y0, streets.y1)
    nearer = np.minimum(streets.minutes0, streets.minutes1)
    inside = away <= 600
    assert nearer[inside] == pytest.approx(away[inside] / 60)
    assert np.isinf(nearer[~inside]).all()
    assert inside.any()
