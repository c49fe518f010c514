"""How each reporting unit stands: what the plan asks of every one, and the counted goals."""

from __future__ import annotations

from typing import Any

from api.questions.common import find_unit, plan_of, read_counted, read_layer, read_rule, today
from api.questions.coverage import ask_industry_coverage, ask_town_coverage
from api.questions.goals import ask_goals
from geo.coverage import UnitCoverage, cover_units
from layers.store import Store


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
    incubators = read_counted(store, demo=demo)
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
