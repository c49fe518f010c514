"""Search over arrays against a plain reference, record by record and choice by choice."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.areas import read_area, within_area
from geo.bundles import tally_columns
from geo.columns import Columns, encode
from geo.errors import InputError
from geo.spacefinder import AllOf, AnyOf, Filter, Rowwise, Within, find
from geo.textindex import index_texts

KINDS = ("rd", "lab", "desk", None)
SERVICES = ("tax", "legal", "funds")
ROW = st.tuples(
    st.sampled_from(KINDS),
    st.lists(st.sampled_from(SERVICES), unique=True, max_size=3),
    st.one_of(st.none(), st.integers(1, 6)),
    st.one_of(st.none(), st.integers(1, 6)),
)


def world(rows):
    frame = pd.DataFrame(rows, columns=["kind", "services", "area", "rent"])
    number = {name: frame[name].astype(float).to_numpy() for name in ("area", "rent")}
    kinds = [None if pd.isna(kind) else kind for kind in frame["kind"]]
    coded = {
        "kind": encode(kinds),
        "services": encode([tuple(s) if s else None for s in frame["services"]]),
    }
    ids = tuple(f"s{n:03d}" for n in range(len(frame)))
    nowhere = np.full(len(frame), np.nan)
    return frame, Columns(ids, nowhere, nowhere, number, coded)


def passes_of(frame, kinds, services, low, high):
    """Say of every filter asked which records pass it, in pandas."""
    passes = {}
    if kinds:
        passes["kind"] = frame["kind"].isin(kinds)
    if services:
        passes["service"] = frame["services"].map(lambda had: set(services) <= set(had))
    if low is not None:
        passes["area"] = frame["area"].astype(float).between(low, high)
    return passes


def filters_of(kinds, services, low, high):
    filters = []
    if kinds:
        filters.append(Filter("kind", (AnyOf("kind", tuple(kinds)),)))
    if services:
        filters.append(Filter("service", (AllOf("services", tuple(services)),)))
    if low is not None:
        filters.append(Filter("area", (Within("area", low, high),)))
    return filters


def both(passes, count):
    every = pd.Series(True, index=range(count))
    for one in passes.values():
        every &= one
    return every


ASKED = {
    "rows": st.lists(ROW, min_size=1, max_size=40),
    "kinds": st.lists(st.sampled_from(KINDS[:3]), unique=True, max_size=2),
    "services": st.lists(st.sampled_from(SERVICES), unique=True, max_size=2),
    "ends": st.one_of(st.none(), st.tuples(st.integers(1, 6), st.integers(1, 6)).map(sorted)),
}


@settings(max_examples=60)
@given(**ASKED)
def test_found_counted_and_relaxed_as_in_pandas(rows, kinds, services, ends):
    low, high = ends or (None, None)
    frame, columns = world(rows)
    passes = passes_of(frame, kinds, services, low, high)
    found = find(columns, filters_of(kinds, services, low, high))
    expected = both(passes, len(frame))
    assert found.rows.tolist() == np.flatnonzero(expected).tolist()
    facets = found.facets(
        tally_columns(columns.coded, ("kind", "services")), {"kind": "kind", "services": "service"}
    )
    for column, name in (("kind", "kind"), ("services", "service")):
        others = both({k: v for k, v in passes.items() if k != name}, len(frame))
        counts = frame.loc[others, column].explode().dropna().value_counts().to_dict()
        assert facets[column] == counts
    for one in found.relaxed() if not found.total else ():
        kept = {k: v for k, v in passes.items() if k not in one.filters}
        assert one.count == int(both(kept, len(frame)).sum())


@settings(max_examples=40)
@given(st.lists(ROW, min_size=1, max_size=40), st.sampled_from(["area", "rent", "kind", "id"]),
       st.booleans(), st.integers(1, 7))  # fmt: skip
def test_pages_part_the_order(rows, column, falling, size):
    _, columns = world(rows)
    found = find(columns, [])
    order = columns.order(column, descending=falling)
    seen, start = [], 0
    while True:
        page = found.page(order, start=start, limit=size).tolist()
        if not page:
            break
        seen += page
        start = order.after(float(order.keys[len(seen) - 1]), page[-1])
    assert seen == order.rows.tolist()
    assert sorted(seen) == list(range(len(columns)))
    if column in columns.numbers:
        values = columns.numbers[column][seen]
        known = values[np.isfinite(values)]
        assert np.isnan(values[len(known) :]).all()
        assert (np.diff(known) * (-1 if falling else 1) >= 0).all()


def test_nearest_value_of_a_range_is_told():
    _, columns = world([("rd", [], 5, 3), ("rd", [], 6, 4), ("lab", [], 9, 1)])
    asked = [Filter("kind", (AnyOf("kind", ("rd",)),)), Filter("area", (Within("area", 0, 2),))]
    relaxed = find(columns, asked).relaxed()
    assert [(one.filters, one.count, one.nearest) for one in relaxed] == [(("area",), 2, 5.0)]


def test_two_filters_are_relaxed_where_one_brings_nothing():
    _, columns = world([("rd", [], 5, 3)])
    asked = [Filter("kind", (AnyOf("kind", ("lab",)),)), Filter("area", (Within("area", 0, 2),))]
    assert [one.filters for one in find(columns, asked).relaxed()] == [("kind", "area")]


def test_unknown_values_pass_only_where_that_is_said():
    _, columns = world([("rd", [], None, 3)])
    assert find(columns, [Filter("a", (Within("area", 1, 2),))]).total == 0
    assert find(columns, [Filter("a", (Within("area", 1, 2, unknown=True),))]).total == 1
    assert find(columns, [Filter("r", (Rowwise(np.array([False])),))]).total == 0


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("瓯海", [0]),
        ("ouhai", [0]),
        ("OuHai", [0]),
        ("oh", [0]),
        ("ohai", []),
        ("区", [0, 1]),
        ("lab", [2]),
        ("3-012", [2]),
        ("lucheng", [1]),
        ("", [0, 1, 2]),
    ],
)
def test_text_is_found_as_written_in_pinyin_or_by_initials(word, expected):
    index = index_texts(["瓯海区", "鹿城区", "Lab实验室3-012"])
    assert np.flatnonzero(index.find(word)).tolist() == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "GeoJSON"),
        ('{"type":"Point","coordinates":[1,2]}', "Point"),
        ('{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}', "crossing"),
        ('{"type":"Polygon","coordinates":[[[0,0],[900,0],[900,9],[0,0]]]}', "earth"),
        ('{"type":"Polygon","coordinates":[]}', "nothing"),
        ("x" * 60_000, "characters"),
    ],
)
def test_bad_areas_are_refused(text, said):
    with pytest.raises(InputError, match=said):
        read_area(text)


def test_places_in_an_area():
    area = read_area('{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,2],[0,2],[0,0]]]}')
    inside = within_area(area, np.array([1.0, 3.0, 2.0]), np.array([1.0, 1.0, 1.0]))
    assert inside.tolist() == [True, False, True]
