"""Places: coordinates written in many ways, and those that cannot be meant."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import CRS

from geo.crs import project_xy, wgs84_to_bd09, wgs84_to_gcj02
from geo.errors import InputError
from layers.ingest.places import check_declared, check_near, parse_degrees, read_places
from tests.layers.tiny import EAST, WEST

HOME = shapely.Point(120.7, 28.0)
CITY = np.array([WEST, EAST], dtype=object)


def table(**columns):
    size = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=range(2, 2 + size), dtype="str")


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("120.7", 120.7),
        (" １２０．７ ", 120.7),
        ("-120.7", -120.7),
        ("120°42'", 120.7),
        ("东经120度42分0秒", 120.7),
        ("120°42′00″E", 120.7),
        ("28°30'S", -28.5),
        ("1e2", 100.0),
        ("120°70'", None),
        ("abc", None),
        ("nan", None),
        ("", None),
        ("120,7", None),
    ],
)
def test_degrees(text, degrees):
    assert parse_degrees(text) == degrees


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (table(a=["120.7"], b=["28.0"]), {"lon": "a", "lat": "b"}),
        (table(a=["120.7, 28.0"]), {"lonlat": "a"}),
        (table(a=["(120.7，28.0)"]), {"lonlat": "a"}),
        (table(a=["POINT (120.7 28.0)"]), {"wkt": "a"}),
        (gpd.GeoDataFrame(geometry=[shapely.Point(120.7, 28, 5)], crs=4326, index=[1]), {}),
    ],
)
def test_places_are_read_from_all_forms(raw, place):
    places = read_places(raw, place, "wgs84")
    assert places.geometry[0] == HOME
    assert (places.x[0], places.y[0]) == (120.7, 28.0)
    assert places.faults == []


@pytest.mark.parametrize(
    ("datum", "pair"),
    [
        ("cgcs2000", (120.7, 28.0)),
        ("gcj02", wgs84_to_gcj02(120.7, 28.0)),
        ("bd09", wgs84_to_bd09(120.7, 28.0)),
        *((crs, project_xy(120.7, 28.0, target=crs)) for crs in ("EPSG:4549", "EPSG:4528")),
    ],
)
def test_every_datum_comes_home_and_the_pair_is_kept(datum, pair):
    raw = table(x=[repr(float(pair[0]))], y=[repr(float(pair[1]))])
    places = read_places(raw, {"lon": "x", "lat": "y"}, datum)
    assert places.geometry[0].distance(HOME) < 1e-9
    assert (places.x[0], places.y[0]) == pair


@pytest.mark.parametrize(
    ("lon", "lat", "what"),
    [
        ("abc", "28", "is not a coordinate"),
        ("", "28", r"has no longitude \(x\)"),
        ("120", "", r"has no latitude \(y\)"),
        ("28.0", "120.7", "longitude and latitude look swapped"),
        ("568866", "3098639", "has coordinates that are no degrees"),
        ("inf", "28", "is not a coordinate"),
    ],
)
def test_places_that_cannot_be_meant(lon, lat, what):
    raw = table(x=["120.7", lon], y=["28.0", lat])
    places = read_places(raw, {"lon": "x", "lat": "y"}, "wgs84")
    assert [fault.row for fault in places.faults] == [3]
    assert pd.Series([places.faults[0].what]).str.fullmatch(what).all()
    assert places.geometry[0] == HOME
    assert places.geometry[1] is None


def test_no_place_at_all_is_no_fault_of_the_place():
    places = read_places(table(x=["", "120.7"], y=["", "28.0"]), {"lon": "x", "lat": "y"}, "wgs84")
    assert places.faults == []
    assert places.geometry[0] is None


def test_metres_of_another_system_are_a_fault():
    raw = table(x=["1e30"], y=["1e30"])
    places = read_places(raw, {"lon": "x", "lat": "y"}, "EPSG:4549")
    assert "outside what EPSG:4549 can express" in places.faults[0].what


@pytest.mark.parametrize(
    ("stated", "declared"),
    [
        ("EPSG:4326", "bd09"),
        ("EPSG:4490", "wgs84"),
        ("OGC:CRS84", "cgcs2000"),
        ("EPSG:4549", "EPSG:4549"),
    ],
)
def test_what_the_file_states_and_the_user_declares_can_both_be_true(stated, declared):
    check_declared(CRS(stated), declared)


@pytest.mark.parametrize(
    ("stated", "declared"),
    [("EPSG:4549", "wgs84"), ("EPSG:4326", "EPSG:4549"), ("EPSG:4610", "gcj02")],
)
def test_or_cannot(stated, declared):
    with pytest.raises(InputError, match=f"declared is {declared}"):
        check_declared(CRS(stated), declared)


def nearness(x, y, datum="wgs84"):
    places = read_places(table(x=x, y=y), {"lon": "x", "lat": "y"}, datum)
    rows = np.arange(2, 2 + len(x))
    return check_near(places, rows, CITY, metric_crs="EPSG:4549", datum=datum)


def test_points_far_from_the_city_are_faults_and_near_ones_are_counted():
    near = nearness(["120.7", "120.81", "116.4"], ["28.05", "28.05", "39.9"])
    assert near.outside == 1
    assert [fault.row for fault in near.faults] == [4]
    # The geodesic from the city's north-west corner to there is 1,365 km long.
    assert near.faults[0].what == "lies 1,365 km outside the city"


def test_swapped_metres_are_recognised_by_the_city():
    near = nearness(["3098639.8"], ["568866.7"], "EPSG:4549")
    assert near.faults[0].what == "easting and northing look swapped"
