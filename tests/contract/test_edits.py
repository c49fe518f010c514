"""Edits are checked, written together or not at all, and remembered."""

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

from geo.errors import InputError, NotFoundError, StoreReadOnlyError
from layers.catalog import layers
from layers.query import Query
from layers.schema import conform, empty
from layers.store import ALL_RECORDS, Rules, Store
from tests.contract.worlds import make_incubators, make_spaces


def test_an_empty_store_has_every_layer_in_its_form(store: Store):
    for name in layers():
        read, expected = store.read(name), empty(name)
        assert type(read) is type(expected)
        assert read.dtypes.to_dict() == expected.dtypes.to_dict()
        assert store.count(name) == 0
        assert store.page(name, Query(limit=3)).next is None
    assert store.extent() is None
    assert store.batches() == []


def test_records_come_back_as_they_went_in(store: Store):
    frame = make_spaces(50)
    with store.edit("tests") as edit:
        assert edit.insert("spaces", frame) == frame["id"].tolist()
    expected = conform("spaces", frame).assign(batch=pd.array([1] * 50, dtype="Int64"))
    assert_geodataframe_equal(store.read("spaces"), expected)


def test_many_records_come_back_too(store: Store):
    frame = make_spaces(2500).drop(columns="id")
    frame.loc[[3, 700], "water"] = None
    with store.edit("tests") as edit:
        ids = edit.insert("spaces", frame)
        edit.delete("spaces", ids[0])
        more = edit.insert("spaces", frame)
    assert len({*ids, *more}) == 5000
    box = (120.4, 27.4, 120.6, 27.6)
    x, y = frame.geometry.x.to_numpy(), frame.geometry.y.to_numpy()
    inside = (x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3])
    assert store.count("spaces", Query(bbox=box)) == 2 * inside.sum() - inside[0]


def test_geometries_of_every_type_come_back(store: Store):
    square, hole = shapely.box(120, 27, 121, 28), shapely.box(120.4, 27.4, 120.6, 27.6)
    shapes = [square, square - hole, shapely.MultiPolygon([square, shapely.box(122, 27, 123, 28)])]
    frame = gpd.GeoDataFrame(
        {"code": ["a", "b", "c"], "name": ["A", "B", "C"]}, geometry=shapes, crs="EPSG:4490"
    )
    path = shapely.LineString([(120, 27), (121, 28)])
    with store.edit("tests") as edit:
        edit.insert("divisions", frame)
        edit.insert("streets", gpd.GeoDataFrame(geometry=[path], crs="EPSG:4490"))
    read = store.read("divisions").geometry
    assert all(a.normalize() == b.normalize() for a, b in zip(read, shapes, strict=True))
    assert store.read("streets").geometry[0] == path
    assert store.extent("divisions") == pytest.approx((120, 27, 123, 28), abs=2e-5)
    assert store.extent() == pytest.approx((120, 27, 123, 28), abs=2e-5)


def test_a_geometry_may_be_missing_where_the_layer_allows_it(store: Store):
    town = pd.DataFrame({"code": ["t1"], "name": ["Town"], "status": ["proxy"]})
    with store.edit("tests") as edit:
        (key,) = edit.insert("industrial_towns", town)
        assert store.extent("industrial_towns") is None
    assert store.get("industrial_towns", key)["geometry"] is None
    with store.edit("tests") as edit:
        edit.update("industrial_towns", key, geometry=shapely.Point(120, 28))
    assert store.count("industrial_towns", Query(bbox=(119, 27, 121, 29))) == 1
    with store.edit("tests") as edit:
        edit.update("industrial_towns", key, geometry=None)
    assert store.count("industrial_towns", Query(bbox=(119, 27, 121, 29))) == 0


def test_html_and_odd_letters_are_text(store: Store):
    name = "<script>alert('孵化器')</script> \" % 𠮷 😀"
    with store.edit("tests") as edit:
        (key,) = edit.insert("incubators", make_incubators(name))
    assert store.get("incubators", key)["name"] == name
    assert store.count("incubators", Query(where={"name": name})) == 1


def test_ids_are_made_and_never_used_again(store: Store):
    with store.edit("tests") as edit:
        assert edit.insert("incubators", make_incubators("A", "B")) == [
            "incubators-1",
            "incubators-2",
        ]
        edit.delete("incubators", "incubators-2")
    with store.edit("tests") as edit:
        own = make_incubators("C", "D", "E").assign(id=["incubators-7", None, "mine"])
        assert edit.insert("incubators", own) == ["incubators-7", "incubators-8", "mine"]
        assert edit.insert("incubators", make_incubators("F")) == ["incubators-9"]


def test_new_records_say_whence_they_are(store: Store):
    with store.edit("tests") as edit:
        edit.insert("incubators", make_incubators("A", "B").assign(provenance=["demo", None]))
    read = store.read("incubators")
    assert read["provenance"].tolist() == ["demo", "entered"]
    assert read["batch"].tolist() == [1, 1]


def test_faults_are_all_listed_and_nothing_is_written(store: Store):
    bad = make_incubators("A", "B", "C")
    bad["area_m2"] = [-1.0, np.inf, 5.0]
    bad.loc[2, "geometry"] = shapely.Point(28, 120)
    before = store.token()

    def insert_both():
        with store.edit("tests") as edit:
            edit.insert("incubators", make_incubators("Good"))
            edit.insert("incubators", bad)

    with pytest.raises(InputError, match=r"row 1, area_m2: is below 0 .*and 2 more") as caught:
        insert_both()
    assert [fault.where for fault in caught.value.faults] == [
        "row 1, area_m2",
        "row 2, area_m2",
        "row 3, geometry",
    ]
    assert "swapped" in caught.value.faults[2].fix
    assert store.count("incubators") == 0
    assert store.token() == before


def test_ids_and_other_unique_values_are_used_once(store: Store):
    towns = pd.DataFrame({"id": ["t"], "code": ["1"], "name": ["T"], "status": ["proxy"]})
    with store.edit("tests") as edit:
        edit.insert("industrial_towns", towns)
    for twice in (towns.assign(code="2"), towns.assign(id="u")):
        with pytest.raises(InputError, match="is in the store already"), store.edit("t") as edit:
            edit.insert("industrial_towns", twice)
    with pytest.raises(InputError, match="is given twice"), store.edit("t") as edit:
        edit.insert("incubators", make_incubators("A", "B").assign(id="same"))
    with pytest.raises(InputError, match="is in the store already"), store.edit("t") as edit:
        edit.upsert("industrial_towns", towns.assign(id="v"))
    with store.edit("tests") as edit:
        edit.upsert("industrial_towns", towns.assign(name="T2"))
    assert store.get("industrial_towns", "t")["name"] == "T2"


def test_an_error_in_the_block_undoes_everything(store: Store):
    with store.edit("tests") as edit:
        (key,) = edit.insert("incubators", make_incubators("A"))
    before = store.token()

    def fail():
        with store.edit("tests") as edit:
            edit.insert("incubators", make_incubators("B"))
            edit.update("incubators", key, name="C")
            edit.set_meta("city", {"key": "x"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.read("incubators")["name"].tolist() == ["A"]
    assert store.meta("city") is None
    assert store.token() == before
    assert len(store.batches()) == 1


def test_upsert_changes_what_it_is_given_and_adds_the_rest(store: Store):
    with store.edit("tests") as edit:
        edit.insert("incubators", make_incubators("A", "B").assign(id=["a", "b"]))
    change = make_incubators("C", "B2").assign(id=["c", "b"]).drop(columns="area_m2")
    with store.edit("other") as edit:
        assert edit.upsert("incubators", change) == ["c", "b"]
        partial = pd.DataFrame({"id": ["a"], "note": ["seen"]})
        assert edit.upsert("incubators", partial) == ["a"]
    read = store.read("incubators").set_index("id")
    assert read["name"].to_dict() == {"a": "A", "b": "B2", "c": "C"}
    assert read.loc["b", "area_m2"] == 2000
    assert read.loc["b", "geometry"] == shapely.Point(120.1, 28)
    assert read.loc["a", "note"] == "seen"
    assert [edit.who for edit in store.history("incubators", "b")] == ["tests", "other"]


def test_upsert_of_the_same_changes_nothing(store: Store):
    frame = make_spaces(20)
    with store.edit("tests") as edit:
        edit.insert("spaces", frame)
    before = store.token()
    with store.edit("tests") as edit:
        edit.upsert("spaces", frame)
        edit.upsert("spaces", frame.head(0))
    assert store.token() == before
    assert len(store.batches()) == 1


def test_update_is_checked_and_needs_its_record(store: Store):
    with store.edit("tests") as edit:
        (key,) = edit.insert("incubators", make_incubators("A"))
    with pytest.raises(NotFoundError, match="no record with id 'nobody'"), store.edit("t") as edit:
        edit.update("incubators", "nobody", name="B")
    for wrong in ({"status": "asleep"}, {"name": None}, {"area_m2": -1}, {"colour": "red"}):
        with pytest.raises(InputError), store.edit("tests") as edit:
            edit.update("incubators", key, **wrong)
    with store.edit("tests") as edit:
        edit.update("incubators", key, services=["lab"], opened_on="2026-05-01", unit="North")
    record = store.get("incubators", key)
    assert (record["services"], record["opened_on"]) == (["lab"], "2026-05-01")


def test_delete_and_clear(store: Store):
    with store.edit("tests") as edit:
        edit.insert("spaces", make_spaces(60))
    demo = store.count("spaces", Query(where={"provenance": "demo"}))
    with pytest.raises(NotFoundError, match="'nobody'"), store.edit("tests") as edit:
        edit.delete("spaces", ["s0001", "nobody"])
    with store.edit("tests") as edit:
        assert edit.delete("spaces", ["s0001", "s0001"]) == 1
        edit.insert("spaces", make_spaces(60).query("id == 's0001'"))
        assert edit.clear("spaces", {"provenance": "demo"}) == demo
        assert edit.clear("spaces", {"provenance": "demo"}) == 0
    assert store.count("spaces") == 60 - demo
    with store.edit("tests") as edit:
        assert edit.clear("spaces") == 60 - demo
    assert store.extent("spaces") is None
    with pytest.raises(NotFoundError, match="'s0002'"):
        store.get("spaces", "s0002")


def test_the_life_of_a_record_is_told_in_whole(store: Store):
    frame = make_incubators("A").assign(id="a")
    with store.edit("Li", "first list") as edit:
        edit.insert("incubators", frame)
    with store.edit("Wu", "renamed") as edit:
        edit.update("incubators", "a", name="B", geometry=shapely.Point(121, 28))
    with store.edit("Wu", "closed") as edit:
        edit.delete("incubators", "a")
    with store.edit("Li", "back again") as edit:
        edit.insert("incubators", frame.assign(name="C", services=[["lab"]]))
        edit.update("incubators", "a", area_m2=None)
    told = [
        (
            change.who,
            change.note,
            change.action,
            change.before and (change.before["name"], change.before.get("area_m2")),
            change.after and (change.after["name"], change.after.get("area_m2")),
        )
        for change in store.history("incubators", "a")
    ]
    assert told == [
        ("Li", "first list", "insert", None, ("A", 1000)),
        ("Wu", "renamed", "update", ("A", 1000), ("B", 1000)),
        ("Wu", "closed", "delete", ("B", 1000), None),
        ("Li", "back again", "insert", None, ("C", 1000)),
        ("Li", "back again", "update", ("C", 1000), ("C", None)),
    ]
    moved = store.history("incubators", "a")[1]
    assert (moved.before["geometry"], moved.after["geometry"]) == (
        shapely.Point(120, 28),
        shapely.Point(121, 28),
    )
    assert store.history("incubators", "nobody") == []


def test_batches_count_what_an_edit_did_to_each_layer(store: Store):
    with store.edit("Li", "all") as edit:
        ids = edit.insert("incubators", make_incubators("A", "B"))
        edit.insert("spaces", make_spaces(10))
        edit.update("incubators", ids[0], name="C")
    batches = [dataclasses.astuple(batch) for batch in store.batches()]
    assert [(b[0], b[1], b[3], b[4], b[5]) for b in batches] == [
        (1, "incubators", "Li", "all", 3),
        (2, "spaces", "Li", "all", 10),
    ]
    assert batches[0][2].endswith("+00:00")


def test_meta_and_rules(store: Store):
    assert store.meta("city", "none") == "none"
    with store.edit("tests") as edit:
        edit.set_meta("city", {"key": "x", "name": "某市"})
        first = edit.set_rules("towns", {"large_area_m2": 20_000}, "clause 3")
        edit.set_rules("osm", {}, "none")
    assert store.meta("city") == {"key": "x", "name": "某市"}
    assert first == store.rules("towns") == Rules("towns", 1, {"large_area_m2": 20_000}, "clause 3")
    before = store.token("rules")
    with store.edit("tests") as edit:
        assert edit.set_rules("towns", {"large_area_m2": 20_000}, "clause 3").version == 1
    assert store.token("rules") == before
    with store.edit("Wu", "stricter") as edit:
        assert edit.set_rules("towns", {"large_area_m2": 30_000}, "clause 3").version == 2
    assert store.rules_names() == ["osm", "towns"]
    assert store.token("rules") != before
    last = store.history("rules", "towns")[-1]
    assert last.who == "Wu"
    assert last.before["body"] == {"large_area_m2": 20_000}
    with pytest.raises(NotFoundError, match=r"no rules 'x'; it has: osm, towns"):
        store.rules("x")
    with pytest.raises(InputError, match="JSON cannot hold"), store.edit("tests") as edit:
        edit.set_meta("odd", {1, 2})


def test_a_token_changes_with_its_layers_only(store: Store):
    spaces, every, meta = store.token("spaces"), store.token(), store.token("meta")
    with store.edit("tests") as edit:
        edit.insert("incubators", make_incubators("A"))
    assert store.token("spaces") == spaces
    assert store.token("spaces", "incubators") != spaces
    assert store.token() != every
    assert store.token("meta") == meta
    with store.edit("tests") as edit:
        edit.set_meta("a", 1)
    assert store.token("meta") != meta
    with pytest.raises(NotFoundError):
        store.token("nothing")


def test_metres_are_of_the_city_or_of_the_place(store: Store):
    assert store.metric_crs.to_epsg() == 6933
    with store.edit("tests") as edit:
        edit.insert("incubators", make_incubators("A"))
    assert store.metric_crs.to_epsg() == 4549
    with store.edit("tests") as edit:
        edit.set_meta("metric_crs", "EPSG:32651")
    assert store.metric_crs.to_epsg() == 32651


def test_a_store_opened_for_reading_is_not_written(place):
    with place.create() as made, made.edit("tests") as edit:
        edit.insert("incubators", make_incubators("A"))
    with place.open() as store:
        assert store.read("incubators", ALL_RECORDS)["name"].tolist() == ["A"]
        with pytest.raises(StoreReadOnlyError, match="for reading only"), store.edit("tests"):
            pass


def test_an_edit_names_who_makes_it(store: Store):
    with pytest.raises(InputError, match="who"), store.edit(" "):
        pass


def test_an_edit_reads_what_it_has_written(store: Store):
    with store.edit("tests") as edit:
        edit.insert("spaces", make_spaces(3))
        first = edit.read("spaces")["id"].iloc[0]
        edit.update("spaces", first, name="甲")
        assert edit.get("spaces", first)["name"] == "甲"
        assert edit.read("spaces", Query(ids=(first,), columns=["name"]))["name"].tolist() == ["甲"]
        assert store.count("spaces") == 0
        with pytest.raises(NotFoundError, match="nothing"):
            edit.get("spaces", "nothing")
    assert store.get("spaces", first)["name"] == "甲"
