"""Where new space could go: the layer `sites`, else vacant buildings, else street junctions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from api.questions.common import find_unit, read_layer
from api.questions.siting_words import Said, outside
from geo.covering import Choice
from geo.crs import project, project_xy
from geo.errors import Fault, InputError
from geo.frames import numbers, shapes, texts
from geo.units import assign_units
from layers.ingest.places import FAR_M
from layers.store import Store
from layers.walking import WalkWorld

Source = Literal["auto", "sites", "spaces", "grid"]
SOURCES = ("auto", "sites", "spaces", "grid")

_LEAST_VACANT_M2 = 2_000.0  # a building with less is no place for new incubation space
_GRID_SITES = 600  # at most so many junctions


@dataclass(frozen=True)
class Scope:
    """Which sites may be chosen.

    Parameters
    ----------
    source
        Where they come from; `auto` takes the first of `sites`, `spaces` and `grid` that has any.
    unit
        Only those of this reporting unit, by name, alias or code.
    fixed, forbidden
        Ids settled by the question; they outweigh the records.
    demo
        Whether demo records count.
    """

    source: Source = "auto"
    unit: str | None = None
    fixed: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    demo: bool = True


@dataclass(frozen=True, eq=False)
class Candidates:
    """Places for new space, one row each.

    Parameters
    ----------
    source
        `sites`, `spaces` or `grid`.
    frame
        `id`, `name`, `unit`, `town_code`, `capacity_m2`, `cost_cny`, `earliest_year`, `decision`
        and points, EPSG:4490.
    choice
        Rows that are settled.
    demo
        Whether demo records are among them.
    left_out
        Records that cannot be chosen: `site`, `name`, and why in both languages.
    """

    source: str
    frame: gpd.GeoDataFrame
    choice: Choice
    demo: bool
    left_out: tuple[Mapping[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def ids(self) -> list[str]:
        """Ids in the order of the rows."""
        return [str(one) for one in self.frame["id"]]

    def keep(self, rows: Sequence[int]) -> Candidates:
        """Return some of the candidates, with the choice among them."""
        number = {old: new for new, old in enumerate(rows)}
        kept = self.frame.iloc[list(rows)].reset_index(drop=True)
        fixed, forbidden = (
            frozenset(number[one] for one in some if one in number)
            for some in (self.choice.fixed, self.choice.forbidden)
        )
        return replace(self, frame=kept, choice=Choice(fixed, forbidden))

    def leave_out(self, rows: Sequence[int], why: Said) -> Candidates:
        """Return the candidates without some, which are then listed with the reason."""
        gone = set(rows)
        kept = self.keep([row for row in range(len(self)) if row not in gone])
        return replace(kept, left_out=(*self.left_out, *_name_left_out(self.frame, rows, why)))

    def to_json(self) -> list[dict[str, Any]]:
        """Return every candidate for a map."""
        rows = self.frame
        return [
            {
                "id": str(one.id),
                "name": one.name,
                "unit": one.unit,
                "lon": round(float(one.geometry.x), 6),
                "lat": round(float(one.geometry.y), 6),
                "decision": one.decision,
            }
            for one in rows.itertuples(index=False)
        ]


def find_candidates(store: Store, world: WalkWorld, scope: Scope) -> Candidates:
    """Read the candidates, and settle what records and the question settle.

    Raises
    ------
    InputError
        When there are no candidates, or an id is not among them.
    NotFoundError
        When there is no such unit.
    """
    source, demo = scope.source, scope.demo
    if source not in SOURCES:
        raise InputError(f"source {source!r} is not known; give one of {', '.join(SOURCES)}")
    units = read_layer(store, "reporting_units", demo=demo)
    unit = None if scope.unit is None else find_unit(units, scope.unit)
    makers = {
        "sites": lambda: _from_sites(store, demo=demo),
        "spaces": lambda: _from_spaces(store, demo=demo),
        "grid": lambda: _from_grid(world, units),
    }
    for name in [one for one in makers if source in ("auto", one)]:
        frame = makers[name]()
        if frame.empty:
            continue
        frame["unit"] = assign_units(frame, units)
        away = _far_away(frame, units, store.metric_crs)
        left_out = _name_left_out(frame, np.flatnonzero(away).tolist(), outside(FAR_M))
        frame = frame[~away].reset_index(drop=True)
        if unit is not None:
            frame = frame[frame["unit"] == unit].reset_index(drop=True)
        if len(frame):
            counted = bool((frame["provenance"] == "demo").any())
            return Candidates(name, frame, _settle(frame, scope), counted, left_out)
    where = f" in {unit}" if unit else ""
    raise InputError(
        f"there are no candidate sites{where} ({source}); import them: "
        "hatchmap import sites FILE --datum D"
    )


def _far_away(
    frame: gpd.GeoDataFrame, units: gpd.GeoDataFrame, metric_crs: CRS
) -> npt.NDArray[np.bool_]:
    """Tell which places lie too far from every outline to belong to the city.

    Where the outline of a unit is not known, nothing is said of the records that name it.
    """
    drawn = units.geometry.notna().to_numpy()
    if not drawn.any():
        return np.zeros(len(frame), dtype=bool)
    whole = shapely.union_all(units.geometry[drawn].to_crs(metric_crs).to_numpy())
    away_m = frame.geometry.to_crs(metric_crs).distance(whole).to_numpy()
    unknown = frame["unit"].isin(units["name"][~drawn]).to_numpy()
    far: npt.NDArray[np.bool_] = ~unknown & ~(away_m <= FAR_M)
    return far


def _name_left_out(
    frame: pd.DataFrame, rows: Sequence[int], why: Said
) -> tuple[Mapping[str, str], ...]:
    names, ids = frame["name"].tolist(), frame["id"].tolist()
    return tuple({"site": str(ids[row]), "name": str(names[row]), **why} for row in rows)


def _settle(frame: pd.DataFrame, scope: Scope) -> Choice:
    fixed, forbidden = scope.fixed, scope.forbidden
    number = {str(one): row for row, one in enumerate(frame["id"])}
    faults = [
        Fault(name, "is not a candidate site", one, "give the id of a candidate")
        for name, some in (("fixed", fixed), ("forbidden", forbidden))
        for one in some
        if one not in number
    ]
    faults += [
        Fault("fixed", "is also forbidden", one, "leave one of the two")
        for one in sorted(set(fixed) & set(forbidden))
    ]
    if faults:
        raise InputError(str(faults[0]), faults)
    asked = {**dict.fromkeys(fixed, "fixed"), **dict.fromkeys(forbidden, "forbidden")}
    decisions = [
        asked.get(str(one), decision)
        for one, decision in zip(frame["id"], frame["decision"], strict=True)
    ]
    rows = {
        word: frozenset(row for row, one in enumerate(decisions) if one == word)
        for word in ("fixed", "forbidden")
    }
    return Choice(rows["fixed"], rows["forbidden"])


def _from_sites(store: Store, *, demo: bool) -> gpd.GeoDataFrame:
    sites = read_layer(store, "sites", demo=demo)
    found = shapes(sites)
    placed = ~(shapely.is_missing(found) | shapely.is_empty(found))
    sites = sites[placed].reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "id": sites["id"],
            "name": texts(sites, "name"),
            "unit": texts(sites, "unit"),
            "town_code": texts(sites, "town_code"),
            "capacity_m2": numbers(sites, "capacity_m2"),
            "cost_cny": numbers(sites, "cost_cny"),
            "earliest_year": numbers(sites, "earliest_year"),
            "decision": [one or "candidate" for one in texts(sites, "decision")],
            "provenance": texts(sites, "provenance"),
        }
    )
    points = shapely.point_on_surface(found[placed])
    return gpd.GeoDataFrame(frame, geometry=points, crs="EPSG:4490")


def _from_spaces(store: Store, *, demo: bool) -> gpd.GeoDataFrame:
    """Make a candidate of every incubator with much vacant space: its building is there already."""
    spaces = read_layer(store, "spaces", demo=demo)
    vacant = spaces[(spaces["status"] == "vacant").to_numpy(dtype=bool)].reset_index(drop=True)
    whole = numbers(vacant, "area_m2")
    known = numbers(vacant, "vacant_area_m2")
    vacant = vacant.assign(free_m2=np.where(np.isfinite(known), known, whole))
    area = vacant.groupby("incubator")["free_m2"].sum()
    area = area[area >= _LEAST_VACANT_M2]
    incubators = read_layer(store, "incubators", demo=demo)
    own = incubators[incubators["id"].isin(area.index) & incubators.geometry.notna()]
    own = own.reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "id": own["id"],
            "name": texts(own, "name"),
            "unit": texts(own, "unit"),
            "town_code": texts(own, "town_code"),
            "capacity_m2": area.reindex(own["id"]).to_numpy(dtype=np.float64),
            "cost_cny": np.nan,
            "earliest_year": np.nan,
            "decision": "candidate",
            "provenance": texts(own, "provenance"),
        }
    )
    return gpd.GeoDataFrame(frame, geometry=np.array(own.geometry.array), crs="EPSG:4490")


def _from_grid(world: WalkWorld, units: pd.DataFrame) -> gpd.GeoDataFrame:
    """Take one street junction a square, squares so wide that there are not too many."""
    network = world.network
    if network is None:
        return gpd.GeoDataFrame({"id": []}, geometry=[], crs="EPSG:4490")
    x, y = network.x, network.y
    outlines = [one for one in shapes(units) if one is not None]
    if outlines:
        whole = shapely.union_all(project(np.array(outlines, dtype=object), target=network.crs))
        inside = shapely.contains_xy(whole, x, y)
        x, y = x[inside], y[inside]
    side_m = 250.0
    while True:
        square = np.column_stack([np.floor(x / side_m), np.floor(y / side_m)])
        _, first = np.unique(square, axis=0, return_index=True)
        if len(first) <= _GRID_SITES:
            break
        side_m *= 1.25
    first = np.sort(first)
    lon, lat = project_xy(x[first], y[first], source=network.crs, target="EPSG:4490")
    ids = [f"grid-{number:04d}" for number in range(1, len(first) + 1)]
    frame = pd.DataFrame(
        {
            "id": ids,
            "name": ids,
            "unit": None,
            "town_code": None,
            "capacity_m2": np.nan,
            "cost_cny": np.nan,
            "earliest_year": np.nan,
            "decision": "candidate",
            "provenance": "demo" if world.streets_demo else "imported",
        }
    )
    return gpd.GeoDataFrame(frame, geometry=shapely.points(lon, lat), crs="EPSG:4490")
