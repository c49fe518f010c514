"""A report: the answers of the plan's questions about one day, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import geopandas as gpd
import pandas as pd

from api.days import parse_day
from api.questions.about import ask_about
from api.questions.amenity_board import ask_amenity_board
from api.questions.board import ask_board
from api.questions.check import ask_check
from api.questions.common import find_unit, name_units, read_layer, today
from api.questions.coverage import ask_industry_coverage, ask_town_coverage
from api.questions.match import ask_match
from api.questions.site_candidates import Scope
from api.questions.siting import ask_town_sites
from api.questions.structure import ask_structure
from api.questions.unit_coverage import ask_unit_coverage
from geo.errors import InputError
from geo.pool import Cancel, check_cancel
from geo.report import (
    ON_REQUEST,
    SECTIONS,
    STAFF_SECTIONS,
    CityReport,
    ReportPlaces,
    Result,
)
from geo.solver import Watch
from layers.store import Store

_SOLVE_S = 60.0
_RANDOMLESS_GAP = 0.0  # to the optimum: the same store gives the same sites

Tell = Callable[[str, float], None]


def choose_sections(sections: Sequence[str] | None, *, staff: bool) -> tuple[str, ...]:
    """Return the sections of a report in their order.

    Parameters
    ----------
    sections
        The sections wanted; those that are always at hand when None.
    staff
        Whether staff asks.

    Raises
    ------
    InputError
        When a section is not known, is given twice or is the staff's.

    >>> choose_sections(["towns", "targets"], staff=False)
    ('targets', 'towns')
    >>> choose_sections(["weather"], staff=True)
    Traceback (most recent call last):
    geo.errors.InputError: sections: 'weather' is not known; give some of targets, towns, ...
    """
    if sections is None:
        usual = [key for key in SECTIONS if key not in ON_REQUEST]
        return tuple(key for key in usual if staff or key not in STAFF_SECTIONS)
    if not sections:
        raise InputError(f"sections: none is given; give some of {', '.join(SECTIONS)}")
    for key in sections:
        if key not in SECTIONS:
            raise InputError(f"sections: {key!r} is not known; give some of {', '.join(SECTIONS)}")
        if key in STAFF_SECTIONS and not staff:
            raise InputError(f"sections: {key!r} is for staff; leave it out, or sign in as staff")
    return tuple(key for key in SECTIONS if key in sections)


def ask_report(
    store: Store,
    *,
    sections: Sequence[str] | None = None,
    unit: str | None = None,
    as_of: Any = None,
    demo: bool = True,
    staff: bool = False,
    progress: Tell | None = None,
    cancel: Cancel | None = None,
) -> CityReport:
    """Ask the questions of a report.

    Parameters
    ----------
    store
        The store.
    sections
        Which, of `geo.report.SECTIONS`; all but those on request when None.
    unit
        The reporting unit that it is about; the city when None.
    as_of
        The day asked about; today when None.
    demo
        Whether demo records count.
    staff
        Whether staff asks.
    progress
        Called with the section and the share done.
    cancel
        Asked before each section.

    Raises
    ------
    InputError
        When a section or the day cannot be taken.
    NotFoundError
        When there is no such unit.
    CancelledError
        When `cancel` said yes.
    """
    chosen = choose_sections(sections, staff=staff)
    day = parse_day(str(as_of), "date") if as_of is not None else today()
    units = read_layer(store, "reporting_units", demo=demo)
    name = None if unit is None else find_unit(units, unit)
    asked: Mapping[str, Callable[[], Result]] = {
        "targets": lambda: ask_board(store, unit=name, as_of=day, demo=demo),
        "towns": lambda: ask_town_coverage(store, as_of=day, unit=name, demo=demo),
        "industries": lambda: ask_industry_coverage(store, as_of=day, unit=name, demo=demo),
        "units": lambda: ask_unit_coverage(store, as_of=day, unit=name, demo=demo),
        "amenities": lambda: ask_amenity_board(store, unit=name, demo=demo),
        "structure": lambda: ask_structure(store, unit=name, as_of=day, demo=demo),
        "siting": lambda: ask_town_sites(
            store,
            scope=Scope(unit=name, demo=demo),
            watch=Watch.start(_SOLVE_S, gap=_RANDOMLESS_GAP, cancel=cancel),
        ),
        "match": lambda: ask_match(store, demo=demo),
        "check": lambda: ask_check(store),
        "sources": lambda: ask_about(store),
    }
    results: dict[str, Result] = {}
    for at, key in enumerate(chosen):
        check_cancel(cancel)
        if progress is not None:
            progress(key, at / len(chosen))
        results[key] = asked[key]()
    check_cancel(cancel)
    about = results.get("sources") or ask_about(store)
    return CityReport(
        as_of=day.isoformat() if day else "",
        city=store.meta("city") or {},
        unit=name,
        staff=staff,
        results=results,
        terms={
            "indicators": store.rules("targets").body["indicators"],
            "categories": store.rules("amenities").body["categories"],
            "roles": (store.meta("city") or {}).get("roles", ()),
            "units": name_units(store),
        },
        rules=about.to_json()["rules"],
        places=_read_places(store, units, day=day, unit=name, demo=demo),
        demo_counted=any(getattr(one, "demo_counted", False) for one in results.values()),
        scenario=store.lens.name if store.lens else None,
    )


def _read_places(
    store: Store, units: pd.DataFrame, *, day: Any, unit: str | None, demo: bool
) -> ReportPlaces:
    """Read what the maps show, in metres."""
    crs = store.metric_crs
    coverage = ask_town_coverage(store, as_of=day, unit=unit, demo=demo)
    rows = pd.DataFrame(
        [(row.code, row.name, row.unit, row.state, row.lon, row.lat) for row in coverage.towns],
        columns=["code", "name", "unit", "state", "lon", "lat"],
    )
    towns = gpd.GeoDataFrame(
        rows.drop(columns=["lon", "lat"]),
        geometry=gpd.points_from_xy(rows["lon"].astype(float), rows["lat"].astype(float)),
        crs=units.crs if isinstance(units, gpd.GeoDataFrame) else None,
    )
    incubators = read_layer(store, "incubators", demo=demo)
    return ReportPlaces(
        units=_in_metres(units, ["name"], crs),
        towns=towns.loc[rows["lon"].notna()].to_crs(crs),
        incubators=_in_metres(incubators, ["id", "name", "unit", "status"], crs),
        crs=crs.to_string(),
    )


def _in_metres(frame: pd.DataFrame, columns: list[str], crs: Any) -> gpd.GeoDataFrame:
    placed = gpd.GeoDataFrame(frame)[[*columns, "geometry"]]
    return placed.loc[placed.geometry.notna()].reset_index(drop=True).to_crs(crs)
