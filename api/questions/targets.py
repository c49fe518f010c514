"""How far the plan's targets are reached, and whether its tables add up."""

from __future__ import annotations

from typing import Any

from api.questions.common import find_unit, plan_of, read_layer, read_rule, today
from geo.errors import NotFoundError
from geo.targets import TargetReport, measure_indicators, track_targets
from layers.store import Store


def ask_targets(
    store: Store,
    *,
    unit: str | None = None,
    year: int | None = None,
    indicator: str | None = None,
    issuer: str | None = None,
    as_of: Any = None,
    demo: bool = True,
) -> TargetReport:
    """Hold the plan's targets against progress reports, else against the layers.

    Parameters
    ----------
    store
        The store.
    unit, year, indicator, issuer
        Only the rows of these; the unit also by alias or code.
    as_of
        The day asked about; today when None.
    demo
        Whether demo records count.

    Raises
    ------
    InputError
        When the day is not a date.
    NotFoundError
        When there is no such unit, or no target of such an indicator or issuer.
    """
    day = as_of or today()
    rule = read_rule(store, "targets")
    units = read_layer(store, "reporting_units", demo=demo)
    measured = measure_indicators(
        read_layer(store, "incubators", demo=demo),
        read_layer(store, "tenants", demo=demo),
        units=units,
        towns_rule=read_rule(store, "towns"),
        as_of=day,
    )
    report = track_targets(
        read_layer(store, "plan_targets", demo=demo),
        read_layer(store, "progress", demo=demo),
        read_layer(store, "baselines", demo=demo),
        as_of=day,
        rule=rule,
        plan=plan_of(store),
        measured=measured,
    )
    if unit is not None and unit != rule["total_unit"]:
        unit = find_unit(units, unit)
    _check_known("indicator", indicator, {row.indicator for row in report.rows})
    _check_known("issuer", issuer, {row.issuer for row in report.rows})
    return report.select(unit=unit, year=year, indicator=indicator, issuer=issuer)


def _check_known(what: str, asked: str | None, known: set[str]) -> None:
    if asked is not None and asked not in known:
        listed = ", ".join(sorted(known)) or "none yet"
        raise NotFoundError(f"there is no target of {what} {asked!r}; known: {listed}")
