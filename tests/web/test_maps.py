"""The map: own addresses only, equal bytes for equal views, base maps by the settings."""

import json
import re
from dataclasses import replace

import numpy as np
import orjson
import pytest
import shapely

from geo.crs import wgs84_to_gcj02
from tests.web import world
from tests.web.test_pages import Parsed
from tests.web.world import HOSTILE
from web.features import collection, town_shapes, with_shapes
from web.maps import city_map, offline_map
from web.mapview import MAP_LAYERS, Basemap, map_config
from web.pages import home_page

ADDRESS = re.compile(r"""https?://[^\s"'<>\\)]+""")


def test_every_address_is_our_own():
    parts = city_map(world.view())
    assert all(url.startswith(("/assets/", "/static/")) for url in parts.scripts + parts.styles)
    assert not ADDRESS.findall(parts.body + parts.script + str(parts.config))
    urls = [layer["url"] for layer in parts.config["layers"].values() if "url" in layer]
    assert all(url.startswith(("/api/map/", "/tiles/")) for url in urls)
    assert all(url.endswith("?v=t1") for url in urls)


def test_equal_views_are_equal_bytes():
    draw = [home_page(world.TOWNS, view=world.view(), frame=world.frame()) for _ in range(2)]
    assert draw[0] == draw[1]


def test_layers_come_in_groups():
    script = city_map(world.view()).script
    groups = [script.index(json.dumps(name)) for name in ("规划与区划", "孵化空间", "生活配套")]
    assert groups == sorted(groups)


def test_layers_without_records_are_left_out():
    names = {layer.name for layer in world.view(counts={}).layers}
    assert names == {
        "reporting_units",
        "industrial_towns",
        "incubators",
        "circles",
        "spaces",
        "amenities",
    }
    every = {layer.name: 1 for layer in MAP_LAYERS}
    assert len(world.view(counts=every).layers) == len(MAP_LAYERS)


def test_tianditu_brings_base_and_labels_and_nothing_else_foreign():
    parts = city_map(world.view(basemap=Basemap("tianditu", key='k"<ey')))
    found = ADDRESS.findall(parts.script.replace("\\u0026", "&"))
    assert len(found) == 2
    assert all(address.startswith("https://t{s}.tianditu.gov.cn/") for address in found)
    assert {re.search(r"LAYER=(\w+)", address)[1] for address in found} == {"vec", "cva"}
    assert all("tk=k%22%3Cey" in address for address in found)
    assert json.dumps("天地图") in parts.script


def test_any_tile_address_is_taken():
    own = Basemap("url", url="https://tiles.example/{z}/{x}/{y}.png", attribution="Example")
    parts = city_map(world.view(basemap=own))
    assert ADDRESS.findall(parts.script) == ["https://tiles.example/{z}/{x}/{y}.png"]
    assert parts.config["basemap"]["shift"] is None


def test_base_map_in_another_datum_is_shifted_by_the_true_offset():
    view = world.view(basemap=Basemap("url", url="/b/{z}/{x}/{y}.png", datum="gcj02"))
    shift = map_config(view)["basemap"]["shift"]
    lon, lat = shift["west"] + 4 * shift["step_lon"], shift["south"] + 2 * shift["step_lat"]
    there = wgs84_to_gcj02(np.array([lon]), np.array([lat]))
    assert shift["dlon"][2][4] == pytest.approx(there[0][0] - lon, abs=1e-7)
    assert shift["dlat"][2][4] == pytest.approx(there[1][0] - lat, abs=1e-7)
    assert "hatchmap.shiftTiles" in city_map(view).script


def test_config_words_follow_the_language():
    english = map_config(world.view("en"))
    assert english["layers"]["incubators"]["label"] == "Incubators"
    assert english["choices"]["incubators"]["level"]["national"] == "National"
    assert english["stateLabels"]["operating_large"] == "Operating (≥ 20,000 m²)"
    assert map_config(world.view("zh"))["categories"]["cafe"]["label"] == "咖啡"


def test_staff_columns_never_reach_the_map():
    data = collection("incubators", world.incubators(3))
    assert b"secret" not in data
    assert b"contact" not in data


def test_features_keep_names_and_drop_what_is_missing():
    frame = world.squares()
    frame["unit"] = ["东区", None, None, None]
    features = orjson.loads(collection("industrial_towns", frame))["features"]
    assert features[2]["properties"]["name"] == HOSTILE
    assert features[0]["properties"]["unit"] == "东区"
    assert "unit" not in features[1]["properties"]
    assert shapely.geometry.shape(features[0]["geometry"]).area == pytest.approx(0.01)


def test_towns_take_the_shape_of_their_division():
    towns = world.squares(2).set_geometry([shapely.Point(120.05, 28.05), None], crs="EPSG:4490")
    shaped = town_shapes(towns, world.squares(1))
    assert shaped.geometry[0].area == pytest.approx(0.01)
    assert shaped.geometry[1] is None
    assert towns.geometry[0].geom_type == "Point"


def test_units_take_the_union_of_their_divisions():
    unit = world.squares(1).set_geometry([None], crs="EPSG:4490")
    unit["division_codes"] = [["99000010", "99000011", "unknown"]]
    shaped = with_shapes(unit, world.squares(4))
    assert shaped.geometry[0].area == pytest.approx(0.02)


def test_access_surface_asks_for_its_category_once_streets_are_there():
    script = city_map(world.view()).script
    assert "/tiles/access/{category}/{z}/{x}/{y}.png?v=t1" in script
    assert '"category": "commerce"' in script
    assert "/tiles/access" not in city_map(world.view(counts={})).script


def test_offline_map_is_one_file_without_addresses():
    html = offline_map(
        replace(world.view(), basemap=Basemap("tianditu", key="k")),
        data={"incubators": world.incubators(5), "industrial_towns": world.squares()},
    )
    asked = [a.get("src") or a.get("href") or "" for _, a in Parsed(html).tags]
    assert {address.partition(":")[0] for address in asked} <= {"", "data"}
    assert "tianditu" not in html
    assert "<img src=x" not in html
    assert "/api/map" not in city_map(world.view(), data={}).script
