"""The sections of a report: each draws one answer, in sentences, figures and tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from geo.report import CityReport
from web.report import place_sections, plan_sections
from web.report.document import Section
from web.words import Words

Draw = Callable[[CityReport, Mapping[str, Any], Words], Section]

_DRAWN: Mapping[str, Draw] = {
    "targets": plan_sections.draw_targets,
    "towns": plan_sections.draw_towns,
    "industries": plan_sections.draw_industries,
    "units": plan_sections.draw_units_and_goals,
    "amenities": place_sections.draw_amenities,
    "structure": place_sections.draw_structure,
    "siting": place_sections.draw_siting,
    "match": place_sections.draw_match,
    "check": place_sections.draw_check,
    "sources": place_sections.draw_sources,
}


def draw_section(report: CityReport, key: str, w: Words) -> Section:
    """Draw a section of a report.

    Parameters
    ----------
    report
        The report.
    key
        The section.
    w
        The words of its language.
    """
    return _DRAWN[key](report, rename(report.results[key].to_json(), called_units(report, w)), w)


def called_units(report: CityReport, w: Words) -> dict[str, str]:
    """Return how units are called in the language, where that differs from their name."""
    called = {unit["name"]: w.pick(unit, "name") for unit in report.terms["units"]}
    return {name: other for name, other in called.items() if other != name}


def rename(value: Any, names: Mapping[str, str]) -> Any:
    """Return an answer with every text that is one of the names put another way.

    >>> rename({"东区": 1, "rows": [{"unit": "东区", "note": "在东区"}]}, {"东区": "East"})
    {'East': 1, 'rows': [{'unit': 'East', 'note': '在东区'}]}
    """
    if not names:
        return value
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, Mapping):
        return {names.get(key, key): rename(item, names) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rename(item, names) for item in value]
    return value


def in_language(report: CityReport, w: Words) -> CityReport:
    """Return a report whose own texts and places call the units as the language does."""
    names = called_units(report, w)
    if not names:
        return report
    places = report.places
    units = places.units.assign(name=places.units["name"].replace(names))
    towns = places.towns.assign(
        name=places.towns["name"].replace(names), unit=places.towns["unit"].replace(names)
    )
    return replace(
        report,
        unit=rename(report.unit, names),
        places=replace(places, units=units, towns=towns),
    )
