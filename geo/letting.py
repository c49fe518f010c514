"""Letting: what is vacant of a space or an incubator before and after an area is signed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from geo.deals import RefusedError
from geo.errors import Fault

VACANT, OCCUPIED = "vacant", "occupied"


@dataclass(frozen=True)
class Room:
    """How much of a space there is to let.

    Parameters
    ----------
    area_m2
        The whole space.
    vacant_m2
        What of it is vacant; None where nobody said, then all of a vacant space is.
    part_m2
        The smallest part that is let; None for the whole only.
    status
        `vacant`, `occupied`, `reserved` or not known.
    """

    area_m2: float
    vacant_m2: float | None = None
    part_m2: float | None = None
    status: str | None = None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Room:
        """Return the room of a record of the layer `spaces`."""
        return cls(
            float(record["area_m2"]),
            _known(record.get("vacant_area_m2")),
            _known(record.get("min_area_m2")),
            record.get("status"),
        )

    @property
    def free_m2(self) -> float:
        """What can be let, in m²; nothing of a space that is not vacant.

        >>> Room(200.0, 80.0, status="vacant").free_m2, Room(200.0, status="reserved").free_m2
        (80.0, 0.0)
        """
        if self.status != VACANT:
            return 0.0
        return self.area_m2 if self.vacant_m2 is None else min(self.vacant_m2, self.area_m2)

    @property
    def least_m2(self) -> float:
        """The smallest area that can be let, in m²: a part, or all of a smaller rest."""
        part = self.area_m2 if self.part_m2 is None else self.part_m2
        return min(part, self.free_m2)

    def to_columns(self) -> dict[str, Any]:
        """Return what letting changes of the record."""
        return {"vacant_area_m2": self.vacant_m2, "status": self.status}


def let(room: Room, area_m2: float) -> Room:
    """Return a space after an area was let.

    Raises
    ------
    RefusedError
        When more than is vacant would be let, or less than the smallest part.

    >>> let(Room(200.0, 120.0, 50.0, "vacant"), 120.0)
    Room(area_m2=200.0, vacant_m2=0.0, part_m2=50.0, status='occupied')
    """
    free, least = room.free_m2, room.least_m2
    if area_m2 > free:
        fault = Fault("area_m2", f"only {free:g} m² are vacant", area_m2, "sign no more than that")
        raise RefusedError("oversold", fault, area=area_m2, free=free)
    if area_m2 < least:
        fault = Fault(
            "area_m2", f"no part below {least:g} m² is let", area_m2, "sign at least that"
        )
        raise RefusedError("part", fault, area=area_m2, least=least)
    rest = round_area(free - area_m2)
    return Room(room.area_m2, rest, room.part_m2, VACANT if rest > 0.0 else OCCUPIED)


def give_back(room: Room, area_m2: float) -> Room:
    """Return a space after an area let before is free again; never more than the whole space.

    >>> give_back(Room(200.0, 0.0, 50.0, "occupied"), 120.0).free_m2
    120.0
    """
    vacant = round_area(min(room.area_m2, (room.vacant_m2 or 0.0) + area_m2))
    return Room(
        room.area_m2, vacant, room.part_m2, VACANT if room.status == OCCUPIED else room.status
    )


def shift_areas(record: Mapping[str, Any], area_m2: float) -> dict[str, float]:
    """Return the areas of an incubator after more (or, below 0, less) of it is let.

    Only what is known changes, and nothing falls below 0.

    >>> shift_areas({"occupied_area_m2": 500.0, "vacant_area_m2": None}, 120.0)
    {'occupied_area_m2': 620.0}
    """
    shifts = {"occupied_area_m2": area_m2, "vacant_area_m2": -area_m2}
    return {
        name: round_area(max(0.0, known + shift))
        for name, shift in shifts.items()
        if (known := _known(record.get(name))) is not None
    }


def round_area(area_m2: float) -> float:
    """Round an area to a mm², so that what is given back is what was taken."""
    return round(float(area_m2), 6)


def _known(value: Any) -> float | None:
    return None if value is None or math.isnan(value) else float(value)
