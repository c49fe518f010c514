"""Queries are brought to one form before any store sees them."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InputError
from layers.catalog import layer
from layers.query import Position, Query, Range, check_query, read_cursor, write_cursor

SPACES = layer("spaces")


@pytest.mark.parametrize(
    ("column", "wanted", "stored"),
    [
        ("area_m2", "20", 20.0),
        ("min_term_months", 6.0, 6),
        ("water", "true", True),
        ("water", [0, None], (False, None)),
        ("available_from", dt.date(2026, 5, 1), "2026-05-01"),
        ("available_from", pd.Timestamp("2026-05-01 10:00"), "2026-05-01"),
        (
            "available_from",
            Range("2026/5/1", dt.datetime(2026, 6, 1, tzinfo=dt.UTC)),
            Range("2026-05-01", "2026-06-01"),
        ),
        ("unit", ("A", "B"), ("A", "B")),
        ("unit", pd.Series(["A", "B"]), ("A", "B")),
        ("min_term_months", np.array([3, 6]), (3, 6)),
        ("services", "lab", "lab"),
        ("tags", None, None),
    ],
)
def test_values_take_the_form_that_is_stored(column, wanted, stored):
    asked = layer("amenities") if column == "tags" else SPACES
    assert check_query(asked, Query(where={column: wanted})).where == {column: stored}


def test_a_query_given_is_not_changed():
    where = {"area_m2": "20"}
    query = Query(where=where, ids=["a"], text="  ")
    checked = check_query(SPACES, query)
    assert where == query.where == {"area_m2": "20"}
    assert (checked.ids, checked.text) == (("a",), None)
    assert check_query(SPACES, checked) == checked


@given(
    value=st.one_of(st.none(), st.text(), st.integers(), st.floats(allow_nan=False)),
    key=st.one_of(st.text(), st.integers(0)),
    total=st.integers(0),
)
def test_a_cursor_keeps_its_place(value, key, total):
    query, position = Query(order_by="area_m2", limit=5), Position(value, key, total)
    cursor = write_cursor(SPACES, query, position)
    assert cursor.isascii()
    assert "=" not in cursor
    again = Query(order_by="area_m2", limit=50, after=cursor)
    assert read_cursor(SPACES, again) == position
    with pytest.raises(InputError, match="start again without it"):
        read_cursor(layer("incubators"), again)


def test_ids_may_be_one_or_several():
    assert check_query(SPACES, Query(ids="s1")).ids == ("s1",)
    assert check_query(SPACES, Query(ids=(key for key in ("s1", "s2")))).ids == ("s1", "s2")


def test_a_cursor_that_was_changed_is_refused():
    cursor = write_cursor(SPACES, Query(), Position(None, 17, 100))
    for place in range(len(cursor)):
        letter = "A" if cursor[place] != "A" else "B"
        changed = cursor[:place] + letter + cursor[place + 1 :]
        with pytest.raises(InputError, match="is not a cursor"):
            read_cursor(SPACES, Query(after=changed))
