"""Queries give what a plain reading of the frame gives, whatever the combination."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from geopandas.testing import assert_geodataframe_equal
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError, NotFoundError
from layers.query import Query, Range
from layers.schema import conform
from layers.store import Store
from tests.contract.worlds import UNITS, make_spaces

WORLD = conform("spaces", make_spaces(300)).assign(batch=pd.array([1] * 300, dtype="Int64"))

numbers = st.one_of(st.none(), st.integers(0, 500))
wheres = st.fixed_dictionaries(
    {},
    optional={
        "unit": st.one_of(
            st.none(),
            st.sampled_from(UNITS),
            st.lists(st.sampled_from([*UNITS, "Nowhere", None]), max_size=3),
        ),
        "area_m2": st.builds(Range, low=numbers, high=numbers),
        "rent_cny_m2_month": st.one_of(st.none(), st.builds(Range, low=st.integers(0, 5))),
        "services": st.one_of(
            st.none(),
            st.sampled_from(["lab", "canteen", "gym"]),
            st.lists(st.sampled_from(["lab", "parking", None]), max_size=2),
        ),
        "water": st.sampled_from([True, False, None]),
        "min_term_months": st.one_of(st.integers(0, 24), st.lists(st.integers(0, 24), max_size=3)),
        "available_from": st.builds(Range, low=st.sampled_from(["2026-02-01", None])),
    },
)
boxes = st.tuples(
    st.floats(119.9, 120.5), st.floats(26.9, 27.5), st.floats(120.5, 121.1), st.floats(27.5, 28.1)
)
queries = st.builds(
    Query,
    bbox=st.one_of(st.none(), boxes),
    where=wheres,
    text=st.sampled_from([None, "hall 1", "100%", "_", "nothing"]),
    order_by=st.sampled_from([None, "id", "rent_cny_m2_month", "available_from", "unit", "water"]),
    descending=st.booleans(),
    demo=st.booleans(),
)


def meets(row, name, wanted) -> bool:
    value = row[name]
    if isinstance(value, list):
        wanted = wanted if isinstance(wanted, list) else [wanted]
        return any(not value if part is None else part in value for part in wanted)
    value = None if pd.isna(value) else value
    if isinstance(wanted, Range):
        low, high = wanted.low, wanted.high
        if name == "available_from":
            low = None if low is None else pd.Timestamp(low)
        inside = value is not None and (low is None or value >= low)
        return inside and (high is None or value <= high)
    return value in (wanted if isinstance(wanted, list) else [wanted])


def brute(query: Query) -> pd.DataFrame:
    """Answer a query row by row."""
    keep = []
    for row in WORLD.to_dict("records"):
        ok = all(meets(row, name, wanted) for name, wanted in query.where.items())
        if query.bbox:
            west, south, east, north = query.bbox
            ok &= west <= row["geometry"].x <= east and south <= row["geometry"].y <= north
        if query.text:
            ok &= query.text.lower() in row["name"].lower()
        keep.append(ok and (query.demo or row["provenance"] != "demo"))
    found = WORLD[np.array(keep)]
    if query.order_by is None:
        return (found[::-1] if query.descending else found).reset_index(drop=True)
    by = list(dict.fromkeys([query.order_by, "id"]))
    up = [not query.descending, True][: len(by)]
    return found.sort_values(by, ascending=up, na_position="last").reset_index(drop=True)


@settings(max_examples=60)
@given(query=queries)
def test_a_query_gives_what_reading_row_by_row_gives(spaces: Store, query):
    expected = brute(query)
    assert_geodataframe_equal(spaces.read("spaces", query), expected, check_geom_type=True)
    assert spaces.count("spaces", query) == len(expected)


@settings(max_examples=40)
@given(query=queries, limit=st.integers(1, 120))
def test_pages_put_together_are_the_whole(spaces: Store, query, limit):
    whole = spaces.read("spaces", query)["id"].tolist()
    got, after = [], None
    while True:
        page = spaces.page("spaces", dataclasses.replace(query, limit=limit, after=after))
        assert page.total == len(whole)
        assert len(page.frame) <= limit
        got += page.frame["id"].tolist()
        after = page.next
        if after is None:
            break
    assert got == whole


def test_paging_goes_on_where_it_was_while_records_come_and_go(store: Store):
    with store.edit("tests") as edit:
        edit.insert("spaces", make_spaces(30))
    query = Query(order_by="area_m2", limit=10)
    first = store.page("spaces", query)
    last = first.frame["area_m2"].iloc[-1]
    with store.edit("tests") as edit:
        edit.delete("spaces", first.frame["id"].iloc[-1])
        edit.insert("spaces", make_spaces(1, seed=3).assign(id="new", area_m2=last - 0.01))
    second = store.page("spaces", dataclasses.replace(query, after=first.next))
    assert not set(second.frame["id"]) & {*first.frame["id"], "new"}
    assert (second.frame["area_m2"] >= last).all()


@pytest.mark.parametrize(
    "other",
    [
        {"order_by": "id"},
        {"descending": True},
        {"where": {"unit": "North"}},
        {"demo": False},
        {"bbox": (120, 27, 121, 28)},
    ],
)
def test_a_cursor_of_another_query_is_refused(spaces: Store, other):
    cursor = spaces.page("spaces", Query(limit=5, order_by="area_m2")).next
    asked = {"limit": 5, "order_by": "area_m2", "after": cursor} | other
    with pytest.raises(InputError, match="is not a cursor of this query"):
        spaces.page("spaces", Query(**asked))


@pytest.mark.parametrize("cursor", ["", "x", "WzEsMiwzXQ", "不", "e30", "bnVsbA"])
def test_a_made_up_cursor_is_refused(spaces: Store, cursor):
    with pytest.raises(InputError, match="is not a cursor"):
        spaces.page("spaces", Query(limit=5, after=cursor))


def test_columns_can_be_chosen(spaces: Store):
    some = spaces.read("spaces", Query(columns=("unit", "area_m2"), limit=2))
    assert type(some) is pd.DataFrame
    assert list(some) == ["id", "unit", "area_m2"]
    placed = spaces.read("spaces", Query(columns=("geometry",), limit=2))
    assert list(placed) == ["id", "geometry"]
    assert placed.crs == "EPSG:4490"


def test_ids_choose_records_even_a_great_many(spaces: Store):
    assert spaces.count("spaces", Query(ids=["s0001", "s0002", "nobody"])) == 2
    assert spaces.count("spaces", Query(ids=[])) == 0
    assert spaces.count("spaces", Query(ids=[f"s{number:04d}" for number in range(40_000)])) == 300


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (Query(where={"aera_m2": 1}), r"no column \('aera_m2'\); did you mean 'area_m2'"),
        (Query(where={"area_m2": "big"}), "is not a finite number"),
        (Query(where={"area_m2": float("nan")}), "is not a finite number"),
        (Query(where={"kind": "castle"}), "give one of rd, production"),
        (Query(where={"name": Range("a", "b")}), "takes no range"),
        (Query(where={"available_from": "soon"}), "is not a date"),
        (Query(where={"min_term_months": 1.5}), "is not a whole number"),
        (Query(where={"water": "wet"}), "is not true or false"),
        (Query(order_by="services"), "cannot be sorted by"),
        (Query(columns=("id", "x")), "no column"),
        (Query(bbox=(121, 27, 120, 28)), "is not a box"),
        (Query(bbox=(1, 2, 3)), "is not a box"),
        (Query(bbox=("a", 2, 3, 4)), "is not a box"),
        (Query(limit=0), "is not a count"),
    ],
)
def test_what_cannot_be_asked_is_said(spaces: Store, query, says):
    for ask in (spaces.read, spaces.page, spaces.count):
        with pytest.raises(InputError, match=says):
            ask("spaces", query)


def test_all_faults_of_a_query_are_listed(spaces: Store):
    with pytest.raises(InputError) as caught:
        spaces.read("spaces", Query(where={"x": 1, "area_m2": "?"}, limit=-1))
    assert len(caught.value.faults) == 3


def test_a_layer_without_places_takes_no_box_and_one_without_names_no_text(store: Store):
    with pytest.raises(InputError, match="has no geometry"):
        store.read("plan_targets", Query(bbox=(0, 0, 1, 1)))
    with pytest.raises(InputError, match="no column to search"):
        store.read("plan_targets", Query(text="a"))


def test_an_unknown_layer_is_named(store: Store):
    with pytest.raises(NotFoundError, match="did you mean 'spaces'"):
        store.read("space")
