"""States side by side: figures, towns and incubators, with the differences known by hand."""

import pytest

from geo.comparison import Comparison, Figure, State


def state(name, *, covered=1.0, towns=(), incubators=(), demo=False):
    figures = (
        Figure("coverage", "covered", "覆盖", "Covered", covered),
        Figure("coverage", "total", "总数", "All", 5.0),
    )
    return State(name, name, figures, tuple(towns), tuple(incubators), demo)


def town(code, state_):
    return {"code": code, "name": code, "unit": "U", "state": state_, "lon": 1.0, "lat": 2.0}


def hall(key, **more):
    usual = {"id": key, "name": key, "status": "operating", "area_m2": 5.0, "lon": 1.0, "lat": 2.0}
    return usual | more


def test_figures_stand_in_order_with_their_differences():
    found = Comparison(
        (state("a"), state("b", covered=3.0), state("c", covered=None)), "2026-01-01"
    )
    first, second = found.rows
    assert first.values == (1.0, 3.0, None)
    assert first.differences == (2.0, None)
    assert (first.differs, second.differs) == (True, False)


def test_a_figure_that_only_one_state_has_is_told():
    more = State("b", "b", (Figure("goals", "T1", "一", "One", 7.0),), (), (), True)
    found = Comparison((state("a"), more), "2026-01-01")
    row = next(row for row in found.rows if row.key == "T1")
    assert row.values == (None, 7.0)
    assert row.differs
    assert found.demo_counted


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("none", "operating", "won"),
        ("planned_only", "operating_large", "won"),
        ("operating", "none", "lost"),
        ("operating", "operating_large", "other"),
    ],
)
def test_towns_whose_state_differs(before, after, change):
    states = (
        state("a", towns=[town("1", before), town("2", "none")]),
        state("b", towns=[town("1", after), town("2", "none")]),
    )
    (row,) = Comparison(states, "2026-01-01").towns
    assert (row["code"], row["states"], row["change"]) == ("1", [before, after], change)


def test_incubators_that_differ():
    states = (
        state("a", incubators=[hall("same"), hall("gone"), hall("far"), hall("shut")]),
        state(
            "b",
            incubators=[
                hall("same"),
                hall("new"),
                hall("far", lon=1.5, area_m2=9.0),
                hall("shut", status="withdrawn"),
            ],
        ),
    )
    found = {row["id"]: row["changes"] for row in Comparison(states, "2026-01-01").incubators}
    assert found == {
        "gone": ["removed"],
        "new": ["added"],
        "far": ["moved", "resized"],
        "shut": ["closed"],
    }
