"""Reach: every answer against an independent exact search."""

import time
from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo import sums
from geo.errors import CancelledError, InputError
from geo.hierarchy import build_hierarchy
from geo.network import (
    Positions,
    SpeedProfile,
    build_network,
    positions_at_nodes,
    snap,
    walk_costs,
)
from geo.reach import (
    UNREACHABLE,
    by_category,
    counts_within,
    matrix,
    nearest,
    nearest_ids,
    one_to_many,
    reached_edges,
    sums_within,
)
from tests.geo.towns import CORNERS, corner_times, drawings, drawn_town, stroll, town
from tests.geo.walks import Streets

CRS = "EPSG:4549"
MINUTES_15 = 900.0


def graph(network, costs):
    """Give scipy's graph; arcs of no time become the least number above 0."""
    tails, heads, ms = costs.arc_list()
    assert len(np.unique(tails.astype(np.int64) * network.node_count + heads)) == len(tails)
    size = (network.node_count,) * 2
    return csr_array((np.maximum(ms.astype(float), 1e-9), (tails, heads)), shape=size)


def to_ms(times, limit_s):
    whole = np.rint(np.where(np.isfinite(times), times, UNREACHABLE))
    return np.where(whole <= limit_s * 1000, whole, UNREACHABLE).astype(int)


def places_at(network, x, y):
    return snap(network, x, y, max_snap_m=1e-6)


def random_places(network, count, seed):
    """Places anywhere on the edges."""
    random = np.random.default_rng(seed)
    edge = random.integers(0, network.edge_count, count).astype(np.int32)
    offset_m = random.random(count) * network.length_m[edge]
    nothing = np.zeros(count)
    return Positions(edge, offset_m, nothing, nothing, nothing)


def end_times(network, costs, places):
    """Times from both ends to each place, by plain proportion; none against a one-way street."""
    share = places.offset_m / np.maximum(network.length_m[places.edge], 1e-12)
    ways = ((costs.forward_ms, share), (costs.backward_ms, 1.0 - share))
    ms = [(way[places.edge], part) for way, part in ways]
    # Part of a way that is closed is no short way: however small, it is closed.
    return tuple(np.where(way < UNREACHABLE, np.rint(way * part), np.inf) for way, part in ms)


def times_to(network, costs, places):
    """Milliseconds from every node to every place, by scipy."""
    from_start, from_end = end_times(network, costs, places)
    starts, ends = network.start[places.edge], network.end[places.edge]
    nodes, where = np.unique(np.concatenate([starts, ends]), return_inverse=True)
    back = dijkstra(graph(network, costs).T, indices=nodes)
    count = len(places)
    to_start, to_end = back[where[:count]].T, back[where[count:]].T
    return np.minimum(to_start + from_start, to_end + from_end)


@pytest.fixture(scope="module")
def wenzhou(shared_data):

    network = build_network(gpd.read_file(shared_data / "wenzhou_roads_wgs84.gpkg"), crs=CRS)
    return network, walk_costs(network, SpeedProfile("adult", 4.0))


# Random worlds


@settings(max_examples=60)
@given(drawings(), st.sampled_from([0.05, 100.0, 250.0, 3000.0]))
def test_every_pair_of_corners(drawing, limit_s):
    """Corners lie on edges or at nodes; the reference knows nothing of either."""
    network = drawn_town(drawing)
    costs = stroll(network)
    used = sorted({corner for line in drawing[0] if len(set(line)) > 1 for corner in line})
    places = places_at(network, CORNERS[used, 0], CORNERS[used, 1])
    assert places.on_network.all()
    times = one_to_many(network, costs, places, places, limit_s=limit_s)
    expected = corner_times(drawing)[np.ix_(used, used)]
    # Each edge is rounded to whole milliseconds.
    slack = 2.0 + network.edge_count
    sure = np.abs(expected - limit_s * 1000) > slack
    inside = sure & (expected <= limit_s * 1000)
    assert np.abs(times[inside] - expected[inside]).max(initial=0.0) <= slack
    assert (times[sure & ~inside] == UNREACHABLE).all()


CLOSED = np.array([-1, 0, 0, 0, 0, 0], dtype=np.int8)


@settings(max_examples=60)
@given(drawings(), st.sampled_from([100.0, 300.0, 3000.0]), st.integers(1, 4), st.integers(0, 99))
@example(([[2, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 1]], CLOSED), 3000.0, 1, 8)
def test_random_worlds_equal_scipy(drawing, limit_s, k, seed):
    network = drawn_town(drawing)
    if not network.edge_count:
        return
    costs = stroll(network)
    groups = [random_places(network, count, seed + count) for count in (1, 0, 5)]
    expected = [times_to(network, costs, places) if len(places) else None for places in groups]
    first = nearest(network, costs, groups, limit_s=limit_s)
    ms, ids = nearest_ids(network, costs, groups, limit_s=limit_s, k=k)
    counts = counts_within(network, costs, groups, limit_s=limit_s)
    assert (first[:, :, 0] == ms[:, :, 0]).all()
    for category, times in enumerate(expected):
        if times is None:
            assert (ms[category] == UNREACHABLE).all()
            assert (ids[category] == -1).all()
            assert (counts[category] == 0).all()
            continue
        within = to_ms(times, limit_s)
        ranked = np.sort(within, axis=1)[:, :k]
        assert (ms[category, :, : ranked.shape[1]] == ranked).all()
        assert (counts[category] == (within < UNREACHABLE).sum(axis=1)).all()
        found = ids[category] >= 0
        node, _at = np.nonzero(found)
        assert (within[node, ids[category][found]] == ms[category][found]).all()
        assert all(len(set(row[row >= 0])) == (row >= 0).sum() for row in ids[category])
        assert (found == (ms[category] < UNREACHABLE)).all()


@settings(max_examples=40)
@given(drawings(), st.integers(0, 99))
def test_counts_and_sums_agree_by_every_method(drawing, seed):
    network = drawn_town(drawing)
    if not network.edge_count:
        return
    costs = stroll(network)
    places = random_places(network, 6, seed)
    counts = []
    for forward in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sums, "_forward_pays", lambda *_, forward=forward: forward)
            counts.append(counts_within(network, costs, [places], limit_s=300.0))
    assert (counts[0] == counts[1]).all()
    weights = np.random.default_rng(seed).integers(0, 9, (2, 6)).astype(float)
    at_places = sums_within(network, costs, weights, limit_s=300.0, at=places)
    expected = (to_ms(times_to(network, costs, places), 300.0) < UNREACHABLE) @ weights.T
    assert (at_places == expected.T).all()
    people = np.random.default_rng(seed).integers(0, 9, network.node_count).astype(float)
    between = to_ms(dijkstra(graph(network, costs)), 300.0) < UNREACHABLE
    assert (sums_within(network, costs, people, limit_s=300.0) == between @ people).all()


@settings(max_examples=40)
@given(drawings(), st.integers(0, 13), st.sampled_from([40.0, 170.0, 900.0]))
def test_reached_streets_equal_a_plain_walk(drawing, corner, limit_s):
    # The plain walk takes corners nearer than a millimetre as one: leave those out.
    corner, lines = corner % 11, [[at % 11 for at in line] for line in drawing[0]]
    drawing = (lines, np.zeros(len(lines), dtype=np.int8))
    lines = [CORNERS[line] for line in lines if len(set(line)) > 1]
    if not any(corner in line for line in drawing[0] if len(set(line)) > 1):
        return
    network = drawn_town(drawing)
    place = places_at(network, CORNERS[[corner], 0], CORNERS[[corner], 1])
    pieces = reached_edges(network, stroll(network), place, limit_s=limit_s)
    check_pieces(pieces, limit_s)

    streets = Streets([shapely.LineString(line) for line in lines])
    start = int(np.hypot(*(streets.xy - CORNERS[corner]).T).argmin())
    walked = streets.walk(start, limit_s=limit_s, speed_km_h=3.6)
    # A street drawn twice is two streets here, and one in the plain walk.
    assert merged_m(pieces) == pytest.approx(merged_m(walked), abs=0.1)


def check_pieces(pieces, limit_s):
    assert (pieces.t0_s <= pieces.t1_s + 1e-3).all()
    assert pieces.t1_s.max(initial=0.0) <= limit_s + 1e-3
    assert pieces.t0_s.min(initial=0.0) >= 0.0


def merged_m(pieces):
    """Length of all pieces, each stretch once."""

    ends = np.stack(
        [np.column_stack([pieces.x0, pieces.y0]), np.column_stack([pieces.x1, pieces.y1])]
    )
    lines = shapely.linestrings(ends.transpose(1, 0, 2).round(3))
    return shapely.union_all(lines, grid_size=0.001).length


# Worlds drawn by hand


def test_two_places_on_one_edge_meet_directly_or_by_the_way_round():
    #   A long bow between the corners, and a short cut of 10 m.
    network = town([(0, 0), (0, 100), (10, 100), (10, 0)], [(0, 0), (10, 0)])
    costs = stroll(network)
    places = places_at(network, [0.0, 0.0, 10.0], [40.0, 60.0, 10.0])
    ms = one_to_many(network, costs, places, places, limit_s=900)
    assert ms.tolist() == [
        [0, 20_000, 60_000],
        [20_000, 0, 80_000],
        [60_000, 80_000, 0],
    ]
    table = matrix(network, costs, places, [places, places.take([2])], limit_s=70)
    assert table.counts.tolist() == [[3, 1], [2, 0], [2, 1]]
    assert table.nearest_ms.tolist() == [[0, 60_000], [0, UNREACHABLE], [0, 0]]
    assert table.nearest_id.tolist() == [[0, 0], [1, -1], [2, 0]]
    assert np.isnan(table.nearest_minutes[1, 1])


def test_one_way_streets_are_searched_in_the_right_direction():
    network = town([(0, 0), (100, 0)], [(100, 0), (100, 100)], foot=np.array([1, 0], np.int8))
    costs = stroll(network)
    places = places_at(network, [20.0, 80.0], [0.0, 0.0])
    assert one_to_many(network, costs, places, places, limit_s=900).tolist() == [
        [0, 60_000],
        [UNREACHABLE, 0],
    ]
    times = nearest(network, costs, [places.take([0])], limit_s=900)[0, :, 0]
    assert sorted(times.tolist()) == [20_000, UNREACHABLE, UNREACHABLE]
    assert counts_within(network, costs, [places], limit_s=900).sum() == 2
    pieces = reached_edges(network, costs, places.take([1]), limit_s=60)
    assert pieces.x0.min() == 80.0
    assert merged_m(pieces) == pytest.approx(60)


def test_nobody_walks_into_a_bent_one_way_street_from_its_end():
    bent = [(0, 0), (0, 30), (30, 30), (30, 60), (60, 60)]
    network = town(bent, [(60, 60), (60, 90)], foot=np.array([1, 0], np.int8))
    costs = stroll(network)
    pieces = reached_edges(network, costs, places_at(network, [60.0], [80.0]), limit_s=900)
    assert merged_m(pieces) == pytest.approx(30)
    pieces = reached_edges(network, costs, places_at(network, [15.0], [30.0]), limit_s=900)
    assert merged_m(pieces) == pytest.approx(15 + 30 + 30 + 30)


def test_uphill_is_slower_than_downhill_in_every_answer():
    network = town([(0, 0), (100, 0), (200, 0)], [(200, 0), (300, 0)], z=[0.0, 10, 20, 20, 30])
    costs = stroll(network)
    foot, top = places_at(network, [50.0, 250.0], [0.0, 0.0]).take([0]), None
    top = places_at(network, [250.0], [0.0])
    up = one_to_many(network, costs, foot, top, limit_s=900)[0, 0]
    down = one_to_many(network, costs, top, foot, limit_s=900)[0, 0]
    assert up == pytest.approx(200_000 * np.exp(0.35), abs=2)
    assert down == pytest.approx(200_000 * np.exp(3.5 * (0.05 - 0.05)), abs=2)
    high = int(network.x.argmax())
    assert nearest(network, costs, [foot], limit_s=900)[0, high, 0] == 250_000
    pieces = reached_edges(network, costs, foot, limit_s=100)
    assert pieces.x1.max() == pytest.approx(50 + 100 / np.exp(0.35), abs=0.01)
    assert pieces.x1.min() == 0.0


def test_a_place_below_a_steep_part_is_reached_from_below_only():
    network = town([(0, 0), (100, 0), (110, 0), (200, 0)], z=[0.0, 0.0, 3.0, 3.0])
    chair = walk_costs(network, SpeedProfile("wheelchair", 3.6, max_grade=0.08))
    places = places_at(network, [50.0, 90.0, 150.0], [0.0] * 3)
    ms = one_to_many(network, chair, places, places, limit_s=900)
    assert ms[0].tolist() == [0, 40_000, UNREACHABLE]
    pieces = reached_edges(network, chair, places.take([0]), limit_s=900)
    assert merged_m(pieces) == pytest.approx(100)


def test_a_ring_is_reached_from_both_sides_in_pieces_that_meet():
    network = town([(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)])
    costs = stroll(network)
    place = places_at(network, [50.0], [0.0])
    whole = reached_edges(network, costs, place, limit_s=900)
    assert merged_m(whole) == pytest.approx(400)
    assert whole.t1_s.max() == 200.0
    last = np.flatnonzero(whole.t1_s == 200.0)
    ends = {(round(whole.x1[i], 6), round(whole.y1[i], 6)) for i in last}
    assert (len(last), ends) == (2, {(50.0, 100.0)})
    assert merged_m(reached_edges(network, costs, place, limit_s=150)) == pytest.approx(300)


def test_islands_are_not_reached():
    network = town([(0, 0), (100, 0)], [(0, 10), (100, 10)])
    costs = stroll(network)
    ms = nearest(network, costs, [places_at(network, [0.0], [0.0])], limit_s=900)[0, :, 0]
    assert (ms[network.y == 10] == UNREACHABLE).all()
    assert sorted(ms[network.y == 0].tolist()) == [0, 100_000]


def test_off_the_network_nothing_is_reached_and_it_is_said_why():
    network = town([(0, 0), (100, 0)])
    costs = stroll(network)
    sea = snap(network, [5000.0], [5000.0], max_snap_m=200)
    pieces = reached_edges(network, costs, sea, limit_s=900)
    assert (len(pieces), pieces.note) == (0, "the place has no street within the snapping distance")
    assert matrix(network, costs, sea, [sea], limit_s=900).counts.tolist() == [[0]]
    assert (nearest(network, costs, [sea], limit_s=900) == UNREACHABLE).all()
    assert counts_within(network, costs, [sea], limit_s=900).sum() == 0
    assert sums_within(network, costs, [5.0], at=sea, limit_s=900).sum() == 0
    steps = town([(0, 0), (100, 0)], steps=[True])
    chair = walk_costs(steps, SpeedProfile("wheelchair", 3.6, steps_allowed=False))
    barred = reached_edges(steps, chair, places_at(steps, [50.0], [0.0]), limit_s=900)
    assert barred.note == "this walker can use no street at the place"


def test_an_empty_network_gives_empty_answers():
    network = town()
    costs = stroll(network)
    none = snap(network, [0.0], [0.0], max_snap_m=9)
    assert nearest(network, costs, [none], limit_s=900).shape == (1, 0, 1)
    assert nearest(network, costs, [none], limit_s=900, k=2).shape == (1, 0, 2)
    assert counts_within(network, costs, [none], limit_s=900).shape == (1, 0)
    assert sums_within(network, costs, [], limit_s=900).shape == (0,)
    assert matrix(network, costs, none, [none], limit_s=900).counts.tolist() == [[0]]
    assert reached_edges(network, costs, none, limit_s=900).note.startswith(
        "the place has no street"
    )


def test_no_categories_at_all():
    network = town([(0, 0), (100, 0)])
    costs = stroll(network)
    assert nearest(network, costs, [], limit_s=900).shape == (0, 2, 1)
    assert counts_within(network, costs, [], limit_s=900).shape == (0, 2)


@pytest.mark.parametrize("minutes", [0, -5, float("nan"), float("inf"), 10_000])
def test_minutes_that_make_no_sense(minutes):
    network = town([(0, 0), (100, 0)])
    place = places_at(network, [0.0], [0.0])
    with pytest.raises(InputError, match="minutes cannot be used; give more than 0"):
        reached_edges(network, stroll(network), place, limit_s=minutes * 60)
    with pytest.raises(InputError, match="minutes"):
        nearest(network, stroll(network), [place], limit_s=minutes * 60)


def test_other_wrong_questions():
    network = town([(0, 0), (100, 0)])
    costs, place = stroll(network), places_at(network, [0.0, 1.0], [0.0, 0.0])
    with pytest.raises(InputError, match="one place, not from 2"):
        reached_edges(network, costs, place, limit_s=60)
    with pytest.raises(InputError, match="k is 0"):
        nearest(network, costs, [place], limit_s=60, k=0)
    with pytest.raises(InputError, match="one for each of 2 nodes"):
        sums_within(network, costs, [1.0, np.nan], limit_s=60)
    with pytest.raises(InputError, match="one for each of 2 places"):
        sums_within(network, costs, [1.0], at=place, limit_s=60)


def test_long_limits_use_a_farther_horizon():
    network = town([(0, 0), (3000, 0)], [(3000, 0), (3000, 1)], [(3000, 0), (6000, 0)])
    costs = stroll(network)
    place = places_at(network, [0.0], [0.0])
    assert nearest(network, costs, [place], limit_s=900).min() == 0
    assert (nearest(network, costs, [place], limit_s=900) < UNREACHABLE).sum() == 1
    far = nearest(network, costs, [place], limit_s=6000)[0, :, 0]
    assert sorted(far.tolist()) == [0, 3_000_000, 3_001_000, 6_000_000]


# Real streets


def test_nearest_on_real_streets_equals_scipy_at_all_nodes(wenzhou):
    network, costs = wenzhou
    random = np.random.default_rng(1)
    groups = [random.integers(0, network.node_count, 600) for _ in range(18)]
    facilities = [positions_at_nodes(network, nodes) for nodes in groups]
    found = nearest(network, costs, facilities, limit_s=MINUTES_15)[:, :, 0]
    matrix_ = graph(network, costs).T
    for nodes, ms in zip(groups, found, strict=True):
        expected = dijkstra(matrix_, indices=np.unique(nodes), min_only=True, limit=900_000.0)
        assert (ms == to_ms(expected, MINUTES_15)).all()


def test_more_than_one_on_real_streets(wenzhou):
    network, costs = wenzhou
    facilities = random_places(network, 3000, 2)
    ms, _ = nearest_ids(network, costs, [facilities], limit_s=MINUTES_15, k=5)
    counts = counts_within(network, costs, [facilities], limit_s=MINUTES_15)[0]
    busy = np.argsort(counts)[-5:]
    sample = np.concatenate([busy, np.random.default_rng(4).integers(0, network.node_count, 25)])
    from_start, from_end = end_times(network, costs, facilities)
    times = dijkstra(graph(network, costs), indices=sample, limit=900_000.0)
    through = np.minimum(
        times[:, network.start[facilities.edge]] + from_start,
        times[:, network.end[facilities.edge]] + from_end,
    )
    within = to_ms(through, MINUTES_15)
    assert (np.sort(within, axis=1)[:, :5] == ms[0, sample]).all()
    assert ((within < UNREACHABLE).sum(axis=1) == counts[sample]).all()
    assert counts[busy].min() > 5


def test_sums_on_real_streets(wenzhou):
    network, costs = wenzhou
    people = np.random.default_rng(5).integers(0, 50, network.node_count).astype(float)
    shares = []
    sums = sums_within(network, costs, people, limit_s=MINUTES_15, progress=shares.append)
    assert (shares == sorted(shares), shares[-1]) == (True, 1.0)
    sample = np.append(np.random.default_rng(6).integers(0, network.node_count, 30), sums.argmax())
    times = dijkstra(graph(network, costs), indices=sample, limit=900_000.0)
    assert (sums[sample] == (to_ms(times, MINUTES_15) < UNREACHABLE) @ people).all()
    with pytest.raises(CancelledError):
        sums_within(network, costs, people, limit_s=MINUTES_15, cancel=lambda: True)


def test_the_incubator_matrix_on_real_streets(wenzhou):
    network, costs = wenzhou
    origins, amenities = random_places(network, 40, 8), random_places(network, 4000, 9)
    codes = np.arange(4000) % 12
    facilities = by_category(amenities, codes, count=12)
    table = matrix(network, costs, origins, facilities, limit_s=MINUTES_15)
    times = one_to_many(network, costs, origins, amenities, limit_s=MINUTES_15)
    for category in range(12):
        own = times[:, codes == category]
        assert (table.counts[:, category] == (own < UNREACHABLE).sum(axis=1)).all()
        assert (table.nearest_ms[:, category] == own.min(axis=1)).all()
    assert table.counts.sum() > 0


def test_reached_streets_on_real_roads(wenzhou):

    network, costs = wenzhou
    counts = sums_within(network, costs, np.ones(network.node_count), limit_s=MINUTES_15)
    node = int(counts.argmax())
    pieces = reached_edges(network, costs, positions_at_nodes(network, [node]), limit_s=900.0)
    check_pieces(pieces, 900.0)
    near = np.hypot(network.vertex_x - network.x[node], network.vertex_y - network.y[node]) < 1500
    line = np.repeat(np.arange(network.edge_count), np.diff(network.parts))
    chosen = np.unique(line[near])
    rows = [slice(network.parts[e], network.parts[e + 1]) for e in chosen]
    lines = [
        shapely.LineString(np.column_stack([network.vertex_x[row], network.vertex_y[row]]))
        for row in rows
    ]
    streets = Streets(lines)
    start = np.hypot(*(streets.xy - [network.x[node], network.y[node]]).T).argmin()
    walked = streets.walk(int(start), limit_s=900.0, speed_km_h=4.0)
    assert merged_m(pieces) == pytest.approx(merged_m(walked), rel=1e-4)


def test_many_threads_may_ask_at_once(wenzhou):

    network, costs = wenzhou
    places = random_places(network, 60, 10)

    def ask(row):
        return len(reached_edges(network, costs, places.take([row]), limit_s=600.0))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(60))) == [ask(row) for row in range(60)]


def test_times_of_another_network_are_refused():
    small, large = (
        town([(0, 0), (50, 0)]),
        town([(0, 0), (50, 0)], [(50, 0), (50, 50)], [(50, 0), (99, 0)]),
    )
    costs = walk_costs(small, SpeedProfile("adult", 4.0))
    place = places_at(large, [10.0], [0.0])
    for ask in (
        lambda: reached_edges(large, costs, place, limit_s=60.0),
        lambda: nearest(large, costs, [place], limit_s=60.0),
        lambda: matrix(large, costs, place, [place], limit_s=60.0),
    ):
        with pytest.raises(
            InputError, match="of a network of 2 nodes and 1 edges, not of this one"
        ):
            ask()


def test_a_matrix_tells_how_far_it_is_and_can_be_stopped():
    network = town([(0, 0), (50, 0)], [(50, 0), (50, 50)])
    costs = walk_costs(network, SpeedProfile("adult", 4.0))
    origins = random_places(network, 600, 3)
    told: list[float] = []
    matrix(network, costs, origins, [origins.take([0])], limit_s=60.0, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    with pytest.raises(CancelledError):
        matrix(network, costs, origins, [origins], limit_s=60.0, cancel=lambda: True)


def test_questions_at_the_same_time_share_one_order_of_elimination(monkeypatch):
    network = town([(0, 0), (50, 0)], [(50, 0), (50, 50)], [(50, 0), (99, 0)])
    costs = walk_costs(network, SpeedProfile("adult", 4.0))
    made: list[int] = []

    def build(*arguments, **options):
        made.append(1)
        time.sleep(0.05)
        return build_hierarchy(*arguments, **options)

    monkeypatch.setattr("geo.costs.build_hierarchy", build)
    with ThreadPoolExecutor(4) as pool:
        orders = list(pool.map(lambda _: costs.hierarchy(900.0), range(4)))
    assert len(made) == 1
    assert all(order is orders[0] for order in orders)
