"""Which towns (一镇一器) and industries (一产一器) have an incubator."""

from __future__ import annotations

from typing import Any

import pandas as pd

from api.questions.common import (
    find_unit,
    keep_unit,
    read_counted,
    read_layer,
    read_rule,
    today,
)
from api.questions.kept import Kept, state_key
from geo.coverage import (
    IndustryCoverage,
    TownCoverage,
    cover_industries,
    cover_towns,
)
from geo.lifecycle import parse_day
from layers.store import Store

# What the answers rest on; a test holds this to what is read.
_TOWN_LAYERS = (
    "industrial_towns", "incubators", "reporting_units", "divisions", "rules", "meta",
)  # fmt: skip
_INDUSTRY_LAYERS = ("incubators", "reporting_units", "rules")
_towns = Kept[TownCoverage](32)
_industries = Kept[IndustryCoverage](16)


def ask_town_coverage(
    store: Store, *, as_of: Any = None, unit: str | None = None, demo: bool = True
) -> TownCoverage:
    """Tell which industrial towns have an incubator.

    Parameters
    ----------
    store
        The store.
    as_of
        The day asked about; today when None.
    unit
        Only the towns of this reporting unit.
    demo
        Whether demo records count.

    Raises
    ------
    InputError
        When the day is not a date.
    NotFoundError
        When there is no such unit.
    """
    day = parse_day(as_of or today())
    answer = _towns.recall(
        state_key(store, _TOWN_LAYERS, day, demo), lambda: _cover_towns(store, day, demo=demo)
    )
    if unit is None:
        return answer
    return answer.select(find_unit(read_layer(store, "reporting_units", demo=demo), unit))


def _cover_towns(store: Store, day: pd.Timestamp, *, demo: bool) -> TownCoverage:
    return cover_towns(
        read_layer(store, "industrial_towns", demo=demo),
        read_counted(store, demo=demo),
        units=read_layer(store, "reporting_units", demo=demo),
        rule=read_rule(store, "towns"),
        as_of=day,
        metric_crs=store.metric_crs,
        divisions=read_layer(store, "divisions", demo=demo),
    )


def ask_industry_coverage(
    store: Store, *, as_of: Any = None, unit: str | None = None, demo: bool = True
) -> IndustryCoverage:
    """Tell which key industries have an incubator, in the city and in each unit.

    Parameters as `ask_town_coverage`; with `unit`, all figures are of that unit alone.
    """
    day = parse_day(as_of or today())
    return _industries.recall(
        state_key(store, _INDUSTRY_LAYERS, day, unit, demo),
        lambda: _cover_industries(store, day, unit=unit, demo=demo),
    )


def _cover_industries(
    store: Store, day: pd.Timestamp, *, unit: str | None, demo: bool
) -> IndustryCoverage:
    units = read_layer(store, "reporting_units", demo=demo)
    incubators = read_counted(store, demo=demo)
    if unit is not None:
        incubators, units = keep_unit(incubators, units, find_unit(units, unit))
    return cover_industries(
        incubators,
        units=units,
        rule=read_rule(store, "industries"),
        towns_rule=read_rule(store, "towns"),
        as_of=day,
    )
