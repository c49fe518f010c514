"""Targets of a plan against what was reached: value, share, pace, forecast, and what is missing.

Nothing is guessed: a value comes from a progress report, else from the layers where they can tell,
else it is missing and named. A sum over units stands only when every unit has a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from geo.evidence import Evidence
from geo.forecast import forecast
from geo.frames import days, is_demo, numbers, texts
from geo.indicators import Measured, measure_indicators
from geo.issuers import IssuerComparison, TargetRow, compare_issuers
from geo.lifecycle import parse_day
from geo.plain import plain, share
from geo.reconcile import CheckRow, reconcile
from geo.values import Book, Value, measured_values, reported_values

__all__ = [
    "CheckRow",
    "Measured",
    "TargetReport",
    "TargetRow",
    "measure_indicators",
    "reconcile",
    "track_targets",
]


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
    """All targets of some issuers on a day, the checks of their tables, and what is missing.

    `totals` are the targets of the whole plan that no issuer states but that the years of the
    city's issuer add up to; `book` holds the values, for the records behind them.
    """

    rule: Mapping[str, Any]
    as_of: pd.Timestamp
    demo_counted: bool
    rows: tuple[TargetRow, ...]
    checks: tuple[CheckRow, ...]
    missing: tuple[MissingBaseline, ...]
    issuers: tuple[IssuerComparison, ...]
    years: tuple[int, ...] = ()
    totals: tuple[TargetRow, ...] = ()
    book: Book | None = None

    @property
    def units(self) -> tuple[str, ...]:
        """The units that the city's issuer asks something of, in their order."""
        return () if self.book is None else self.book.units

    def trace(self, unit: str, year: int, indicator: str) -> tuple[Evidence, ...]:
        """Return the records behind the value of an indicator in a unit and year."""
        return () if self.book is None else self.book.look_up(unit, year, indicator).evidence

    def find_row(self, unit: str, indicator: str, *, year: int | None = None) -> TargetRow | None:
        """Return the city's own target of an indicator in a year, or of the whole plan."""
        wanted = indicator if year is not None else self._sums.get(indicator, "")
        return self._own_rows.get((unit, wanted, year))

    @cached_property
    def _sums(self) -> Mapping[str, str]:
        """The indicator of the whole plan by the yearly one that it sums."""
        return {item.get("of", ""): item["key"] for item in self.rule["indicators"]}

    @cached_property
    def _own_rows(self) -> Mapping[tuple[str, str, int | None], TargetRow]:
        """The city's own rows by unit, indicator and year; under no year the first of any."""
        city = {row.issuer for row in self.rows if row.unit == self.rule["total_unit"]}
        found: dict[tuple[str, str, int | None], TargetRow] = {}
        for row in (*self.rows, *self.totals):
            if row.issuer in city:
                found.setdefault((row.unit, row.indicator, row.year), row)
                found.setdefault((row.unit, row.indicator, None), row)
        return found

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
        totals = tuple(row for row in self.totals if _fits(row, wanted))
        demo = any(row.demo for row in (*rows, *totals))
        return replace(self, rows=rows, issuers=issuers, totals=totals, demo_counted=demo)

    def city_values(self) -> dict[str, dict[int, tuple[float | None, float | None]]]:
        """Return indicator to year to (value, target) of the whole city, yearly ones only."""
        found: dict[str, dict[int, tuple[float | None, float | None]]] = {}
        for row in self.rows:
            if row.unit == self.rule["total_unit"] and not row.cumulative:
                found.setdefault(row.indicator, {})[row.year] = (row.value, row.target)
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON holds it."""
        return {**plain(replace(self, book=None)), "summary": plain(self.summary)}


def _fits(row: Any, wanted: Mapping[str, Any]) -> bool:
    return all(value is None or getattr(row, name) == value for name, value in wanted.items())


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
    book = Book(
        values={**measured_values(measured, day), **reported_values(progress, day)},
        units=_units_of(targets, rule["total_unit"]),
        rule=rule,
        day=day,
        years=_plan_years(targets, plan),
        counted={(one.unit, one.year, one.indicator): one.value for one in measured},
    )
    lacking = list(_missing_baselines(baselines))
    asked = _asked(targets, rule)
    rows = tuple(_draw_row(one, book, lacking) for one in asked)
    return TargetReport(
        rule=rule,
        as_of=day,
        demo_counted=any(row.demo for row in rows),
        rows=rows,
        checks=tuple(reconcile(targets, rule=rule)),
        missing=tuple(lacking),
        issuers=tuple(compare_issuers(rows, rule)),
        years=book.years,
        totals=tuple(_draw_row(one, book, lacking) for one in _totals_of(asked, book)),
        book=book,
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


@dataclass(frozen=True)
class _Asked:
    """A target as its record asks it."""

    unit: str
    year: int
    indicator: str
    issuer: str
    version: str | None = None
    kind: str | None = None
    target: float | None = None
    definition: str | None = None
    clause: str | None = None
    demo: bool = False


def _asked(targets: pd.DataFrame, rule: Mapping[str, Any]) -> list[_Asked]:
    """Read the targets in the order of years, indicators of the rule, and records."""
    names = ("unit", "indicator", "issuer", "version", "kind", "definition", "clause")
    columns = zip(
        *(texts(targets, name) for name in names),
        numbers(targets, "year").astype(int).tolist(),
        numbers(targets, "value").tolist(),
        is_demo(targets).tolist(),
        strict=True,
    )
    found = [
        _Asked(
            unit, year, indicator, issuer or "", version, kind,
            None if pd.isna(goal) else float(goal), definition, clause, demo,
        )
        for unit, indicator, issuer, version, kind, definition, clause, year, goal, demo in columns
        if unit is not None and indicator is not None
    ]  # fmt: skip
    order = {item["key"]: at for at, item in enumerate(rule["indicators"])}
    found.sort(key=lambda one: (one.year, order.get(one.indicator, len(order))))
    return found


def _totals_of(asked: Sequence[_Asked], book: Book) -> Iterable[_Asked]:
    """Add the years of a unit up, where the city's issuer states no total of the plan."""
    city = {one.issuer for one in asked if one.unit == book.rule["total_unit"]}
    own = [one for one in asked if one.issuer in city]
    stated: dict[tuple[str, str], list[_Asked]] = {}
    for one in own:
        stated.setdefault((one.unit, one.indicator), []).append(one)
    for item in book.rule["indicators"]:
        if not item.get("cumulative") or not book.years:
            continue
        for unit in (*book.units, book.rule["total_unit"]):
            years = stated.get((unit, item.get("of", "")), [])
            if years and (unit, item["key"]) not in stated:
                total = round(sum(one.target or 0.0 for one in years), 6)
                yield replace(
                    years[0],
                    year=max(book.years),
                    indicator=item["key"],
                    kind="derived",
                    target=total,
                    definition=None,
                )


def _draw_row(asked: _Asked, book: Book, lacking: Sequence[MissingBaseline]) -> TargetRow:
    found = book.look_up(asked.unit, asked.year, asked.indicator)
    declared = book.indicator(asked.indicator)
    cumulative = bool(declared.get("cumulative"))
    period = book.period(asked.year, cumulative=cumulative)
    reached = share(found.value, asked.target)
    elapsed = None if found.reported_on is None else period.elapsed(found.reported_on)
    today = period.elapsed(book.day)
    return TargetRow(
        unit=asked.unit,
        year=asked.year,
        indicator=asked.indicator,
        issuer=asked.issuer,
        version=asked.version,
        kind=asked.kind,
        target=asked.target,
        value=found.value,
        share=reached,
        pace=share(reached, elapsed),
        missing=(
            *found.missing,
            *_lacking_rest(found, asked.year, elapsed, book),
            *_lacking_baselines(asked.unit, declared, lacking, book),
        ),
        zh=declared.get("zh"),
        en=declared.get("en"),
        measure=declared.get("unit"),
        cumulative=cumulative,
        value_basis=found.basis,
        reported_on=found.reported_on,
        reported_sum=found.reported_sum,
        expected_share=elapsed,
        expected_today=today,
        pace_today=share(reached, today),
        forecast=forecast(found.series, period, target=asked.target),
        target_definition=asked.definition,
        value_definition=found.definition,
        clause=asked.clause,
        demo=found.demo or asked.demo,
        records=len(found.evidence),
    )


def _lacking_rest(found: Value, year: int, elapsed: float | None, book: Book) -> list[str]:
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
    unit: str, declared: Mapping[str, Any], lacking: Sequence[MissingBaseline], book: Book
) -> list[str]:
    """Name the missing baselines that the cumulative figure of a unit would need."""
    if not declared.get("cumulative"):
        return []
    return [
        f"baseline:{one.indicator}:{plain(one.measured_on)}"
        for one in lacking
        if one.indicator == declared.get("of") and (one.unit or book.rule["total_unit"]) == unit
    ]
