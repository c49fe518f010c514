"""How far the plan's targets are reached, and whether its tables add up."""

from __future__ import annotations

from typing import Any

import pandas as pd

from api.questions.common import find_unit, plan_of, read_counted, read_layer, read_rule, today
from api.questions.kept import Kept, state_key
from geo.errors import NotFoundError
from geo.lifecycle import parse_day
from geo.targets import TargetReport, measure_indicators, track_targets
from layers.store import Store

# What a report rests on; a test holds this to what is read.
_LAYERS = (
    "incubators", "tenants", "reporting_units", "plan_targets", "progress", "baselines", "rules",
    "meta",
)  # fmt: skip
_reports = Kept[TargetReport](16)


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
    day = parse_day(as_of or today())
    report = _reports.recall(
        state_key(store, _LAYERS, day, demo), lambda: _track(store, day, demo=demo)
    )
    if unit is not None and unit != report.rule["total_unit"]:
        unit = find_unit(read_layer(store, "reporting_units", demo=demo), unit)
    _check_known("indicator", indicator, {row.indicator for row in report.rows})
    _check_known("issuer", issuer, {row.issuer for row in report.rows})
    return report.select(unit=unit, year=year, indicator=indicator, issuer=issuer)


def _track(store: Store, day: pd.Timestamp, *, demo: bool) -> TargetReport:
    measured = measure_indicators(
        read_counted(store, demo=demo),
        read_layer(store, "tenants", demo=demo),
        units=read_layer(store, "reporting_units", demo=demo),
        towns_rule=read_rule(store, "towns"),
        as_of=day,
    )
    return track_targets(
        read_layer(store, "plan_targets", demo=demo),
        read_layer(store, "progress", demo=demo),
        read_layer(store, "baselines", demo=demo),
        as_of=day,
        rule=read_rule(store, "targets"),
        plan=plan_of(store),
        measured=measured,
    )


def _check_known(what: str, asked: str | None, known: set[str]) -> None:
    if asked is not None and asked not in known:
        listed = ", ".join(sorted(known)) or "none yet"
        raise NotFoundError(f"there is no target of {what} {asked!r}; known: {listed}")
