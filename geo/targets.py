"""Targets of a plan against what was reached: value, share, pace, forecast, and what is missing.

Nothing is guessed: a value comes from a progress report, else from the layers where they can tell,
else it is missing and named. A sum over units stands only when every unit has a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from geo.frames import days, is_demo, numbers, texts
from geo.indicators import Measured, measure_indicators
from geo.issuers import Forecast, IssuerComparison, TargetRow, compare_issuers
from geo.lifecycle import parse_day
from geo.plain import plain, share
from geo.reconcile import CheckRow, reconcile

__all__ = [
    "CheckRow",
    "Measured",
    "TargetReport",
    "TargetRow",
    "measure_indicators",
    "reconcile",
    "track_targets",
]

PROGRESS, LAYERS, SUM = "progress", "layers", "sum"

_LEAST_DAYS = 30  # a forecast from fewer days says nothing


@dataclass(frozen=True)
class MissingBaseline:
    """A baseline that a cumulative goal needs and that nobody has given."""

    indicator: str
    unit: str | None
    measured_on: pd.Timestamp | None
    definition: str | None
    clause: str | None


@dataclass(frozen=True)
class TargetReport:
    """All targets of some issuers on a day, the checks of their tables, and what is missing."""

    rule: Mapping[str, Any]
    as_of: pd.Timestamp
    demo_counted: bool
    rows: tuple[TargetRow, ...]
    checks: tuple[CheckRow, ...]
    missing: tuple[MissingBaseline, ...]
    issuers: tuple[IssuerComparison, ...]

    @property
    def summary(self) -> dict[str, Any]:
        """Count the rows that are due, known, reached and behind."""
        due = [row for row in self.rows if row.year <= self.as_of.year or row.value is not None]
        known = [row for row in due if row.share is not None]
        return {
            "total": len(self.rows),
            "due": len(due),
            "known": len(known),
            "reached": sum((row.share or 0.0) >= 1.0 for row in known),
            "behind": sum(row.pace is not None and row.pace < 1.0 for row in known),
            "checks_failed": sum(not check.ok for check in self.checks),
        }

    def select(
        self,
        *,
        unit: str | None = None,
        year: int | None = None,
        indicator: str | None = None,
        issuer: str | None = None,
    ) -> TargetReport:
        """Return the report with only the rows asked for; checks and baselines stay."""
        wanted = {"unit": unit, "year": year, "indicator": indicator, "issuer": issuer}
        rows = tuple(row for row in self.rows if _fits(row, wanted))
        compared = {**wanted, "issuer": None}
        issuers = tuple(one for one in self.issuers if _fits(one, compared))
        return replace(self, rows=rows, issuers=issuers, demo_counted=any(row.demo for row in rows))

    def city_values(self) -> dict[str, dict[int, tuple[float | None, float | None]]]:
        """Return indicator to year to (value, target) of the whole city, yearly ones only."""
        found: dict[str, dict[int, tuple[float | None, float | None]]] = {}
        for row in self.rows:
            if row.unit == self.rule["total_unit"] and not row.cumulative:
                found.setdefault(row.indicator, {})[row.year] = (row.value, row.target)
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON holds it."""
        return {**plain(self), "summary": plain(self.summary)}


def _fits(row: Any, wanted: Mapping[str, Any]) -> bool:
    return all(value is None or getattr(row, name) == value for name, value in wanted.items())


@dataclass(frozen=True)
class _Value:
    """A value with its basis, or what lacks to have one (`value` None)."""

    value: float | None = None
    basis: str | None = None
    reported_on: pd.Timestamp | None = None
    definition: str | None = None
    demo: bool = False
    reported_sum: float | None = None
    missing: tuple[str, ...] = ()


_Cell = tuple[str, int, str]  # unit, year, indicator


def track_targets(
    targets: pd.DataFrame,
    progress: pd.DataFrame,
    baselines: pd.DataFrame,
    *,
    as_of: Any,
    rule: Mapping[str, Any],
    plan: Mapping[str, Any] | None = None,
    measured: Sequence[Measured] = (),
) -> TargetReport:
    """Hold every target against what is known to be reached.

    Parameters
    ----------
    targets, progress, baselines
        Records of `plan_targets`, `progress`, `baselines`.
    as_of
        The day asked about: reports up to it count, and years after it are not missing.
    rule
        The rule `targets`: `total_unit`, `indicators` (a cumulative one sums the yearly one that
        `of` names), and what `reconcile` checks.
    plan
        `start`, `end` and `years` of the plan; from the targets' years when not given.
    measured
        Values counted from the layers (`measure_indicators`), for cells that nobody reported.

    Returns
    -------
    TargetReport
        Rows in the order of the targets' years, indicators of the rule, and records.

    Raises
    ------
    InputError
        When the day is not a date.
    """
    day = parse_day(as_of)
    book = _Book(
        values={**_measured_values(measured, day), **_reported_values(progress, day)},
        units=_units_of(targets, rule["total_unit"]),
        rule=rule,
        day=day,
        years=_plan_years(targets, plan),
    )
    lacking = list(_missing_baselines(baselines))
    rows = tuple(_target_rows(targets, book, lacking))
    return TargetReport(
        rule=rule,
        as_of=day,
        demo_counted=any(row.demo for row in rows),
        rows=rows,
        checks=tuple(reconcile(targets, rule=rule)),
        missing=tuple(lacking),
        issuers=tuple(compare_issuers(rows, rule)),
    )


def _plan_years(targets: pd.DataFrame, plan: Mapping[str, Any] | None) -> tuple[int, ...]:
    if plan and plan.get("years"):
        return tuple(int(year) for year in plan["years"])
    return tuple(sorted({int(year) for year in numbers(targets, "year")}))


def _units_of(targets: pd.DataFrame, total_unit: str) -> tuple[str, ...]:
    """Name the units that the targets of the city's issuer ask something of."""
    pairs = list(zip(texts(targets, "unit"), texts(targets, "issuer"), strict=True))
    issuers = {issuer for unit, issuer in pairs if unit == total_unit}
    found = (unit for unit, issuer in pairs if issuer in issuers and unit != total_unit)
    return tuple(dict.fromkeys(unit for unit in found if unit is not None))


def _reported_values(progress: pd.DataFrame, day: pd.Timestamp) -> dict[_Cell, _Value]:
    """Take the latest report of each cell; a real one before a demo one."""
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
    return {
        (unit, int(year), indicator): _Value(float(value), PROGRESS, on, definition, demo)
        for demo, on, _, unit, year, indicator, value, definition in records
        if unit is not None and indicator is not None and not pd.isna(value)
    }


def _measured_values(measured: Iterable[Measured], day: pd.Timestamp) -> dict[_Cell, _Value]:
    return {
        (one.unit, one.year, one.indicator): _Value(one.value, LAYERS, day, None, one.demo)
        for one in measured
    }


@dataclass(frozen=True)
class _Book:
    """All known values, and how sums over units and years are made of them."""

    values: Mapping[_Cell, _Value]
    units: tuple[str, ...]
    rule: Mapping[str, Any]
    day: pd.Timestamp
    years: tuple[int, ...]

    def look_up(self, unit: str, year: int, indicator: str) -> _Value:
        """Find the value of a cell: reported, measured, or the sum of its parts."""
        found = self.values.get((unit, year, indicator))
        if found is not None:
            return found
        declared = self.indicator(indicator)
        if declared.get("cumulative"):
            return self._sum_years(unit, year, str(declared.get("of", "")))
        if year > self.day.year:
            return _Value()
        if unit == self.rule["total_unit"]:
            return self._sum_units(year, indicator)
        return _Value(missing=("progress",))

    def indicator(self, key: str) -> Mapping[str, Any]:
        """Return what the rule says of an indicator."""
        declared: Sequence[Mapping[str, Any]] = self.rule["indicators"]
        return next((item for item in declared if item["key"] == key), {})

    def _sum_units(self, year: int, indicator: str) -> _Value:
        parts = {unit: self.look_up(unit, year, indicator) for unit in self.units}
        return _add_up(parts)

    def _sum_years(self, unit: str, last_year: int, indicator: str) -> _Value:
        due = [year for year in self.years if year <= min(last_year, self.day.year)]
        return _add_up({str(year): self.look_up(unit, year, indicator) for year in due})


def _add_up(parts: Mapping[str, _Value]) -> _Value:
    """Add values up; where one lacks, only the sum of the known parts is told."""
    known = [part for part in parts.values() if part.value is not None]
    total = round(sum(part.value for part in known if part.value is not None), 6)
    missing = tuple(f"progress:{name}" for name, part in parts.items() if part.value is None)
    if missing or not known:
        return _Value(missing=missing or ("progress",), reported_sum=total if known else None)
    reported = [part.reported_on for part in known if part.reported_on is not None]
    # Years follow each other, so their sum reaches to the last report; units run side by side, and
    # their sum is only as recent as the earliest one.
    years = all(name.isdigit() for name in parts)
    return _Value(
        value=total,
        basis=SUM,
        reported_on=(max(reported) if years else min(reported)) if reported else None,
        demo=any(part.demo for part in known),
        reported_sum=total,
    )


def _target_rows(
    targets: pd.DataFrame, book: _Book, lacking: Sequence[MissingBaseline]
) -> Iterable[TargetRow]:
    order = {item["key"]: at for at, item in enumerate(book.rule["indicators"])}
    names = ("id", "unit", "indicator", "issuer", "version", "kind", "definition", "clause")
    records = list(
        zip(
            *(texts(targets, name) for name in names),
            numbers(targets, "year").astype(int).tolist(),
            numbers(targets, "value").tolist(),
            is_demo(targets).tolist(),
            strict=True,
        )
    )
    records.sort(key=lambda record: (record[8], order.get(record[2] or "", len(order))))
    for (
        _,
        unit,
        indicator,
        issuer,
        version,
        kind,
        definition,
        clause,
        year,
        target,
        demo,
    ) in records:
        if unit is None or indicator is None:
            continue
        found = book.look_up(unit, year, indicator)
        declared = book.indicator(indicator)
        goal = None if pd.isna(target) else float(target)
        reached = share(found.value, goal)
        elapsed = _elapsed(
            found.reported_on, year, book, cumulative=bool(declared.get("cumulative"))
        )
        yield TargetRow(
            unit=unit,
            year=year,
            indicator=indicator,
            issuer=issuer or "",
            version=version,
            kind=kind,
            target=goal,
            value=found.value,
            share=reached,
            pace=share(reached, elapsed),
            missing=(
                *found.missing,
                *_lacking_rest(found, year, elapsed, book),
                *_lacking_baselines(unit, declared, lacking, book),
            ),
            zh=declared.get("zh"),
            en=declared.get("en"),
            measure=declared.get("unit"),
            cumulative=bool(declared.get("cumulative")),
            value_basis=found.basis,
            reported_on=found.reported_on,
            reported_sum=found.reported_sum,
            expected_share=elapsed,
            forecast=_forecast(found, goal, elapsed),
            target_definition=definition,
            value_definition=found.definition,
            clause=clause,
            demo=found.demo or demo,
        )


def _elapsed(on: pd.Timestamp | None, year: int, book: _Book, *, cumulative: bool) -> float | None:
    """Return the share of the period that had passed at the end of a day, 0 to 1.

    The period of a cumulative indicator is all years of the plan up to its own.
    """
    if on is None:
        return None
    first = min(min(book.years, default=year), year) if cumulative else year
    start, end = pd.Timestamp(first, 1, 1), pd.Timestamp(year + 1, 1, 1)
    passed = (on + pd.Timedelta(days=1) - start) / (end - start)
    return round(min(max(float(passed), 0.0), 1.0), 10)


def _forecast(found: _Value, target: float | None, elapsed: float | None) -> Forecast | None:
    if found.value is None or found.reported_on is None or not elapsed:
        return None
    if elapsed >= 1.0:
        return Forecast(found.value, share(found.value, target), "final", found.reported_on, 1.0)
    if elapsed < _LEAST_DAYS / 366.0:
        return None
    value = round(found.value / elapsed, 4)
    return Forecast(value, share(value, target), "linear", found.reported_on, elapsed)


def _lacking_rest(found: _Value, year: int, elapsed: float | None, book: _Book) -> list[str]:
    """Name the rest of a year that is over but was not reported to its end."""
    if year >= book.day.year or found.value is None or elapsed is None or elapsed >= 1.0:
        return []
    return [f"progress_until:{year}-12-31"]


def _missing_baselines(baselines: pd.DataFrame) -> Iterable[MissingBaseline]:
    columns = zip(
        texts(baselines, "indicator"),
        texts(baselines, "unit"),
        numbers(baselines, "value"),
        days(baselines, "measured_on"),
        texts(baselines, "definition"),
        texts(baselines, "clause"),
        strict=True,
    )
    for indicator, unit, value, on, definition, clause in columns:
        if indicator is not None and pd.isna(value):
            measured_on = None if pd.isna(on) else pd.Timestamp(on)
            yield MissingBaseline(indicator, unit, measured_on, definition, clause)


def _lacking_baselines(
    unit: str, declared: Mapping[str, Any], lacking: Sequence[MissingBaseline], book: _Book
) -> list[str]:
    """Name the missing baselines that the cumulative figure of a unit would need."""
    if not declared.get("cumulative"):
        return []
    return [
        f"baseline:{one.indicator}:{plain(one.measured_on)}"
        for one in lacking
        if one.indicator == declared.get("of") and (one.unit or book.rule["total_unit"]) == unit
    ]
