"""Yearly indicators of a plan, counted from the layers where the records hold what it takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import pandas as pd

from geo.evidence import Evidence
from geo.frames import days, is_demo, numbers, texts
from geo.lifecycle import parse_day
from geo.states import muster
from geo.units import assign_units


@dataclass(frozen=True)
class Measured:
    """A value counted from the layers: of whom, when, what, and whether demo records count.

    `series` is how it grew, day by day of its records; `evidence` are the records.
    """

    unit: str
    year: int
    indicator: str
    value: float
    demo: bool
    series: tuple[tuple[pd.Timestamp, float], ...] = ()
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class _Entry:
    """What one record brings to an indicator; `on` None where only its year is known."""

    unit: str | None
    year: int
    indicator: str
    amount: float
    demo: bool
    incubator: str
    on: pd.Timestamp | None = None


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
    cells: dict[tuple[str, int, str], list[_Entry]] = defaultdict(list)
    for entry in entries:
        if entry.unit is not None:
            cells[entry.unit, entry.year, entry.indicator].append(entry)
    return [_add_up(*key, found) for key, found in sorted(cells.items())]


def _add_up(unit: str, year: int, indicator: str, entries: Sequence[_Entry]) -> Measured:
    amounts: dict[str, float] = defaultdict(float)
    by_day: dict[pd.Timestamp, float] = defaultdict(float)
    for entry in entries:
        amounts[entry.incubator] += entry.amount
        if entry.on is not None:
            by_day[entry.on] += entry.amount
    grown = accumulate(by_day[on] for on in sorted(by_day))
    return Measured(
        unit,
        year,
        indicator,
        round(sum(entry.amount for entry in entries), 4),
        any(entry.demo for entry in entries),
        series=tuple(zip(sorted(by_day), (round(value, 4) for value in grown), strict=True)),
        # Tenants are for the staff; their incubators stand for them.
        evidence=tuple(
            Evidence("incubators", key, round(amount, 6)) for key, amount in sorted(amounts.items())
        ),
    )


def _opened(running: pd.DataFrame, unit_of: Mapping[str, str | None]) -> Iterator[_Entry]:
    columns = zip(
        running["id"].tolist(),
        [pd.Timestamp(on) for on in days(running, "opened_on")],
        numbers(running, "area_m2").tolist(),
        is_demo(running).tolist(),
        strict=True,
    )
    for key, on, area_m2, demo in columns:
        if not pd.isna(on) and np.isfinite(area_m2):
            area = area_m2 / 10_000.0
            yield _Entry(unit_of.get(key), on.year, "incubation_area_10k_m2", area, demo, key, on)


def _chosen(
    present: pd.DataFrame, unit_of: Mapping[str, str | None], last_year: int
) -> Iterator[_Entry]:
    batches, demos = numbers(present, "twenty_batch"), is_demo(present).tolist()
    for key, batch, demo in zip(present["id"].tolist(), batches, demos, strict=True):
        if np.isfinite(batch) and batch <= last_year:
            yield _Entry(unit_of[key], int(batch), "twenty_incubators", 1.0, demo, key)


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
            when, key = pd.Timestamp(on), incubator or ""
            yield _Entry(unit_of.get(key), when.year, "tenant_firms", 1.0, demo, key, when)
