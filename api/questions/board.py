"""The board of the plan: targets, counted goals and ranks, and the records behind each figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from api.questions.common import find_unit, read_layer, read_rule
from api.questions.goals import GoalDesk, check_year
from api.questions.targets import ask_targets
from geo.errors import InputError, NotFoundError
from geo.evidence import COUNT, SUM, Evidence
from geo.goal_board import (
    FigureRecords,
    GoalBoard,
    PlanBoard,
    ProgressHistory,
    RecordRow,
    list_progress,
)
from geo.goals import measure_goals, trace_goal
from geo.plain import plain
from geo.unit_ranks import rank_units
from layers.catalog import layer as catalog_layer
from layers.query import Query
from layers.store import Store

# Columns of every record that say where it comes from, and have places of their own in the answer.
_SAID_APART = ("id", "name", "unit", "source", "as_of", "provenance", "batch", "geometry")
_UNPLACED = ("declared_datum", "declared_x", "declared_y", "geom_precision")


def ask_board(
    store: Store,
    *,
    unit: str | None = None,
    year: int | None = None,
    indicator: str | None = None,
    issuer: str | None = None,
    as_of: Any = None,
    demo: bool = True,
) -> PlanBoard:
    """Show where the plan stands: target rows, every counted goal, and the units ranked.

    Parameters
    ----------
    store
        The store.
    unit, year, indicator, issuer
        Only the target rows of these; goals are of the unit and year.
    as_of
        The day asked about; today when None.
    demo
        Whether demo records count.

    Raises
    ------
    InputError
        When the day is not a date, or the year none of the plan.
    NotFoundError
        When there is no such unit, or no target of such an indicator or issuer.
    """
    check_year(store, year)
    report = ask_targets(
        store, unit=unit, year=year, indicator=indicator, issuer=issuer, as_of=as_of, demo=demo
    )
    desk = GoalDesk(store, unit=unit, year=year, as_of=as_of, demo=demo)
    goals = tuple(measure_goals(desk.goals, desk.facts, time=desk.time))
    whole = desk.report if desk.year is None else ask_targets(store, as_of=as_of, demo=demo)
    rank_year = year or _current_year(whole.years, whole.as_of.year)
    city = {row.issuer for row in whole.rows if row.unit == whole.rule["total_unit"]}
    rows = [row for row in whole.rows if indicator in (None, row.indicator)]
    ranks = rank_units(rows, whole.units, year=rank_year, issuers=city) if rank_year else []
    board = GoalBoard(
        rule=read_rule(store, "goals"),
        unit=desk.unit,
        year=year,
        as_of=desk.day,
        demo_counted=any(goal.demo for goal in goals),
        goals=goals,
    )
    return PlanBoard(report, board, tuple(ranks), rank_year)


def _current_year(years: Sequence[int], this: int) -> int | None:
    """Return this year where it is one of the plan's, else the nearest one."""
    return min(years, key=lambda year: abs(year - this), default=None)


def ask_records(
    store: Store,
    *,
    goal: str | None = None,
    indicator: str | None = None,
    industry: str | None = None,
    unit: str | None = None,
    year: int | None = None,
    as_of: Any = None,
    demo: bool = True,
) -> FigureRecords:
    """List the records behind a figure of the board, with their sources.

    Parameters
    ----------
    store
        The store.
    goal
        The id of a counted goal, or
    indicator
        the key of a yearly indicator, or
    industry
        the key of a key industry: the incubators of it.
    unit, year
        Of which unit (the whole city when None) and year (the whole plan when None).
    as_of
        The day asked about; today when None.
    demo
        Whether demo records count.

    Raises
    ------
    InputError
        When not one of goal, indicator and industry is given, the day is not a date, or the year
        none of the plan.
    NotFoundError
        When there is no such goal, indicator, industry or unit.
    """
    if sum(one is not None for one in (goal, indicator, industry)) != 1:
        raise InputError("goal, indicator or industry: give one of them, such as goal=T8")
    desk = GoalDesk(store, unit=unit, year=year, as_of=as_of, demo=demo)
    if goal is not None:
        return _goal_records(desk, goal)
    if industry is not None:
        return _industry_records(desk, industry)
    return _indicator_records(desk, str(indicator))


def ask_progress(
    store: Store, *, unit: str | None = None, year: int | None = None, demo: bool = True
) -> ProgressHistory:
    """List the reports of progress with their definition and evidence, the newest first.

    Parameters
    ----------
    store
        The store.
    unit, year
        Only those of one unit (by name, alias or code) and year.
    demo
        Whether demo records count.

    Raises
    ------
    InputError
        When the year is none of the plan.
    NotFoundError
        When there is no such unit.
    """
    check_year(store, year)
    units = read_layer(store, "reporting_units", demo=demo)
    total = read_rule(store, "targets")["total_unit"]
    where: dict[str, Any] = {} if year is None else {"year": year}
    if unit is not None:
        where["unit"] = unit if unit == total else find_unit(units, unit)
    return list_progress(store.read("progress", Query(where=where, demo=demo)))


def _goal_records(desk: GoalDesk, wanted: str) -> FigureRecords:
    declared = next((one for one in desk.goals if one["id"] == wanted), None)
    if declared is None:
        known = ", ".join(one["id"] for one in desk.goals) or "none"
        raise NotFoundError(f"there is no goal {wanted!r}; goals: {known}")
    due = desk.year is None or desk.year <= desk.day.year
    how, evidence = trace_goal(declared, desk.facts) if due else (SUM, ())
    [row] = measure_goals([declared], desk.facts, time=desk.time)
    records = tuple(_describe(desk, evidence))
    return FigureRecords(
        goal=wanted,
        indicator=None,
        zh=row.zh,
        en=row.en,
        measure=row.unit,
        unit=desk.unit,
        year=desk.year,
        as_of=desk.day,
        value=row.value if row.value is not None else row.reported_sum,
        how=how,
        clause=row.clause,
        demo_counted=_has_demo(records),
        records=records,
    )


def _indicator_records(desk: GoalDesk, key: str) -> FigureRecords:
    report = desk.report
    declared = next((one for one in report.rule["indicators"] if one["key"] == key), None)
    if declared is None or declared.get("cumulative"):
        known = [one["key"] for one in report.rule["indicators"] if not one.get("cumulative")]
        raise NotFoundError(
            f"there is no yearly indicator {key!r}; indicators: {', '.join(known) or 'none'}"
        )
    row = report.find_row(desk.here, key, year=desk.year)
    years = report.years if desk.year is None else (desk.year,)
    evidence = tuple(one for year in years for one in report.trace(desk.here, year, key))
    records = tuple(_describe(desk, evidence))
    known_value = None if row is None else row.value
    if known_value is None and row is not None:
        known_value = row.reported_sum
    return FigureRecords(
        goal=None,
        indicator=key,
        zh=declared.get("zh", key),
        en=declared.get("en", key),
        measure=declared.get("unit", ""),
        unit=desk.unit,
        year=desk.year,
        as_of=desk.day,
        value=known_value,
        how=SUM,
        clause=None if row is None else row.clause,
        demo_counted=_has_demo(records),
        records=records,
    )


def _industry_records(desk: GoalDesk, key: str) -> FigureRecords:
    coverage = desk.industries_on(desk.day)
    row = next((one for one in coverage.industries if one.key == key), None)
    if row is None:
        known = ", ".join(one.key for one in coverage.industries) or "none"
        raise NotFoundError(f"there is no key industry {key!r}; industries: {known}")
    evidence = tuple(Evidence("incubators", one) for one in row.incubators)
    records = tuple(_describe(desk, evidence))
    return FigureRecords(
        goal=None,
        indicator=key,
        zh=row.name,
        en=row.name_en or row.name,
        measure="个",
        unit=desk.unit,
        year=desk.year,
        as_of=desk.day,
        value=float(len(records)),
        how=COUNT,
        clause=coverage.rule.get("clause"),
        demo_counted=_has_demo(records),
        records=records,
    )


def _has_demo(records: Sequence[RecordRow]) -> bool:
    return any(row.counts and row.provenance == "demo" for row in records)


def _describe(desk: GoalDesk, evidence: Sequence[Evidence]) -> Iterable[RecordRow]:
    """Give each piece of evidence the public columns of its record."""
    held = {
        layer: _read_records(desk, layer, [one.id for one in evidence if one.layer == layer])
        for layer in dict.fromkeys(one.layer for one in evidence)
    }
    for one in evidence:
        record = held[one.layer].get(one.id, {})
        unit = record.get("unit")
        if one.layer == "incubators":
            unit = desk.unit_of.get(one.id) or unit
        yield RecordRow(
            layer=one.layer,
            id=one.id,
            name=record.get("name"),
            unit=unit,
            amount=one.amount,
            counts=one.counts,
            part=one.part,
            source=record.get("source"),
            as_of=record.get("as_of"),
            provenance=record.get("provenance"),
            details={
                key: value
                for key, value in record.items()
                if key not in (*_SAID_APART, *_UNPLACED) and value not in (None, [])
            },
        )


def _read_records(
    desk: GoalDesk, layer: str, ids: Sequence[str]
) -> Mapping[str, Mapping[str, Any]]:
    """Return the public columns of records by what evidence names them by."""
    if layer == "industries":  # they are of a rule, not of a layer
        rule = read_rule(desk.store, "industries")
        return {
            item["key"]: {"name": item["name"], "source": rule["source"], "provenance": "sourced"}
            for item in rule["industries"]
        }
    by = {"industrial_towns": "code", "reporting_units": "name"}.get(layer, "id")
    columns = [column.name for column in catalog_layer(layer).columns if not column.staff]
    if by == "id":
        frame = desk.store.read(layer, Query(ids=tuple(dict.fromkeys(ids)), columns=columns))
    else:
        frame = read_layer(desk.store, layer, demo=desk.demo, columns=columns)
    frame = pd.DataFrame(frame).drop(columns="geometry", errors="ignore")
    records = (plain(record) for record in frame.to_dict("records"))
    found: dict[str, Mapping[str, Any]] = {str(record.get(by)): record for record in records}
    return found
