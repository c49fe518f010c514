"""The parts of a city's spatial structure: which reading holds, and who belongs to which part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo.frames import days, lists, polygons, texts
from geo.units import UnitIndex, short_code


def choose_version(structure: pd.DataFrame, day: pd.Timestamp, version: str | None) -> pd.DataFrame:
    """Return the records of one reading: the one named, else the latest in force on the day."""
    versions = texts(structure, "version")
    if version is None:
        starts = days(structure, "valid_from")
        dated = sorted(
            ((start, name) for start, name in zip(starts, versions, strict=True) if name),
            key=lambda pair: (pd.Timestamp.min if pd.isna(pair[0]) else pair[0], pair[1]),
        )
        in_force = [pair for pair in dated if pd.isna(pair[0]) or pair[0] <= np.datetime64(day)]
        # Before the first reading there is none; the first is taken, and the report names it.
        version = (in_force[-1] if in_force else dated[0])[1] if dated else None
    return structure.loc[[name == version for name in versions]].reset_index(drop=True)


class Parts:
    """The parts of one reading of the structure, by polygon and by code."""

    def __init__(self, reading: pd.DataFrame, index: UnitIndex) -> None:
        self._roles = texts(reading, "role")
        self._names = texts(reading, "name")
        self._outlines = polygons(reading)
        self._by_code = {
            short_code(code): role
            for codes, role in zip(lists(reading, "division_codes"), self._roles, strict=True)
            for code in codes
            if role is not None
        }
        self._index = index

    def names_of(self, role: str) -> tuple[str, ...]:
        """Return the names of the parts that have a role."""
        pairs = zip(self._roles, self._names, strict=True)
        return tuple(name for held, name in pairs if held == role and name is not None)

    def find_roles(self, where: Any, code_sets: Sequence[Sequence[str]]) -> list[str | None]:
        """Return the role of each place: of the polygon around it, else of its codes."""
        found: list[str | None] = [None] * len(where)
        for outline, role in zip(self._outlines, self._roles, strict=True):
            if outline is not None:
                for row in np.flatnonzero(shapely.intersects(outline, where)):
                    found[row] = found[row] or role
        pairs = zip(found, code_sets, strict=True)
        return [role or self._role_of_codes(codes) for role, codes in pairs]

    def _role_of_codes(self, codes: Sequence[str]) -> str | None:
        """Return the role of the first code that a part names or is the beginning of."""
        for code in codes:
            for length in range(len(code), 0, -1):
                if code[:length] in self._by_code:
                    return self._by_code[code[:length]]
        return None


def code_sets(
    codes: Sequence[str | None], units: Sequence[str | None], index: UnitIndex
) -> list[list[str]]:
    """Return the codes to ask for each record: its town's, its unit's, its unit's divisions'."""
    parts: dict[str, list[str]] = {}
    for code, unit in index.codes.items():
        parts.setdefault(unit, []).append(code)
    return [
        [
            *([short_code(code)] if code is not None else []),
            *([index.own_codes[unit]] if unit is not None and unit in index.own_codes else []),
            *parts.get(unit or "", []),
        ]
        for code, unit in zip(codes, units, strict=True)
    ]
