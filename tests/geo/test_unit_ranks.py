"""Units ranked by share of their own targets."""

import pandas as pd

from geo.targets import track_targets
from geo.unit_ranks import rank_units
from tests.geo.test_targets import PLAN, RULE, report, target


def track(*reports):
    wanted = [
        target("North", 2026, "area", 10.0), target("North", 2026, "jobs", 100.0),
        target("South", 2026, "area", 40.0), target("South", 2026, "jobs", 10.0),
        target("East", 2026, "area", 5.0), target("West", 2026, "area", 0.0),
        target("All", 2026, "area", 55.0), target("North", 2026, "area", 1.0, issuer="Own"),
    ]  # fmt: skip
    nothing = pd.DataFrame({"indicator": [], "unit": [], "value": [], "measured_on": []})
    return track_targets(
        pd.DataFrame(wanted), pd.DataFrame(list(reports)), nothing,
        as_of="2026-07-02", rule=RULE, plan=PLAN,
    )  # fmt: skip


def test_shares_of_own_targets_count_not_raw_figures():
    found = track(
        report("North", 2026, "area", 5.0, "2026-07-02"),  # half of 10
        report("North", 2026, "jobs", 300.0, "2026-07-02"),  # three times over: counts once
        report("South", 2026, "area", 20.0, "2026-07-02"),  # four times North's, half of its own
    )
    ranks = rank_units(found.rows, found.units, year=2026, issuers={"City"})
    assert [(one.unit, one.rank, one.mean_share) for one in ranks] == [
        ("North", 1, 0.75),
        ("South", 2, 0.5),
        ("East", None, None),
        ("West", None, None),
    ]
    north, south, _, west = ranks
    assert (north.known, north.asked, north.reached) == (2, 2, 1)
    assert (south.known, south.asked) == (1, 2)
    assert west.asked == 0


def test_equal_units_share_a_rank():
    found = track(
        report("North", 2026, "area", 5.0, "2026-07-02"),
        report("South", 2026, "area", 20.0, "2026-07-02"),
        report("East", 2026, "area", 1.0, "2026-07-02"),
    )
    ranks = rank_units(found.rows, found.units, year=2026, issuers={"City"})
    assert [one.rank for one in ranks] == [1, 1, 3, None]


def test_totals_and_records_of_a_tiny_plan():
    found = track(
        report("South", 2026, "area", 8.0, "2026-03-31"),
        report("South", 2026, "area", 20.0, "2026-06-30"),
    )
    whole = found.find_row("South", "area")
    assert (whole.target, whole.kind, whole.cumulative) == (40.0, "derived", True)
    row = found.find_row("South", "area", year=2026)
    # 181 of 365 days: a half and 40 % more by the day of the report; two intervals for the range.
    assert row.forecast.value == round(20.0 / (181 / 365), 4)
    assert row.forecast.intervals == 2
    slow, fast = sorted([8.0 / 90, 12.0 / 91])
    assert row.forecast.low == round(20.0 + slow * 184, 4)
    assert row.forecast.high == round(20.0 + fast * 184, 4)
    assert [one.id for one in found.trace("South", 2026, "area")] == ["South-2026-area-2026-06-30"]
    assert row.pace_today < row.pace
