import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.crs import project
from geo.errors import InputError
from geo.isochrone import exact_zone, zones
from tests.geo.walks import Streets, as_walk

MINUTES = (300, 600, 900)


@pytest.fixture(scope="module")
def streets(shared_data):
    box = (120.64, 27.985, 120.72, 28.03)
    roads = pyogrio.read_dataframe(shared_data / "wenzhou_roads_wgs84.gpkg", bbox=box)
    return Streets(project(roads.geometry.to_numpy(), source="EPSG:4326", target="EPSG:4549"))


@pytest.fixture(scope="module")
def walks(streets):
    origins = np.random.default_rng(3).integers(0, len(streets.xy), 12)
    return [streets.walk(int(origin), limit_s=900) for origin in origins]


def lines_until(walk, limit_s):
    """Every reached piece up to the limit as a line, cut by interpolating its times."""
    lines = []
    for x0, y0, x1, y1, t0, t1 in zip(
        walk.x0, walk.y0, walk.x1, walk.y1, walk.t0_s, walk.t1_s, strict=True
    ):
        (first, ax, ay), (last, bx, by) = sorted([(t0, x0, y0), (t1, x1, y1)])
        if first > limit_s:
            continue
        share = 1.0 if last <= limit_s else (limit_s - first) / (last - first)
        lines.append([(ax, ay), (ax + share * (bx - ax), ay + share * (by - ay))])
    return shapely.MultiLineString(lines)


def holds(outer, inner):
    return inner.is_empty or outer.covers(inner)


def overlap(one, other):
    return one.intersection(other).area / one.union(other).area


def test_one_street_becomes_a_strip_with_round_ends():
    walk = as_walk([(0, 0, 1000, 0, 0, 900)])
    short, long = zones(walk, [450, 900], cell_m=2, buffer_m=50)
    for zone, length in ((short, 500), (long, 1000)):
        assert zone.area == pytest.approx(length * 100 + np.pi * 50**2, rel=1e-3)
        assert zone.bounds == pytest.approx((-50, -50, length + 50, 50), abs=0.1)


def test_a_piece_walked_from_its_far_end_is_cut_at_the_right_side():
    (zone,) = zones(as_walk([(0, 0, 1000, 0, 900, 0)]), [450])
    assert zone.bounds[0] == pytest.approx(450, abs=1)
    assert zone.bounds[2] == pytest.approx(1050, abs=1)


def test_the_hole_of_a_block_is_kept():
    block = [(0, 0, 300, 0), (300, 0, 300, 300), (300, 300, 0, 300), (0, 300, 0, 0)]
    (zone,) = zones(as_walk([(*side, 0, 100) for side in block]), [100])
    (part,) = zone.geoms
    assert [round(shapely.Polygon(ring).area, -3) for ring in part.interiors] == [200 * 200]


def test_two_places_apart_are_two_parts():
    walk = as_walk([(0, 0, 10, 0, 0, 1), (500, 0, 510, 0, 0, 1)])
    assert len(zones(walk, [1])[0].geoms) == 2


def test_a_point_is_a_disc():
    (zone,) = zones(as_walk([(7, 9, 7, 9, 0, 0)]), [60], cell_m=5)
    assert zone.area == pytest.approx(np.pi * 50**2, rel=0.01)


def test_limits_come_back_in_the_order_asked():
    walk = as_walk([(0, 0, 1000, 0, 0, 900)])
    areas = [zone.area for zone in zones(walk, [900, 300, 900, 600])]
    assert areas[0] == areas[2] > areas[3] > areas[1]


def test_zones_do_not_depend_on_the_other_limits(walks):
    together = zones(walks[0], MINUTES)
    for limit, zone in zip(MINUTES, together, strict=True):
        (alone,) = zones(walks[0], [limit])
        assert zone.symmetric_difference(alone).area < 1.0


def test_nothing_reached_is_an_empty_zone():
    assert all(zone.is_empty for zone in zones(as_walk([]), MINUTES))
    assert zones(as_walk([(0, 0, 1, 0, 400, 500)]), [300])[0].is_empty
    assert exact_zone(as_walk([]), 300).is_empty


def test_real_zones_match_the_exact_buffer(walks):
    for walk in walks:
        drawn = zones(walk, MINUTES)
        exact = [exact_zone(walk, limit) for limit in MINUTES]
        assert min(map(overlap, drawn, exact)) >= 0.98
        assert all(zone.is_valid for zone in drawn)
        assert holds(drawn[1], drawn[0])
        assert holds(drawn[2], drawn[1])


def test_the_exact_zone_is_the_buffer_of_what_was_reached(walks):
    for limit in MINUTES:
        buffer = lines_until(walks[1], limit).buffer(50, quad_segs=16)
        assert exact_zone(walks[1], limit).symmetric_difference(buffer).area < 1.0


def test_every_reached_crossing_lies_inside_and_no_far_one(streets):
    origin = 100
    times = streets.times(origin, limit_s=900, speed_km_h=4.0)
    walk = streets.walk(origin, limit_s=900)
    points = shapely.points(streets.xy)
    for limit, zone in zip(MINUTES, zones(walk, MINUTES), strict=True):
        reached = [node for node, time in times.items() if time <= limit]
        assert shapely.covers(zone, points[reached]).all()
        far = shapely.distance(points, lines_until(walk, limit)) > 50 + 15 * 2**0.5
        assert not shapely.covers(zone, points[far]).any()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"limits_s": []}, "limits_s"),
        ({"limits_s": [0]}, "limits_s"),
        ({"limits_s": [-300]}, "limits_s"),
        ({"limits_s": [float("nan")]}, "limits_s"),
        ({"limits_s": [300], "cell_m": 0}, "cell_m"),
        ({"limits_s": [300], "cell_m": 40}, "at most 35.4"),
        ({"limits_s": [300], "buffer_m": -1}, "buffer_m"),
        ({"limits_s": [300], "cell_m": 0.01}, "too large"),
    ],
)
def test_wrong_arguments_are_named(arguments, said):
    with pytest.raises(InputError, match=said):
        zones(as_walk([(0, 0, 1000, 0, 0, 900)]), **arguments)


def pieces(numbers):
    """Straight pieces with times; whole numbers put corners and pieces exactly on the raster."""
    piece = st.tuples(numbers, numbers, numbers, numbers, st.integers(0, 900), st.integers(0, 900))
    return st.lists(piece, min_size=1, max_size=12)


@settings(max_examples=150)
@given(
    st.one_of(
        pieces(st.integers(-30, 30).map(lambda step: step * 10.0)),
        pieces(st.floats(-300, 300, allow_subnormal=False)),
    ),
    st.sampled_from([(20.0, 50.0), (25.0, 50.0), (10.0, 20.0), (10.0, 40.0)]),
)
def test_zones_of_any_pieces_hold_what_they_promise(rows, sizes):
    cell_m, buffer_m = sizes
    walk = as_walk(rows)
    drawn = zones(walk, MINUTES, cell_m=cell_m, buffer_m=buffer_m)
    assert all(zone.is_valid for zone in drawn)
    assert holds(drawn[1], drawn[0])
    assert holds(drawn[2], drawn[1])
    for limit, zone in zip(MINUTES, drawn, strict=True):
        lines = lines_until(walk, limit)
        assert holds(zone, lines)
        assert holds(lines.buffer(buffer_m + cell_m * 2**0.5, quad_segs=32), zone)
