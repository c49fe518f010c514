"""The programme: which site in which year, so that every unit meets its yearly area targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from api.questions.common import plan_of, today
from api.questions.site_candidates import Candidates, Scope, find_candidates
from api.questions.siting import open_towns, reach_towns
from api.questions.siting_answer import (
    SitingAnswer,
    describe_alternatives,
    describe_site,
)
from api.questions.siting_words import (
    conflict_area,
    conflict_set,
    conflict_town,
    money,
    price,
    unpriced,
    why_programme,
)
from api.questions.targets import ask_targets
from geo.conflict import Conflict
from geo.errors import Fault, InputError
from geo.programme import Programme, carry_over, plan_programme
from geo.programme_model import Task
from geo.solver import Watch
from geo.targets import TargetReport
from geo.towns import Town
from layers.store import Store
from layers.walking import walk_world

Floats = npt.NDArray[np.float64]

# How plans write areas; the first yearly indicator counted in one of them is that of new space.
_M2 = {"㎡": 1.0, "m²": 1.0, "m2": 1.0, "万㎡": 10_000.0, "万平方米": 10_000.0, "公顷": 10_000.0}


@dataclass(frozen=True)
class Plan:
    """What a programme is asked for.

    Parameters
    ----------
    from_year
        Its first year; the present one, or the first of the plan if that is later. What years
        before it are short of is carried over.
    budget_cny
        What each year may cost; a year that is not named has no limit.
    target_share
        Share of the targets that must be met.
    cover_towns
        Whether every industrial town needs a site by the end of the plan.
    within_m
        As `ask_town_sites`.
    step_m2
        The step of the prices.
    """

    from_year: int | None = None
    budget_cny: Mapping[int, float] = field(default_factory=dict)
    target_share: float = 1.0
    cover_towns: bool = True
    within_m: float = 0.0
    step_m2: float = 10_000.0


def ask_programme(
    store: Store,
    *,
    scope: Scope | None = None,
    plan: Plan | None = None,
    alternatives: int = 2,
    as_of: Any = None,
    watch: Watch | None = None,
) -> SitingAnswer:
    """Choose which site opens in which year, at least cost.

    Every unit must reach its area targets of the plan (accumulated: what a year is short of, or has
    in excess, goes into the next), every town have a site by the end of the plan, and no year cost
    more than its budget. Sites without capacity or cost are left out and named.

    Parameters
    ----------
    store
        The store.
    scope
        Which sites may be chosen; a unit leaves only its targets and towns.
    plan
        What is asked for.
    alternatives
        How many other sets of sites to look for.
    as_of
        The day that targets and towns stand as on; today when None.
    watch
        Limits; a minute by default.

    Raises
    ------
    InputError
        When a parameter makes no sense, or the plan has no such targets or years left.
    NotFoundError
        When there is no such unit.
    """
    scope, plan = scope or Scope("sites"), plan or Plan()
    watch = watch or Watch.start(60.0, gap=1e-3)
    years = _years(store, plan, as_of)
    indicator, unit_m2 = _area_indicator(store)
    report = ask_targets(store, unit=scope.unit, indicator=indicator, as_of=as_of, demo=scope.demo)
    units, needs = _needs(store, report, years, unit_m2=unit_m2, share=plan.target_share)
    world = walk_world(store)
    every = find_candidates(store, world, scope)
    usable = np.isfinite(every.frame[["capacity_m2", "cost_cny"]].to_numpy(np.float64)).all(axis=1)
    candidates = every.leave_out(np.flatnonzero(~usable).tolist(), unpriced())
    if not len(candidates):
        raise InputError(
            "no candidate site has both capacity_m2 and cost_cny; a programme needs them: import "
            "them into the layer sites"
        )
    towns, towns_demo = open_towns(store, scope, as_of=as_of) if plan.cover_towns else ([], False)
    task = _task(candidates, units, years, needs, towns, world.crs, plan)
    found = plan_programme(task, alternatives=alternatives, step_m2=plan.step_m2, watch=watch)
    names = [town.place.name for town in towns]
    return SitingAnswer(
        model="programme",
        status=found.status,
        objective=found.objective,
        bound=found.bound,
        gap=found.gap,
        sentence=_say(found, years),
        chosen=_chosen(found, candidates, units, names),
        alternatives=describe_alternatives(candidates, found.alternatives, found.objective),
        curve=[
            {
                "p": row.sites,
                "covered": row.towns_covered,
                "year": row.year,
                "area_m2": row.area_m2,
                "need_m2": row.need_m2,
                "spent_cny": row.spent_cny,
            }
            for row in found.years
        ],
        conflict=[_conflict(one, task, names) for one in found.conflicts],
        candidates=candidates,
        asked={
            "indicator": indicator,
            "years": list(years),
            "budget_cny": dict(plan.budget_cny),
            "target_share": plan.target_share,
            "cover_towns": plan.cover_towns,
            "within_m": plan.within_m,
            "step_m2": plan.step_m2,
            "unit": scope.unit,
        },
        more={
            "towns": len(towns),
            "missing": _missing(report, years),
            "prices": [
                {
                    "unit": units[one.unit],
                    "step_m2": one.step_m2,
                    "saves_cny": one.saves_cny,
                    "saves_at_most_cny": one.saves_at_most_cny,
                    **price(units[one.unit], one.step_m2, one.saves_cny),
                }
                for one in found.prices
            ],
            "shortages": [
                {
                    "unit": units[one.unit],
                    "year": one.year,
                    "need_m2": one.need_m2,
                    "short_m2": one.short_m2,
                }
                for one in found.shortages
            ],
            "open_towns": [names[town] for town in found.open_towns],
        },
        rules={"targets": store.rules("targets").version, "towns": store.rules("towns").version},
        demo_counted=candidates.demo or towns_demo or report.demo_counted,
    )


def _years(store: Store, plan: Plan, as_of: Any) -> tuple[int, ...]:
    own = tuple(int(year) for year in plan_of(store).get("years", ()))
    if not own:
        raise InputError("the city has no plan with years; a programme needs one")
    first = plan.from_year
    if first is None:
        first = (as_of or today()).year
    years = tuple(year for year in own if year >= first)
    if not years:
        raise InputError(
            f"from_year: the plan ended with {own[-1]}; give one of {', '.join(map(str, own))}"
        )
    faults = [
        Fault(f"budget_cny of {year}", "is not a year of the programme", fix=f"years: {years}")
        for year in plan.budget_cny
        if year not in years
    ]
    faults += [
        Fault(f"budget_cny of {year}", "is not a number above 0", limit, "give CNY above 0")
        for year, limit in plan.budget_cny.items()
        if not (np.isfinite(limit) and limit > 0)
    ]
    if not (np.isfinite(plan.target_share) and 0 <= plan.target_share <= 10):
        faults.append(Fault("target_share", "is out of range", plan.target_share, "give 0 to 10"))
    if not (np.isfinite(plan.within_m) and plan.within_m >= 0):
        faults.append(Fault("within_m", "is not a number from 0 up", plan.within_m, "give metres"))
    if faults:
        raise InputError(str(faults[0]), faults)
    return years


def _area_indicator(store: Store) -> tuple[str, float]:
    """Return the indicator of new area, and its unit in m²."""
    for one in store.rules("targets").body.get("indicators", ()):
        if one.get("unit") in _M2 and not one.get("cumulative"):
            return one["key"], _M2[one["unit"]]
    raise InputError(
        f"the rules `targets` have no yearly indicator in one of {', '.join(_M2)}; a programme "
        "needs area targets"
    )


def _needs(
    store: Store, report: TargetReport, years: Sequence[int], *, unit_m2: float, share: float
) -> tuple[tuple[str, ...], Floats]:
    """Return the units with targets, and the area each needs by the end of each year."""
    total = report.rule["total_unit"]
    own_issuer = (store.meta("city") or {}).get("issuer")
    rows = [
        row
        for row in report.rows
        if row.unit != total and row.target is not None and own_issuer in (None, row.issuer)
    ]
    if not rows:
        raise InputError("the plan has no yearly area targets by unit; import plan_targets")
    units = tuple(dict.fromkeys(row.unit for row in rows))
    every = sorted({row.year for row in rows} | set(years))
    targets = np.zeros((len(units), len(every)))
    reached = np.full_like(targets, np.nan)
    for row in rows:
        cell = units.index(row.unit), every.index(row.year)
        targets[cell] = (row.target or 0.0) * unit_m2 * share
        reached[cell] = np.nan if row.value is None else row.value * unit_m2
    columns = [every.index(year) for year in years]
    return units, carry_over(targets, reached)[:, columns]


def _missing(report: TargetReport, years: Sequence[int]) -> list[dict[str, Any]]:
    """Return unit-years up to now whose progress nobody reported; they count as nothing."""
    return [
        {"unit": row.unit, "year": row.year}
        for row in report.rows
        if row.value is None and row.year <= years[0] and row.unit != report.rule["total_unit"]
    ]


def _task(
    candidates: Candidates,
    units: tuple[str, ...],
    years: tuple[int, ...],
    needs: Floats,
    towns: Sequence[Town],
    crs: str,
    plan: Plan,
) -> Task:
    frame = candidates.frame
    number = {unit: row for row, unit in enumerate(units)}
    earliest = frame["earliest_year"].to_numpy(dtype=np.float64)
    return Task(
        capacity_m2=frame["capacity_m2"].to_numpy(dtype=np.float64),
        cost_cny=frame["cost_cny"].to_numpy(dtype=np.float64),
        earliest_year=np.where(np.isfinite(earliest), earliest, years[0]).astype(np.int64),
        unit=np.array([number.get(unit, -1) for unit in frame["unit"]], dtype=np.int64),
        units=units,
        years=years,
        need_m2=needs,
        towns=reach_towns(towns, candidates, crs, within_m=plan.within_m),
        cover_by=years[-1],
        budget_cny=np.array([plan.budget_cny.get(year, np.inf) for year in years]),
        choice=candidates.choice,
    )


def _chosen(
    found: Programme, candidates: Candidates, units: Sequence[str], towns: Sequence[str]
) -> list[dict[str, Any]]:
    return [
        {
            **describe_site(candidates, one.site),
            "year": one.year,
            "adds": one.adds_m2,
            "towns": [towns[town] for town in one.towns],
            "why": why_programme(
                fixed=one.site in candidates.choice.fixed,
                breaks=[(units[unit], year, short) for unit, year, short in one.breaks],
                towns=[towns[town] for town in one.towns],
            ),
        }
        for one in found.opened
    ]


def _conflict(conflict: Conflict, task: Task, towns: Sequence[str]) -> dict[str, Any]:
    """Say a conflict in words, and what is in it."""
    parts = [
        {
            "kind": one.kind,
            "unit": None if one.unit is None else task.units[one.unit],
            "town": None if one.town is None else towns[one.town],
            "year": None if one.year is None else task.years[one.year],
        }
        for one in conflict.asked
    ]
    first = conflict.asked[0] if conflict.asked else None
    if conflict.needs_m2 is not None and conflict.has_m2 is not None and first is not None:
        unit, year = str(parts[0]["unit"]), int(parts[0]["year"] or 0)
        said = conflict_area(unit, year, conflict.needs_m2, conflict.has_m2)
    elif len(parts) == 1 and first is not None and first.kind == "town":
        said = conflict_town(str(parts[0]["town"]), task.cover_by)
    else:
        said = conflict_set(
            list(dict.fromkeys(str(one["unit"]) for one in parts if one["unit"])),
            [str(one["town"]) for one in parts if one["town"]],
            [int(one["year"] or 0) for one in parts if one["kind"] == "budget"],
            (conflict.needs_cny, conflict.has_cny),
        )
    return {
        "parts": parts,
        "smallest": conflict.smallest,
        "needs_m2": conflict.needs_m2,
        "has_m2": conflict.has_m2,
        **said,
    }


def _say(found: Programme, years: Sequence[int]) -> dict[str, str]:
    span = str(years[0]) if len(years) == 1 else f"{years[0]}—{years[-1]}"
    if found.objective is None:
        return {"zh": "在时限内没有找到方案", "en": "no programme was found in the time given"}
    cost = money(found.objective)
    if found.status == "infeasible":
        left = _say_left(len({one.unit for one in found.shortages}), len(found.open_towns))
        return {
            "zh": (
                f"{span}年的要求无法全部满足：最接近的方案开{len(found.opened)}处、{cost['zh']}，"
                f"仍有{left['zh']}"
            ),
            "en": (
                f"not everything asked for {span} can be met: the nearest programme opens "
                f"{len(found.opened)} sites for {cost['en']} and leaves {left['en']}"
            ),
        }
    return {
        "zh": f"{span}年开{len(found.opened)}处选址，共{cost['zh']}，满足各单位指标",
        "en": f"{len(found.opened)} sites in {span} meet every target for {cost['en']}",
    }


def _say_left(units: int, towns: int) -> dict[str, str]:
    """Say what the nearest programme leaves undone.

    >>> _say_left(2, 0)["en"], _say_left(1, 3)["zh"]
    ('2 units short of area', '1个单位缺面积、3个强镇未覆盖')
    """
    parts = []
    if units:
        parts.append((f"{units}个单位缺面积", f"{units} units short of area"))
    if towns:
        parts.append((f"{towns}个强镇未覆盖", f"{towns} towns without a site"))
    zh, en = zip(*parts, strict=True) if parts else ((), ())
    return {
        "zh": "、".join(zh) or "预算之外的要求",
        "en": " and ".join(en) or "nothing but budgets",
    }
