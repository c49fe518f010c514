"""Which towns (一镇一器) and industries (一产一器) have an incubator, and how each unit stands."""

from __future__ import annotations

from typing import Any

from api.questions.common import (
    find_unit,
    keep_unit,
    plan_of,
    read_layer,
    read_rule,
    today,
)
from api.questions.goals import ask_goals
from geo.coverage import (
    IndustryCoverage,
    TownCoverage,
    UnitCoverage,
    cover_industries,
    cover_towns,
    cover_units,
)
from layers.store import Store


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
    units = read_layer(store, "reporting_units", demo=demo)
    answer = cover_towns(
        read_layer(store, "industrial_towns", demo=demo),
        read_layer(store, "incubators", demo=demo),
        units=units,
        rule=read_rule(store, "towns"),
        as_of=as_of or today(),
        metric_crs=store.metric_crs,
        divisions=read_layer(store, "divisions", demo=demo),
    )
    return answer if unit is None else answer.select(find_unit(units, unit))


def ask_industry_coverage(
    store: Store, *, as_of: Any = None, unit: str | None = None, demo: bool = True
) -> IndustryCoverage:
    """Tell which key industries have an incubator, in the city and in each unit.

    Parameters as `ask_town_coverage`; with `unit`, all figures are of that unit alone.
    """
    units = read_layer(store, "reporting_units", demo=demo)
    incubators = read_layer(store, "incubators", demo=demo)
    if unit is not None:
        incubators, units = keep_unit(incubators, units, find_unit(units, unit))
    return cover_industries(
        incubators,
        units=units,
        rule=read_rule(store, "industries"),
        towns_rule=read_rule(store, "towns"),
        as_of=as_of or today(),
    )


def ask_unit_coverage(
    store: Store, *, as_of: Any = None, unit: str | None = None, demo: bool = True
) -> UnitCoverage:
    """Tell whether each unit has what the plan asks of every unit, and how the goals stand.

    Parameters as `ask_town_coverage`; with `unit`, only its row; the goals are always the city's.
    """
    day = as_of or today()
    units = read_layer(store, "reporting_units", demo=demo)
    wanted = None if unit is None else find_unit(units, unit)
    towns = ask_town_coverage(store, as_of=day, demo=demo)
    industries = ask_industry_coverage(store, as_of=day, demo=demo)
    incubators = read_layer(store, "incubators", demo=demo)
    answer = cover_units(
        incubators,
        units=units,
        rule=read_rule(store, "industries"),
        towns_rule=read_rule(store, "towns"),
        as_of=day,
        years=plan_of(store).get("years", ()),
        tallies={
            "towns": {row.unit: row.summary for row in towns.units},
            "industries": {row.unit: row.summary for row in industries.units},
        },
    )
    answer = answer.with_goals(ask_goals(store, as_of=day, demo=demo).goals)
    return answer if wanted is None else answer.select(wanted)
