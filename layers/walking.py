"""The walking world of a store: its street network and what stands on it, ready to be asked.

Building a network takes seconds, asking it milliseconds. So the network is saved beside the store
and built anew only when streets, barriers or heights change; what a process has once put together
it keeps until one of the layers in it changes. Both are caches: they can be deleted at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.catchment import Destinations, walk_catchment
from geo.costs import SpeedProfile, WalkCosts, walk_costs
from geo.crs import project_xy
from geo.errors import InputError
from geo.graph import Positions, WalkNetwork
from geo.network import build_network
from geo.snap import snap
from layers.heights import heights_at, heights_path, heights_state, load_heights
from layers.query import Query
from layers.store import Store

Progress = Callable[[str, float], None]

_FORMAT = 2  # of the saved network; another number is built anew
_KEPT = 4  # worlds a process holds: the store, as it is and as scenarios would have it
_SAVED = 4  # networks saved beside a store, of its own streets and of scenarios'
_NETWORK_LAYERS = ("streets", "barriers", "meta")
_WORLD_LAYERS = ("amenities", "population", "rules")


@dataclass(frozen=True, eq=False)
class WalkWorld:
    """A city on foot: the network, who walks, and what lies on it.

    Parameters
    ----------
    network
        The street network; None where no streets are loaded.
    crs
        Metric coordinate system of all coordinates, `EPSG:n`.
    rules
        The rules of amenities: categories, profiles, snapping distance.
    rules_version
        Their version.
    amenity_frame, population_frame
        The records behind the destinations.
    streets_demo
        Whether the network holds demo streets.
    """

    network: WalkNetwork | None
    crs: str
    rules: Mapping[str, Any]
    rules_version: int
    amenity_frame: gpd.GeoDataFrame
    population_frame: gpd.GeoDataFrame
    streets_demo: bool

    @property
    def max_snap_m(self) -> float:
        """How far the street may be from a place that walks."""
        return float(self.rules["planning"]["max_snap_m"])

    @property
    def categories(self) -> tuple[str, ...]:
        """Keys of the categories, in their order."""
        return tuple(category["key"] for category in self.rules["categories"])

    @cached_property
    def amenity_rows(self) -> Any:
        """The row of each destination of `amenities` in the frame."""
        return np.flatnonzero(self.amenity_frame["category"].isin(self.categories).to_numpy())

    @cached_property
    def amenities(self) -> Destinations:
        """The amenities that have one of the categories."""
        code = {key: number for number, key in enumerate(self.categories)}
        codes = self.amenity_frame["category"].map(code).to_numpy(dtype=np.float64, na_value=-1)
        known = codes >= 0
        x, y = self._metres(self.amenity_frame[known])
        return Destinations(
            x, y, self._snap(x, y), keys=self.categories, codes=codes[known].astype(np.int64)
        )

    @cached_property
    def population(self) -> Destinations | None:
        """The people, at their points or in the middle of their cells; None when not known."""
        if self.population_frame.empty:
            return None
        x, y = self._metres(self.population_frame)
        people = self.population_frame["people"].to_numpy(dtype=np.float64)
        return Destinations(x, y, self._snap(x, y), keys=("people",), weights=people)

    @cached_property
    def demo_counted(self) -> bool:
        """Whether streets, amenities or people come from demo records."""
        frames = (self.amenity_frame, self.population_frame)
        return self.streets_demo or any((f["provenance"] == "demo").any() for f in frames)

    def profile(self, key: str | None = None) -> SpeedProfile:
        """Return who walks, by key; by default as the rules say.

        Raises
        ------
        InputError
            When the rules have no such profile; the message lists those that they have.
        """
        key = key or self.rules["planning"]["default_profile"]
        for profile in self.rules["profiles"]:
            if profile["key"] == key:
                return SpeedProfile(
                    key=key,
                    speed_km_h=float(profile["speed_km_h"]),
                    steps_factor=float(profile.get("steps_factor", 1.0)),
                    steps_allowed=bool(profile.get("steps_allowed", True)),
                    max_grade=profile.get("max_grade"),
                )
        keys = ", ".join(profile["key"] for profile in self.rules["profiles"])
        raise InputError(f"profile {key!r} is not in the rules; give one of {keys}")

    def costs(self, key: str | None = None) -> WalkCosts:
        """Return the walking times of a profile; worked out once.

        Raises
        ------
        InputError
            When there is no such profile or no network.
        """
        profile = self.profile(key)
        if self.network is None:
            raise InputError("there is no street network; load one: hatchmap import streets FILE")
        with self._lock:
            if profile.key not in self._costs:
                self._costs[profile.key] = walk_costs(self.network, profile)
            return self._costs[profile.key]

    def warm_up(self) -> None:
        """Work out and load what the first question would have to wait for."""
        amenities, population = self.amenities, self.population
        if self.network is None or not self.network.node_count:
            return
        x, y = self.network.x[:1], self.network.y[:1]
        (lon,), (lat,) = project_xy(x, y, source=self.crs, target="EPSG:4326")
        walk_catchment(
            self.network,
            self.costs(),
            float(lon),
            float(lat),
            minutes=[1.0],
            max_snap_m=self.max_snap_m,
            amenities=amenities,
            population=population,
        ).to_json()

    def place(self, frame: gpd.GeoDataFrame) -> Positions | None:
        """Put records on the network, at their points or in their middle; None without one."""
        return self._snap(*self._metres(frame))

    @cached_property
    def _lock(self) -> threading.Lock:
        return threading.Lock()

    @cached_property
    def _costs(self) -> dict[str, WalkCosts]:
        return {}

    def _metres(self, frame: gpd.GeoDataFrame) -> tuple[Any, Any]:
        points = shapely.point_on_surface(np.asarray(frame.geometry.array, dtype=object))
        return project_xy(shapely.get_x(points), shapely.get_y(points), target=self.crs)

    def _snap(self, x: Any, y: Any) -> Positions | None:
        if self.network is None:
            return None
        return snap(self.network, x, y, max_snap_m=self.max_snap_m)


_worlds: dict[tuple[str, str], WalkWorld] = {}
_worlds_lock = threading.Lock()
# Worlds that differ in what stands on the streets share their network.
_networks: WeakValueDictionary[str, WalkNetwork] = WeakValueDictionary()


def walk_world(store: Store, *, progress: Progress | None = None) -> WalkWorld:
    """Return the walking world of a store as it stands now.

    The same object as long as none of its layers change, so that what it works out is kept.

    Parameters
    ----------
    store
        The store.
    progress
        Called with the name of each stage and the share done while a network is built.
    """
    state = f"{store.token(*_NETWORK_LAYERS, *_WORLD_LAYERS)} {heights_state(store)}"
    key = (store.url, state)
    with _worlds_lock:
        world = _worlds.pop(key, None)
        if world is None:
            world = _make_world(store, progress)
        _worlds[key] = world  # the last asked stands last
        while len(_worlds) > _KEPT:
            _worlds.pop(next(iter(_worlds)))
        return world


def _make_world(store: Store, progress: Progress | None) -> WalkWorld:
    rules = store.rules("amenities")
    amenities = store.read(
        "amenities", Query(columns=["id", "name", "category", "unit", "provenance", "geometry"])
    )
    population = store.read("population", Query(columns=["id", "people", "provenance", "geometry"]))
    return WalkWorld(
        network=load_network(store, progress=progress),
        crs=_metric(store),
        rules=rules.body,
        rules_version=rules.version,
        amenity_frame=_located(amenities),
        population_frame=_located(population),
        streets_demo=store.count("streets", Query(where={"provenance": "demo"}, limit=1)) > 0,
    )


def _located(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    geographic = gpd.GeoDataFrame(frame)
    missing = geographic.geometry.isna() | geographic.geometry.is_empty
    return geographic[~missing].reset_index(drop=True)


def _metric(store: Store) -> str:
    return str(store.metric_crs.to_string())


def load_network(store: Store, *, progress: Progress | None = None) -> WalkNetwork | None:
    """Return the street network of a store: saved from before, or built and saved.

    Returns
    -------
    WalkNetwork or None
        None where the store has no streets.

    Raises
    ------
    InputError
        When the streets make no network, or the heights do not reach all of them.
    """
    if store.count("streets") == 0:
        return None
    path = network_path(store)
    known = _networks.get(str(path)) or _read_saved(path)
    if known is not None:
        _networks[str(path)] = known
        return known
    streets = gpd.GeoDataFrame(
        store.read(
            "streets",
            Query(columns=["foot", "steps", "bridge", "tunnel", "speed_factor", "geometry"]),
        )
    )
    barriers = gpd.GeoDataFrame(store.read("barriers", Query(columns=["kind", "geometry"])))
    crs, ground = _metric(store), load_heights(store)
    network = build_network(
        streets,
        crs=crs,
        barriers=barriers if len(barriers) else None,
        heights=None
        if ground is None
        else lambda x, y: heights_at(ground, x, y, crs=crs, name=heights_path(store)),
        progress=progress,
    )
    _save(network, path)
    _networks[str(path)] = network
    return network


def network_path(store: Store) -> Path:
    """Return where the network of a store as it stands is saved: beside the store."""
    state = f"{_FORMAT} {_metric(store)} {store.token(*_NETWORK_LAYERS)} {heights_state(store)}"
    key = hashlib.sha256(state.encode()).hexdigest()[:16]
    beside = Path(store.url)
    return beside.with_name(f"{beside.name}.streets-{key}.npz")


def _read_saved(path: Path) -> WalkNetwork | None:
    """Read a saved network; one that is missing or damaged is simply not there."""
    with contextlib.suppress(OSError):
        os.utime(path)  # what was asked for last stays longest
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return WalkNetwork.from_arrays(arrays)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None


def _save(network: WalkNetwork, path: Path) -> None:
    """Save whole or not at all, and keep the last few only; a full disk does no harm."""
    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".npz.part")
    except OSError:
        return  # the folder cannot be written: the network is built at each start
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **network.to_arrays())
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        return
    stem = path.name.rpartition("-")[0]
    saved = sorted(path.parent.glob(f"{stem}-*.npz"), key=_saved_at, reverse=True)
    for old in saved[_SAVED:]:
        old.unlink(missing_ok=True)


def _saved_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another worker removed it
        return 0.0
