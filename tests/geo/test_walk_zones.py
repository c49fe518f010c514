"""Zones walked and drawn at once are those of the pieces reached."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import nearby
from geo.errors import InputError
from geo.isochrone import exact_zone, walk_zones, zones
from geo.network import SpeedProfile, network_from_lines, positions_at_nodes, snap, walk_costs
from geo.reach import reached_edges

MINUTES = (300, 900, 600)
ADULT = SpeedProfile("adult", 4.0)


def town(side, gap_m, *, seed=1):
    """Streets between jittered crossings, some of them bent, one-way and steep."""
    chance = np.random.default_rng(seed)
    xy = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1) * gap_m
    xy = xy + chance.uniform(-0.3, 0.3, xy.shape) * gap_m + [512_000.0, 3_100_000.0]
    lines = [(xy[i, j], xy[i, j + 1]) for i in range(side) for j in range(side - 1)]
    lines += [(xy[i, j], xy[i + 1, j]) for i in range(side - 1) for j in range(side)]
    bends = chance.uniform(-0.2, 0.2, (len(lines), 2)) * gap_m
    paths = np.array(
        [(a, (a + b) / 2 + bend, b) for (a, b), bend in zip(lines, bends, strict=True)]
    )
    foot = chance.choice([0, 0, 0, 1, -1], len(lines)).astype(np.int8)
    line = np.repeat(np.arange(len(lines), dtype=np.int32), 3)
    x, y = np.ascontiguousarray(paths.reshape(-1, 2).T)
    return x, y, line, foot


def walked(*, gap_m=60.0, heights=False, seed=1):
    x, y, line, foot = town(24, gap_m, seed=seed)
    z = 20.0 * np.sin(x / 200.0) if heights else None
    network = network_from_lines(x, y, line, crs="EPSG:4549", foot=foot, z=z)
    return network, walk_costs(network, ADULT)


def check_same(network, costs, place, *, cell_m=15.0, buffer_m=50.0):
    sizes = {"cell_m": cell_m, "buffer_m": buffer_m}
    reached = reached_edges(network, costs, place, limit_s=900)
    slow = zones(reached, MINUTES, **sizes)
    quick = walk_zones(network, costs, place, MINUTES, **sizes)
    for one, other in zip(slow, quick, strict=True):
        assert other.is_valid
        assert one.symmetric_difference(other).area <= 1.0 + 1e-5 * one.area
    short, long, middle = quick
    assert long.covers(middle)
    assert short.is_empty or middle.covers(short)


@pytest.mark.parametrize("heights", [False, True])
@pytest.mark.parametrize("gap_m", [25.0, 60.0, 400.0])  # looked up, looked up, stamped
def test_the_same_as_of_pieces(gap_m, heights):
    network, costs = walked(gap_m=gap_m, heights=heights)
    for node in (0, 250, network.node_count - 1):
        check_same(network, costs, positions_at_nodes(network, [node]))


@settings(max_examples=25)
@given(st.integers(0, 5), st.floats(0, 1), st.floats(0, 1), st.sampled_from([10.0, 15.0, 35.0]))
def test_the_same_from_any_place(seed, right, up, cell_m):
    network, costs = walked(gap_m=100.0, seed=seed)
    west, south, east, north = network.bounds
    x, y = west + right * (east - west), south + up * (north - south)
    check_same(
        network, costs, snap(network, [x], [y], max_snap_m=1000), cell_m=cell_m, buffer_m=50.0
    )


def test_the_index_of_streets_is_kept_within_bounds(monkeypatch):
    network, costs = walked(gap_m=25.0)
    place = positions_at_nodes(network, [100])
    (first,) = walk_zones(network, costs, place, [900])
    (kept,) = network.near_edges._indexes.values()
    monkeypatch.setattr(nearby, "MAX_ENTRIES", 10)
    (again,) = walk_zones(network, costs, place, [900])
    (renewed,) = network.near_edges._indexes.values()
    assert again.equals(first)
    assert len(kept.edge) == len(renewed.edge) > 10
    assert renewed is not kept


def test_many_threads_may_draw_at_once():
    network, costs = walked(gap_m=60.0)
    places = [positions_at_nodes(network, [node]) for node in range(0, 560, 40)]
    alone, _ = walked(gap_m=60.0)
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda place: walk_zones(network, costs, place, [600])[0], places))
    for place, zone in zip(places, drawn, strict=True):
        assert zone.equals(walk_zones(alone, costs, place, [600])[0])


def test_streets_to_nearest_corners_equal_shapely():
    network, _ = walked(gap_m=60.0)
    grid = (west, south, columns, rows, cell_m, reach_m) = (
        512_400.0,
        3_100_305.0,
        30,
        20,
        15.0,
        65.0,
    )
    index = network.near_edges.cover(grid)
    lines = [
        shapely.linestrings(network.vertex_x[a:b], network.vertex_y[a:b])
        for a, b in zip(network.parts[:-1], network.parts[1:], strict=True)
    ]
    for row, column in ((0, 0), (7, 11), (rows - 1, columns - 1)):
        x, y = west + column * cell_m, south + row * cell_m
        distance = shapely.distance(lines, shapely.Point(x, y))
        block_row, inner_row = divmod(round(y / cell_m), nearby.BLOCK)
        block_column, inner = divmod(round(x / cell_m), nearby.BLOCK)
        offsets = index.offsets[index.number[block_row - index.row, block_column - index.column]]
        at = inner_row * nearby.BLOCK + inner
        listed = slice(offsets[at], offsets[at + 1])
        assert set(index.edge[listed]) == set(np.flatnonzero(distance <= reach_m))
        assert np.sqrt(index.squared[listed]) == pytest.approx(
            np.sort(distance[distance <= reach_m]), abs=0.01
        )


@pytest.mark.parametrize("gap_m", [25.0, 60.0, 400.0])
def test_zones_come_near_the_exact_ones_whatever_the_cell(gap_m):
    network, costs = walked(gap_m=gap_m)
    place = positions_at_nodes(network, [250])
    reached = reached_edges(network, costs, place, limit_s=900)
    for limit, zone in zip(MINUTES, walk_zones(network, costs, place, MINUTES), strict=True):
        exact = exact_zone(reached, limit)
        assert zone.intersection(exact).area / zone.union(exact).area >= 0.98
    (small,) = walk_zones(network, costs, place, [900], buffer_m=10.0)
    exact = exact_zone(reached, 900, buffer_m=10.0)
    assert small.covers(shapely.Point(place.x[0], place.y[0]))
    assert small.intersection(exact).area / small.union(exact).area >= 0.95


def test_nothing_is_reached_off_the_network():
    network, costs = walked()
    nowhere = snap(network, [0.0], [0.0], max_snap_m=100)
    assert all(zone.is_empty for zone in walk_zones(network, costs, nowhere, MINUTES))


def test_a_walker_who_may_not_use_the_street_reaches_nothing():
    x, y, line = np.array([0.0, 100.0]), np.zeros(2), np.zeros(2, dtype=np.int32)
    stairs = network_from_lines(x, y, line, crs="EPSG:4549", steps=np.array([True]))
    wheelchair = walk_costs(stairs, SpeedProfile("wheelchair", 3.0, steps_allowed=False))
    place = snap(stairs, [50.0], [0.0], max_snap_m=100)
    assert walk_zones(stairs, wheelchair, place, [900])[0].is_empty


@pytest.mark.parametrize(
    ("limits", "places", "said"),
    [([], 1, "limits_s"), ([1e9], 1, "minutes"), ([900], 2, "one place, not from 2")],
)
def test_wrong_questions_are_named(limits, places, said):
    network, costs = walked()
    with pytest.raises(InputError, match=said):
        walk_zones(network, costs, positions_at_nodes(network, range(places)), limits)
