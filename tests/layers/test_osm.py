import numpy as np
import osmium
import pandas as pd
import pytest
import shapely
from osmium.osm.mutable import Node, Relation, Way

from geo.errors import InputError
from geo.network import build_network
from layers.ingest.osm import default_rules, read_amenities, read_streets
from layers.ingest.osm_tags import TagIndex, find_direction
from layers.pack import load_pack
from layers.schema import find_faults
from tests.fetch_osm import extract

# Nodes of a tiny town, 0.001 degree apart: number → column, row.
PLACES = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (2, 0), 6: (2, 1)}


def place(number):
    column, row = PLACES[number]
    return 10 + column / 1000, 50 + row / 1000


@pytest.fixture
def town(tmp_path):
    """Write an extract of the tiny town with ways, relations and tags of some of its nodes."""

    def write(*, ways=(), relations=(), nodes=None, without=()):
        path = tmp_path / "town.osm.pbf"
        tags = nodes or {}
        with osmium.SimpleWriter(path) as writer:
            for number in sorted(PLACES.keys() - set(without)):
                writer.add_node(Node(id=number, location=place(number), tags=tags.get(number, {})))
            for number, (members, way_tags) in enumerate(ways, 1):
                writer.add_way(Way(id=number, nodes=members, tags=way_tags))
            for number, (members, relation_tags) in enumerate(relations, 1):
                rings = [("w", way, role) for way, role in members]
                writer.add_relation(Relation(id=number, members=rings, tags=relation_tags))
        return path

    return write


@pytest.mark.parametrize(
    ("tags", "direction"),
    [
        ("highway=residential", "both"),
        ("highway=residential oneway=yes", "both"),
        ("highway=residential access=private", None),
        ("highway=residential access=private foot=yes", "both"),
        ("highway=residential access=yes foot=no", None),
        ("highway=service access=customers", "both"),
        ("highway=secondary foot=use_sidepath sidewalk=separate", None),
        ("highway=trunk", "both"),
        ("highway=trunk motorroad=yes", None),
        ("highway=motorway", None),
        ("highway=motorway access=yes", None),
        ("highway=motorway foot=yes", "both"),
        ("highway=motorway sidewalk=right", "both"),
        ("highway=motorway sidewalk:left=yes", "both"),
        ("highway=motorway sidewalk=separate", None),
        ("highway=motorway sidewalk=both foot=no", None),
        ("highway=cycleway", None),
        ("highway=cycleway foot=designated", "both"),
        ("highway=bridleway foot=permissive", "both"),
        ("highway=footway access=no", None),
        ("highway=footway oneway:foot=yes", "forward"),
        ("highway=footway oneway:foot=-1", "backward"),
        ("highway=footway foot:backward=no", "forward"),
        ("highway=footway foot:backward=no foot:forward=no", None),
        ("highway=steps conveying=backward", "backward"),
        ("highway=steps conveying=reversible", "both"),
        ("highway=construction", None),
        ("highway=proposed foot=yes", None),
        ("highway=raceway", None),
        ("railway=platform", "both"),
        ("railway=rail foot=yes", None),
        ("man_made=pier", "both"),
        ("man_made=pier access=no", None),
        ("route=ferry foot=yes", None),
        ("waterway=river", None),
    ],
)
def test_where_one_may_walk(tags, direction):
    pairs = dict(pair.split("=") for pair in tags.split())
    assert find_direction(pairs, default_rules()["streets"]) == direction


def test_ferries_can_be_allowed_by_the_rules():
    rules = {**default_rules()["streets"], "ferries": True}
    assert find_direction({"route": "ferry"}, rules) == "both"
    assert find_direction({"route": "ferry", "foot": "no"}, rules) is None


@pytest.mark.parametrize(
    ("tags", "category", "kind"),
    [
        ("amenity=pub", "pub", None),
        ("amenity=cafe shop=books", "bookshop", None),
        ("amenity=cafe access=private", None, None),
        ("shop=supermarket", "commerce", None),
        ("shop=vacant", None, None),
        ("amenity=library", "learning", "venue"),
        ("tourism=museum", "leisure", "venue"),
        ("tourism=gallery", "leisure", "space"),
        ("highway=bus_stop", "transport", None),
        ("healthcare=laboratory", "education_health", None),
        ("building=dormitory", "youth_housing", None),
        ("building=yes", None, None),
    ],
)
def test_categories_of_tags(tags, category, kind):
    pairs = dict(pair.split("=") for pair in tags.split())
    rules = default_rules()["amenities"]
    assert TagIndex(rules["categories"], rules["forbidding"]).find(pairs) == category
    assert TagIndex(rules["cultural_kinds"], rules["forbidding"]).find(pairs) == kind


def test_every_category_of_the_planning_test_has_tags():
    wanted = {entry["key"] for entry in load_pack("none").rules["amenities"][0]["categories"]}
    assert {entry["key"] for entry in default_rules()["amenities"]["categories"]} == wanted


def test_streets_keep_their_course_and_what_matters_of_their_tags(town):
    path = town(
        ways=[
            ([1, 2, 3], {"highway": "steps", "name": "Long Stairs", "handrail": "yes"}),
            ([2, 5], {"highway": "residential", "bridge": "viaduct", "tunnel": "no"}),
            ([5, 6], {"highway": "motorway"}),
            ([3, 4], {"building": "yes"}),
        ]
    )
    streets = read_streets(path)
    assert list(streets["id"]) == ["osm-w1", "osm-w2"]
    assert list(streets["steps"]) == [True, False]
    assert list(streets["bridge"]) == [False, True]
    assert list(streets["tunnel"]) == [False, False]
    assert streets.loc[0, "name"] == "Long Stairs"
    assert streets.loc[0, "tags"] == {"handrail": "yes"}
    expected = shapely.LineString([place(1), place(2), place(3)])
    assert streets.geometry[0].equals_exact(expected, 1e-7)
    assert streets.crs.to_epsg() == 4490
    assert not find_faults("streets", streets)


def test_the_outline_of_a_square_is_walked_on(town):
    path = town(
        ways=[([1, 2, 3, 4, 1], {}), ([2, 5], {"highway": "footway"}), ([5, 6], {})],
        relations=[([(1, "outer")], {"type": "multipolygon", "highway": "pedestrian"})],
    )
    streets = read_streets(path)
    assert list(streets["id"]) == ["osm-w1", "osm-w2"]
    assert list(streets["highway"]) == ["pedestrian", "footway"]


def test_a_way_cut_by_the_edge_of_the_extract_keeps_the_parts_inside(town):
    path = town(ways=[([1, 2, 3, 4, 5, 6], {"highway": "path"})], without=[3])
    (line,) = read_streets(path).geometry
    parts = [[place(1), place(2)], [place(4), place(5), place(6)]]
    assert line.equals_exact(shapely.MultiLineString(parts), 1e-7)


@pytest.mark.parametrize(
    ("gate", "passable"),
    [
        ({"barrier": "gate"}, True),
        ({"barrier": "gate", "access": "private"}, False),
        ({"barrier": "gate", "access": "no", "foot": "yes"}, True),
        ({"barrier": "bollard", "foot": "no"}, False),
        ({"barrier": "no", "access": "private"}, True),
        ({"amenity": "cafe", "access": "private"}, True),
    ],
)
def test_a_gate_shut_to_walkers_parts_all_streets_that_meet_there(town, gate, passable):
    path = town(
        ways=[([1, 2, 5], {"highway": "footway"}), ([2, 3], {"highway": "footway"})],
        nodes={2: gate},
    )
    streets = read_streets(path)
    network = build_network(streets, crs="EPSG:32632")
    assert len(network.component_size) == (1 if passable else 3)
    lengths = [part.length for part in streets.geometry]
    assert np.allclose(lengths, [0.002, 0.001], atol=3e-6)


def test_a_way_that_begins_and_ends_at_shut_gates_is_cut_off(town):
    private = {"barrier": "gate", "foot": "private"}
    path = town(
        ways=[([1, 2], {"highway": "footway"}), ([2, 3, 4, 1], {"highway": "residential"})],
        nodes={1: private, 2: private},
    )
    streets = read_streets(path)
    assert [geometry.geom_type for geometry in streets.geometry] == ["LineString"] * 2
    assert len(build_network(streets, crs="EPSG:32632").component_size) == 2


def test_amenities_are_points_on_what_they_are(town):
    path = town(
        nodes={5: {"amenity": "pub", "name": "The Tap", "name:zh": "酒馆"}, 6: {"natural": "tree"}},
        ways=[
            ([1, 2, 3, 4, 1], {"amenity": "library", "addr:street": "Mill Lane"}),
            ([5, 6], {"shop": "tea"}),
        ],
        relations=[([(1, "outer")], {"type": "multipolygon", "leisure": "park"})],
    )
    amenities = read_amenities(path).set_index("id")
    assert amenities["category"].to_dict() == {
        "osm-n5": "pub",
        "osm-w1": "learning",
        "osm-w2": "cafe",
        "osm-r1": "leisure",
    }
    assert amenities.loc["osm-w1", "cultural_kind"] == "venue"
    assert amenities.loc["osm-w1", "address"] == "Mill Lane"
    assert amenities.loc["osm-n5", "name"] == "酒馆"
    assert amenities.loc["osm-n5", "tags"]["name"] == "The Tap"
    square = shapely.Polygon([place(number) for number in (1, 2, 3, 4)])
    assert square.contains(amenities.loc[["osm-w1", "osm-r1"]].geometry).all()
    assert amenities.geometry["osm-w2"].distance(shapely.Point(10.002, 50.0005)) < 1e-7


def test_a_multipolygon_that_is_cut_or_crosses_itself_does_no_harm(town):
    path = town(
        nodes={5: {"amenity": "cafe"}},
        ways=[
            ([1, 3, 2, 4, 1], {"leisure": "park"}),
            ([5, 6], {}),
        ],
        relations=[
            ([(2, "outer"), (99, "outer")], {"type": "multipolygon", "leisure": "park"}),
        ],
    )
    amenities = read_amenities(path)
    assert "osm-n5" in set(amenities["id"])
    assert not find_faults("amenities", amenities)


@pytest.mark.parametrize("read", [read_streets, read_amenities])
def test_bad_files_give_one_clear_error(read, tmp_path, town):
    whole = extract("Helsinki").read_bytes()
    for name, content in {
        "cut.osm.pbf": whole[: len(whole) // 2],
        "empty.osm.pbf": b"",
        "other.osm.pbf": b"PK\x03\x04 not an extract" * 50,
        "table.csv": b"a,b\n1,2\n",
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputError, match=name):
            read(path)
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "absent.osm.pbf")
    with pytest.raises(InputError, match="holds no"):
        read(town(ways=[([1, 2], {"waterway": "river"})]))


@pytest.mark.parametrize(
    ("name", "streets", "amenities"), [("Helsinki", 2_000, 1_000), ("monaco", 2_000, 500)]
)
def test_real_extracts_are_read_whole_and_without_faults(name, streets, amenities):
    walkable = read_streets(extract(name))
    assert len(walkable) > streets
    assert not find_faults("streets", walkable)
    assert not walkable["highway"].isin(["motorway", "construction", "proposed"]).any()
    assert walkable["steps"].sum() > 100
    places = read_amenities(extract(name))
    assert len(places) > amenities
    assert not find_faults("amenities", places)
    assert set(places["category"].dropna()) >= {"pub", "cafe", "commerce", "transport", "leisure"}
    assert set(places["cultural_kind"].dropna()) == {"venue", "space"}


def test_the_day_of_the_data_is_that_of_the_file():
    assert (read_streets(extract("monaco"))["as_of"] == pd.Timestamp("2023-12-26")).all()


def test_progress_is_told_and_can_cancel(town):
    told = []
    path = town(ways=[([1, 2], {"highway": "path"})])
    read_streets(path, progress=lambda stage, share: told.append((stage, share)))
    assert told[-1] == ("reading streets", 1.0)
