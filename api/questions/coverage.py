"""Which towns (一镇一器) and industries (一产一器) have an incubator, and how each unit stands."""

from __future__ import annotations

from typing import Any

import pandas as pd

from api.questions.common import (
    find_unit,
    keep_unit,
    plan_of,
    read_layer,
    read_rule,
    today,
)
from api.questions.targets import ask_targets
from geo.coverage import (
    IndustryCoverage,
    TownCoverage,
    UnitCoverage,
    cover_industries,
    cover_towns,
    cover_units,
)
from geo.goals import GoalFacts, measure_goals
from geo.states import muster
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
    facts = GoalFacts(
        **_layer_facts(store, incubators, as_of=day, demo=demo),
        unit_count=len(answer.units),
        leader_built_units=answer.summary["with_chain_leader_built"],
        towns_share=towns.summary.covered_share,
        industries_share=industries.summary.covered_share,
    )
    answer = answer.with_goals(measure_goals(store.rules("goals").body["goals"], facts))
    return answer if wanted is None else answer.select(wanted)


def _layer_facts(
    store: Store, incubators: pd.DataFrame, *, as_of: Any, demo: bool
) -> dict[str, Any]:
    """Gather what the goals ask of the layers and rules."""
    # Only this needs the walking kernels behind it, which take most of the start of a command.
    from api.questions.amenities import ask_amenities  # noqa: PLC0415

    rule = read_rule(store, "towns")
    fleet = muster(incubators, as_of=as_of, rule=rule)
    circles = ask_amenities(store, test="compliance", demo=demo)
    targets = ask_targets(store, as_of=as_of, demo=demo)
    services = store.rules("services").body["services"]
    return {
        "incubators": fleet.operating,
        "chosen": fleet.present.loc[fleet.present["twenty_batch"].notna()],
        "year": fleet.as_of.year,
        "large_area_m2": rule["large_area_m2"],
        "circle_share": circles.summary["compliance"]["ok_share"],
        "indicators": targets.city_values(),
        "demo": circles.demo_counted or targets.demo_counted,
        "basic_services": [item["name"] for item in services if item["group"] == "basic"],
        **{
            layer: read_layer(store, layer, demo=demo)
            for layer in ("projects", "zones", "baselines")
        },
    }
