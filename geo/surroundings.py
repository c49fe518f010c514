"""What lies around one place: zones on foot, daily life, the nearest station, platforms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geo.amenities import Planning
from geo.catchment import Catchment
from geo.circles import Compliance
from geo.plain import plain


@dataclass(frozen=True)
class Neighbour:
    """A named place nearby.

    `metres` are straight ahead. `minutes` are on foot; None where it is not reached within the
    longest walk asked for, or where there are no streets to walk on.
    """

    id: str
    name: str
    metres: int
    minutes: float | None


@dataclass(frozen=True)
class Station(Neighbour):
    """The nearest station, and its lines."""

    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Platform(Neighbour):
    """A technical platform; `suits` where it serves one of the industries of the place.

    `rough` where its own place is known to its town or unit only.
    """

    kind: str | None = None
    industries: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    suits: bool = False
    rough: bool = False


@dataclass(frozen=True)
class Spot:
    """An amenity within the longest zone: where it is, and its category."""

    lon: float
    lat: float
    category: str


@dataclass(frozen=True)
class Surroundings:
    """What lies around one place.

    Parameters
    ----------
    catchment
        The zones, and what is in each by category.
    planning
        The planning test at the place itself; None without streets or off them.
    nearest
        By category, the nearest amenity; left out where none is reached.
    station
        The nearest station; None where the store has none.
    platforms
        Technical platforms, those that suit first, then by distance.
    spots
        Amenities within the longest zone, the nearest first, for the small map.
    demo_counted
        Whether demo records were counted.
    rule
        Name and version of the rules.
    """

    catchment: Catchment
    planning: Planning | None
    nearest: Mapping[str, Neighbour]
    station: Station | None
    platforms: tuple[Platform, ...]
    spots: tuple[Spot, ...]
    demo_counted: bool
    rule: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return plain values, the zones as GeoJSON."""
        return {
            "zones": self.catchment.to_json(),
            "planning": plain(self.planning),
            "nearest": plain(self.nearest),
            "station": plain(self.station),
            "platforms": plain(self.platforms),
            "demo_counted": self.demo_counted,
            "rule": plain(self.rule),
        }


@dataclass(frozen=True)
class PlaceFacts:
    """What the page of a space or incubator tells beside its record.

    Parameters
    ----------
    around
        What lies around; None where the place is not known.
    compliance
        The standard's test, by the circle of the incubator; None where there is none.
    approximate
        Whether the incubator's place is known to its town or unit only: then neither test says
        anything about it.
    unconfirmed_days
        For how many days nobody has confirmed the record; None where that is not known.
    stale
        Whether that is too long.
    """

    around: Surroundings | None
    compliance: Compliance | None
    approximate: bool
    unconfirmed_days: int | None
    stale: bool

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "around": None if self.around is None else self.around.to_json(),
            "compliance": plain(self.compliance),
            "approximate": self.approximate,
            "unconfirmed_days": self.unconfirmed_days,
            "stale": self.stale,
        }


def rank_platforms(found: Sequence[Platform], *, most: int) -> tuple[Platform, ...]:
    """Return the platforms worth naming: those that suit first, then by distance, ties by id.

    >>> near, far = Platform("a", "A", 10, None), Platform("b", "B", 99, None, suits=True)
    >>> [one.id for one in rank_platforms([near, far], most=1)]
    ['b']
    """
    return tuple(sorted(found, key=lambda one: (not one.suits, one.metres, one.id))[:most])
