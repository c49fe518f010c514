"""Yearly indicators of a plan, counted from the layers where the records hold what it takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geo.frames import days, is_demo, numbers, texts
from geo.lifecycle import parse_day
from geo.states import muster
from geo.units import assign_units


@dataclass(frozen=True)
class Measured:
    """A value counted from the layers: of whom, when, what, and whether demo records count."""

    unit: str
    year: int
    indicator: str
    value: float
    demo: bool


_Entry = tuple[str | None, int, str, float, bool]


def measure_indicators(
    incubators: pd.DataFrame,
    tenants: pd.DataFrame,
    *,
    units: pd.DataFrame,
    towns_rule: Mapping[str, Any],
    as_of: Any,
) -> list[Measured]:
    """Count what the layers can tell: area opened, incubators chosen and firms entered each year.

    A unit gets a value only for years in which the layer holds a record of it: that there is none
    may mean that none was entered. Indicators that need a history of levels, titles or headcounts
    are not measured here.

    Parameters
    ----------
    incubators
        Records with `opened_on`, `area_m2`, `twenty_batch`.
    tenants
        Lifecycle events with `incubator`, `event`, `happened_on`.
    units
        Records of `reporting_units`.
    towns_rule
        The rule `towns`: what counts as operating.
    as_of
        The day up to which records count.

    Returns
    -------
    list
        Values of `incubation_area_10k_m2` (10,000 m²), `twenty_incubators` and `tenant_firms`.
    """
    fleet = muster(incubators, as_of=as_of, rule=towns_rule)
    units_of = assign_units(fleet.frame, units)
    unit_of = dict(zip(fleet.frame["id"].tolist(), units_of, strict=True))
    entries = [
        *_opened(fleet.operating, unit_of),
        *_chosen(fleet.present, unit_of, fleet.as_of.year),
        *_entered(tenants, unit_of, as_of),
    ]
    sums: dict[tuple[str, int, str], float] = defaultdict(float)
    demo: dict[tuple[str, int, str], bool] = defaultdict(bool)
    for unit, year, indicator, value, fictional in entries:
        if unit is not None:
            sums[unit, year, indicator] += value
            demo[unit, year, indicator] |= fictional
    return [Measured(*key, round(value, 4), demo[key]) for key, value in sorted(sums.items())]


def _years(frame: pd.DataFrame, column: str) -> list[int | None]:
    found = pd.DatetimeIndex(days(frame, column)).year
    return [None if pd.isna(year) else int(year) for year in found]


def _opened(running: pd.DataFrame, unit_of: Mapping[str, str | None]) -> Iterator[_Entry]:
    columns = zip(
        running["id"].tolist(),
        _years(running, "opened_on"),
        numbers(running, "area_m2").tolist(),
        is_demo(running).tolist(),
        strict=True,
    )
    for key, year, area_m2, demo in columns:
        if year is not None and np.isfinite(area_m2):
            yield unit_of.get(key), year, "incubation_area_10k_m2", area_m2 / 10_000.0, demo


def _chosen(
    present: pd.DataFrame, unit_of: Mapping[str, str | None], last_year: int
) -> Iterator[_Entry]:
    batches, demos = numbers(present, "twenty_batch"), is_demo(present).tolist()
    for key, batch, demo in zip(present["id"].tolist(), batches, demos, strict=True):
        if np.isfinite(batch) and batch <= last_year:
            yield unit_of[key], int(batch), "twenty_incubators", 1.0, demo


def _entered(
    tenants: pd.DataFrame, unit_of: Mapping[str, str | None], as_of: Any
) -> Iterator[_Entry]:
    day = np.datetime64(parse_day(as_of), "s")
    columns = zip(
        texts(tenants, "incubator"),
        texts(tenants, "event"),
        days(tenants, "happened_on"),
        is_demo(tenants).tolist(),
        strict=True,
    )
    for incubator, event, on, demo in columns:
        if event == "entry" and on <= day:
            year = int(pd.Timestamp(on).year)
            yield unit_of.get(incubator or ""), year, "tenant_firms", 1.0, demo
