"""Forecasts: where a figure stands at the end of its period if it goes on as so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from geo.plain import share

FINAL, LINEAR = "final", "linear"
Series = Sequence[tuple[pd.Timestamp, float]]  # the value at the end of each day, in order

_LEAST_DAYS = 30  # a forecast from fewer days says nothing


@dataclass(frozen=True)
class Forecast:
    """The value at the end of the period, if it goes on as until `reported_on` (`linear`).

    `method` is `final` when the report covers the whole period. `low` and `high` are where the
    slowest and the fastest of the `intervals` between reports would lead. With one interval only
    there is no spread to learn from: then from nothing more being added to going on as so far.
    """

    value: float
    share: float | None
    method: str
    reported_on: pd.Timestamp
    elapsed_share: float
    low: float | None = None
    high: float | None = None
    intervals: int = 0


@dataclass(frozen=True)
class Period:
    """The days from the first, included, to the one after the last."""

    start: pd.Timestamp
    end: pd.Timestamp

    def elapsed(self, day: pd.Timestamp) -> float:
        """Return the share of the period that had passed at the end of a day, 0 to 1.

        >>> year = Period(pd.Timestamp("2026-01-01"), pd.Timestamp("2027-01-01"))
        >>> year.elapsed(pd.Timestamp("2026-12-31")), year.elapsed(pd.Timestamp("2025-06-01"))
        (1.0, 0.0)
        """
        return _elapsed(self.start, self.end, day)


@lru_cache(maxsize=8_192)
def _elapsed(start: pd.Timestamp, end: pd.Timestamp, day: pd.Timestamp) -> float:
    # Many rows of a report ask for the same few days.
    passed = (day + pd.Timedelta(days=1) - start) / (end - start)
    return round(min(max(float(passed), 0.0), 1.0), 10)


def forecast(
    series: Series,
    period: Period,
    *,
    start_value: float = 0.0,
    target: float | None = None,
    most: float | None = None,
) -> Forecast | None:
    """Carry a figure on to the end of its period.

    Parameters
    ----------
    series
        The value at the end of each day that it is known of, oldest first.
    period
        The period.
    start_value
        The value when the period began.
    target
        What is asked at the end of the period.
    most
        What the figure cannot pass, such as 1 for a share.

    Returns
    -------
    Forecast or None
        None where the last value is too near to the start to tell anything.

    Examples
    --------
    >>> year = Period(pd.Timestamp("2025-01-01"), pd.Timestamp("2026-01-01"))
    >>> found = forecast([(pd.Timestamp("2025-07-02"), 6.0)], year, target=10.0)
    >>> found.method, found.value, found.low
    ('linear', 11.9672, 6.0)
    """
    if not series:
        return None
    day, value = series[-1]
    elapsed = period.elapsed(day)
    if elapsed >= 1.0:
        return Forecast(value, share(value, target), FINAL, day, 1.0, value, value, len(series))
    if round(elapsed * (period.end - period.start).days) < _LEAST_DAYS:
        return None
    limit = float("inf") if most is None else most
    linear = round(min(start_value + (value - start_value) / elapsed, limit), 4)
    rates = _rates(series, period, start_value)
    rest = 1.0 - elapsed
    if len(rates) > 1:
        ends = [value + rate * rest for rate in (min(rates), max(rates))]
    else:
        ends = sorted((value, linear))
    low, high = (round(min(end, limit), 4) for end in ends)
    return Forecast(
        value=linear,
        share=share(linear, target),
        method=LINEAR,
        reported_on=day,
        elapsed_share=elapsed,
        low=min(low, linear),
        high=max(high, linear),
        intervals=len(rates),
    )


def _rates(series: Series, period: Period, start_value: float) -> list[float]:
    """Return how much each interval brought for the whole period, were all of it like that."""
    rates = []
    before, held = 0.0, start_value
    for day, value in series:
        passed = period.elapsed(day)
        if passed > before:
            rates.append((value - held) / (passed - before))
        before, held = max(before, passed), value
    return rates
