"""Measures: how each kind of goal is counted from the records, and what it names as missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from geo.evidence import (
    COUNT,
    FEWEST,
    FIRST,
    LEAST,
    MEAN,
    MOST,
    SHARE,
    SUM,
    Evidence,
    fold,
    list_evidence,
)
from geo.frames import Bools, days, flags, lists, numbers, texts
from geo.goal_facts import GoalFacts, GoalPart, Measured
from geo.plain import share

_HIGHER_LEVELS = ("national", "provincial")


Params = Mapping[str, Any]
Measure = Callable[[GoalFacts, Params], Measured]


# --- counts and shares of incubators ----------------------------------------------------------


def _part(name: str, value: float | None, target: float | None = None) -> GoalPart:
    known = value is not None and target is not None
    return GoalPart(name, value, target, ok=bool(value >= target) if known else None)  # type: ignore[operator]


def _known(frame: pd.DataFrame, column: str) -> Bools:
    """Tell which records say anything in a column."""
    if column not in frame or frame.empty:
        return np.zeros(len(frame), dtype=bool)
    said = frame[column].map(lambda v: bool(v) if isinstance(v, (list, tuple)) else not pd.isna(v))
    return np.asarray(said.to_numpy(dtype=bool))


def _folded(how: str, evidence: tuple[Evidence, ...], **more: Any) -> Measured:
    return Measured(fold(evidence, how), how=how, evidence=evidence, **more)


def _gap(frame: pd.DataFrame, column: str, known: int) -> tuple[str, ...]:
    """Name a column that some records, or all, leave empty; with how many where it is some."""
    if not known:
        return (f"incubators.{column}",)
    lacking = len(frame) - known
    return (f"incubators.{column}:{lacking}",) if lacking else ()


def _share_with(frame: pd.DataFrame, column: str, meets: Bools) -> Measured:
    """Measure the share of incubators that meet a condition on a column."""
    known = int(_known(frame, column).sum())
    if not known:
        return Measured(None, missing=_gap(frame, column, 0))
    parts = (_part("meeting", int(meets.sum())), _part("known", known), _part("of", len(frame)))
    return _folded(SHARE, list_evidence("incubators", frame, counts=meets), parts=parts)


def _total(frame: pd.DataFrame, column: str) -> float | None:
    values = numbers(frame, column)
    return float(np.nansum(values)) if np.isfinite(values).any() else None


def _amounts(frame: pd.DataFrame, column: str, known: Bools) -> tuple[Evidence, ...]:
    return list_evidence("incubators", frame[known], amounts=numbers(frame, column)[known])


def _sum_of(frame: pd.DataFrame, column: str, *, over: bool = False) -> Measured:
    known = np.isfinite(numbers(frame, column))
    return _folded(
        SUM,
        _amounts(frame, column, known),
        parts=(_part("known", int(known.sum())),),
        missing=_gap(frame, column, int(known.sum())),
        over=over,
    )


def _count_from(frame: pd.DataFrame, column: str, least: float) -> Measured:
    values = numbers(frame, column)
    known = np.isfinite(values)
    missing = _gap(frame, column, int(known.sum()))
    if not known.any():
        return Measured(None, missing=missing)
    evidence = list_evidence(
        "incubators", frame[known], amounts=values[known], counts=values[known] >= least
    )
    parts = (_part("known", int(known.sum())),)
    return _folded(COUNT, evidence, parts=parts, missing=missing, over=True)


def _of_twenty(facts: GoalFacts, measured: Callable[[pd.DataFrame], Measured]) -> Measured:
    if facts.chosen.empty:
        return Measured(None, missing=("incubators.twenty_batch",))
    return measured(facts.chosen)


# --- goals that rest on indicators ------------------------------------------------------------


def _indicator(facts: GoalFacts, params: Params) -> Measured:
    """Sum the yearly values of the goal's indicator; years to come are not missing."""
    key = next(iter(params.get("indicators", ())), "")
    years = facts.indicators.get(key, {})
    parts = tuple(_part(str(year), *years[year]) for year in sorted(years))
    due = [year for year in years if year <= facts.year]
    missing = tuple(f"progress.{key}.{year}" for year in sorted(due) if years[year][0] is None)
    known = [value for value, _ in years.values() if value is not None]
    evidence = tuple(
        one for year in sorted(years) for one in facts.evidence.get(f"{key}:{year}", ())
    )
    value = None if missing or not known else float(sum(known))
    return Measured(
        value,
        _unjudged(parts),
        missing or (() if known else (f"progress.{key}",)),
        how=SUM,
        evidence=evidence,
    )


def _unjudged(parts: Sequence[GoalPart]) -> tuple[GoalPart, ...]:
    """Leave the judgement of yearly parts to the targets page: a year may still be running."""
    return tuple(GoalPart(part.name, part.value, part.target) for part in parts)


def _twenty(facts: GoalFacts, params: Params) -> Measured:
    """Count the incubators chosen up to the year: of both kinds each year, one in every unit."""

    def measured(chosen: pd.DataFrame) -> Measured:
        batch = numbers(chosen, "twenty_batch")
        kind = np.array(texts(chosen, "twenty_kind"), dtype=object)
        wanted = params.get("each_kind_per_year")
        asked = batch == facts.year if facts.of_year else batch <= facts.year
        years = [int(year) for year in sorted(set(batch[asked]))]
        parts = [
            _part(f"{name}.{year}", int(((batch == year) & (kind == name)).sum()), wanted)
            for year in years
            for name in ("upgrade", "new")
        ]
        parts += [
            _part(f"units.{year}", facts.chosen_units[year], facts.unit_count)
            for year in years
            if year in facts.chosen_units
        ]
        ends = [] if facts.of_year else [year for year in years if year < facts.year]
        series = [(pd.Timestamp(year, 12, 31), float((batch <= year).sum())) for year in ends]
        evidence = list_evidence("incubators", chosen[asked])
        return _folded(COUNT, evidence, parts=tuple(parts), series=tuple(series))

    return _of_twenty(facts, measured)


def _with_share_of_twenty(
    facts: GoalFacts, params: Params, name: str, meets: Callable[[pd.DataFrame], Bools]
) -> Measured:
    """Measure the indicator, and the share of the chosen incubators that meet a condition."""
    yearly, chosen = _indicator(facts, params), facts.chosen
    if chosen.empty:
        return replace(yearly, missing=(*yearly.missing, "incubators.twenty_batch"))
    part = _part(
        f"share_of_twenty_{name}",
        share(int(meets(chosen).sum()), len(chosen)),
        params.get("share_of_twenty", 1.0),
    )
    return replace(yearly, parts=(*yearly.parts, part))


def _professional(facts: GoalFacts, params: Params) -> Measured:
    return _with_share_of_twenty(
        facts, params, "professional", lambda chosen: flags(chosen, "professional_operator")
    )


def _provincial(facts: GoalFacts, params: Params) -> Measured:
    def is_higher(frame: pd.DataFrame) -> Bools:
        return np.array([level in _HIGHER_LEVELS for level in texts(frame, "level")], dtype=bool)

    third = {"share_of_twenty": 1.0 / 3.0, **params}
    found = _with_share_of_twenty(facts, third, "higher", is_higher)
    count = int(is_higher(facts.incubators).sum())
    return replace(
        found, parts=(*found.parts, _part("cumulative", count, params.get("cumulative")))
    )


# --- the other goals --------------------------------------------------------------------------


def _rd_share(facts: GoalFacts, _: Params) -> Measured:
    """Weigh the share of R&D staff by the people of each incubator."""
    frame = facts.incubators
    rd, people = (numbers(frame, name) for name in ("rd_staff_share", "people"))
    known = np.isfinite(rd) & np.isfinite(people) & (people > 0)
    if not known.any():
        return Measured(None, missing=("incubators.rd_staff_share", "incubators.people"))
    evidence = list_evidence("incubators", frame[known], amounts=rd[known], weights=people[known])
    return _folded(
        MEAN,
        evidence,
        parts=(_part("known", int(known.sum())),),
        missing=_gap(frame, "rd_staff_share", int(known.sum())),
        over=True,
    )


def _talents(facts: GoalFacts, params: Params) -> Measured:
    found = _sum_of(facts.incubators, "talent_projects")
    talents = _total(facts.incubators, "e_class_talents")
    missing = found.missing + (() if talents is not None else ("incubators.e_class_talents",))
    part = _part("e_class_talents", talents, params.get("e_class_talents"))
    return replace(found, parts=(*found.parts, part), missing=missing)


def _revenue(facts: GoalFacts, params: Params) -> Measured:
    """Take the smallest revenue of the chosen incubators that report one."""

    def measured(chosen: pd.DataFrame) -> Measured:
        revenue = numbers(chosen, "revenue_cny")
        known = np.isfinite(revenue)
        missing = _gap(chosen, "revenue_cny", int(known.sum()))
        if not known.any():
            return Measured(None, missing=missing)
        reached = share(int((revenue >= params["target"]).sum()), len(chosen))
        whole = _total(facts.incubators, "revenue_cny")
        parts = (
            _part("share_of_twenty_reaching", reached),
            _part("sum", float(np.nansum(revenue))),
            _part("cluster", whole, params.get("cluster_revenue_cny")),
        )
        evidence = _amounts(chosen, "revenue_cny", known)
        return _folded(LEAST, evidence, parts=parts, missing=missing)

    return _of_twenty(facts, measured)


def _lead_share(facts: GoalFacts, params: Params) -> Measured:
    """Take the mean share of tenants in lead industries, and that of revenue beside it."""
    frame = facts.incubators
    tenants, revenue = (
        numbers(frame, name) for name in ("lead_tenant_share", "lead_revenue_share")
    )
    known = np.isfinite(tenants)
    mean = float(np.nanmean(revenue)) if np.isfinite(revenue).any() else None
    missing = _gap(frame, "lead_tenant_share", int(known.sum()))
    missing += _gap(frame, "lead_revenue_share", int(np.isfinite(revenue).sum()))
    part = _part("revenue_share", mean, params.get("revenue_share"))
    evidence = _amounts(frame, "lead_tenant_share", known)
    return _folded(MEAN, evidence, parts=(part,), missing=missing)


def _narrow(facts: GoalFacts, params: Params) -> Measured:
    """Take the largest number of lead industries of an incubator that names any."""
    frame = facts.incubators
    counts = np.array([float(len(leads)) for leads in lists(frame, "lead_industries")])
    named = counts > 0
    if not named.any():
        return Measured(None, missing=("incubators.lead_industries",))
    narrow = share(int((counts[named] <= params["target"]).sum()), int(named.sum()))
    return _folded(
        MOST,
        list_evidence("incubators", frame[named], amounts=counts[named]),
        parts=(_part("share_narrow", narrow, 1.0), _part("known", int(named.sum()))),
        missing=_gap(frame, "lead_industries", int(named.sum())),
        at_most=True,
    )


def _leader_built(facts: GoalFacts, _: Params) -> Measured:
    """Tell whether every unit has one: 1 when so, else the share of units."""
    parts = (_part("units_with", facts.leader_built_units), _part("units", facts.unit_count))
    value = share(facts.leader_built_units, facts.unit_count)
    return _given(facts, value, "leader_built", "reporting_units", parts=parts)


def _projects(facts: GoalFacts, params: Params) -> Measured:
    """Count the starts and the completions of the year; the fewer of both is the value."""
    parts: list[GoalPart] = []
    evidence: list[Evidence] = []
    missing: list[str] = []
    for column in ("started_on", "completed_on"):
        years = pd.DatetimeIndex(days(facts.projects, column)).year
        dated = ~np.asarray(years.isna())
        if not dated.any():
            missing.append(f"projects.{column}")
            continue
        this_year = np.asarray(years == facts.year)
        parts.append(_part(column, int(this_year.sum()), params["target"]))
        evidence += list_evidence(
            "projects", facts.projects[dated], counts=this_year[dated], part=column
        )
    value = None if missing else fold(evidence, FEWEST)
    return Measured(value, tuple(parts), tuple(missing), how=FEWEST, evidence=tuple(evidence))


def _zones(facts: GoalFacts, params: Params) -> Measured:
    """Count the zones of a kind (`zone_kind`), or the `units` that have one."""
    kind, units = params.get("zone_kind"), params.get("units", ())
    here = np.array([found == kind for found in texts(facts.zones, "kind")], dtype=bool)
    if not kind or not here.any():
        return Measured(None, missing=(f"zones.kind={kind}" if kind else "zones.kind",))
    found = facts.zones[here]
    if not units:
        return _folded(COUNT, list_evidence("zones", found))
    held = texts(found, "unit")
    parts = tuple(_part(unit, held.count(unit), 1) for unit in units)
    first = np.array([one in units and one not in held[:at] for at, one in enumerate(held)])
    evidence = list_evidence("zones", found, counts=first)
    return _folded(COUNT, evidence, parts=parts)


def _services(facts: GoalFacts, _: Params) -> Measured:
    """Take the mean number of basic services, and the share of incubators that offer all."""
    frame = facts.incubators
    offered = [set(held) & set(facts.basic_services) for held in lists(frame, "services")]
    known = int(_known(frame, "services").sum())
    if not facts.basic_services or not known:
        return Measured(None, missing=("incubators.services",))
    complete = sum(len(held) == len(facts.basic_services) for held in offered)
    return _folded(
        MEAN,
        list_evidence(
            "incubators", frame, amounts=np.array([float(len(held)) for held in offered])
        ),
        parts=(_part("share_complete", share(complete, len(offered)), 1.0),),
        missing=_gap(frame, "services", known),
    )


def _baselines(facts: GoalFacts, params: Params) -> Measured:
    """Take the latest baseline of each indicator (up to `until`); the first is the value."""
    frame, keys = facts.baselines, params.get("indicators", ())
    if "until" in params:
        frame = frame[days(frame, "measured_on") <= np.datetime64(params["until"])]
    order = np.argsort(days(frame, "measured_on"), kind="stable")
    named, values, ids = texts(frame, "indicator"), numbers(frame, "value"), texts(frame, "id")
    latest = {named[row]: int(row) for row in order if np.isfinite(values[row])}
    parts = tuple(_part(key, float(values[latest[key]]) if key in latest else None) for key in keys)
    evidence = tuple(
        Evidence("baselines", ids[latest[key]] or "", float(values[latest[key]]), part=key)
        for key in keys
        if key in latest
    )
    missing = tuple(f"baselines.{key}" for key in keys if key not in latest)
    value = parts[0].value if parts else None
    return Measured(value, parts, missing, how=FIRST, evidence=evidence)


def _school(facts: GoalFacts, _: Params) -> Measured:
    return _share_with(facts.incubators, "school", _known(facts.incubators, "school"))


def _funds(facts: GoalFacts, _: Params) -> Measured:
    return _of_twenty(facts, lambda chosen: _share_with(chosen, "funds", _known(chosen, "funds")))


def _given(facts: GoalFacts, value: float | None, name: str, layer: str, **more: Any) -> Measured:
    """Take a share that another question counted, with the records that it named."""
    missing = () if value is not None else (layer,)
    evidence = facts.evidence.get(name, ())
    return Measured(value, missing=missing, how=SHARE, evidence=evidence, **more)


MEASURES: dict[str, Measure] = {
    "indicator": _indicator,
    "twenty": _twenty,
    "professional": _professional,
    "provincial": _provincial,
    "large_incubators": lambda facts, _: _count_from(
        facts.incubators, "area_m2", facts.large_area_m2
    ),
    "populous_incubators": lambda facts, params: _count_from(
        facts.incubators, "people", params.get("people", 300)
    ),
    "industries": lambda facts, _: _given(
        facts, facts.industries_share, "industries", "industries"
    ),
    "towns": lambda facts, _: _given(facts, facts.towns_share, "towns", "industrial_towns"),
    "talents": _talents,
    "rd_share": _rd_share,
    "ip_count": lambda facts, _: _sum_of(facts.incubators, "ip_count", over=True),
    "transformations": lambda facts, _: _sum_of(facts.incubators, "transformations"),
    "revenue": _revenue,
    "lead_share": _lead_share,
    "narrow": _narrow,
    "leader_built": _leader_built,
    "local_graduates": lambda facts, _: _of_twenty(
        facts, lambda chosen: _sum_of(chosen, "local_graduates")
    ),
    "funds": _funds,
    "projects": _projects,
    "school": _school,
    "circle": lambda facts, _: _given(
        facts, facts.circle_share, "circle", "amenities.cultural_kind"
    ),
    "zones": _zones,
    "services": _services,
    "baselines": _baselines,
}
