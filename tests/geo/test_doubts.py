"""Figures that deserve a look: falling, counted otherwise, reported twice, far from the ratio."""

import pytest

from geo.doubts import find_progress_doubts

RULE = {"jobs_per_tenant": 10}


def report(key, indicator, value, day, definition=None, *, unit="U", year=2026):
    return {
        "id": key,
        "unit": unit,
        "year": year,
        "indicator": indicator,
        "value": float(value),
        "reported_on": day,
        "definition": definition,
    }


def kinds(fresh, held, rule=RULE):
    return [doubt.kind for doubt in find_progress_doubts({1: fresh}, held, rule)]


HELD = [
    report("a", "jobs", 500, "2026-03-31", "all"),
    report("b", "jobs", 800, "2026-06-30", "all"),
    report("c", "tenant_firms", 80, "2026-06-30"),
    report("d", "jobs", 9999, "2026-06-30", unit="V"),
    report("e", "jobs", 9999, "2026-06-30", year=2025),
]


@pytest.mark.parametrize(
    ("value", "day", "definition", "found"),
    [
        (900, "2026-09-30", "all", []),
        (700, "2026-09-30", "all", ["falls"]),
        (900, "2026-09-30", "new", ["definition"]),
        (900, "2026-09-30", None, ["definition"]),
        (900, "2026-06-30", "all", ["again"]),
        (600, "2026-05-31", "all", []),
        (1600, "2026-09-30", "all", []),
        (1601, "2026-09-30", "all", ["ratio"]),
    ],
)
def test_one_report(value, day, definition, found):
    assert kinds(report(None, "jobs", value, day, definition), HELD) == found


def test_tenants_are_held_against_jobs():
    assert kinds(report(None, "tenant_firms", 161, "2026-07-31"), HELD) == ["ratio"]
    assert kinds(report(None, "tenant_firms", 160, "2026-07-31"), HELD) == []
    assert kinds(report(None, "tenant_firms", 161, "2026-07-31"), HELD, {}) == []
    assert kinds(report(None, "tenant_firms", 0, "2026-07-31"), HELD) == ["falls", "ratio"]


def test_a_change_is_not_held_against_itself_and_rows_against_each_other():
    changed = report("b", "jobs", 700, "2026-06-30", "all")
    assert kinds(changed, HELD) == []
    rows = {
        1: report(None, "jobs", 100, "2026-09-30", unit="W"),
        2: report(None, "tenant_firms", 100, "2026-09-30", unit="W"),
    }
    assert [(d.row, d.kind) for d in find_progress_doubts(rows, HELD, RULE)] == [
        (1, "ratio"),
        (2, "ratio"),
    ]
