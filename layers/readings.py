"""Drafts of readings of the spatial structure: taken apart, checked, written as records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
import shapely.geometry
from shapely.errors import ShapelyError

from geo.crs import STORED_CRS
from geo.errors import Fault, InputError, NotFoundError
from geo.frames import lists, shapes, texts
from geo.lifecycle import parse_day
from geo.plain import plain
from layers.store import Edit, Store

LAYER = "structure"
_MOST_PARTS = 500
_NAME_CHARACTERS = 200
# What shapely raises for values that are no geometry.
_NO_GEOMETRY = (
    ValueError, TypeError, KeyError, AttributeError, IndexError, ShapelyError,
)  # fmt: skip


@dataclass(frozen=True)
class PartDraft:
    """One part: its name and role, and the divisions that it is made of or its outline."""

    name: str
    role: str
    division_codes: tuple[str, ...] = ()
    outline: Any = None


@dataclass(frozen=True)
class Draft:
    """A reading that is not yet written."""

    version: str
    valid_from: str
    parts: tuple[PartDraft, ...]
    source: str = ""
    confidence: float | None = None
    note: str = ""

    def to_frame(self) -> gpd.GeoDataFrame:
        """Return the draft as records of the layer `structure`, without ids."""
        count = len(self.parts)
        return gpd.GeoDataFrame(
            {
                "name": [part.name for part in self.parts],
                "role": [part.role for part in self.parts],
                "version": [self.version] * count,
                "valid_from": [self.valid_from] * count,
                "confidence": pd.array([self.confidence] * count, dtype="Float64"),
                "division_codes": [list(part.division_codes) for part in self.parts],
                "note": [self.note or None] * count,
                "source": [self.source or None] * count,
                "as_of": [self.valid_from] * count,
                "provenance": ["entered"] * count,
            },
            geometry=gpd.GeoSeries([part.outline for part in self.parts], crs=STORED_CRS),
        )


def check_draft(draft: Draft, *, roles: Sequence[str], taken: Iterable[str]) -> None:
    """Refuse a draft that cannot become a version.

    Parameters
    ----------
    draft
        The draft.
    roles
        The keys of the roles that the city declares.
    taken
        The versions that there are: each name is used once, so that none is lost.

    Raises
    ------
    InputError
        With every fault found.
    """
    faults = list(_faults(draft, roles, set(taken)))
    if faults:
        raise InputError(str(faults[0]), faults)


def _faults(draft: Draft, roles: Sequence[str], taken: set[str]) -> Iterable[Fault]:
    yield from _heading_faults(draft, taken)
    if not draft.parts:
        yield Fault("parts", "are empty", None, "give at least one unit, town or outline a role")
    if len(draft.parts) > _MOST_PARTS:
        yield Fault("parts", "are too many", len(draft.parts), f"give at most {_MOST_PARTS}")
    for number, part in enumerate(draft.parts, start=1):
        yield from _part_faults(f"part {number} {part.name}".strip(), part, roles)


def _heading_faults(draft: Draft, taken: set[str]) -> Iterable[Fault]:
    if not draft.version:
        yield Fault("version", "is empty", None, "give the version a name of its own")
    elif draft.version in taken:
        yield Fault("version", "is taken", draft.version, "give another name; versions stay")
    if len(draft.version) > _NAME_CHARACTERS:
        yield Fault("version", "is too long", None, f"give at most {_NAME_CHARACTERS} characters")
    try:
        parse_day(draft.valid_from)
    except InputError:
        yield Fault("valid_from", "is not a day", draft.valid_from, "give YYYY-MM-DD")
    if draft.confidence is not None and not 0.0 <= draft.confidence <= 1.0:
        yield Fault("confidence", "is not 0 to 1", draft.confidence, "give a share such as 0.6")
    if not draft.source:
        yield Fault("source", "is empty", None, "say what the reading rests on")


def _part_faults(where: str, part: PartDraft, roles: Sequence[str]) -> Iterable[Fault]:
    if not part.name:
        yield Fault(where, "has no name", None, "give it one")
    if part.role not in roles:
        yield Fault(where, "has an unknown role", part.role, f"give one of {', '.join(roles)}")
    if not part.division_codes and part.outline is None:
        yield Fault(where, "is made of nothing", None, "give codes of divisions or an outline")
    if part.outline is not None:
        yield from _outline_faults(where, part.outline)


def _outline_faults(where: str, outline: Any) -> Iterable[Fault]:
    if outline.geom_type not in ("Polygon", "MultiPolygon") or outline.is_empty:
        yield Fault(where, "is no area", outline.geom_type, "draw a closed outline")
        return
    west, south, east, north = outline.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        yield Fault(where, "lies outside the globe", None, "give longitude, latitude in degrees")
    elif not outline.is_valid:
        yield Fault(
            where, "crosses itself", shapely.is_valid_reason(outline), "draw the outline anew"
        )


def read_draft(body: Mapping[str, Any]) -> Draft:
    """Take a draft from plain values: parts with `name`, `role`, `division_codes`, `geometry`.

    Raises
    ------
    InputError
        When an outline is no GeoJSON.
    """
    return Draft(
        version=str(body.get("version") or "").strip(),
        valid_from=str(body.get("valid_from") or "").strip(),
        source=str(body.get("source") or "").strip(),
        confidence=body.get("confidence"),
        note=str(body.get("note") or "").strip(),
        parts=tuple(
            PartDraft(
                str(part.get("name") or "").strip(),
                str(part.get("role") or ""),
                tuple(str(code) for code in part.get("division_codes") or ()),
                read_outline(part.get("geometry"), f"part {number}"),
            )
            for number, part in enumerate(body.get("parts") or (), start=1)
        ),
    )


def read_outline(geometry: Mapping[str, Any] | None, where: str) -> Any:
    """Read a GeoJSON geometry; None for none.

    Raises
    ------
    InputError
        When it is no GeoJSON geometry.

    >>> read_outline({"type": "Polygon", "coordinates": "x"}, "part 1")
    Traceback (most recent call last):
    geo.errors.InputError: part 1: is no GeoJSON geometry; give a Polygon of longitude, latitude
    """
    if geometry is None:
        return None
    try:
        return shapely.geometry.shape(dict(geometry))
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        ShapelyError,
    ) as error:
        fault = Fault(
            where, "is no GeoJSON geometry", None, "give a Polygon of longitude, latitude"
        )
        raise InputError(str(fault), [fault]) from error


def restore_draft(
    store: Store, version: str, *, name: str, valid_from: str, note: str = ""
) -> Draft:
    """Make a draft of an older version under a new name, so that every version stays.

    Raises
    ------
    NotFoundError
        When there is no such version.
    """
    structure = store.read(LAYER)
    held = structure.loc[[one == version for one in texts(structure, "version")]]
    if held.empty:
        raise NotFoundError(f"there is no version {version!r} of the structure")
    first = held["confidence"].dropna()
    columns = zip(
        texts(held, "name"), texts(held, "role"), lists(held, "division_codes"), shapes(held),
        strict=True,
    )  # fmt: skip
    return Draft(
        version=name,
        valid_from=valid_from,
        source=next(iter(texts(held, "source")), None) or version,
        confidence=plain(first.min()) if len(first) else None,
        note=note,
        parts=tuple(
            PartDraft(part or "", role or "", tuple(codes), outline)
            for part, role, codes, outline in columns
        ),
    )


def write_draft(edit: Edit, draft: Draft) -> list[str]:
    """Write a checked draft as a version of its own; return the ids of its parts."""
    return edit.insert(LAYER, draft.to_frame())
