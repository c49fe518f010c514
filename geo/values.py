"""Values: what was reached of every indicator, unit and year, by report, record or sum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from geo.evidence import Evidence
from geo.forecast import Period
from geo.frames import days, is_demo, numbers, texts
from geo.indicators import Measured

PROGRESS, LAYERS, SUM = "progress", "layers", "sum"

Cell = tuple[str, int, str]  # unit, year, indicator


@dataclass(frozen=True)
class Value:
    """A value with its basis, or what lacks to have one (`value` None).

    `series` is how it grew: the value at the end of each day that it is known of, the last being
    the value itself; `evidence` the records behind it.
    """

    value: float | None = None
    basis: str | None = None
    reported_on: pd.Timestamp | None = None
    definition: str | None = None
    demo: bool = False
    reported_sum: float | None = None
    missing: tuple[str, ...] = ()
    series: tuple[tuple[pd.Timestamp, float], ...] = ()
    evidence: tuple[Evidence, ...] = ()


def reported_values(progress: pd.DataFrame, day: pd.Timestamp) -> dict[Cell, Value]:
    """Take the latest report of each cell up to a day; real ones alone where there is any."""
    columns = zip(
        is_demo(progress).tolist(),
        [pd.Timestamp(on) for on in days(progress, "reported_on")],
        texts(progress, "id"),
        texts(progress, "unit"),
        numbers(progress, "year"),
        texts(progress, "indicator"),
        numbers(progress, "value"),
        texts(progress, "definition"),
        strict=True,
    )
    records = [record for record in columns if not pd.isna(record[1]) and record[1] <= day]
    records.sort(key=lambda record: (not record[0], record[1], record[2] or ""))
    found: dict[Cell, Value] = {}
    for demo, on, key, unit, year, indicator, value, definition in records:
        if unit is None or indicator is None or pd.isna(value):
            continue
        cell = (unit, int(year), indicator)
        before = found.get(cell)
        # Demo reports stand first; a real one begins the series anew.
        kept = before.series if before is not None and before.demo == demo else ()
        series = (*(point for point in kept if point[0] < on), (on, float(value)))
        evidence = (Evidence("progress", key or "", float(value)),)
        found[cell] = Value(
            float(value), PROGRESS, on, definition, demo, series=series, evidence=evidence
        )
    return found


def measured_values(measured: Iterable[Measured], day: pd.Timestamp) -> dict[Cell, Value]:
    """Take what was counted from the layers up to a day."""
    return {
        (one.unit, one.year, one.indicator): Value(
            one.value,
            LAYERS,
            day,
            demo=one.demo,
            series=(*(point for point in one.series if point[0] < day), (day, one.value)),
            evidence=one.evidence,
        )
        for one in measured
    }


@dataclass(frozen=True)
class Book:
    """All known values, and how sums over units and years are made of them.

    `counted` is what the layers themselves tell of a cell, whether or not a report stands over it.
    """

    values: Mapping[Cell, Value]
    units: tuple[str, ...]
    rule: Mapping[str, Any]
    day: pd.Timestamp
    years: tuple[int, ...]
    counted: Mapping[Cell, float] = field(default_factory=dict)

    def look_up(self, unit: str, year: int, indicator: str) -> Value:
        """Find the value of a cell: reported, measured, or the sum of its parts."""
        found = self.values.get((unit, year, indicator))
        if found is not None:
            return found
        declared = self.indicator(indicator)
        if declared.get("cumulative"):
            return self._sum_years(unit, year, str(declared.get("of", "")))
        if year > self.day.year:
            return Value()
        if unit == self.rule["total_unit"]:
            return self._sum_units(year, indicator)
        return Value(missing=("progress",))

    def indicator(self, key: str) -> Mapping[str, Any]:
        """Return what the rule says of an indicator."""
        declared: Sequence[Mapping[str, Any]] = self.rule["indicators"]
        return next((item for item in declared if item["key"] == key), {})

    def period(self, year: int, *, cumulative: bool) -> Period:
        """Return the period of a target: its year, or all years of the plan up to it."""
        first = min(min(self.years, default=year), year) if cumulative else year
        return Period(pd.Timestamp(first, 1, 1), pd.Timestamp(year + 1, 1, 1))

    def _sum_units(self, year: int, indicator: str) -> Value:
        parts = {unit: self.look_up(unit, year, indicator) for unit in self.units}
        return _add_up(parts)

    def _sum_years(self, unit: str, last_year: int, indicator: str) -> Value:
        due = [year for year in self.years if year <= min(last_year, self.day.year)]
        return _add_up({str(year): self.look_up(unit, year, indicator) for year in due})


def _add_up(parts: Mapping[str, Value]) -> Value:
    """Add values up; where one lacks, only the sum of the known parts is told."""
    known = [part for part in parts.values() if part.value is not None]
    told = [part.reported_sum if part.value is None else part.value for part in parts.values()]
    total = round(sum(value for value in told if value is not None), 6)
    missing = tuple(f"progress:{name}" for name, part in parts.items() if part.value is None)
    evidence = tuple(one for part in parts.values() for one in part.evidence)
    if missing or not known:
        return Value(
            missing=missing or ("progress",),
            reported_sum=total if any(value is not None for value in told) else None,
            evidence=evidence,
        )
    reported = [part.reported_on for part in known if part.reported_on is not None]
    # Years follow each other, so their sum reaches to the last report; units run side by side, and
    # their sum is only as recent as the earliest one.
    years = all(name.isdigit() for name in parts)
    last = (max(reported) if years else min(reported)) if reported else None
    return Value(
        value=total,
        basis=SUM,
        reported_on=last,
        demo=any(part.demo for part in known),
        reported_sum=total,
        series=() if last is None else (*_add_series(known, last, years=years), (last, total)),
        evidence=evidence,
    )


def _add_series(
    parts: Sequence[Value], last: pd.Timestamp, *, years: bool
) -> Iterable[tuple[pd.Timestamp, float]]:
    """Add series up before the last day: a year begins at nothing, a unit must be known."""
    series = [part.series for part in parts]
    for day in sorted({on for one in series for on, _ in one if on < last}):
        held = [[value for on, value in one if on <= day] for one in series]
        if years or all(held):
            yield day, round(sum(values[-1] for values in held if values), 6)
