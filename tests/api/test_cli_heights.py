"""Heights by the command: up the hill takes longer, and wrong files are refused in one line."""

import math

import geopandas as gpd
import pytest
import shapely

from tests.api.city import TINYTOWN
from tests.api.command import assert_refused, run

STREET = shapely.LineString([(-56.05, -34.65), (-56.04, -34.65)])  # eastwards, 915 m
SLOPE = "ncols 2\nnrows 2\nxllcenter -56.06\nyllcenter -34.66\ncellsize 0.03\n0 {0}\n0 {0}\n"


@pytest.fixture
def store(tmp_path):
    path, streets = tmp_path / "town.gpkg", tmp_path / "streets.gpkg"
    assert run("init", "--city", TINYTOWN, "--no-demo", "--store", path).code == 0
    gpd.GeoDataFrame({"name": ["Slope"]}, geometry=[STREET], crs="EPSG:4490").to_file(streets)
    assert run("import", "streets", streets, "--store", path).code == 0
    return path


def area_m2(store, lon):
    answer = run("reach", lon, "-34.65", "--minutes", "5", "--store", store, "--json")
    assert answer.code == 0, answer.err
    return answer.json["features"][0]["properties"]["area_m2"]


def test_a_hill_shortens_the_way_up_more_than_the_way_down(store, tmp_path):
    level = area_m2(store, "-56.05")
    grid = tmp_path / "dem.asc"
    grid.write_text(SLOPE.format(400))  # 400 m in 2.7 km: 15 in 100
    assert_refused(run("import", "heights", grid, "--store", store), "--datum")
    answer = run("import", "heights", grid, "--datum", "wgs84", "--store", store, "--json")
    assert answer.code == 0, answer.err
    assert (answer.json["layer"], answer.json["written"]) == ("heights", 4)
    up, down = area_m2(store, "-56.05"), area_m2(store, "-56.04")
    assert up < down < level
    # Tobler: the reach in 5 minutes shrinks by exp(3.5 g); the ground beside the street is 50 m.
    reach_m = 333.3 / math.exp(3.5 * 400 / (0.03 * 111_320 * math.cos(math.radians(34.65))))
    assert up == pytest.approx(100 * reach_m + math.pi * 50**2, rel=0.05)


def test_heights_of_another_place_are_refused(store, tmp_path):
    grid = tmp_path / "dem.asc"
    grid.write_text(SLOPE.replace("-56.06", "10").format(0))
    typed = ("import", "heights", grid, "--datum", "wgs84", "--store", store)
    assert_refused(run(*typed), "2 of 2 street vertices")
