"""Where new space should go: fewest sites for all towns, p sites for most demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
from scipy import sparse

from api.questions.common import read_layer, read_rule, today
from api.questions.coverage import ask_town_coverage
from api.questions.site_candidates import Candidates, Scope, find_candidates
from api.questions.siting_answer import (
    SitingAnswer,
    describe_alternatives,
    describe_curve,
    describe_site,
    name_sites,
)
from api.questions.siting_demand import Demand, read_demand
from api.questions.siting_words import why_demand, why_town
from geo.errors import InputError
from geo.frames import points, shapes, texts
from geo.nearest import to_metres
from geo.plain import share
from geo.site_reach import circle_reach, town_reach, walk_reach
from geo.siting import Siting, cover_all, cover_most
from geo.solver import Watch
from geo.states import COVERED, PLANNED_ONLY, muster
from geo.towns import Town, list_towns
from geo.units import index_units
from layers.store import Store
from layers.walking import WalkWorld, walk_world

Floats = npt.NDArray[np.float64]

_MAX_MINUTES = 240.0
_CURVE_BEYOND = 10  # the curve goes at least so far, so that the next sites can be seen


def ask_town_sites(
    store: Store,
    *,
    scope: Scope | None = None,
    within_m: float = 0.0,
    planned_count: bool = False,
    alternatives: int = 3,
    as_of: Any = None,
    watch: Watch | None = None,
) -> SitingAnswer:
    """Choose the fewest sites that cover every industrial town without an operating incubator.

    Parameters
    ----------
    store
        The store.
    within_m
        A site also covers a town no farther than this; by default only the town that it lies in.
    planned_count
        Whether a town with an incubator under way counts as covered already.
    scope
        Which sites may be chosen; a unit leaves only its towns, too.
    alternatives
        How many other sets to look for.
    as_of
        The day that towns are covered on; today when None.
    watch
        Limits; half a minute by default.

    Raises
    ------
    InputError
        When a parameter makes no sense.
    NotFoundError
        When there is no such unit.
    """
    watch = watch or Watch.start(30.0)
    _check_number("within_m", within_m, least=0.0, most=100_000.0)
    scope = scope or Scope()
    towns, towns_demo = open_towns(store, scope, as_of=as_of, planned_count=planned_count)
    world = walk_world(store)
    candidates = find_candidates(store, world, scope)
    reach = reach_towns(towns, candidates, world.crs, within_m=within_m)
    found = cover_all(reach, choice=candidates.choice, alternatives=alternatives, watch=watch)
    names = [town.place.name for town in towns]
    lost = [towns[point] for point in found.unreachable]
    chosen = [
        {
            **describe_site(candidates, one.site),
            "adds": one.adds,
            "serves": one.serves,
            "towns": [names[point] for point in one.alone],
            "why": why_town(
                [names[point] for point in one.alone],
                int(one.serves),
                name_sites(candidates, one.shares_with),
                fixed=one.site in candidates.choice.fixed,
            ),
        }
        for one in found.chosen
    ]
    return SitingAnswer(
        model="towns",
        sentence=_say_towns(found, len(lost), len(candidates.choice.fixed)),
        chosen=chosen,
        alternatives=describe_alternatives(candidates, found.alternatives, found.objective),
        curve=describe_curve(found.curve, found.demand),
        conflict=[],
        candidates=candidates,
        asked={
            "within_m": within_m,
            "planned_count": planned_count,
            "unit": scope.unit,
            "source": scope.source,
        },
        more={
            "towns": len(towns),
            "covered": found.covered,
            "unreachable": [
                {"code": town.place.code, "name": town.place.name, "unit": town.place.unit}
                for town in lost
            ],
        },
        rules={"towns": store.rules("towns").version},
        demo_counted=towns_demo or candidates.demo,
        **_proof(found),
    )


def open_towns(
    store: Store, scope: Scope, *, as_of: Any = None, planned_count: bool = False
) -> tuple[list[Town], bool]:
    """Return the industrial towns without an incubator, and whether demo records count."""
    units = read_layer(store, "reporting_units", demo=scope.demo)
    answer = ask_town_coverage(store, as_of=as_of, unit=scope.unit, demo=scope.demo)
    settled = (*COVERED, PLANNED_ONLY) if planned_count else COVERED
    wanted = {row.code for row in answer.towns if row.state not in settled}
    listed = list_towns(
        read_layer(store, "industrial_towns", demo=scope.demo),
        units,
        read_layer(store, "divisions", demo=scope.demo),
        index_units(units),
    )
    return [town for town in listed if town.place.code in wanted], answer.demo_counted


def reach_towns(
    towns: Sequence[Town], candidates: Candidates, crs: str, *, within_m: float
) -> sparse.csr_array:
    """Tell which towns each candidate would cover."""
    frame = candidates.frame
    return town_reach(
        towns, shapes(frame), texts(frame, "town_code"), metric_crs=crs, within_m=within_m
    )


def _say_towns(found: Siting, lost: int, fixed: int) -> dict[str, str]:
    covered, count = int(found.covered), len(found.chosen)
    if not found.demand:
        return {
            "zh": "所有工业强镇都已有运营孵化器",
            "en": "Every industrial town has an operating incubator already",
        }
    said = {
        "zh": f"{count}处选址即可覆盖{covered}个尚无运营孵化器的工业强镇",
        "en": f"{count} sites cover {covered} industrial towns that have no operating incubator",
    }
    if fixed:
        said["zh"] += f"（含已定{fixed}处）"
        said["en"] += f" ({fixed} of them fixed)"
    if lost:
        said["zh"] += f"；另有{lost}个镇没有候选用地"
        said["en"] += f"; {lost} more have no candidate site"
    return said


@dataclass(frozen=True)
class Walk:
    """What demand counts and how it is reached.

    Parameters
    ----------
    minutes, profile
        The walk from the site, and who walks, by key of the rules.
    demand
        `population` (people), `demands` (companies looking for space, one each), `unmet` (the area
        that companies left without a space by the best matching ask for, m²), or with `auto` the
        first of people and companies that there is.
    beyond_existing
        Count only demand that no operating incubator reaches.
    """

    minutes: float = 15.0
    profile: str | None = None
    demand: Demand = "auto"
    beyond_existing: bool = False


def ask_demand_sites(
    store: Store,
    p: int,
    *,
    scope: Scope | None = None,
    walk: Walk | None = None,
    alternatives: int = 3,
    curve: bool = True,
    watch: Watch | None = None,
) -> SitingAnswer:
    """Choose `p` sites that serve the most demand within a walk.

    Over the streets of the store; by circles, and saying so, where it has none.

    Parameters
    ----------
    store
        The store.
    p
        How many sites, those fixed included.
    scope, alternatives, watch
        As `ask_town_sites`; demand counts wherever it is.
    walk
        What demand counts and how it is reached; people within 15 minutes by default.
    curve
        Whether to solve for other numbers of sites too.

    Raises
    ------
    InputError
        When a parameter makes no sense, or there is no demand.
    NotFoundError
        When there is no such unit.
    """
    watch = watch or Watch.start(30.0)
    scope, walk = scope or Scope(), walk or Walk()
    minutes, demo = walk.minutes, scope.demo
    _check_number("minutes", minutes, least=0.1, most=_MAX_MINUTES)
    world = walk_world(store)
    walker = world.profile(walk.profile)
    candidates = find_candidates(store, world, scope)
    demand = read_demand(store, walk.demand, demo=demo)
    places, weights = demand.places, demand.weights
    reach = _reach(world, candidates.frame, places, minutes, walker.key, watch)
    if walk.beyond_existing:
        weights = np.where(_served(store, world, places, walk, demo=demo), 0.0, weights)
    found = cover_most(
        reach,
        weights,
        p,
        choice=candidates.choice,
        alternatives=alternatives,
        curve_to=max(_CURVE_BEYOND, 2 * p) if curve else 0,
        watch=watch,
    )
    chosen = [
        {
            **describe_site(candidates, one.site),
            "adds": one.adds,
            "serves": one.serves,
            "why": why_demand(
                one.adds,
                one.serves,
                name_sites(candidates, one.shares_with),
                fixed=one.site in candidates.choice.fixed,
            ),
        }
        for one in found.chosen
    ]
    return SitingAnswer(
        model="cover",
        sentence=_say_demand(found, demand.kind, minutes),
        chosen=chosen,
        alternatives=describe_alternatives(candidates, found.alternatives, found.objective),
        curve=describe_curve(found.curve, found.demand),
        conflict=[],
        candidates=candidates,
        asked={
            "p": p,
            "minutes": minutes,
            "profile": walker.key,
            "speed_km_h": walker.speed_km_h,
            "demand": demand.kind,
            "beyond_existing": walk.beyond_existing,
            "unit": scope.unit,
            "source": scope.source,
        },
        more={
            "network": world.network is not None,
            "note": _NO_STREETS if world.network is None else demand.note,
            "demand": found.demand,
            "covered": found.covered,
            "covered_share": share(found.covered, found.demand),
        },
        rules={"amenities": world.rules_version},
        demo_counted=candidates.demo or demand.demo or world.streets_demo,
        **_proof(found),
    )


_NO_STREETS = {
    "zh": "没有步行路网：按直线距离画圆计算",
    "en": "there is no street network: circles stand in for walks",
}


def _reach(
    world: WalkWorld,
    sites: gpd.GeoDataFrame,
    places: gpd.GeoDataFrame,
    minutes: float,
    profile: str,
    watch: Watch | None = None,
) -> sparse.csr_array:
    """Tell which demand each site reaches: over streets, else by circles."""
    if world.network is None:
        metres_a_minute = world.profile(profile).speed_km_h * 1000.0 / 60.0
        at, there = (
            to_metres(points(frame.set_geometry(frame.geometry.representative_point())), world.crs)
            for frame in (sites, places)
        )
        return circle_reach(at, there, radius_m=minutes * metres_a_minute)
    origins, targets = world.place(sites), world.place(places)
    if origins is None or targets is None:
        raise InputError("there is no street network; load one: hatchmap import streets FILE")
    return walk_reach(
        world.network,
        world.costs(profile),
        origins,
        targets,
        limit_s=minutes * 60.0,
        cancel=None if watch is None else watch.cancel,
    )


def _served(
    store: Store, world: WalkWorld, places: gpd.GeoDataFrame, walk: Walk, *, demo: bool
) -> npt.NDArray[np.bool_]:
    """Tell which demand an operating incubator reaches already."""
    fleet = muster(
        read_layer(store, "incubators", demo=demo), as_of=today(), rule=read_rule(store, "towns")
    )
    there = gpd.GeoDataFrame(fleet.operating)
    there = there[there.geometry.notna()].reset_index(drop=True)
    if there.empty:
        return np.zeros(len(places), dtype=bool)
    reach = _reach(world, there, places, walk.minutes, world.profile(walk.profile).key)
    served: npt.NDArray[np.bool_] = np.diff(sparse.csr_array(reach).indptr) > 0
    return served


def _say_demand(found: Siting, kind: str, minutes: float) -> dict[str, str]:
    part = share(found.covered, found.demand) or 0.0
    who = {
        "population": ("人", "people"),
        "demands": ("个需求", "demands"),
        "unmet": ("㎡未满足的需求", "m² of unmet demand"),
    }[kind]
    return {
        "zh": (
            f"{len(found.chosen)}处选址在步行{minutes:g}分钟内服务{found.covered:,.0f}{who[0]}，"
            f"占{part:.1%}"
        ),
        "en": (
            f"{len(found.chosen)} sites serve {found.covered:,.0f} {who[1]} within {minutes:g} "
            f"walking minutes, {part:.1%} of all"
        ),
    }


def _proof(found: Siting) -> dict[str, Any]:
    return {
        "status": found.status,
        "objective": found.objective,
        "bound": found.bound,
        "gap": found.gap,
    }


def _check_number(name: str, value: float, *, least: float, most: float) -> None:
    if not (np.isfinite(value) and least <= value <= most):
        raise InputError(f"{name}: {value!r} is out of range; give {least:g} to {most:g}")
