"""Who serves whom: by walking, by circles, by towns."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo.costs import SpeedProfile, walk_costs
from geo.errors import CancelledError
from geo.locate import Place
from geo.network import build_network
from geo.site_reach import circle_reach, town_reach, walk_reach
from geo.snap import snap
from geo.towns import Town

CRS = "EPSG:4549"
X, Y = 500_000.0, 3_100_000.0


def town(code, outline, seat):
    place = Place(code, code, "Ash", outline, is_unit=False)
    return Town(place, seat, "seat", None, None, ())


def test_walks_follow_streets_where_circles_cut_across():
    # A U of three streets: its ends are 100 m apart, and 700 m on foot.
    line = shapely.LineString([(X, Y), (X, Y + 300), (X + 100, Y + 300), (X + 100, Y)])
    network = build_network(gpd.GeoDataFrame(geometry=[line], crs=CRS), crs=CRS)
    costs = walk_costs(network, SpeedProfile("adult", 6.0))  # 100 m a minute
    at = np.array([[X, Y], [X + 100, Y]])
    places = snap(network, at[:, 0], at[:, 1], max_snap_m=10)
    five = walk_reach(network, costs, places, places, limit_s=300)
    assert five.toarray().tolist() == [[True, False], [False, True]]
    assert walk_reach(network, costs, places, places, limit_s=421).toarray().all()
    assert circle_reach(at, at, radius_m=100).toarray().all()
    with pytest.raises(CancelledError):
        walk_reach(network, costs, places, places, limit_s=300, cancel=lambda: True)


def test_circles_pass_over_places_that_are_not_known():
    known = np.array([[0.0, 0.0]])
    assert not circle_reach(np.full((1, 2), np.nan), known, radius_m=9).toarray().any()
    assert not circle_reach(known, np.full((2, 2), np.nan), radius_m=9).toarray().any()
    assert circle_reach(known, np.empty((0, 2)), radius_m=9).shape == (0, 1)


def test_outline_decides_then_code_then_distance():
    outline = shapely.box(120.0, 28.0, 120.1, 28.1)
    towns = [
        town("330301001", outline, shapely.Point(120.05, 28.05)),
        town("330301002", None, shapely.Point(120.3, 28.0)),
    ]
    sites = np.array(
        [shapely.Point(120.05, 28.05), shapely.Point(120.11, 28.05), shapely.Point(120.3, 28.001)],
        dtype=object,
    )
    codes = ["330301002", "330301001", None]
    near = town_reach(towns, sites, codes, metric_crs=CRS)
    # The first lies in the outline; the record of the second does not outweigh it.
    assert near.toarray().tolist() == [[True, False, False], [True, False, False]]
    wider = town_reach(towns, sites, codes, metric_crs=CRS, within_m=1_500)
    assert wider.toarray().tolist() == [[True, True, False], [True, False, True]]
