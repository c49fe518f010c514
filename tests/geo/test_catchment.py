"""Catchments on a hand-drawn town: a high street of 1 km, a side street, and an island."""

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.catchment import Destinations, check_minutes, circle_catchment, walk_catchment
from geo.costs import SpeedProfile, walk_costs
from geo.crs import project_xy
from geo.errors import InputError
from geo.network import network_from_lines
from geo.snap import snap

CRS = "EPSG:4549"
EAST, NORTH = 560_000.0, 3_098_000.0  # metres; any place in the zone
ADULT = SpeedProfile("adult", 4.0)


@pytest.fixture(scope="module")
def town():
    """A street of 1,000 m to the east, one of 200 m north from its middle, an island of 80 m."""
    lines = [
        [(0, 0), (500, 0)],
        [(500, 0), (1000, 0)],
        [(500, 0), (500, 200)],
        [(0, 400), (80, 400)],
    ]
    vertices = np.array([point for line in lines for point in line], dtype=float)
    line = np.repeat(np.arange(len(lines)), 2)
    return network_from_lines(EAST + vertices[:, 0], NORTH + vertices[:, 1], line, crs=CRS)


def degrees(x, y):
    lon, lat = project_xy(EAST + x, NORTH + y, source=CRS, target="EPSG:4326")
    return float(lon), float(lat)


def places(network, points, codes, keys=("cafe", "pub")):
    x, y = (EAST + np.array([p[0] for p in points]), NORTH + np.array([p[1] for p in points]))
    on = None if network is None else snap(network, x, y, max_snap_m=100)
    return Destinations(x, y, on, keys=keys, codes=np.asarray(codes))


def people(network, points, weights):
    x, y = (EAST + np.array([p[0] for p in points]), NORTH + np.array([p[1] for p in points]))
    on = None if network is None else snap(network, x, y, max_snap_m=100)
    return Destinations(x, y, on, keys=("people",), weights=np.asarray(weights, dtype=float))


def ask(network, x, y, minutes=(5, 10, 15), **more):
    nothing = places(network, [(0, 0)], [0])
    return walk_catchment(
        network,
        walk_costs(network, ADULT),
        *degrees(x, y),
        minutes=minutes,
        max_snap_m=more.pop("max_snap_m", 100),
        amenities=more.pop("amenities", nothing),
        **more,
    )


def test_counts_what_is_reached_by_walking(town):
    # 4 km/h: 5 minutes are 333 m, 10 are 667 m, 15 are 1,000 m.
    cafes_and_pubs = places(town, [(300, 10), (500, 150), (990, 0), (5, 395)], codes=[0, 0, 1, 1])
    residents = people(town, [(100, 0), (900, 0)], [30.0, 70.0])
    answer = ask(town, 0, 0, amenities=cafes_and_pubs, population=residents)
    counts = [dict(zone.amenities) for zone in answer.zones]
    assert counts == [{"cafe": 1, "pub": 0}, {"cafe": 2, "pub": 0}, {"cafe": 2, "pub": 1}]
    assert [zone.population for zone in answer.zones] == [30.0, 30.0, 100.0]
    assert answer.network
    assert answer.warnings == ()


def test_zones_are_nested_and_measured_in_metres(town):
    answer = ask(town, 0, 0)
    small, middle, large = (zone.geometry for zone in answer.zones)
    assert large.covers(middle)
    assert middle.covers(small)
    # A straight walk of 333 m, 50 m to either side, round at both ends.
    assert answer.zones[0].area_m2 == pytest.approx(333 * 100 + np.pi * 50**2, rel=0.02)


def test_json_is_geojson_in_degrees(town):
    answer = ask(town, 0, 0).to_json()
    zone = shapely.geometry.shape(answer["features"][-1]["geometry"])
    assert zone.geom_type == "MultiPolygon"
    assert zone.contains(shapely.Point(*degrees(500, 100)))
    assert not zone.contains(shapely.Point(*degrees(0, 400)))
    assert [feature["properties"]["minutes"] for feature in answer["features"]] == [5, 10, 15]


def test_place_off_the_network_says_so(town):
    answer = ask(town, 0, 3000)
    assert answer.snap_m is None
    assert [warned.code for warned in answer.warnings] == ["off_network"]
    assert all(zone.geometry.is_empty and zone.area_m2 == 0 for zone in answer.zones)
    assert answer.to_json()["features"][0]["geometry"]["coordinates"] == []


def test_place_on_an_island_says_so():
    # A comb of 60 teeth is the main network; two junctions lie apart.
    x, y, line = [], [], []
    for tooth in range(60):
        x += [tooth * 50, tooth * 50, tooth * 50, tooth * 50 + 50]
        y += [0, 40, 0, 0]
        line += [2 * tooth, 2 * tooth, 2 * tooth + 1, 2 * tooth + 1]
    x += [0, 80]
    y += [400, 400]
    line += [120, 120]
    network = network_from_lines(EAST + np.array(x), NORTH + np.array(y), np.array(line), crs=CRS)
    assert [warned.code for warned in ask(network, 10, 400).warnings] == ["island"]
    assert ask(network, 0, 0).warnings == ()


def test_circle_when_there_are_no_streets():
    cafes = places(None, [(0, 320), (0, 340)], [0, 1])
    residents = people(None, [(0, 900), (0, 1100)], [5.0, 7.0])
    answer = circle_catchment(
        *degrees(0, 0),
        crs=CRS,
        profile=ADULT,
        minutes=(5, 15),
        amenities=cafes,
        population=residents,
    )
    assert [dict(zone.amenities) for zone in answer.zones] == [
        {"cafe": 1, "pub": 0},
        {"cafe": 1, "pub": 1},
    ]
    assert answer.zones[1].population == 5.0
    assert not answer.network
    assert [warned.code for warned in answer.warnings] == ["no_streets"]


@pytest.mark.parametrize("minutes", [[], [0], [-5], [10_000], [float("nan")], [float("inf")]])
def test_refuses_times_that_cannot_be_walked(minutes):
    with pytest.raises(InputError, match="minutes"):
        check_minutes(minutes)


@pytest.mark.parametrize(
    ("lon", "lat", "named"), [(200, 28, "lon"), (28, 120, "longitude comes first"), (0, 1e9, "lat")]
)
def test_refuses_what_is_no_place(town, lon, lat, named):
    with pytest.raises(InputError, match=named):
        walk_catchment(
            town,
            walk_costs(town, ADULT),
            lon,
            lat,
            minutes=[5],
            max_snap_m=100,
            amenities=places(town, [(0, 0)], [0]),
        )


@settings(max_examples=25)
@given(st.lists(st.floats(1, 30), min_size=1, max_size=6), st.floats(0, 1000))
def test_longer_never_reaches_less(minutes, x):
    network = network_from_lines(
        EAST + np.array([0.0, 1000.0, 500.0, 500.0]),
        NORTH + np.array([0.0, 0.0, -300.0, -10.0]),
        np.array([0, 0, 1, 1]),
        crs=CRS,
    )
    around = places(network, [(i * 50, 0) for i in range(20)], [i % 2 for i in range(20)])
    zones = ask(network, x, 0, minutes=minutes, amenities=around).zones
    for shorter, longer in pairwise(zones):
        assert longer.geometry.buffer(0.01).covers(shorter.geometry)
        assert all(longer.amenities[key] >= shorter.amenities[key] for key in shorter.amenities)
