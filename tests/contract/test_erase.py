"""What is erased is gone from the record and from its whole history, which still tells that."""

import geopandas as gpd
import pytest
import shapely

from geo.errors import InputError, NotFoundError
from layers.store import Store

PRIVATE = ("contact_name", "contact_phone")


def post(store: Store, *names: str) -> list[str]:
    frame = gpd.GeoDataFrame(
        {
            "industry": ["电气"] * len(names),
            "min_area_m2": [100.0] * len(names),
            "contact_name": names,
            "contact_phone": ["13800000000"] * len(names),
        },
        geometry=[shapely.Point(120, 28)] * len(names),
        crs="EPSG:4490",
    )
    with store.edit("tests") as edit:
        return edit.insert("demands", frame)


def test_the_record_and_every_image_forget(store: Store):
    key, other = post(store, "Ada", "Ben")
    with store.edit("tests") as edit:
        edit.update("demands", key, contact_name="Ada L.", min_area_m2=200.0)
    with store.edit("tests") as edit:
        edit.update("demands", key, contact_phone="13911111111")
    before = store.token("demands")
    with store.edit("officer", "asked to") as edit:
        assert edit.erase("demands", key, PRIVATE) == 1
    record = store.get("demands", key)
    assert record["contact_name"] is record["contact_phone"] is None
    assert (record["min_area_m2"], record["industry"]) == (200.0, "电气")
    assert store.token("demands") != before
    changes = store.history("demands", key)
    assert [change.action for change in changes] == ["insert", "update", "update", "erase"]
    assert not any(word in str(changes) for word in ("Ada", "13800000000", "13911111111"))
    assert changes[1].before["min_area_m2"] == 100.0
    assert changes[-1].before == changes[-1].after
    assert (changes[-1].who, changes[-1].note) == ("officer", "asked to")
    assert store.get("demands", other)["contact_name"] == "Ben"


def test_it_goes_on_as_before_afterwards(store: Store):
    (key,) = post(store, "Ada")
    with store.edit("tests") as edit:
        edit.erase("demands", key, PRIVATE)
        edit.update("demands", key, contact_name="Eve")
    changes = store.history("demands", key)
    assert [change.action for change in changes] == ["insert", "erase", "update"]
    assert "contact_name" not in changes[1].after
    assert changes[2].after["contact_name"] == "Eve"
    assert "Ada" not in str(changes)


def test_a_deleted_record_is_erased_from_its_history(store: Store):
    (key,) = post(store, "Ada")
    with store.edit("tests") as edit:
        edit.delete("demands", key)
    with store.edit("tests") as edit:
        assert edit.erase("demands", [key], PRIVATE) == 1
    changes = store.history("demands", key)
    assert [change.action for change in changes] == ["insert", "delete", "erase"]
    assert changes[1].before["industry"] == "电气"
    assert changes[2].before is changes[2].after is None
    assert "Ada" not in str(changes)


def test_a_place_can_be_erased_too(store: Store):
    (key,) = post(store, "Ada")
    with store.edit("tests") as edit:
        edit.update("demands", key, geometry=shapely.Point(121, 28))
        edit.erase("demands", key, ["geometry"])
    assert store.get("demands", key)["geometry"] is None
    assert store.extent("demands") is None
    assert not any("geometry" in (change.before or {}) for change in store.history("demands", key))


def test_what_must_stay_or_is_not_there_is_refused(store: Store):
    (key,) = post(store, "Ada")
    for name in ("industry", "id", "batch"):
        with pytest.raises(InputError, match=name), store.edit("tests") as edit:
            edit.erase("demands", key, [name])
    with pytest.raises(NotFoundError, match="nobody"), store.edit("tests") as edit:
        edit.erase("demands", [key, "nobody"], PRIVATE)
    with pytest.raises(NotFoundError, match="shoe"), store.edit("tests") as edit:
        edit.erase("demands", key, ["shoe"])
    with pytest.raises(InputError, match="geometry"), store.edit("tests") as edit:
        edit.erase("incubators", "x", ["geometry"])
    assert store.get("demands", key)["contact_name"] == "Ada"
    assert [change.action for change in store.history("demands", key)] == ["insert"]
