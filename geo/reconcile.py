"""Reconciliation of a plan's target tables: what must add up, and whether it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from geo.frames import numbers, texts

_EQUAL = 1e-6
_Key = tuple[str, int]  # indicator and year: a column of the table


@dataclass(frozen=True)
class CheckRow:
    """One check: its name, whether it holds, and the figures in Chinese and English.

    `ids` are the target records that it looked at, one of which is at fault when it fails.
    """

    name: str
    ok: bool
    detail: str
    detail_en: str
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Table:
    """The targets of one issuer: column to unit to value, and the ids of the records."""

    issuer: str
    total_unit: str
    cells: Mapping[_Key, Mapping[str, float]]
    ids: Mapping[_Key, Mapping[str, str]]
    repeated: tuple[tuple[str, int, str], ...]

    @property
    def units(self) -> list[str]:
        """All units with a row in any column, the total left out."""
        found = dict.fromkeys(unit for column in self.cells.values() for unit in column)
        return [unit for unit in found if unit != self.total_unit]


@dataclass(frozen=True)
class _Figures:
    """Figures that must be the same, by Chinese and English name."""

    named: list[tuple[str, str, float]] = field(default_factory=list)

    def equal(self) -> bool:
        """Tell whether all are the same."""
        values = [value for _, _, value in self.named]
        return max(values) - min(values) <= _EQUAL

    def words(self, column: int) -> str:
        """Write the figures out, in Chinese (0) or English (1)."""
        sign = " = " if self.equal() else ", "
        return sign.join(f"{figure[column]} {_number(figure[2])}" for figure in self.named)

    def odd_one(self) -> tuple[str, str, float] | None:
        """Return the figure that alone differs from the others, and by how much."""
        for zh, en, value in self.named:
            others = [other for name, _, other in self.named if name != zh]
            if len(others) > 1 and max(others) - min(others) <= _EQUAL:
                return zh, en, value - others[0]
        return None


def reconcile(targets: pd.DataFrame, *, rule: Mapping[str, Any]) -> list[CheckRow]:
    """Check that the target tables of a plan agree with themselves.

    For every indicator and year the units' sum must equal the total row and the city's yearly
    figure; the years must add up to the total of the plan; and where the rule says so, jobs must
    be so many times the tenants in every row. A missing value ("-") reads as nothing.

    Parameters
    ----------
    targets
        Records of `plan_targets`.
    rule
        The rule `targets`: `total_unit`, `indicators`, `city_totals`, `jobs_per_tenant`,
        `differences`.

    Returns
    -------
    list
        A row per check. Only issuers with a row for the whole city are checked. Known differences
        between the text and the annex are told as checks that hold.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "id": ["a", "b", "c"], "unit": ["North", "South", "All"], "year": 2026,
    ...     "indicator": "jobs", "issuer": "City", "value": [1.0, 2.0, 4.0]})
    >>> [row] = reconcile(table, rule={"total_unit": "All", "indicators": [{"key": "jobs"}]})
    >>> row.name, row.ok, row.detail_en
    ('sum:jobs:2026', False, 'jobs 2026: sum of units 3, All 4')
    """
    rows: list[CheckRow] = []
    for table in _read_tables(targets, rule["total_unit"]):
        rows += _check_repeated(table)
        rows += _check_columns(table, rule)
        rows += _check_totals(table, rule)
        rows += _check_ratio(table, rule)
    return rows + list(_tell_differences(rule.get("differences", ())))


def _read_tables(targets: pd.DataFrame, total_unit: str) -> Iterator[_Table]:
    columns = [texts(targets, name) for name in ("id", "unit", "indicator", "issuer")]
    records = [
        (key or "", unit, indicator, issuer or "", int(year), float(value))
        for key, unit, indicator, issuer, year, value in zip(
            *columns,
            numbers(targets, "year"),
            np.nan_to_num(numbers(targets, "value")),
            strict=True,
        )
        if unit is not None and indicator is not None
    ]
    for issuer in sorted({record[3] for record in records if record[1] == total_unit}):
        values: dict[_Key, dict[str, float]] = {}
        ids: dict[_Key, dict[str, str]] = {}
        own = [record for record in records if record[3] == issuer]
        for key, unit, indicator, _, year, value in own:
            values.setdefault((indicator, year), {})[unit] = value
            ids.setdefault((indicator, year), {})[unit] = key
        counted = Counter((indicator, year, unit) for _, unit, indicator, _, year, _ in own)
        repeated = tuple(sorted(cell for cell, count in counted.items() if count > 1))
        yield _Table(issuer, total_unit, values, ids, repeated)


def _check_repeated(table: _Table) -> Iterator[CheckRow]:
    for indicator, year, unit in table.repeated:
        yield CheckRow(
            f"repeated:{indicator}:{year}",
            ok=False,
            detail=f"{unit} {indicator} {year}: 同一发布单位有两条指标",
            detail_en=f"{unit} {indicator} {year}: two targets of one issuer",
            ids=tuple(table.ids[indicator, year].values()),
        )


def _check_columns(table: _Table, rule: Mapping[str, Any]) -> Iterator[CheckRow]:
    """Check every yearly column: units, total row and the city's yearly figure."""
    sums = {item["key"]: item.get("of") for item in rule["indicators"] if item.get("cumulative")}
    for (indicator, year), column in sorted(table.cells.items()):
        city = _city_total(rule, indicator, year)
        if indicator in sums or (table.total_unit not in column and city is None):
            continue
        named = [("各单位之和", "sum of units", sum(column.get(unit, 0.0) for unit in table.units))]
        if table.total_unit in column:
            named.append((table.total_unit, table.total_unit, column[table.total_unit]))
        if city is not None:
            named.append(("分年总数", "city by year", city))
        absent = [unit for unit in (*table.units, table.total_unit) if unit not in column]
        ids = tuple(table.ids[indicator, year].values())
        zh, en = _names(rule, indicator)
        what = (f"{zh} {year}", f"{en} {year}")
        yield _judge(f"sum:{indicator}:{year}", what, _Figures(named), ids, absent)


def _names(rule: Mapping[str, Any], indicator: str) -> tuple[str, str]:
    """Return the Chinese and English name of an indicator, its key where there is none."""
    declared: Sequence[Mapping[str, Any]] = rule["indicators"]
    known: Mapping[str, Any] = next((one for one in declared if one["key"] == indicator), {})
    return known.get("zh", indicator), known.get("en", indicator)


def _city_total(rule: Mapping[str, Any], indicator: str, year: int) -> float | None:
    years = rule.get("city_totals", {}).get(indicator)
    value = years.get(str(year), years.get(year)) if isinstance(years, Mapping) else None
    return None if value is None else float(value)


def _judge(
    name: str,
    what: tuple[str, str],
    figures: _Figures,
    ids: tuple[str, ...],
    absent: Sequence[str] = (),
) -> CheckRow:
    zh, en = f"{what[0]}: {figures.words(0)}", f"{what[1]}: {figures.words(1)}"
    odd = None if figures.equal() else figures.odd_one()
    if odd is not None:
        zh += f"; {odd[0]}与其余相差 {odd[2]:+.10g}"
        en += f"; {odd[1]} differs from the others by {odd[2]:+.10g}"
    if absent:
        zh += f"; 缺少: {'、'.join(absent)}"
        en += f"; no row for {', '.join(absent)}"
    return CheckRow(name, figures.equal() and not absent, zh, en, ids)


def _check_totals(table: _Table, rule: Mapping[str, Any]) -> Iterator[CheckRow]:
    """Check that the years of the total row add up to the total of the plan."""
    for item in rule["indicators"]:
        if not item.get("cumulative"):
            continue
        parts = [
            (year, column[table.total_unit], table.ids[key, year][table.total_unit])
            for (key, year), column in sorted(table.cells.items())
            if key == item.get("of") and table.total_unit in column
        ]
        for (key, _), column in sorted(table.cells.items()):
            if key != item["key"] or table.total_unit not in column or not parts:
                continue
            figures = _Figures(
                [
                    ("各年之和", "sum of years", sum(value for _, value, _ in parts)),
                    ("总计", "total", column[table.total_unit]),
                ]
            )
            yield _judge(
                f"total:{item['of']}",
                _names(rule, item["of"]),
                figures,
                tuple(row for _, _, row in parts),
            )


def _check_ratio(table: _Table, rule: Mapping[str, Any]) -> Iterator[CheckRow]:
    """Check jobs against tenants in every row: the two targets say one thing."""
    wanted: float | None = rule.get("jobs_per_tenant")
    if wanted is None:
        return
    said_jobs, said_tenants = _names(rule, "jobs"), _names(rule, "tenant_firms")
    for year in sorted(year for key, year in table.cells if key == "jobs"):
        jobs, tenants = (table.cells.get((key, year), {}) for key in ("jobs", "tenant_firms"))
        odd = [unit for unit in jobs if abs(jobs[unit] - wanted * tenants.get(unit, 0.0)) > _EQUAL]
        zh = f"{year}年 {said_jobs[0]} = {_number(wanted)} × {said_tenants[0]}"
        en = f"{year}: {said_jobs[1]} = {_number(wanted)} x {said_tenants[1]}"
        if odd:
            said = "、".join(
                f"{unit} {_number(jobs[unit])}/{_number(tenants.get(unit, 0.0))}" for unit in odd
            )
            zh, en = f"{zh}, 不符: {said}", f"{en}, not in {said}"
        ids = tuple(table.ids["jobs", year][unit] for unit in odd)
        yield CheckRow(f"ratio:jobs:{year}", not odd, zh, en, ids)


def _tell_differences(differences: Sequence[Mapping[str, Any]]) -> Iterator[CheckRow]:
    for item in differences:
        yield CheckRow(
            f"text:{item['indicator']}",
            ok=True,
            detail=f"已知差异 正文: {item['text']}; 附件: {item['annex']}; {item['note']}",
            detail_en=f"known difference; text: {item['text']}; annex: {item['annex']}",
        )


def _number(value: float) -> str:
    return f"{value:.10g}"
