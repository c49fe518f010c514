"""Heights: from the files people have, refused with one clear error, and felt by walkers."""

from itertools import product

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.errors import InputError
from layers.heights import heights_path, load_heights
from layers.ingest.heights import import_heights, read_heights
from layers.pack import load_pack
from layers.walking import load_network, network_path, walk_world
from tests.layers.tiny import make_tiny, place

GRID = """ncols 3
nrows 2
xllcorner 120.0
yllcorner\t27.0
cellsize 1.0
NODATA_value -9999
10 20 30
0 -9999 40
"""
HILL = """ncols 2
nrows 2
xllcenter 120
yllcenter 27
cellsize 1
0 {0}
0 {0}
"""


@pytest.fixture
def file(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def store(tmp_path):
    with make_tiny(tmp_path / "tiny.gpkg") as made:
        with made.edit("t") as edit:
            edit.set_rules("amenities", load_pack("none").rules["amenities"][0], "as it comes")
        yield made


def draw_streets(store, *lines):
    rows = pd.DataFrame(
        {"id": [f"s{i}" for i in range(len(lines))], "foot": "both", "provenance": "sourced"}
    )
    with store.edit("t") as edit:
        edit.insert("streets", place(rows, [shapely.LineString(line) for line in lines]))


def test_a_grid_is_read_north_first_and_gaps_take_the_nearest(file):
    heights, notes = read_heights(file("dem.asc", GRID), datum="wgs84")
    # Centres at 120.5, 121.5, 122.5 east and 27.5, 28.5 north.
    lon, lat = [120.5, 121.0, 120.5, 120.1, 122.5, 119.9], [28.5, 28.5, 28.0, 28.9, 27.1, 28.0]
    found = heights.sample(lon, lat, crs="EPSG:4326")
    assert np.allclose(found[:5], [10, 15, 5, 10, 40])
    assert np.isnan(found[5])
    assert heights.sample([121.5], [27.5], crs="EPSG:4326")[0] in (0, 20, 40)
    assert "1 cells" in notes[0]


def test_a_grid_says_by_its_prj_where_it_lies(file):
    path = file("dem.asc", GRID.replace("120.0", "500000").replace("27.0", "3000000"))
    with pytest.raises(InputError, match="--datum"):
        read_heights(path)
    wkt = gpd.GeoSeries([], crs="EPSG:4549").crs.to_wkt("WKT1_ESRI")
    file("dem.prj", wkt)
    heights, _ = read_heights(path)
    assert np.allclose(heights.sample([500000.5], [3000001.5], crs="EPSG:4549"), [10])


@pytest.mark.parametrize("name", ["points.csv", "points.gpkg", "flat.gpkg"])
def test_points_give_a_surface_of_triangles(tmp_path, name):
    x, y = map(np.array, zip(*product([120.0, 121.0, 122.0], [27.0, 28.0]), strict=True))
    z = 100 * (x - 120) + 7 * (y - 27)
    path = tmp_path / name
    if name == "points.csv":
        pd.DataFrame({"经度": x, "纬度": y, "高程": z}).to_csv(path, index=False)
    elif name == "flat.gpkg":
        points = gpd.points_from_xy(x, y, crs="EPSG:4490")
        gpd.GeoDataFrame({"Elevation": z}, geometry=points).to_file(path)
    else:
        gpd.GeoSeries(gpd.points_from_xy(x, y, z, crs="EPSG:4490")).to_file(path)
    heights, _ = read_heights(path, datum="wgs84" if name == "points.csv" else None)
    found = heights.sample([120.25, 121.5, 123.0], [27.5, 27.25, 27.5], crs="EPSG:4490")
    assert np.allclose(found[:2], [28.5, 151.75])
    assert np.isnan(found[2])


@pytest.mark.parametrize(
    ("name", "text", "datum", "words"),
    [
        ("dem.asc", GRID[:-12], "wgs84", "cut off"),
        ("dem.asc", GRID.replace("20 30", "x 30"), "wgs84", "not all cells are numbers"),
        ("dem.asc", GRID.replace("cellsize 1.0\n", ""), "wgs84", "lacks cellsize"),
        ("dem.asc", GRID.replace("xllcorner 120.0\n", ""), "wgs84", "lacks xllcorner"),
        ("dem.asc", GRID.replace("ncols 3", "ncols three"), "wgs84", "not one number"),
        ("dem.asc", GRID.replace("cellsize 1.0", "cellsize 0"), "wgs84", "cannot be used"),
        ("dem.asc", "", "wgs84", "header lacks"),
        ("dem.asc", GRID, "gcj02", "cannot be used"),
        (
            "dem.asc",
            HILL.replace("cellsize", "nodata_value 0\ncellsize").format(0),
            "wgs84",
            "no cell",
        ),
        ("p.csv", "lon,lat,z\n120,27,1\n121,27,\n120,28,3\n", "wgs84", "1 of 3 points"),
        ("p.csv", "lon,lat,z\n120,27,1\n121,28,2\n122,29,3\n", "wgs84", "span no area"),
        ("p.csv", "lon,lat,z\n120,27,1\n", "wgs84", "span no area"),
        ("p.csv", "lon,lat,name\n120,27,a\n", "wgs84", "no column for z"),
        ("p.csv", "lon,lat,z\n120,27,1\n", None, "--datum"),
    ],
)
def test_bad_heights_give_one_clear_error(file, name, text, datum, words):
    with pytest.raises(InputError, match=words):
        read_heights(file(name, text), datum=datum)


def test_lines_are_no_heights(tmp_path):
    path = tmp_path / "lines.gpkg"
    lines = gpd.GeoSeries([shapely.LineString([(120, 27), (121, 28)])], crs="EPSG:4490")
    lines.to_file(path)
    with pytest.raises(InputError, match="not made of points"):
        read_heights(path)


def test_imported_heights_make_the_way_up_longer(store, file):
    draw_streets(store, [(120.5, 27.5), (120.51, 27.5)])
    flat = walk_world(store).costs("adult")
    assert flat.symmetric
    before = network_path(store)
    report = import_heights(store, file("dem.asc", HILL.format(10000)), datum="wgs84")
    assert (report.rows, report.written, report.faults) == (4, 4, [])
    assert network_path(store) != before
    up = walk_world(store).costs("adult")
    ends = {up.forward_ms[0], up.backward_ms[0]}
    assert max(ends) > 1.2 * flat.forward_ms[0] > min(ends)
    heights_path(store).unlink()
    assert walk_world(store).costs("adult").symmetric


def test_level_heights_are_as_none(store, file):
    draw_streets(store, [(120.5, 27.5), (120.51, 27.5)], [(120.5, 27.5), (120.5, 27.51)])
    flat = walk_world(store).costs("adult")
    import_heights(store, file("dem.asc", HILL.format(0)), datum="wgs84")
    level = walk_world(store).costs("adult")
    assert load_network(store).has_heights
    assert level.forward_ms.tolist() == flat.forward_ms.tolist()


def test_heights_that_leave_streets_out_are_refused(store, file):
    draw_streets(store, [(120.5, 27.5), (122.0, 27.5)])
    path = file("dem.asc", HILL.format(5))
    with pytest.raises(InputError, match=r"no height for 1 of 2 street vertices.*122\.00000"):
        import_heights(store, path, datum="wgs84")
    assert load_heights(store) is None


def test_streets_beyond_the_heights_say_so(store, file):
    import_heights(store, file("dem.asc", HILL.format(5)), datum="wgs84")
    draw_streets(store, [(120.5, 27.5), (122.0, 27.5)])
    with pytest.raises(InputError, match="hatchmap import heights FILE"):
        load_network(store)


def test_trying_keeps_nothing(store, file):
    path = file("dem.asc", HILL.format(5))
    assert import_heights(store, path, datum="wgs84", dry_run=True).written == 0
    assert not heights_path(store).exists()


def test_damaged_heights_are_told(store):
    heights_path(store).write_bytes(b"PK no archive")
    with pytest.raises(InputError, match="damaged"):
        load_heights(store)


def test_a_world_is_warm_with_and_without_streets(store):
    walk_world(store).warm_up()
    draw_streets(store, [(120.5, 27.5), (120.51, 27.5)])
    world = walk_world(store)
    world.warm_up()
    assert world.costs() is world.costs()
