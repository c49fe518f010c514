"""What a change in a scenario does, soon enough to be asked while a pin is dragged.

Both states are asked the same questions as everywhere; what one of them has answered already is
kept (`api.questions.kept`), so that only the layers that a change touches are counted again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from api.questions.coverage import ask_town_coverage
from api.questions.reach import ask_reach
from api.questions.targets import ask_targets
from geo.coverage import TownCoverage
from geo.effects import Effect, FigureChange, add_to_shares, change_figures, change_towns
from geo.issuers import TargetRow
from geo.targets import TargetReport
from layers.store import Store

_Key = tuple[Any, ...]


def ask_effect(before: Store, after: Store, *, place: tuple[float, float] | None = None) -> Effect:
    """Hold the layers as they would be after a change against those before it.

    Parameters
    ----------
    before, after
        The two states.
    place
        Longitude and latitude to draw walking zones of, in WGS-84 degrees.
    """
    towns, new_towns = ask_town_coverage(before), ask_town_coverage(after)
    targets, new_targets = ask_targets(before), ask_targets(after)
    labels = {_key(row): _label(row) for row in (*targets.rows, *new_targets.rows)}
    return Effect(
        towns=change_towns(_states(towns), _states(new_towns)),
        covered=FigureChange(("covered",), {}, _covered(towns), _covered(new_towns)),
        total_towns=new_towns.summary.total,
        targets=change_figures(
            _shares(targets.rows), _what_if_shares(targets, new_targets), labels
        ),
        zone=None if place is None else _zone(after, *place),
        demo_counted=new_towns.demo_counted or new_targets.demo_counted,
    )


def _states(answer: TownCoverage) -> list[dict[str, Any]]:
    return [
        {"code": row.code, "name": row.name, "unit": row.unit, "state": row.state}
        for row in answer.towns
    ]


def _covered(answer: TownCoverage) -> float:
    return float(answer.summary.operating_large + answer.summary.operating)


def _key(row: TargetRow) -> _Key:
    return (row.unit, row.year, row.indicator, row.issuer, row.kind)


def _label(row: TargetRow) -> dict[str, Any]:
    kept = ("unit", "year", "indicator", "issuer", "zh", "en", "measure", "target")
    return {name: getattr(row, name) for name in kept}


def _shares(rows: Iterable[TargetRow]) -> dict[_Key, float | None]:
    """Return the share reached of each target."""
    return {_key(row): row.share for row in rows}


def _what_if_shares(before: TargetReport, after: TargetReport) -> dict[_Key, float | None]:
    """Return the shares with what a change adds to figures that are reported.

    A report says what was; the change would come on top of it.
    """
    added = _added(before, after)
    total = after.rule.get("total_unit")
    city: dict[_Key, float] = {}
    for (_, year, indicator), amount in added.items():
        city[total, year, indicator] = city.get((total, year, indicator), 0.0) + amount
    reported = [row for row in after.rows if row.value_basis != "layers"]
    targets = {_key(row): row.target for row in reported}
    return _shares(after.rows) | add_to_shares(_shares(reported), targets, {**added, **city})


def _added(before: TargetReport, after: TargetReport) -> dict[_Key, float]:
    """Return what the layers themselves tell more of each unit, year and indicator."""
    old, new = _counted(before), _counted(after)
    return {key: new.get(key, 0.0) - old.get(key, 0.0) for key in (*old, *new)}


def _counted(report: TargetReport) -> Mapping[_Key, float]:
    return {} if report.book is None else report.book.counted


def _zone(store: Store, lon: float, lat: float) -> dict[str, Any]:
    """Draw what a place reaches on foot, with what its largest zone lacks."""
    found = ask_reach(store, lon, lat).to_json()
    categories = store.rules("amenities").body["categories"]
    largest = max(found["features"], key=lambda one: one["properties"]["minutes"], default=None)
    reached = {} if largest is None else largest["properties"]["amenities"]
    missing = [one["key"] for one in categories if not reached.get(one["key"])]
    return {**found, "missing": missing, "categories": categories}
