"""Records as GeoJSON, written from column arrays: each value once, each record in one piece.

A page of a hundred records is joined from pieces that were written before: what every value of a
column looks like is kept, and so is every record once it has been asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import orjson

from geo.columns import Columns
from layers.catalog import Column

_DIGITS = 6  # decimals of a degree: 0.1 m
_KEPT = 100_000  # records kept as JSON, about 1 kB each
_VALUES_KEPT = 100_000  # numbers and places kept as JSON
_CHUNK = 2_000  # records written at once ahead of the first question

_NUMBERS = {"date", "integer", "number"}


@dataclass(frozen=True, eq=False)
class Features:
    """Writes records as GeoJSON features of their public columns.

    Parameters
    ----------
    columns
        The records.
    declared
        The columns to write, in order; a column without value is left out.
    kept
        Features written before, by id.
    """

    columns: Columns
    declared: tuple[Column, ...]
    kept: dict[str, bytes] = field(default_factory=dict, repr=False)

    def write(self, rows: Sequence[int]) -> tuple[bytes, ...]:
        """Return records, each as the bytes of a feature."""
        ids, kept = self.columns.ids, self.kept
        missing = [row for row in rows if ids[row] not in kept]
        fresh = dict(zip(missing, self._written(missing), strict=True)) if missing else {}
        if len(kept) + len(fresh) <= _KEPT:
            kept.update({ids[row]: feature for row, feature in fresh.items()})
        return tuple(fresh[row] if row in fresh else kept[ids[row]] for row in rows)

    def warm_up(self) -> None:
        """Write ahead of the first question as many records as are kept."""
        for start in range(0, min(len(self.columns), _KEPT), _CHUNK):
            self.write(range(start, min(start + _CHUNK, len(self.columns))))

    def _written(self, rows: list[int]) -> list[bytes]:
        """Write records, column by column."""
        at = np.array(rows, dtype=np.int64)
        keys = [orjson.dumps(self.columns.ids[row]) for row in rows]
        pieces = [[b'{"type":"Feature","id":%b,"properties":{"id":%b' % (k, k) for k in keys]]
        for column in self.declared:
            if column.kind in _NUMBERS:
                values = self.columns.numbers[column.name][at].tolist()
                pieces.append([_number_text(column.name, column.kind, value) for value in values])
            else:
                texts = self._texts[column.name]
                codes = self.columns.coded[column.name].codes[at].tolist()
                pieces.append([texts[code] for code in codes])
        lon = np.round(self.columns.lon[at], _DIGITS).tolist()
        lat = np.round(self.columns.lat[at], _DIGITS).tolist()
        pieces.append([_point_text(x, y) for x, y in zip(lon, lat, strict=True)])
        return [b"".join(written) for written in zip(*pieces, strict=True)]

    @cached_property
    def _texts(self) -> dict[str, list[bytes]]:
        """What each value of a coded column looks like, nothing for the code of none."""
        return {
            column.name: [
                *(
                    f',"{column.name}":'.encode() + orjson.dumps(value)
                    for value in self.columns.coded[column.name].known
                ),
                b"",
            ]
            for column in self.declared
            if column.kind not in _NUMBERS
        }


@lru_cache(maxsize=_VALUES_KEPT)
def _number_text(column: str, kind: str, number: float) -> bytes:
    """Write a number or day of a record; nothing for none."""
    if math.isnan(number):
        return b""
    if kind == "date":
        plain: Any = str(np.datetime64(int(number), "D"))
    else:
        plain = int(number) if kind == "integer" else number
    return f',"{column}":'.encode() + orjson.dumps(plain)


@lru_cache(maxsize=_VALUES_KEPT)
def _point_text(lon: float, lat: float) -> bytes:
    """Write the place of a record, and its end."""
    if math.isnan(lon):
        return b'},"geometry":null}'
    return b'},"geometry":{"type":"Point","coordinates":%b}}' % orjson.dumps([lon, lat])
