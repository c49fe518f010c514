"""Target rows, and what several issuers ask of one unit, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from geo.forecast import Forecast


@dataclass(frozen=True)
class TargetRow:
    """One target and how far it is reached.

    `share` is value over target; `pace` is that share over the share of the period that had passed
    when the value was reported (1 is on time), `pace_today` over the share that has passed today
    (`expected_today`): less than `pace` where the report is old. `value_basis` says where the value
    comes from: `progress`, `layers`, or `sum` (over units or years). `reported_sum` adds up the
    parts that are known where a sum lacks some. `missing` names what lacks: `progress`,
    `progress:UNIT`, `progress:YEAR`, `progress_until:DATE` (a year that is over was not reported to
    its end), `baseline:INDICATOR:DATE`. `records` counts the records behind the value.
    """

    unit: str
    year: int
    indicator: str
    issuer: str
    version: str | None
    kind: str | None
    target: float | None
    value: float | None
    share: float | None
    pace: float | None
    missing: tuple[str, ...]
    zh: str | None
    en: str | None
    measure: str | None
    cumulative: bool
    value_basis: str | None
    reported_on: pd.Timestamp | None
    reported_sum: float | None
    expected_share: float | None
    expected_today: float | None
    pace_today: float | None
    forecast: Forecast | None
    target_definition: str | None
    value_definition: str | None
    clause: str | None
    demo: bool
    records: int


@dataclass(frozen=True)
class IssuerTarget:
    """What one issuer asks; `difference` is from the city's own figure, None where it has none.

    `derived` marks a total that the issuer does not state but that its years add up to.
    """

    issuer: str
    version: str | None
    kind: str | None
    target: float | None
    derived: bool
    difference: float | None


@dataclass(frozen=True)
class IssuerComparison:
    """The same indicator of the same unit as several issuers, or one in several ways, ask it."""

    unit: str
    year: int
    indicator: str
    targets: tuple[IssuerTarget, ...]


def compare_issuers(
    rows: Sequence[TargetRow], rule: Mapping[str, Any]
) -> Iterable[IssuerComparison]:
    """Put side by side what several issuers, or one in several ways, ask of a unit.

    Parameters
    ----------
    rows
        All target rows.
    rule
        The rule `targets`.

    Returns
    -------
    iterable of IssuerComparison
        One per unit, year and indicator that has more than one target. Where one issuer states a
        total of the plan and another only its years, the years are added up (`derived`).
    """
    sum_of = {item["key"]: item.get("of") for item in rule["indicators"]}
    cells: dict[tuple[str, int, str], list[TargetRow]] = {}
    for row in rows:
        cells.setdefault((row.unit, row.year, row.indicator), []).append(row)
    city_issuers = {row.issuer for row in rows if row.unit == rule["total_unit"]}
    for (unit, year, indicator), asked in cells.items():
        derived = _derived_totals(rows, asked, sum_of)
        if len(asked) + len(derived) < 2:
            continue
        city = next((one.target for one in (*derived, *asked) if one.issuer in city_issuers), None)
        listed = [*((row, True) for row in derived), *((row, False) for row in asked)]
        yield IssuerComparison(
            unit,
            year,
            indicator,
            tuple(_issuer_target(row, city, is_derived=flag) for row, flag in listed),
        )


def _issuer_target(row: TargetRow, city: float | None, *, is_derived: bool) -> IssuerTarget:
    known = row.target is not None and city is not None
    difference = round(row.target - city, 6) if known else None  # type: ignore[operator]
    return IssuerTarget(row.issuer, row.version, row.kind, row.target, is_derived, difference)


def _derived_totals(
    rows: Sequence[TargetRow], asked: Sequence[TargetRow], sum_of: Mapping[str, str | None]
) -> list[TargetRow]:
    """Add up the years of issuers that state no total of their own, where another one does."""
    first = asked[0]
    if not first.cumulative:
        return []
    yearly = sum_of.get(first.indicator)
    sums: dict[str, TargetRow] = {}
    stating = {row.issuer for row in asked}
    for row in rows:
        if row.unit == first.unit and row.indicator == yearly and row.issuer not in stating:
            before = sums[row.issuer].target if row.issuer in sums else 0.0
            sums[row.issuer] = replace(row, target=(before or 0.0) + (row.target or 0.0))
    return list(sums.values())
