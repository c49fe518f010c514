"""Street networks: joining, chains, attributes, barriers, snapping, and inputs that are wrong."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, Point, Polygon

from geo.errors import InputError
from geo.network import (
    SpeedProfile,
    WalkNetwork,
    build_network,
    positions_at_nodes,
    snap,
    walk_costs,
)
from tests.geo.towns import CORNERS, CRS, drawings, drawn_town, stroll, town


def frame(*lines, crs=CRS, **columns):
    shapes = [line if hasattr(line, "geom_type") else LineString(line) for line in lines]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=crs)


@pytest.fixture(scope="module")
def roads(shared_data):
    return gpd.read_file(shared_data / "wenzhou_roads_wgs84.gpkg")


@pytest.fixture(scope="module")
def wenzhou(roads):
    return build_network(roads, crs=CRS)


def degrees(network):
    return np.diff(network.offsets)


# Joining and contracting


def test_lines_meet_at_shared_vertices_only():
    crossing = town([(0, 0), (50, 0), (100, 0)], [(50, -50), (50, 0), (50, 50)])
    assert (crossing.node_count, crossing.edge_count) == (5, 4)
    bridge = town([(0, 0), (100, 0)], [(50, -50), (50, 50)])
    assert (bridge.node_count, bridge.edge_count) == (4, 2)
    assert len(bridge.component_size) == 2


def test_a_chain_of_lines_is_one_edge_that_keeps_its_course():
    network = town([(0, 0), (30, 0)], [(60, 40), (30, 0)], [(60, 40), (60, 100)])
    assert (network.node_count, network.edge_count) == (2, 1)
    assert network.length_m.tolist() == [30 + 50 + 60]
    course = list(zip(network.vertex_x.tolist(), network.vertex_y.tolist(), strict=True))
    assert course in (
        [(0, 0), (30, 0), (60, 40), (60, 100)],
        [(60, 100), (60, 40), (30, 0), (0, 0)],
    )
    assert sorted(network.vertex_m.tolist()) in ([0, 30, 80, 140], [0, 60, 110, 140])


def test_rings_loops_and_parallel_edges():
    ring = town([(0, 0), (10, 0), (10, 10), (0, 0)])
    assert (ring.node_count, ring.edge_count, ring.start[0]) == (1, 1, ring.end[0])
    loop = town([(-10, 0), (0, 0)], [(0, 0), (10, 0), (10, 10), (0, 0)])
    assert (loop.node_count, loop.edge_count) == (2, 2)
    twins = town(
        [(0, 0), (50, 0)], [(0, 0), (25, 40), (50, 0)], [(0, 0), (0, 9)], [(50, 0), (50, 9)]
    )
    assert (twins.node_count, twins.edge_count) == (4, 4)
    tails, heads, ms = stroll(twins).arc_list()
    between = sorted(ms[(degrees(twins)[tails] == 3) & (degrees(twins)[heads] == 3)].tolist())
    assert between == [50_000, 50_000]


def test_chains_end_where_attributes_change():
    lines = [[(0, 0), (10, 0)], [(10, 0), (20, 0)], [(20, 0), (30, 0)]]
    assert town(*lines, steps=[False, True, True]).edge_count == 2
    assert town(*lines, speed_factor=[1.0, 1.0, 0.5]).edge_count == 2
    assert town(*lines, foot=np.array([1, 1, 0], np.int8)).edge_count == 3


def test_one_way_for_walkers():
    network = town([(0, 0), (10, 0)], [(20, 0), (10, 0)], foot=np.array([1, -1], np.int8))
    tails, heads, _ = stroll(network).arc_list()
    assert (network.x[heads] - network.x[tails]).tolist() == [10.0, 10.0]
    reverse = stroll(network).reverse
    assert np.diff(reverse.offsets).sum() == 2


def test_steps_and_slow_streets_take_longer():
    network = town(
        [(0, 0), (10, 0)], [(10, 0), (20, 0)], steps=[True, False], speed_factor=[1, 0.5]
    )
    by_steps = dict(zip(network.steps.tolist(), [0, 1], strict=True))
    ms = walk_costs(network, SpeedProfile("older", 3.6, steps_factor=3.0)).forward_ms
    assert (ms[by_steps[True]], ms[by_steps[False]]) == (30_000, 20_000)
    chair = walk_costs(network, SpeedProfile("wheelchair", 3.6, steps_allowed=False))
    assert chair.arcs.ms.tolist() == [20_000, 20_000]


def test_near_vertices_join_within_the_snapping_distance():
    lines = [(0, 0), (10, 0)], [(10.3, 0), (20, 0)]
    assert len(town(*lines).component_size) == 2
    joined = town(*lines, snap_m=0.5)
    assert (joined.edge_count, len(joined.component_size)) == (1, 1)


@settings(max_examples=60)
@given(drawings())
def test_contraction_keeps_streets_and_degrees(drawing):
    network = drawn_town(drawing)
    pairs = [(a, b) for line in drawing[0] for a, b in pairwise(line) if a != b]
    lengths = [np.hypot(*(CORNERS[a] - CORNERS[b])) for a, b in pairs]
    assert network.length_m.sum() == pytest.approx(sum(lengths))
    corner_degree = np.bincount(np.ravel(pairs).astype(int), minlength=len(CORNERS))
    kept = {(x, y) for x, y in zip(network.x, network.y, strict=True)}
    for corner, degree in zip(CORNERS.tolist(), corner_degree, strict=True):
        if degree not in (0, 2):
            assert tuple(corner) in kept
    # Rows: each edge twice, at its two ends, by ascending head.
    assert np.bincount(network.edge, minlength=network.edge_count).tolist() == (
        [2] * network.edge_count
    )
    for node in range(network.node_count):
        rows = slice(network.offsets[node], network.offsets[node + 1])
        tails = np.where(
            network.backward[rows],
            network.end[network.edge[rows]],
            network.start[network.edge[rows]],
        )
        assert (tails == node).all()
        assert (np.diff(network.heads[rows]) >= 0).all()
    assert network.component_size.sum() == network.node_count
    assert (network.component[network.start] == network.component[network.end]).all()
    first, last = network.parts[:-1], network.parts[1:] - 1
    assert (network.vertex_x[first] == network.x[network.start]).all()
    assert (network.vertex_y[last] == network.y[network.end]).all()


def test_real_roads(roads, wenzhou):
    # As counted independently when the data was gathered.
    assert len(wenzhou.component_size) == 457
    xy = shapely.get_coordinates(roads.geometry.array)
    assert 0.96 < wenzhou.component_size[0] / wenzhou.node_count < 0.98
    assert wenzhou.length_m.sum() == pytest.approx(roads.to_crs(CRS).length.sum(), rel=1e-6)
    assert wenzhou.node_count < 85_162 < len(np.unique(xy, axis=0))
    again = WalkNetwork.from_arrays(wenzhou.to_arrays())
    assert again.crs == wenzhou.crs
    assert (again.heads == wenzhou.heads).all()
    assert again.bounds == wenzhou.bounds


def test_a_saved_network_of_another_version_says_so():
    arrays = town([(0, 0), (1, 0)]).to_arrays()
    del arrays["foot"]
    with pytest.raises(InputError, match="lacks foot; build it anew"):
        WalkNetwork.from_arrays(arrays)


# Frames


def test_frame_with_columns():
    streets = frame(
        MultiLineString([[(0, 0), (10, 0)], [(10, 0), (10, 10)]]),
        [(10, 10), (0, 10)],
        LineString(),
        foot=["both", "forward", None],
        steps=[None, True, False],
    )
    network = build_network(streets, crs=CRS)
    assert network.length_m.tolist() == [20.0, 10.0]
    assert network.steps.tolist() == [False, True]
    assert abs(network.foot).tolist() == [0, 1]


def test_degrees_are_projected():
    streets = frame([(120.70, 28.0), (120.71, 28.0)], crs="EPSG:4326")
    assert build_network(streets, crs=CRS).length_m[0] == pytest.approx(983.5, abs=0.5)


def test_heights_by_function_and_by_third_coordinate():
    streets = frame(LineString([(0, 0, 5), (10, 0, 6)]))
    assert build_network(streets, crs=CRS, heights="z").vertex_z.tolist() == [5, 6]
    network = build_network(streets, crs=CRS, heights=lambda x, y: x + y)
    assert network.vertex_z.tolist() == [0, 10]
    assert not build_network(streets, crs=CRS).has_heights


def test_progress_is_told():
    stages = []
    build_network(frame([(0, 0), (1, 0)]), crs=CRS, progress=lambda *told: stages.append(told))
    assert [share for _, share in stages] == sorted(share for _, share in stages)


# Wrong inputs


def test_degrees_declared_as_metres():
    with pytest.raises(InputError, match="look like degrees"):
        build_network(frame([(120.7, 28.0), (120.8, 28.1)]), crs=CRS)


@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:2277", "nonsense"])
def test_a_system_that_is_not_metric(crs):
    with pytest.raises(InputError, match="metres"):
        build_network(frame([(0, 0), (1, 0)]), crs=crs)


def test_no_coordinate_system():
    with pytest.raises(InputError, match="no coordinate system"):
        build_network(frame([(0, 0), (1, 0)], crs=None), crs=CRS)


def test_degrees_declared_as_other_metres_are_found_beside_barriers_too():
    lines = [[(120.1, 27.1), (120.101, 27.1), (120.102, 27.1)]]
    river = frame([(5e5, 3e6), (5e5, 3.1e6)])
    with pytest.raises(InputError, match="streets are declared"):
        build_network(frame(*lines, crs="EPSG:3857"), crs=CRS, barriers=river)
    with pytest.raises(InputError, match="barriers are declared"):
        build_network(frame([(5e5, 3e6), (5e5 + 9, 3e6)]), crs=CRS, barriers=frame(*lines))


@pytest.mark.parametrize(
    ("columns", "options", "words"),
    [
        ({"steps": ["no"]}, {}, "row 0, steps: is neither true nor false"),
        ({"bridge": ["yes"]}, {}, "row 0, bridge"),
        ({"speed_factor": ["fast"]}, {}, "row 0, speed_factor: is not a number above 0"),
        ({"speed_factor": [0.0]}, {}, "row 0, speed_factor"),
        ({}, {"heights": "height"}, "'z'"),
        ({}, {"snap_m": float("nan")}, "snap_m"),
        ({}, {"snap_m": -1.0}, "snap_m"),
    ],
)
def test_nonsense_is_refused_and_named(columns, options, words):
    with pytest.raises(InputError, match=words):
        build_network(frame([(5e5, 3e6), (5e5 + 9, 3e6)], **columns), crs=CRS, **options)


@pytest.mark.parametrize("steps", [[True], [None], [1], [1.0], [np.nan], ["x"][:0]])
def test_flags_may_be_numbers_or_missing(steps):
    lines = [[(5e5, 3e6), (5e5 + 9, 3e6)]] if steps else []
    network = build_network(frame(*lines, steps=steps), crs=CRS)
    assert network.steps.tolist() == [bool(value == 1) for value in steps]


def test_all_wrong_columns_and_geometries_are_named():
    streets = frame([(0, 0), (1, 0)], [(0, 0), (1, 0)], foot=["x", "y"], speed_factor=[0, np.inf])
    with pytest.raises(InputError, match="4 faults") as caught:
        build_network(streets, crs=CRS)
    assert len(caught.value.faults) == 4
    with pytest.raises(InputError, match="row 1: is not a line"):
        build_network(frame([(0, 0), (1, 0)], Point(0, 0)), crs=CRS)


def test_heights_that_are_no_numbers():
    streets = frame([(0, 0), (1, 0), (2, 0)])
    with pytest.raises(InputError, match="missing at 2 of 3 street vertices"):
        build_network(streets, crs=CRS, heights=lambda x, _: np.where(x > 0, np.nan, 1.0))
    with pytest.raises(InputError, match="heights"):
        build_network(streets, crs=CRS, heights=lambda *_: [1.0])


@pytest.mark.parametrize("speed", [0.0, -4.0, np.nan, np.inf, 300.0])
def test_impossible_speeds(speed):
    with pytest.raises(InputError, match="speed_km_h"):
        SpeedProfile("odd", speed)


def test_no_streets_and_one_street():
    empty = build_network(frame(crs=CRS), crs=CRS)
    assert (empty.node_count, empty.edge_count, empty.bounds) == (0, 0, None)
    assert len(stroll(empty).arcs.heads) == 0
    assert snap(empty, [0.0], [0.0], max_snap_m=1e6).edge.tolist() == [-1]
    same = town([(5, 5), (5, 5)])
    assert same.edge_count == 0
    one = town([(0, 0), (10, 0)])
    assert stroll(one).arc_list()[2].tolist() == [10_000, 10_000]


# Barriers and snapping

RIVER = gpd.GeoSeries([LineString([(50, -100), (50, 100)])], crs=CRS)


def test_a_barrier_cuts_streets_but_not_bridges():
    streets = frame([(0, 0), (100, 0)], [(0, 30), (100, 30)], bridge=[False, True])
    assert build_network(streets, crs=CRS).edge_count == 2
    cut = build_network(streets, crs=CRS, barriers=RIVER)
    assert cut.edge_count == 3
    assert sorted(cut.length_m.round().tolist()) == [50.0, 50.0, 100.0]
    lake = gpd.GeoSeries([Polygon([(40, -10), (60, -10), (60, 10), (40, 10)])], crs=CRS)
    assert build_network(streets, crs=CRS, barriers=lake).edge_count == 4


def test_snapping_does_not_cross_a_river():
    streets = frame([(0, 0), (0, 100)], [(60, 0), (60, 100)])
    x, y = [45.0], [50.0]
    free = snap(build_network(streets, crs=CRS), x, y, max_snap_m=100)
    assert (free.snap_m[0], free.x[0]) == (15.0, 60.0)
    network = build_network(streets, crs=CRS, barriers=RIVER)
    own_bank = snap(network, x, y, max_snap_m=100)
    assert (own_bank.snap_m[0], own_bank.x[0]) == (45.0, 0.0)
    assert snap(network, x, y, max_snap_m=40).edge.tolist() == [-1]


def test_snapping_measures_and_limits():
    network = town([(0, 0), (100, 0)])
    places = snap(network, [30.0, -3.0, 50.0, 50.0], [4.0, 4.0, 10.0, 10.001], max_snap_m=10)
    assert places.edge.tolist() == [0, 0, 0, -1]
    assert places.snap_m[:3].tolist() == [4.0, 5.0, 10.0]
    along = places.offset_m if network.vertex_x[0] == 0 else 100.0 - places.offset_m
    assert along[:3].tolist() == [30.0, 0.0, 50.0]
    assert np.isinf(places.snap_m[3])
    assert (places.x[3], places.y[3]) == (50.0, 10.001)
    assert places.islands(network).tolist() == [0, 0, 0, -1]


def test_snapping_to_some_edges_only():
    network = town([(0, 0), (100, 0)], [(0, 50), (100, 50)])
    low = network.y[network.start] == 0
    places = snap(network, [50.0], [1.0], max_snap_m=100, edges=~low)
    assert places.snap_m.tolist() == [49.0]


def test_snapping_equals_a_search_of_all_streets(wenzhou):
    random = np.random.default_rng(3)
    at = random.integers(0, len(wenzhou.vertex_x), 400)
    x = wenzhou.vertex_x[at] + random.normal(0, 300, 400)
    y = wenzhou.vertex_y[at] + random.normal(0, 300, 400)
    places = snap(wenzhou, x, y, max_snap_m=500)
    xy = np.column_stack([wenzhou.vertex_x, wenzhou.vertex_y])
    line = np.repeat(np.arange(wenzhou.edge_count), np.diff(wenzhou.parts))
    lines = shapely.linestrings(xy, indices=line)
    _, away = shapely.STRtree(lines).query_nearest(
        shapely.points(x, y), return_distance=True, all_matches=False
    )
    on = away <= 500
    assert (places.on_network == on).all()
    assert places.snap_m[on] == pytest.approx(away[on], abs=1e-6)
    again = shapely.line_interpolate_point(lines[places.edge[on]], places.offset_m[on])
    assert shapely.distance(again, shapely.points(places.x[on], places.y[on])).max() < 1e-6


@settings(max_examples=40)
@given(drawings(), st.lists(st.tuples(*[st.floats(-300, 700)] * 2), min_size=1, max_size=5))
def test_snapping_in_random_towns(drawing, points):
    network = drawn_town(drawing)
    x, y = np.array(points).T
    places = snap(network, x, y, max_snap_m=400)
    lines = [LineString(CORNERS[line]) for line in drawing[0] if len(set(line)) > 1]
    for at, point in enumerate(points):
        away = min((Point(point).distance(line) for line in lines), default=np.inf)
        assert places.snap_m[at] == (pytest.approx(away) if away <= 400 else np.inf)


def test_long_lines_do_not_fill_the_grid():
    long = [(0, 0), (100_000, 70_000)]
    short = [[(i * 10, 5000 + i), (i * 10 + 5, 5001 + i)] for i in range(1000)]
    network = town(long, *short)
    assert len(network.grid.segments) < 10_000
    assert snap(network, [50_000.0], [35_000.0], max_snap_m=1).snap_m[0] < 1e-6


@pytest.mark.parametrize(("x", "y", "limit"), [([np.nan], [0.0], 9), ([0.0], [0.0, 1.0], 9)])
def test_places_that_cannot_be_snapped(x, y, limit):
    with pytest.raises(InputError):
        snap(town([(0, 0), (1, 0)]), x, y, max_snap_m=limit)


@pytest.mark.parametrize("limit", [-1.0, np.nan, np.inf])
def test_snapping_limits_that_make_no_sense(limit):
    with pytest.raises(InputError, match="max_snap_m"):
        snap(town([(0, 0), (1, 0)]), [0.0], [0.0], max_snap_m=limit)


def test_nodes_as_places():
    network = town([(0, 0), (50, 0), (100, 0)], [(50, -50), (50, 0), (50, 50)])
    places = positions_at_nodes(network, range(5))
    assert places.x.tolist() == network.x.tolist()
    ends = np.where(places.offset_m > 0, network.end[places.edge], network.start[places.edge])
    assert ends.tolist() == list(range(5))
    with pytest.raises(InputError, match="node 5"):
        positions_at_nodes(network, [5])
