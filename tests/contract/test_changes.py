"""What has been written since: told by every store from its batches and history alone."""

import sqlite3

import geopandas as gpd
import shapely

from geo.crs import STORED_CRS


def spaces(*ids: str) -> gpd.GeoDataFrame:
    points = [shapely.Point(120.0, 28.0)] * len(ids)
    return gpd.GeoDataFrame(
        {"id": ids, "incubator": "i1", "area_m2": 10.0}, geometry=points, crs=STORED_CRS
    )


def test_what_was_added_changed_and_removed_is_told(store):
    with store.edit("a") as edit:
        edit.insert("spaces", spaces("s1", "s2", "s3"))
    bookmark = store.bookmark("spaces")
    assert store.changed_since("spaces", bookmark) == ()
    with store.edit("a") as edit:
        edit.update("spaces", "s2", area_m2=20.0)
        edit.insert("spaces", spaces("s4"))
    assert store.changed_since("spaces", bookmark) == ("s2", "s4")
    with store.edit("a") as edit:
        edit.delete("spaces", "s1")
    assert store.changed_since("spaces", bookmark) == ("s1", "s2", "s4")
    assert store.changed_since("spaces", store.bookmark("spaces")) == ()


def test_another_layer_does_not_matter(store):
    with store.edit("a") as edit:
        edit.insert("spaces", spaces("s1"))
    bookmark = store.bookmark("spaces")
    with store.edit("a") as edit:
        edit.set_meta("note", 1)
    assert store.changed_since("spaces", bookmark) == ()


def test_after_another_program_nothing_can_be_told(store):
    with store.edit("a") as edit:
        edit.insert("spaces", spaces("s1"))
    bookmark, token = store.bookmark("spaces"), store.token("spaces")
    with sqlite3.connect(store.url) as other:
        other.execute(
            "UPDATE gpkg_contents SET last_change = '2030-01-01T00:00:00.000Z' "
            "WHERE table_name = 'spaces'"
        )
    other.close()
    assert store.token("spaces") != token
    assert store.changed_since("spaces", bookmark) is None
    # An edit after it does not hide it.
    with store.edit("a") as edit:
        edit.update("spaces", "s1", area_m2=20.0)
    assert store.changed_since("spaces", bookmark) is None
    later = store.bookmark("spaces")
    with store.edit("a") as edit:
        edit.update("spaces", "s1", area_m2=30.0)
    assert store.changed_since("spaces", later) == ("s1",)
