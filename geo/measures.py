"""Measures: how each kind of goal is counted from the records, and what it names as missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from geo.frames import Bools, Floats, days, flags, lists, numbers, texts
from geo.plain import share

_HIGHER_LEVELS = ("national", "provincial")


@dataclass(frozen=True)
class GoalPart:
    """One figure of a goal: by name, with its target where it has one."""

    name: str
    value: float | None
    target: float | None = None
    ok: bool | None = None


@dataclass(frozen=True)
class GoalFacts:
    """What the goals are computed from.

    Parameters
    ----------
    incubators
        The operating incubators of the day.
    chosen
        Those chosen in a yearly batch (`twenty_batch`), operating or still planned.
    year
        The year asked about.
    large_area_m2
        From which area an incubator counts as large.
    unit_count
        How many reporting units there are.
    leader_built_units
        In how many of them a chain-leader-built incubator operates.
    towns_share, industries_share
        Share of the towns and industries covered.
    circle_share
        Share of incubators inside a complete 15-minute circle.
    indicators
        Indicator to year to (value, target) of the whole city; value None where not known.
    projects, zones, baselines
        Records of these layers.
    basic_services
        Names of the services that every incubator must offer.
    demo
        Whether demo records stand behind anything here.
    """

    incubators: pd.DataFrame
    year: int
    large_area_m2: float
    unit_count: int = 0
    leader_built_units: int = 0
    towns_share: float | None = None
    industries_share: float | None = None
    circle_share: float | None = None
    indicators: Mapping[str, Mapping[int, tuple[float | None, float | None]]] = field(
        default_factory=dict
    )
    projects: pd.DataFrame = field(default_factory=pd.DataFrame)
    zones: pd.DataFrame = field(default_factory=pd.DataFrame)
    baselines: pd.DataFrame = field(default_factory=pd.DataFrame)
    basic_services: Sequence[str] = ()
    chosen: pd.DataFrame = field(default_factory=pd.DataFrame)
    demo: bool = False


@dataclass(frozen=True)
class Measured:
    """What a measure found: the value (None where it cannot be told), parts, what is missing."""

    value: float | None
    parts: tuple[GoalPart, ...] = ()
    missing: tuple[str, ...] = ()
    over: bool = False  # the target must be passed, not only reached
    at_most: bool = False  # the target is the most that may be


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


def _share_with(
    frame: pd.DataFrame, column: str, meets: Bools, *, layer: str = "incubators"
) -> Measured:
    """Measure the share of records that meet a condition on a column."""
    known = int(_known(frame, column).sum())
    if not known:
        return Measured(None, missing=(f"{layer}.{column}",))
    parts = (_part("meeting", int(meets.sum())), _part("known", known), _part("of", len(frame)))
    return Measured(share(int(meets.sum()), len(frame)), parts)


def _total(frame: pd.DataFrame, column: str) -> float | None:
    values = numbers(frame, column)
    return float(np.nansum(values)) if np.isfinite(values).any() else None


def _sum_of(frame: pd.DataFrame, column: str, *, over: bool = False) -> Measured:
    total = _total(frame, column)
    missing = () if total is not None else (f"incubators.{column}",)
    known = _part("known", int(np.isfinite(numbers(frame, column)).sum()))
    return Measured(total, (known,), missing, over=over)


def _count_from(values: Floats, least: float, name: str) -> Measured:
    if not np.isfinite(values).any():
        return Measured(None, missing=(f"incubators.{name}",))
    known = _part("known", int(np.isfinite(values).sum()))
    return Measured(float((values >= least).sum()), (known,), over=True)


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
    if missing or not known:
        return Measured(None, _unjudged(parts), missing or (f"progress.{key}",))
    return Measured(float(sum(known)), _unjudged(parts))


def _unjudged(parts: Sequence[GoalPart]) -> tuple[GoalPart, ...]:
    """Leave the judgement of yearly parts to the targets page: a year may still be running."""
    return tuple(GoalPart(part.name, part.value, part.target) for part in parts)


def _twenty(facts: GoalFacts, params: Params) -> Measured:
    def measured(chosen: pd.DataFrame) -> Measured:
        batch = numbers(chosen, "twenty_batch")
        kind = np.array(texts(chosen, "twenty_kind"), dtype=object)
        wanted = params.get("each_kind_per_year", 10)
        parts = [
            _part(f"{name}.{int(year)}", int(((batch == year) & (kind == name)).sum()), wanted)
            for year in sorted(set(batch[batch <= facts.year]))
            for name in ("upgrade", "new")
        ]
        return Measured(float(len(chosen)), tuple(parts))

    return _of_twenty(facts, measured)


def _with_share_of_twenty(
    facts: GoalFacts, params: Params, name: str, meets: Callable[[pd.DataFrame], Bools]
) -> Measured:
    """Measure the indicator, and the share of the chosen incubators that meet a condition."""
    yearly = _indicator(facts, params)
    chosen = facts.chosen
    if chosen.empty:
        return Measured(yearly.value, yearly.parts, (*yearly.missing, "incubators.twenty_batch"))
    part = _part(
        f"share_of_twenty_{name}",
        share(int(meets(chosen).sum()), len(chosen)),
        params.get("share_of_twenty", 1.0),
    )
    return Measured(yearly.value, (*yearly.parts, part), yearly.missing)


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
    cumulative = _part("cumulative", count, params.get("cumulative", 150))
    return Measured(found.value, (*found.parts, cumulative), found.missing)


# --- the other goals --------------------------------------------------------------------------


def _rd_share(facts: GoalFacts, _: Params) -> Measured:
    """Weigh the share of R&D staff by the people of each incubator."""
    rd, people = (numbers(facts.incubators, name) for name in ("rd_staff_share", "people"))
    known = np.isfinite(rd) & np.isfinite(people) & (people > 0)
    if not known.any():
        return Measured(None, missing=("incubators.rd_staff_share", "incubators.people"))
    value = share(float((rd * people)[known].sum()), float(people[known].sum()))
    return Measured(value, (_part("known", int(known.sum())),), over=True)


def _talents(facts: GoalFacts, params: Params) -> Measured:
    found = _sum_of(facts.incubators, "talent_projects")
    talents = _total(facts.incubators, "e_class_talents")
    missing = found.missing + (() if talents is not None else ("incubators.e_class_talents",))
    part = _part("e_class_talents", talents, params.get("e_class_talents", 1000))
    return Measured(found.value, (*found.parts, part), missing)


def _revenue(facts: GoalFacts, params: Params) -> Measured:
    """Take the smallest revenue of the chosen incubators that report one."""

    def measured(chosen: pd.DataFrame) -> Measured:
        revenue = numbers(chosen, "revenue_cny")
        if not np.isfinite(revenue).any():
            return Measured(None, missing=("incubators.revenue_cny",))
        reached = share(int((revenue >= params["target"]).sum()), len(chosen))
        parts = (
            _part("share_of_twenty_reaching", reached),
            _part("sum", float(np.nansum(revenue))),
        )
        return Measured(float(np.nanmin(revenue)), parts)

    return _of_twenty(facts, measured)


def _lead_share(facts: GoalFacts, params: Params) -> Measured:
    """Take the mean share of tenants in lead industries, and that of revenue beside it."""
    tenants, revenue = (
        numbers(facts.incubators, name) for name in ("lead_tenant_share", "lead_revenue_share")
    )
    means = [float(np.nanmean(v)) if np.isfinite(v).any() else None for v in (tenants, revenue)]
    names = ("incubators.lead_tenant_share", "incubators.lead_revenue_share")
    missing = tuple(name for name, mean in zip(names, means, strict=True) if mean is None)
    part = _part("revenue_share", means[1], params.get("revenue_share", 0.5))
    return Measured(means[0], (part,), missing)


def _narrow(facts: GoalFacts, params: Params) -> Measured:
    """Take the largest number of lead industries of an incubator that names any."""
    counts = np.array([len(leads) for leads in lists(facts.incubators, "lead_industries")])
    named = counts[counts > 0]
    if not named.size:
        return Measured(None, missing=("incubators.lead_industries",))
    narrow = share(int((named <= params["target"]).sum()), named.size)
    parts = (_part("share_narrow", narrow, 1.0), _part("known", named.size))
    return Measured(float(named.max()), parts, at_most=True)


def _leader_built(facts: GoalFacts, _: Params) -> Measured:
    """Tell whether every unit has one: 1 when so, else the share of units."""
    parts = (_part("units_with", facts.leader_built_units), _part("units", facts.unit_count))
    return Measured(share(facts.leader_built_units, facts.unit_count), parts)


def _projects(facts: GoalFacts, params: Params) -> Measured:
    """Count the starts and the completions of the year; the fewer of both is the value."""
    counts = {
        column: int((years == facts.year).sum())
        for column in ("started_on", "completed_on")
        for years in [pd.DatetimeIndex(days(facts.projects, column)).year]
        if not years.isna().all()
    }
    missing = tuple(
        f"projects.{name}" for name in ("started_on", "completed_on") if name not in counts
    )
    parts = tuple(_part(name, count, params["target"]) for name, count in counts.items())
    value = None if missing else float(min(counts.values()))
    return Measured(value, parts, missing)


def _zones(facts: GoalFacts, params: Params) -> Measured:
    """Count the zones of the kind that the goal names (`zone_kind`)."""
    kind = params.get("zone_kind")
    count = sum(found == kind for found in texts(facts.zones, "kind")) if kind else 0
    if not count:
        return Measured(None, missing=(f"zones.kind={kind}" if kind else "zones.kind",))
    return Measured(float(count))


def _services(facts: GoalFacts, _: Params) -> Measured:
    """Take the mean number of basic services, and the share of incubators that offer all."""
    offered = [
        set(held) & set(facts.basic_services) for held in lists(facts.incubators, "services")
    ]
    if not facts.basic_services or not _known(facts.incubators, "services").any():
        return Measured(None, missing=("incubators.services",))
    complete = sum(len(held) == len(facts.basic_services) for held in offered)
    parts = (_part("share_complete", share(complete, len(offered)), 1.0),)
    return Measured(round(float(np.mean([len(held) for held in offered])), 2), parts)


def _baselines(facts: GoalFacts, params: Params) -> Measured:
    """Take the latest baseline of each indicator of the goal; the first is the value."""
    frame = facts.baselines
    order = np.argsort(days(frame, "measured_on"), kind="stable")
    named, values = texts(frame, "indicator"), numbers(frame, "value")
    latest = {named[row]: float(values[row]) for row in order if np.isfinite(values[row])}
    keys = params.get("indicators", ())
    parts = tuple(_part(key, latest.get(key)) for key in keys)
    missing = tuple(f"baselines.{key}" for key in keys if key not in latest)
    return Measured(parts[0].value if parts else None, parts, missing)


def _school(facts: GoalFacts, _: Params) -> Measured:
    return _share_with(facts.incubators, "school", _known(facts.incubators, "school"))


def _funds(facts: GoalFacts, _: Params) -> Measured:
    return _of_twenty(facts, lambda chosen: _share_with(chosen, "funds", _known(chosen, "funds")))


def _given(value: float | None, layer: str) -> Measured:
    return Measured(value, missing=() if value is not None else (layer,))


MEASURES: dict[str, Measure] = {
    "indicator": _indicator,
    "twenty": _twenty,
    "professional": _professional,
    "provincial": _provincial,
    "large_incubators": lambda facts, _: _count_from(
        numbers(facts.incubators, "area_m2"), facts.large_area_m2, "area_m2"
    ),
    "populous_incubators": lambda facts, params: _count_from(
        numbers(facts.incubators, "people"), params.get("people", 300), "people"
    ),
    "industries": lambda facts, _: _given(facts.industries_share, "industries"),
    "towns": lambda facts, _: _given(facts.towns_share, "industrial_towns"),
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
    "circle": lambda facts, _: _given(facts.circle_share, "amenities.cultural_kind"),
    "zones": _zones,
    "services": _services,
    "baselines": _baselines,
}
