"""Reporting units: who answers for a record, by its words, its codes or its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from geo.frames import flags, lists, numbers, points, polygons, texts


def short_code(code: str) -> str:
    """Shorten a division code (GB/T 2260) to the digits that say something.

    >>> short_code("330382114000"), short_code("330383000000"), short_code("330383")
    ('330382114', '330383', '330383')
    """
    code = code.strip()
    for length in (12, 9):
        if len(code) == length and code.isdigit() and code.endswith("000"):
            code = code[:-3]
    return code


@dataclass(frozen=True)
class UnitIndex:
    """The reporting units, to be found by name, alias or code.

    `names` stand in the order of their rank; `codes` maps every code that a unit has or is made of
    to its name; `without_towns` are the units that are their own town.
    """

    names: tuple[str, ...]
    words: Mapping[str, str]
    codes: Mapping[str, str]
    own_codes: Mapping[str, str]
    without_towns: frozenset[str]

    def find(self, word: str | None) -> str | None:
        """Return the name of the unit that a name, alias or code means."""
        return None if word is None else self.words.get(word)

    def find_by_code(self, code: str | None) -> str | None:
        """Return the unit that a division belongs to, the most special one.

        A unit made of two sub-districts takes them from the county around it.
        """
        if code is None:
            return None
        code = short_code(code)
        beginnings = (code[:length] for length in range(len(code), 0, -1))
        return next((self.codes[part] for part in beginnings if part in self.codes), None)

    def rank(self, unit: str | None) -> int:
        """Return the place of a unit in the order of units; unknown ones come last."""
        return self.names.index(unit) if unit in self.names else len(self.names)


def index_units(units: pd.DataFrame) -> UnitIndex:
    """Make the units findable.

    Parameters
    ----------
    units
        Records of `reporting_units`: `name`, `code`, and where known `aliases`, `division_codes`,
        `has_towns`, `rank`.

    Examples
    --------
    >>> units = pd.DataFrame({"name": ["North", "Port"], "code": ["01", "X"],
    ...                       "division_codes": [[], ["01002"]]})
    >>> index = index_units(units)
    >>> index.find_by_code("01001"), index.find_by_code("01002"), index.find("X")
    ('North', 'Port', 'Port')
    """
    names = [name or "" for name in texts(units, "name")]
    codes = [code or "" for code in texts(units, "code")]
    ranks = np.nan_to_num(numbers(units, "rank"), nan=np.inf)
    order = sorted(range(len(names)), key=lambda row: (ranks[row], names[row]))
    words: dict[str, str] = {}
    for group in (codes, *_columns(lists(units, "aliases")), names):  # a name beats an alias
        words.update({word: name for word, name in zip(group, names, strict=True) if word})
    parts = {
        short_code(code): name
        for name, members in zip(names, lists(units, "division_codes"), strict=True)
        for code in members
    }
    own = {short_code(code): name for code, name in zip(codes, names, strict=True) if code}
    has_towns = flags(units, "has_towns", missing=True)
    return UnitIndex(
        names=tuple(names[at] for at in order),
        words=words,
        codes={**parts, **own},
        own_codes={name: code for code, name in own.items()},
        without_towns=frozenset(n for n, has in zip(names, has_towns, strict=True) if not has),
    )


def _columns(rows: list[list[str]]) -> Iterable[list[str]]:
    """Turn ragged rows into columns of equal length, filled with blanks."""
    width = max((len(row) for row in rows), default=0)
    return ([row[at] if at < len(row) else "" for row in rows] for at in range(width))


def assign_units(
    frame: pd.DataFrame, units: pd.DataFrame, *, index: UnitIndex | None = None
) -> list[str | None]:
    """Tell the reporting unit of each record: as recorded, else by town code, else by place.

    Each record has one unit at most. A unit that lies inside another one takes its records: they
    are counted there and not in the unit around it.

    Parameters
    ----------
    frame
        Records with `unit` and where known `town_code` and points.
    units
        Records of `reporting_units`, with polygons where known.
    index
        `index_units(units)`, when the caller has it.

    Returns
    -------
    list
        A unit's name per record, or None.
    """
    index = index or index_units(units)
    assigned = [index.find(word) for word in texts(frame, "unit")]
    codes = texts(frame, "town_code")
    assigned = [
        unit or index.find_by_code(code) for unit, code in zip(assigned, codes, strict=True)
    ]
    open_rows = [row for row, unit in enumerate(assigned) if unit is None]
    if not open_rows:
        return assigned
    by_place = _units_by_place(frame.iloc[open_rows], units)
    for row, unit in zip(open_rows, by_place, strict=True):
        assigned[row] = unit
    return assigned


def _units_by_place(frame: pd.DataFrame, units: pd.DataFrame) -> list[str | None]:
    outlines, places, names = polygons(units), points(frame), texts(units, "name")
    around = texts(units, "inside")
    found: list[str | None] = [None] * len(frame)
    inner_first = sorted(range(len(names)), key=lambda row: (around[row] is None, names[row] or ""))
    for unit in inner_first:
        if outlines[unit] is None:
            continue
        for row in np.flatnonzero(shapely.intersects(outlines[unit], places)):
            found[row] = found[row] or names[unit]
    return found
