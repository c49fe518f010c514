"""The board of the 15-minute tests, and the records behind its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import shapely

from api.questions.amenities import Gathered, gather_amenities
from api.questions.common import find_unit, read_layer
from geo.amenity_board import (
    COMPLIANCE,
    PLANNING,
    SPACES,
    VENUES,
    AmenityBoard,
    AmenityRecords,
    Check,
    Site,
    count_passed,
    list_checks,
)
from geo.circles import draw_circles
from geo.errors import InputError, NotFoundError
from geo.frames import points
from geo.plain import plain
from geo.units import assign_units, index_units
from layers.query import Query
from layers.store import Store


def ask_amenity_board(
    store: Store, *, unit: str | None = None, profile: str | None = None, demo: bool = True
) -> AmenityBoard:
    """Show how many incubators pass each 15-minute test, by unit and by check.

    Parameters
    ----------
    store
        The store.
    unit
        Only the incubators of this unit; the city's when None.
    profile
        Who walks, by key; as the rules say when None.
    demo
        Whether demo records count.

    Raises
    ------
    InputError
        When there is no such profile.
    NotFoundError
        When there is no such unit.
    """
    units = read_layer(store, "reporting_units")
    where = None if unit is None else find_unit(units, unit)
    gathered = gather_amenities(store, profile=profile, demo=demo)
    sites, report = _sites(gathered, units), gathered.report
    if where is not None:
        own = tuple(row for row in report.rows if sites[row.id].unit == where)
        report = replace(report, rows=own)
    return AmenityBoard(report, sites, index_units(units).names)


def ask_amenity_records(
    store: Store,
    *,
    test: str | None = None,
    category: str | None = None,
    unit: str | None = None,
    incubator: str | None = None,
    profile: str | None = None,
    demo: bool = True,
) -> AmenityRecords:
    """List the checks behind a figure: how many are reached, which is the nearest, how far it is.

    Parameters
    ----------
    store
        The store.
    test
        `compliance` or `planning`; both when None, or the one that `category` belongs to.
    category
        A category of the planning test, or `venues` or `spaces` of the circle; all when None.
    unit, incubator
        Only of this unit or incubator.
    profile
        Who walks, by key; as the rules say when None.
    demo
        Whether demo records count.

    Raises
    ------
    InputError
        When there is no such test or profile, or the category is not of the test.
    NotFoundError
        When there is no such category, unit or incubator.
    """
    if test not in (None, COMPLIANCE, PLANNING):
        raise InputError(f"test {test!r} is not known; give one of {COMPLIANCE}, {PLANNING}")
    wanted = _test_of(store, category) if category is not None else test
    if test is not None and wanted != test:
        raise InputError(f"category {category!r} is of the test {wanted}; leave test out")
    units = read_layer(store, "reporting_units")
    where = None if unit is None else find_unit(units, unit)
    gathered = gather_amenities(store, incubator=incubator, profile=profile, demo=demo)
    sites, report = _sites(gathered, units), gathered.report
    straight = draw_circles(
        gathered.incubators, gathered.amenities, rule=report.rules, metric_crs=store.metric_crs
    )
    checks = [
        check
        for row in report.rows
        if where is None or sites[row.id].unit == where
        for check in list_checks(
            row, sites[row.id], rule=report.rules, straight=straight[row.id].categories
        )
        if category in (None, check.key)
        if wanted is None or (check.test == COMPLIANCE) == (wanted == COMPLIANCE)
    ]
    return AmenityRecords(
        test=wanted,
        category=category,
        unit=where,
        incubator=incubator,
        rules=report.rules,
        demo_counted=report.demo_counted,
        passed=None if wanted is None else _count(checks),
        checks=tuple(_with_amenities(store, checks)),
    )


def _test_of(store: Store, category: str) -> str:
    if category in (VENUES, SPACES):
        return COMPLIANCE
    known = [one["key"] for one in store.rules("amenities").body["categories"]]
    if category not in known:
        raise NotFoundError(
            f"there is no category {category!r}; categories: {', '.join((VENUES, SPACES, *known))}"
        )
    return PLANNING


def _count(checks: Sequence[Check]) -> Any:
    """Count the incubators that pass every check."""
    passed: dict[str, bool] = {}
    for check in checks:
        if not check.approximate:
            passed[check.incubator] = passed.get(check.incubator, True) and check.ok
    return count_passed(list(passed.values()))


def _sites(gathered: Gathered, units: pd.DataFrame) -> dict[str, Site]:
    """Tell where each incubator stands."""
    frame = gathered.incubators
    places = points(frame)
    return {
        key: Site(unit, *((None, None) if place is None else _degrees(place)))
        for key, unit, place in zip(
            frame["id"].tolist(), assign_units(frame, units), places, strict=True
        )
    }


def _degrees(place: Any) -> tuple[float, float]:
    return round(shapely.get_x(place), 6), round(shapely.get_y(place), 6)


def _with_amenities(store: Store, checks: Sequence[Check]) -> list[Check]:
    """Tell of the nearest amenities what their records say."""
    ids = tuple(dict.fromkeys(check.nearest for check in checks if check.nearest is not None))
    columns = ("name", "source", "as_of", "provenance")
    frame = store.read("amenities", Query(ids=ids, columns=columns))
    known: dict[str, Mapping[str, Any]] = {
        record["id"]: plain(record)
        for record in pd.DataFrame(frame)[["id", *columns]].to_dict("records")
    }
    told = []
    for check in checks:
        record = known.get(check.nearest or "", {})
        told.append(
            replace(
                check,
                nearest_name=record.get("name"),
                source=record.get("source"),
                as_of=record.get("as_of"),
                provenance=record.get("provenance"),
            )
        )
    return told
