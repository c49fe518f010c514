"""What a change in a scenario does, soon enough to be asked while a pin is dragged."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from api.questions.common import read_layer, read_rule, today
from api.questions.coverage import ask_town_coverage
from api.questions.reach import ask_reach
from api.questions.targets import ask_targets
from geo.effects import Effect, FigureChange, add_to_shares, change_figures, change_towns
from geo.indicators import measure_indicators
from layers.store import Store

_KEPT = 8
Facts = tuple[dict[str, Any], dict[str, Any], dict[tuple[Any, ...], float]]

_facts: OrderedDict[tuple[str, str, str], Facts] = OrderedDict()
_lock = threading.Lock()


def ask_effect(before: Store, after: Store, *, place: tuple[float, float] | None = None) -> Effect:
    """Hold the layers as they would be after a change against those before it.

    Parameters
    ----------
    before, after
        The two states.
    place
        Longitude and latitude to draw walking zones of, in WGS-84 degrees.
    """
    towns, targets, measured = _read_facts(before)
    new_towns, new_targets, new_measured = _read_facts(after)
    added = {
        key: new_measured.get(key, 0.0) - measured.get(key, 0.0)
        for key in (*measured, *new_measured)
    }
    labels = {_key(row): _label(row) for row in (*targets["rows"], *new_targets["rows"])}
    share = [_covered(answer) for answer in (towns, new_towns)]
    return Effect(
        towns=change_towns(towns["towns"], new_towns["towns"]),
        covered=FigureChange(("covered",), {}, *share),
        total_towns=new_towns["summary"]["total"],
        targets=change_figures(
            _shares(targets), _what_if_shares(new_targets, added, store=after), labels
        ),
        zone=None if place is None else _zone(after, *place),
        demo_counted=new_towns["demo_counted"] or new_targets["demo_counted"],
    )


def _read_facts(store: Store) -> Facts:
    """Ask coverage and targets once for each state: one of the two is always known already."""
    key = (store.url, store.token(), today().isoformat())
    with _lock:
        known = _facts.get(key)
    if known is None:
        towns, targets = ask_town_coverage(store).to_json(), ask_targets(store).to_json()
        known = (towns, targets, _measure(store))
    with _lock:
        _facts[key] = known
        _facts.move_to_end(key)
        while len(_facts) > _KEPT:
            _facts.popitem(last=False)
    return known


def _covered(answer: dict[str, Any]) -> float:
    summary = answer["summary"]
    return float(summary["operating_large"] + summary["operating"])


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["unit"], row["year"], row["indicator"], row["issuer"], row.get("kind"))


def _label(row: dict[str, Any]) -> dict[str, Any]:
    kept = ("unit", "year", "indicator", "issuer", "zh", "en", "measure", "target")
    return {name: row.get(name) for name in kept}


def _measure(store: Store) -> dict[tuple[Any, ...], float]:
    """Count what the layers themselves tell of each unit, year and indicator."""
    found = measure_indicators(
        read_layer(store, "incubators"),
        read_layer(store, "tenants"),
        units=read_layer(store, "reporting_units"),
        towns_rule=read_rule(store, "towns"),
        as_of=today(),
    )
    return {(one.unit, one.year, one.indicator): one.value for one in found}


def _shares(answer: dict[str, Any]) -> dict[tuple[Any, ...], float | None]:
    """Return the share reached of each target."""
    return {_key(row): row["share"] for row in answer["rows"]}


def _what_if_shares(
    answer: dict[str, Any], added: dict[tuple[Any, ...], float], *, store: Store
) -> dict[tuple[Any, ...], float | None]:
    """Return the shares with what a change adds to figures that are reported.

    A report says what was; the change would come on top of it.
    """
    total = store.rules("targets").body.get("total_unit")
    city: dict[tuple[Any, ...], float] = {}
    for (_, year, indicator), amount in added.items():
        city[total, year, indicator] = city.get((total, year, indicator), 0.0) + amount
    reported = [row for row in answer["rows"] if row.get("value_basis") != "layers"]
    rows = {_key(row): row for row in reported}
    shares = {key: row["share"] for key, row in rows.items()}
    targets = {key: row["target"] for key, row in rows.items()}
    return _shares(answer) | add_to_shares(shares, targets, {**added, **city})


def _zone(store: Store, lon: float, lat: float) -> dict[str, Any]:
    """Draw what a place reaches on foot, with what its largest zone lacks."""
    found = ask_reach(store, lon, lat).to_json()
    categories = store.rules("amenities").body["categories"]
    largest = max(found["features"], key=lambda one: one["properties"]["minutes"], default=None)
    reached = {} if largest is None else largest["properties"]["amenities"]
    missing = [one["key"] for one in categories if not reached.get(one["key"])]
    return {**found, "missing": missing, "categories": categories}
