"""The sections of a report: each draws one answer, in sentences, figures and tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    return _DRAWN[key](report, report.results[key].to_json(), w)
