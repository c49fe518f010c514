"""Tiles hold what lies in them; read back by GDAL, which knows nothing of the writer."""

import math

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from tests.web.world import HOSTILE, amenities, squares
from web.tiles import TileSource, thin_points, tile

HALF_M = 20037508.342789244


def tile_of(lon: float, lat: float, z: int) -> tuple[int, int]:
    """The tile of a place, by the textbook formula."""
    y = math.log(math.tan(math.pi / 4 + math.radians(lat) / 2))
    return int((lon + 180) / 360 * 2**z), int((1 - y / math.pi) / 2 * 2**z)


def read_back(data: bytes, folder, z: int, x: int, y: int) -> gpd.GeoDataFrame:
    path = folder / f"{z}-{x}-{y}.mvt"
    path.write_bytes(data)
    return pyogrio.read_dataframe(path, X=str(x), Y=str(y), Z=str(z), CLIP="NO").to_crs(4490)


def points(lon, lat, **columns) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4490")


def test_points_come_back_where_they_were(tmp_path):
    lon, lat = [120.6522, 120.6525, 120.653], [28.001, 28.002, 28.001]
    frame = points(lon, lat, id=["a", "b", "c"], name=[HOSTILE, "乙", None])
    source = TileSource.from_frame(frame, name="spaces")
    z = 14
    x, y = tile_of(120.6525, 28.0015, z)
    back = read_back(tile(source, z, x, y), tmp_path, z, x, y).sort_values("id")
    assert back["id"].tolist() == ["a", "b", "c"]
    assert back["name"].tolist()[:2] == [HOSTILE, "乙"]
    step_deg = 360 / 2**z / 4096
    assert np.abs(back.geometry.x.to_numpy() - lon).max() <= step_deg
    assert np.abs(back.geometry.y.to_numpy() - lat).max() <= step_deg


def test_polygons_come_back_with_their_shape(tmp_path):
    source = TileSource.from_frame(squares(1), name="divisions", columns=("code",))
    z = 9
    x, y = tile_of(120.05, 28.05, z)
    back = read_back(tile(source, z, x, y), tmp_path, z, x, y)
    assert back["code"].tolist() == ["99000010"]
    want, got = squares(1).geometry[0], back.geometry.iloc[0]
    assert got.is_valid
    assert want.intersection(got).area / want.union(got).area > 0.99


def test_holes_stay_holes(tmp_path):
    ring = shapely.box(120.0, 28.0, 120.1, 28.1).difference(
        shapely.box(120.03, 28.03, 120.07, 28.07)
    )
    frame = gpd.GeoDataFrame({"id": ["a"]}, geometry=[ring], crs="EPSG:4490")
    z = 10
    x, y = tile_of(120.05, 28.05, z)
    back = read_back(tile(TileSource.from_frame(frame, name="d"), z, x, y), tmp_path, z, x, y)
    assert not back.geometry.iloc[0].contains(shapely.Point(120.05, 28.05))
    assert (
        back.geometry.iloc[0].contains(shapely.Point(120.01, 28.05))
        or x != tile_of(120.01, 28.05, z)[0]
    )


def test_lines_are_cut_at_the_edge(tmp_path):
    line = shapely.LineString([(119.0, 28.0), (122.0, 28.0)])
    frame = gpd.GeoDataFrame({"id": ["a"]}, geometry=[line], crs="EPSG:4490")
    z = 12
    x, y = tile_of(120.5, 28.0, z)
    back = read_back(tile(TileSource.from_frame(frame, name="streets"), z, x, y), tmp_path, z, x, y)
    west, _, east, _ = back.total_bounds
    width = 360 / 2**z
    assert x * width - 180 - west == pytest.approx(width * 64 / 4096, rel=0.05)
    assert east - ((x + 1) * width - 180) == pytest.approx(width * 64 / 4096, rel=0.05)


def test_nothing_there_is_an_empty_tile():
    source = TileSource.from_frame(squares(), name="divisions")
    assert tile(source, 5, 0, 0) == b""


def test_records_without_a_place_are_left_out():
    frame = gpd.GeoDataFrame({"id": ["a"]}, geometry=[None], crs="EPSG:4490")
    assert tile(TileSource.from_frame(frame, name="spaces"), 0, 0, 0) == b""


@pytest.mark.parametrize(("z", "x", "y"), [(-1, 0, 0), (23, 0, 0), (3, 8, 0), (3, 0, -1)])
def test_tiles_outside_the_world_are_refused(z, x, y):
    source = TileSource.from_frame(squares(), name="divisions")
    with pytest.raises(InputError, match="there is no tile"):
        tile(source, z, x, y)


def test_far_tiles_are_thinned_but_count_everyone(tmp_path):
    frame = amenities(5_000)
    source = TileSource.from_frame(frame, name="amenities", columns=("id",))
    z = 5
    x, y = tile_of(120.2, 28.05, z)
    data = tile(source, z, x, y)
    back = read_back(data, tmp_path, z, x, y)
    assert len(back) < 100
    assert back["point_count"].fillna("1").astype(int).sum() == 5_000


def test_cap_holds():
    source = TileSource.from_frame(amenities(5_000), name="amenities", columns=())
    x, y = tile_of(120.2, 28.05, 8)
    assert len(tile(source, 8, x, y, cap=50)) < 50 * 30


def test_far_views_keep_the_longest_lines(tmp_path):
    lines = [shapely.LineString([(120.0, 28.0), (120.0, 28.01 + 0.001 * n)]) for n in range(40)]
    frame = gpd.GeoDataFrame(
        {"id": [f"{n:02}" for n in range(40)]}, geometry=lines, crs="EPSG:4490"
    )
    source = TileSource.from_frame(frame, name="streets")
    x, y = tile_of(120.0001, 28.02, 10)
    back = read_back(tile(source, 10, x, y, cap=40), tmp_path, 10, x, y)
    assert sorted(back["id"]) == [f"{n:02}" for n in range(30, 40)]


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.floats(0, 4096), st.floats(0, 4096)), min_size=1, max_size=80),
    st.sampled_from([0, 64, 192]),
    st.integers(1, 40),
)
def test_thinning_counts_every_point_once(places, cell, cap):
    xy = np.array(places)
    kept, counts = thin_points(xy, cell=cell, cap=cap)
    assert len(kept) <= cap
    assert counts.sum() == len(xy)
    assert (np.diff(kept) > 0).all()
