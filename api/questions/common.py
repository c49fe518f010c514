"""What the questions share: the day, the rules that they print, and reading layers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pandas as pd

from api.questions.kept import Kept, state_key
from geo.errors import NotFoundError
from geo.frames import texts
from geo.units import assign_units, index_units
from layers.query import Query
from layers.store import Store

# What coverage and targets count of an incubator: a third of its columns.
COUNTED_COLUMNS = (
    "name", "unit", "town", "town_code", "status", "started_on", "completed_on", "opened_on",
    "closed_on", "as_of", "area_m2", "lead_industries", "industry_codes", "twenty_batch",
    "twenty_kind", "chain_leader_built", "provenance", "geom_precision", "geometry",
)  # fmt: skip
_MOST_ROWS = 20_000  # of a frame that is kept
_frames = Kept[pd.DataFrame | None](48)


def today() -> dt.date:
    """Return the day it is here."""
    return dt.datetime.now(tz=dt.UTC).astimezone().date()


def read_rule(store: Store, name: str) -> dict[str, Any]:
    """Return a rule in force as results print it: name, version and source beside its body."""
    rules = store.rules(name)
    return {**rules.body, "name": rules.name, "version": rules.version, "source": rules.source}


def read_layer(
    store: Store, layer: str, *, demo: bool = True, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read a layer, with or without its demo records; as it was read last while it is the same."""
    query = Query(demo=demo, columns=columns)
    read: list[pd.DataFrame] = []

    def keep() -> pd.DataFrame | None:
        read.append(store.read(layer, query))
        return read[0] if len(read[0]) <= _MOST_ROWS else None

    names = None if columns is None else tuple(columns)
    kept = _frames.recall(state_key(store, (layer,), layer, demo, names), keep)
    if kept is not None:
        return kept.copy(deep=False)  # pandas copies on writing
    return read[0] if read else store.read(layer, query)


def read_counted(store: Store, *, demo: bool = True) -> pd.DataFrame:
    """Read of the incubators what coverage and targets count."""
    return read_layer(store, "incubators", demo=demo, columns=COUNTED_COLUMNS)


def plan_of(store: Store) -> dict[str, Any]:
    """Return the plan of the city: its title, start, end and years."""
    plan: dict[str, Any] = (store.meta("city") or {}).get("plan") or {}
    return plan


def find_unit(units: pd.DataFrame, word: str) -> str:
    """Return the name of the reporting unit that a name, alias or code means.

    Raises
    ------
    NotFoundError
        When there is none; the message lists those that exist.
    """
    index = index_units(units)
    found = index.find(word)
    if found is None:
        raise NotFoundError(
            f"there is no reporting unit {word!r}; units: {', '.join(index.names) or 'none yet'}"
        )
    return found


def name_units(store: Store) -> list[dict[str, Any]]:
    """Return how the reporting units are called: `name`, and `name_en` where it is known."""
    frame = store.read("reporting_units", Query(columns=("name", "name_en")))
    return [
        {"name": name, "name_en": english}
        for name, english in zip(texts(frame, "name"), texts(frame, "name_en"), strict=True)
    ]


def keep_unit(
    incubators: pd.DataFrame, units: pd.DataFrame, unit: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the incubators of one unit, and the unit alone."""
    here = [found == unit for found in assign_units(incubators, units)]
    return incubators.loc[here].reset_index(drop=True), units.loc[units["name"] == unit]
