"""Taking back a batch gives the state before it, on every store, or is refused with the names."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import ConflictError, NotFoundError, StoreReadOnlyError
from layers.store import Store
from layers.undo import plan_undo, undo_batch
from tests.contract.worlds import make_incubators, make_spaces


def plain(store: Store, layer: str = "incubators"):
    """Every record by id, but for the batch that wrote it."""
    return {
        key: {name: value for name, value in record.items() if name != "batch"}
        for key, record in store.records(layer).items()
    }


def last(store: Store) -> int:
    return store.batches()[-1].number


def test_inserted_records_go_and_come_again(store: Store):
    with store.edit("li") as edit:
        edit.insert("incubators", make_incubators("A"))
    before = plain(store)
    with store.edit("li", "list of May") as edit:
        edit.insert("incubators", make_incubators("B", "C"))
    after, number = plain(store), last(store)
    done = undo_batch(store, number, who="wang")
    assert plain(store) == before
    assert (done.deletes, done.done) == (("incubators-2", "incubators-3"), last(store))
    batch = store.batches()[-1]
    assert (batch.who, batch.note, batch.rows) == (
        "wang",
        f"undo of batch {number}: list of May",
        2,
    )
    undo_batch(store, done.done, who="wang")
    assert plain(store) == after
    assert [change.action for change in store.history("incubators", "incubators-2")] == [
        "insert",
        "delete",
        "insert",
    ]


def test_changed_columns_are_put_back_and_others_stay(store: Store):
    with store.edit("li") as edit:
        ids = edit.insert("incubators", make_incubators("A", "B").assign(services=[["x"], []]))
    before = plain(store)
    with store.edit("li") as edit:
        edit.update("incubators", ids[0], name="A2", services=[], opened_on="2026-05-01")
        edit.update("incubators", ids[0], name="A3", geometry=shapely.Point(121, 27))
        edit.update("incubators", ids[1], area_m2=None)
    number = last(store)
    with store.edit("zhou") as edit:
        edit.update("incubators", ids[0], note="new")
    done = undo_batch(store, number, who="li")
    assert set(done.reverts) == set(ids)
    expected = before | {ids[0]: before[ids[0]] | {"note": "new"}}
    assert plain(store) == expected


def test_deleted_records_are_restored_whole(store: Store):
    with store.edit("li") as edit:
        edit.insert("spaces", make_spaces(40))
    before = plain(store, "spaces")
    with store.edit("li") as edit:
        edit.clear("spaces")
    undo_batch(store, last(store), who="li")
    assert plain(store, "spaces") == before


def test_a_batch_that_does_everything_at_once(store: Store):
    with store.edit("li") as edit:
        edit.insert("incubators", make_incubators("A", "B", "C").assign(id=["a", "b", "c"]))
    before = plain(store)
    with store.edit("li") as edit:
        edit.update("incubators", "a", name="A2")
        edit.delete("incubators", ["a", "b"])
        edit.insert("incubators", make_incubators("B2", "D").assign(id=["b", "d"]))
        edit.update("incubators", "b", name="B3")
        edit.update("incubators", "d", name="D2")
        edit.insert("incubators", make_incubators("E").assign(id=["e"]))
        edit.delete("incubators", "e")
        edit.update("incubators", "c", area_m2=5.0)
    done = undo_batch(store, last(store), who="li")
    assert plain(store) == before
    assert (set(done.deletes), set(done.reverts), set(done.restores)) == (
        {"b", "d"},
        {"c"},
        {"a", "b"},
    )


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda edit: edit.update("incubators", "a", name="Later"), "a, name"),
        (lambda edit: edit.delete("incubators", "a"), "a"),
    ],
)
def test_a_later_edit_of_the_same_stands_against_it(store: Store, change, where):
    with store.edit("li") as edit:
        edit.insert("incubators", make_incubators("A", "B").assign(id=["a", "b"]))
    with store.edit("li") as edit:
        edit.update("incubators", "a", name="A2")
        edit.update("incubators", "b", name="B2")
    number = last(store)
    with store.edit("zhou", "a correction") as edit:
        change(edit)
    held, token = plain(store), store.token()
    (fault,) = plan_undo(store, number).conflicts
    assert fault.where == where
    assert "zhou" in fault.value
    with pytest.raises(ConflictError, match=f"batch {number} cannot be undone: {where}"):
        undo_batch(store, number, who="li")
    assert (plain(store), store.token()) == (held, token)


def test_an_insert_that_was_edited_since_stays(store: Store):
    with store.edit("li") as edit:
        edit.insert("incubators", make_incubators("A", "B").assign(id=["a", "b"]))
    with store.edit("zhou") as edit:
        edit.update("incubators", "a", note="seen")
        edit.delete("incubators", "b")
    conflicts = {fault.where: fault.what for fault in plan_undo(store, 1).conflicts}
    assert conflicts == {"a": "was changed since", "b": "was deleted since"}


def test_a_deleted_record_that_is_there_again_stays(store: Store):
    with store.edit("li") as edit:
        edit.insert("incubators", make_incubators("A").assign(id=["a"]))
    with store.edit("li") as edit:
        edit.delete("incubators", "a")
    with store.edit("zhou") as edit:
        edit.insert("incubators", make_incubators("A").assign(id=["a"]))
    with pytest.raises(ConflictError, match="a is there again"):
        undo_batch(store, 2, who="li")


def test_rules_and_facts_are_put_back(store: Store):
    with store.edit("li") as edit:
        edit.set_rules("towns", {"large_area_m2": 20000}, "first")
        edit.set_meta("city", {"name": "A"})
    with store.edit("li") as edit:
        edit.set_rules("towns", {"large_area_m2": 30000}, "second")
        edit.set_meta("city", {"name": "B"})
    rules, meta = (b.number for b in store.batches()[-2:])
    undo_batch(store, rules, who="li")
    undo_batch(store, meta, who="li")
    held = store.rules("towns")
    assert (held.body, held.source, held.version) == ({"large_area_m2": 20000}, "first", 3)
    assert store.meta("city") == {"name": "A"}
    with pytest.raises(ConflictError, match="towns was changed since"):
        undo_batch(store, rules, who="li")
    with pytest.raises(ConflictError, match="nothing before it"):
        undo_batch(store, 1, who="li")


def test_what_cannot_be(store: Store, place):
    with pytest.raises(NotFoundError, match="no batch 7"):
        undo_batch(store, 7, who="li")
    with store.edit("li") as edit:
        edit.insert("incubators", make_incubators("A"))
    with place.open() as reading, pytest.raises(StoreReadOnlyError):
        undo_batch(reading, 1, who="li")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["insert", "update", "delete"]), st.integers(0, 4), st.integers(0, 99)
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=STEPS, second=STEPS)
def test_undo_gives_the_state_before_whatever_was_done(store: Store, first, second):
    with store.edit("clear") as edit:
        edit.clear("incubators")
    run(store, first)
    before, count = plain(store), len(store.batches())
    run(store, second)
    after = plain(store)
    if len(store.batches()) == count:
        return
    done = undo_batch(store, last(store), who="li")
    assert plain(store) == before
    if done.done is not None:
        undo_batch(store, done.done, who="li")
        assert plain(store) == after


def run(store: Store, steps) -> None:
    """Do steps on a few records in one edit, those that are possible."""
    there = set(store.records("incubators"))
    with store.edit("random") as edit:
        for action, number, value in steps:
            key = f"k{number}"
            if action == "insert" and key not in there:
                frame = gpd.GeoDataFrame(
                    pd.DataFrame({"id": [key], "name": [f"N{value}"], "status": ["planned"]}),
                    geometry=[shapely.Point(120 + value / 100, 28)],
                    crs="EPSG:4490",
                )
                edit.insert("incubators", frame)
                there.add(key)
            elif action == "update" and key in there:
                edit.update("incubators", key, tenants=value, aliases=[f"a{value % 3}"])
            elif action == "delete" and key in there:
                edit.delete("incubators", key)
                there.discard(key)


def test_what_was_erased_is_not_taken_back(store: Store):
    with store.edit("ada") as edit:
        (key,) = edit.insert("demands", make_demands("Ada"))
    with store.edit("ada") as edit:
        edit.update("demands", key, status="withdrawn")
        edit.erase("demands", key, ["contact_name"])
    with pytest.raises(ConflictError, match="was erased"):
        undo_batch(store, last(store), who="wang")
    assert store.get("demands", key)["status"] == "withdrawn"


def test_personal_data_go_with_a_record_that_is_taken_back(store: Store):
    with store.edit("ada") as edit:
        (key,) = edit.insert("demands", make_demands("Ada"))
    undo_batch(store, last(store), who="wang")
    changes = store.history("demands", key)
    assert [change.action for change in changes] == ["insert", "delete", "erase"]
    assert "Ada" not in str(changes)
    assert changes[1].before["industry"] == "电气"


def make_demands(*names: str) -> pd.DataFrame:
    return pd.DataFrame({"industry": "电气", "min_area_m2": 100.0, "contact_name": names})
