"""What a report tells: the answers of several questions about one day, and the places to draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import geopandas as gpd

SECTIONS = (
    "targets", "towns", "industries", "units", "amenities", "structure", "siting", "match",
    "check", "sources",
)  # fmt: skip
STAFF_SECTIONS = frozenset({"match", "check"})
ON_REQUEST = frozenset({"siting", "match"})


class Result(Protocol):
    """A typed result of a question."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""


@dataclass(frozen=True)
class ReportPlaces:
    """What the maps of a report show, in metres.

    Parameters
    ----------
    units
        Outlines of the reporting units that have one: `name`.
    towns
        Points of the industrial towns: `code`, `name`, `unit`, `state`.
    incubators
        Points of the incubators: `id`, `name`, `unit`, `status`.
    crs
        The metric system that they are in.
    """

    units: gpd.GeoDataFrame
    towns: gpd.GeoDataFrame
    incubators: gpd.GeoDataFrame
    crs: str


@dataclass(frozen=True)
class CityReport:
    """The answers that a report is made of.

    Parameters
    ----------
    as_of
        The day asked about, an ISO date.
    city
        The city as its pack names it.
    unit
        The reporting unit that it is about; None for the city.
    staff
        Whether it holds what only staff may see.
    results
        The answers by section, in the order of `SECTIONS`.
    terms
        How things are named: `indicators`, `categories` and `roles` of the rules, and `units`,
        the reporting units.
    rules
        Name, version and source of every rule in force.
    places
        What the maps show.
    demo_counted
        Whether any answer counts demo records.
    scenario
        The name of the scenario that was asked; None for the layers as they are.
    """

    as_of: str
    city: Mapping[str, Any]
    unit: str | None
    staff: bool
    results: Mapping[str, Result]
    terms: Mapping[str, Sequence[Mapping[str, Any]]]
    rules: Sequence[Mapping[str, Any]]
    places: ReportPlaces
    demo_counted: bool
    scenario: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values: the answer of every section under its name."""
        return {
            "as_of": self.as_of,
            "city": dict(self.city),
            "unit": self.unit,
            "scenario": self.scenario,
            "demo_counted": self.demo_counted,
            "rules": [dict(rule) for rule in self.rules],
            "sections": {key: result.to_json() for key, result in self.results.items()},
        }
