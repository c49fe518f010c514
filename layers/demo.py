"""Demo data: fictional records that fill what has no public source, each plainly marked.

The same seed and day give the same records. Real records are never touched; demo records are known
by their provenance and go again without a trace but the history.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from geo.errors import Fault, InputError
from layers.catalog import layers
from layers.demo_amenities import make_amenities, make_population
from layers.demo_hubs import read_world
from layers.demo_incubators import make_incubators
from layers.demo_plan import make_progress, make_projects, make_sites
from layers.demo_spaces import make_demands, make_spaces
from layers.demo_streets import make_streets
from layers.query import Query
from layers.schema import conform
from layers.store import Edit, Store

SEED = 34520
_DEMO = {"provenance": "demo"}
_LARGEST = 2_000_000  # records of a layer


@dataclass(frozen=True)
class Sizes:
    """How many demo records of each layer; `streets` says whether there is a street network."""

    incubators: int = 245
    spaces: int = 6_000
    amenities: int = 20_000
    demands: int = 800
    projects: int = 44
    sites: int = 60
    population: int = 2_000
    streets: bool = True


def make_demo(
    store: Store, *, seed: int = SEED, as_of: date | None = None, **sizes: int
) -> dict[str, pd.DataFrame]:
    """Make demo records for what is in a store, without writing them.

    Parameters
    ----------
    store
        With reporting units that have polygons; targets and industrial towns shape the density.
    seed
        Of the random numbers.
    as_of
        The day that dates are drawn around; today when left out.
    **sizes
        Fields of `Sizes`, each a number of records.

    Returns
    -------
    dict
        Frame by layer, in the form of `layers.schema.conform`. Streets are left out where the
        store has real ones, and progress where the current year has no targets.

    Raises
    ------
    InputError
        When a size is not a number from 0 to 2,000,000, or no reporting unit has a polygon.
    """
    wanted = _check_sizes(sizes)
    world = read_world(store, seed=seed, as_of=as_of or date.today())  # noqa: DTZ011 - a local day
    incubators = make_incubators(world, wanted.incubators)
    frames: dict[str, pd.DataFrame] = {
        "incubators": incubators,
        "spaces": make_spaces(world, incubators, wanted.spaces),
        "projects": make_projects(world, wanted.projects),
        "sites": make_sites(world, wanted.sites),
        "amenities": make_amenities(world, incubators, wanted.amenities),
        "population": make_population(world, wanted.population),
        "demands": make_demands(world, wanted.demands),
        "progress": make_progress(world),
    }
    if wanted.streets and not store.count("streets", Query(demo=False)):
        frames["streets"] = make_streets(world, incubators)
    return {layer: conform(layer, frame) for layer, frame in frames.items() if len(frame)}


def add_demo(
    store: Store,
    *,
    seed: int = SEED,
    as_of: date | None = None,
    who: str = "demo",
    **sizes: int,
) -> dict[str, int]:
    """Make demo records and write them in place of those there are; arguments as `make_demo`.

    Returns
    -------
    dict
        How many records each layer got.
    """
    frames = make_demo(store, seed=seed, as_of=as_of, **sizes)
    replaced = _layers_with_demo(store)
    with store.edit(who, f"示例数据 · demo data, seed {seed}") as edit:
        _clear(edit, replaced)
        return {layer: len(edit.insert(layer, frame)) for layer, frame in frames.items()}


def remove_demo(store: Store, *, who: str = "demo") -> dict[str, int]:
    """Remove every demo record and return how many each layer lost.

    A real demand that had signed demo space has signed nothing real: it looks for space again, and
    its history tells when and why.
    """
    there = _layers_with_demo(store)
    with store.edit(who, "demo data removed; demands that signed demo space look again") as edit:
        return _clear(edit, there)


def _clear(edit: Edit, there: Iterable[str]) -> dict[str, int]:
    """Remove the demo records of layers; demands that rest on deals among them are open again."""
    deals = edit.read("deals", Query(where={"state": "signed"}, columns=["demand", "provenance"]))
    demo = deals["provenance"] == "demo"
    let = set(deals.loc[demo, "demand"]) - set(deals.loc[~demo, "demand"])
    signed = edit.read("demands", Query(ids=sorted(let), columns=["status", "provenance"]))
    real = (signed["status"] == "signed") & (signed["provenance"] != "demo")
    for demand in signed.loc[real, "id"]:
        edit.update("demands", demand, status="open")
    return {layer: edit.clear(layer, _DEMO) for layer in there}


def _layers_with_demo(store: Store) -> list[str]:
    return [layer for layer in layers() if store.count(layer, Query(where=_DEMO))]


def _check_sizes(sizes: dict[str, Any]) -> Sizes:
    known = Sizes().__dict__
    faults = [
        Fault(name, "is not a layer with demo data", value, f"give one of {', '.join(known)}")
        for name, value in sizes.items()
        if name not in known
    ]
    faults += [
        Fault(
            name, "is not a number of records", value, f"give a whole number from 0 to {_LARGEST}"
        )
        for name, value in sizes.items()
        if name in known and not (isinstance(value, int) and 0 <= value <= _LARGEST)
    ]
    if faults:
        raise InputError(f"demo data: {faults[0]}", faults)
    return Sizes(**sizes)
