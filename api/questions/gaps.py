"""What is missing within a walk of the incubators, and where an addition would mend most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from api.questions.common import today
from geo.crs import project_xy
from geo.errors import InputError
from geo.gaps import rank_additions, reach_nodes, street_minutes
from geo.graph import Floats
from geo.lifecycle import status_at
from geo.parts import Parts, choose_version, code_sets
from geo.reach import by_category, matrix
from geo.units import assign_units, index_units
from layers.query import Query
from layers.store import Store
from layers.walking import WalkWorld, walk_world

_COLUMNS = (
    "name", "unit", "town_code", "status", "started_on", "completed_on", "opened_on", "closed_on",
    "as_of", "provenance", "geom_precision", "geometry",
)  # fmt: skip


@dataclass(frozen=True)
class Gaps:
    """What the incubators lack within a walk, and what would mend it.

    Parameters
    ----------
    network
        Whether streets were walked; without them the rest is empty and `note` says so.
    minutes, profile, speed_km_h
        The walk.
    rules_version
        Version of the rules `amenities`.
    summary
        `total` incubators, `tested` (own place known, and on a street), `complete`, and `lacking`
        by category.
    units, roles
        The same by reporting unit, and by role of the spatial structure.
    additions
        What could be added where, the one that completes most zones first.
    note
        Why there is no answer, in both languages.
    """

    network: bool
    minutes: float
    profile: str
    speed_km_h: float
    rules_version: int
    summary: Mapping[str, Any]
    units: tuple[Mapping[str, Any], ...]
    roles: tuple[Mapping[str, Any], ...]
    additions: tuple[Mapping[str, Any], ...]
    demo_counted: bool
    note: Mapping[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return dict(vars(self))


def ask_gaps(store: Store, *, profile: str | None = None, each: int = 10) -> Gaps:
    """Tell what is missing within a walk, by unit, and which additions would mend most.

    Parameters
    ----------
    store
        The store.
    profile
        Who walks, by key; as the rules say where not given.
    each
        At most so many additions a category.

    Raises
    ------
    InputError
        When there is no such profile.
    """
    world = walk_world(store)
    walker = world.profile(profile)
    minutes = float(world.rules["planning"]["minutes"])
    common: dict[str, Any] = {
        "minutes": minutes,
        "profile": walker.key,
        "speed_km_h": walker.speed_km_h,
        "rules_version": world.rules_version,
    }
    incubators = gpd.GeoDataFrame(store.read("incubators", Query(columns=_COLUMNS)))
    running = status_at(incubators, today()) != "withdrawn"
    placed = incubators.geometry.notna() & ~incubators.geometry.is_empty
    incubators = incubators[running & placed].reset_index(drop=True)
    demo = world.demo_counted or bool((incubators["provenance"] == "demo").any())
    if world.network is None or incubators.empty:
        return Gaps(
            network=world.network is not None,
            summary={"total": len(incubators), "tested": 0, "complete": 0, "lacking": {}},
            units=(),
            roles=(),
            additions=(),
            demo_counted=demo,
            note=_note(world),
            **common,
        )
    reporting = store.read("reporting_units")
    index, units = index_units(reporting), assign_units(incubators, reporting)
    codes = code_sets(incubators["town_code"].fillna("").tolist(), units, index)
    reading = choose_version(store.read("structure"), pd.Timestamp(today()), None)
    groups = {
        "unit": units,
        "role": Parts(reading, index).find_roles(incubators.geometry.to_numpy(), codes),
    }
    city = store.meta("city") or {}
    orders = {"unit": index.names, "role": [role["key"] for role in city.get("roles") or ()]}
    return _find_gaps(world, incubators, groups, orders=orders, each=each, demo=demo, common=common)


def _note(world: WalkWorld) -> Mapping[str, str]:
    if world.network is None:
        return {
            "zh": "没有步行路网。请导入：hatchmap import streets 文件.osm.pbf",
            "en": "There is no street network. Load one: hatchmap import streets FILE",
        }
    return {"zh": "还没有孵化器", "en": "There are no incubators yet"}


def _find_gaps(
    world: WalkWorld,
    incubators: gpd.GeoDataFrame,
    groups: Mapping[str, Sequence[str | None]],
    *,
    orders: Mapping[str, Sequence[str]],
    each: int,
    demo: bool,
    common: Mapping[str, Any],
) -> Gaps:
    network, costs = world.network, world.costs(common["profile"])
    origins = world.place(incubators)
    amenities = world.amenities
    if network is None or origins is None or amenities.positions is None or amenities.codes is None:
        raise InputError("there is no street network; load one: hatchmap import streets FILE")
    keys = world.categories
    limit_s = common["minutes"] * 60.0
    places = by_category(amenities.positions, amenities.codes, count=len(keys))
    found = matrix(network, costs, origins, places, limit_s=limit_s)
    usual = world.rules["planning"]["min_count"]
    least = [category.get("min_count", usual) for category in world.rules["categories"]]
    # A record placed at the middle of its town or unit says nothing about its surroundings.
    rough = incubators["geom_precision"].isin(["town", "unit"]).to_numpy(dtype=bool)
    on = origins.on_network & ~rough
    # A place that lacks more than one of a category is not mended by adding one: it still helps.
    missing = (found.counts < np.asarray(least)) & on[:, None]
    reached = reach_nodes(network, costs, origins, limit_s=limit_s)
    ranked = rank_additions(network, reached, missing, each=each)
    lon, lat = project_xy(
        [addition.x for addition in ranked],
        [addition.y for addition in ranked],
        source=network.crs,
        target="EPSG:4326",
    )
    ids = incubators["id"].tolist()
    names = dict(zip(ids, incubators["name"].tolist(), strict=True))
    additions = tuple(
        {
            "category": keys[addition.category],
            "lon": round(float(lon[row]), 6),
            "lat": round(float(lat[row]), 6),
            "completes": [ids[i] for i in addition.completes],
            "helps": [ids[i] for i in addition.helps],
            "names": [names[ids[i]] for i in addition.helps],
        }
        for row, addition in enumerate(ranked)
    )
    frame = pd.DataFrame(missing, columns=list(keys)).assign(on=on)
    by = {
        name: tuple(
            {name: member, **_count(frame[[one == member for one in members]], keys)}
            for member in _in_order(members, orders[name])
        )
        for name, members in groups.items()
    }
    return Gaps(
        network=True,
        summary=_count(frame, keys),
        units=by["unit"],
        roles=by["role"],
        additions=additions,
        demo_counted=demo,
        **common,
    )


def _in_order(members: Sequence[str | None], order: Sequence[str]) -> list[str]:
    """Return who is among the members: those of the order first, the others by name."""
    present = {member for member in members if member is not None}
    return [one for one in order if one in present] + sorted(present - set(order))


def _count(frame: pd.DataFrame, keys: tuple[str, ...]) -> dict[str, Any]:
    lacks = frame[list(keys)]
    complete = ~lacks.any(axis=1) & frame["on"]
    return {
        "total": len(frame),
        "tested": int(frame["on"].sum()),
        "complete": int(complete.sum()),
        "lacking": {key: int(lacks[key].sum()) for key in keys},
    }


def ask_street_minutes(
    store: Store, category: str, *, profile: str | None = None
) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
    """Give the minutes from every street to the nearest amenity of a category.

    Returns
    -------
    tuple
        Longitude and latitude of the first and the second end of each straight street piece, in
        WGS-84 degrees, and the minutes at both; infinite where nothing is in reach.

    Raises
    ------
    InputError
        When there is no such category or profile, or no street network.
    """
    world = walk_world(store)
    if category not in world.categories:
        raise InputError(
            f"category {category!r} is not in the rules; give one of {', '.join(world.categories)}"
        )
    costs = world.costs(profile)
    amenities = world.amenities
    if world.network is None or amenities.positions is None or amenities.codes is None:
        raise InputError("there is no street network; load one: hatchmap import streets FILE")
    of_category = amenities.codes == world.categories.index(category)
    facilities = amenities.positions.take(np.flatnonzero(of_category))
    limit_s = 2.0 * float(world.rules["planning"]["minutes"]) * 60.0
    pieces = street_minutes(world.network, costs, facilities, limit_s=limit_s)
    crs = world.network.crs
    lon0, lat0 = project_xy(pieces.x0, pieces.y0, source=crs, target="EPSG:4326")
    lon1, lat1 = project_xy(pieces.x1, pieces.y1, source=crs, target="EPSG:4326")
    return lon0, lat0, lon1, lat1, pieces.minutes0, pieces.minutes1
