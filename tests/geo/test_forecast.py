"""Forecasts against figures worked out by hand, and what must hold of every one."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.evidence import FOLDS, Evidence, fold
from geo.forecast import Period, forecast

YEAR = Period(pd.Timestamp("2025-01-01"), pd.Timestamp("2026-01-01"))


def on(day: str) -> pd.Timestamp:
    return pd.Timestamp(day)


def test_one_report_ranges_from_nothing_more_to_as_so_far():
    # 73 of 365 days passed, a fifth of the year: 10 so far is 50 at its end.
    found = forecast([(on("2025-03-14"), 10.0)], YEAR, target=40.0)
    assert (found.method, found.elapsed_share) == ("linear", 0.2)
    assert (found.value, found.low, found.high) == (50.0, 10.0, 50.0)
    assert (found.share, found.intervals) == (1.25, 1)


def test_reports_give_the_slowest_and_the_fastest_interval():
    # A fifth each: +10, then +2: a year of the one is 50, of the other 10; 3/5 of it to go.
    found = forecast([(on("2025-03-14"), 10.0), (on("2025-05-26"), 12.0)], YEAR)
    assert found.value == 30.0
    assert (found.low, found.high) == (12.0 + 0.6 * 10.0, 12.0 + 0.6 * 50.0)
    assert found.intervals == 2


def test_what_stood_at_the_start_is_not_of_the_period():
    found = forecast([(on("2025-03-14"), 0.6)], YEAR, start_value=0.5, most=1.0)
    assert (found.value, found.low, found.high) == (1.0, 0.6, 1.0)


def test_a_share_never_passes_all():
    found = forecast([(on("2025-03-14"), 0.9)], YEAR, most=1.0)
    assert (found.value, found.high) == (1.0, 1.0)


def test_the_end_is_final_and_the_beginning_tells_nothing():
    final = forecast([(on("2025-12-31"), 7.0)], YEAR, target=7.0)
    assert (final.method, final.value, final.low, final.high) == ("final", 7.0, 7.0, 7.0)
    assert forecast([(on("2025-01-29"), 7.0)], YEAR) is None
    assert forecast([(on("2025-01-30"), 7.0)], YEAR) is not None
    assert forecast([], YEAR) is None


@given(
    st.lists(st.integers(30, 360), min_size=1, max_size=6, unique=True).map(sorted),
    st.lists(st.floats(0, 1000), min_size=6, max_size=6),
)
def test_the_range_holds_the_forecast_and_growth_never_falls(days, steps):
    total, series = 0.0, []
    for day, step in zip(days, steps, strict=False):
        total += step
        series.append((YEAR.start + pd.Timedelta(days=day), total))
    found = forecast(series, YEAR)
    assert found.low <= found.value <= found.high
    assert found.low >= total - 1e-3


@pytest.mark.parametrize(
    ("how", "value"),
    [("count", 2.0), ("sum", 7.0), ("share", 0.666667), ("mean", 2.75), ("least", 2.0),
     ("most", 5.0), ("fewest", 1.0), ("first", 2.0)],
)  # fmt: skip
def test_folds(how, value):
    three = [
        Evidence("a", "1", 2.0, part="x", weight=3.0),
        Evidence("a", "2", 5.0, part="y"),
        Evidence("a", "3", 9.0, counts=False, part="y"),
    ]
    assert fold(three, how) == pytest.approx(value, abs=1e-6)


def test_nothing_folds_to_nothing():
    assert {how: fold([], how) for how in FOLDS} == {**dict.fromkeys(FOLDS), "count": 0.0}
