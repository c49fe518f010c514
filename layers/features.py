"""Records as GeoJSON, written from column arrays: each value once, each record in one piece.

A page of a hundred records is joined from pieces that were written before: what every value of a
column looks like is kept, and so is every record once it has been asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import orjson

from geo.columns import Columns
from layers.catalog import Column

_DIGITS = 6  # decimals of a degree: 0.1 m
_KEPT = 100_000  # records kept as JSON, about 1 kB each

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

    def _written(self, rows: list[int]) -> list[bytes]:
        """Write records, column by column."""
        at = np.array(rows, dtype=np.int64)
        keys = [orjson.dumps(self.columns.ids[row]) for row in rows]
        pieces: list[list[bytes]] = [[b'{"type":"Feature","id":', k, b',"properties":{"id":', k]
                                     for k in keys]  # fmt: skip
        for column in self.declared:
            if column.kind in _NUMBERS:
                values = self.columns.numbers[column.name][at].tolist()
                label = f',"{column.name}":'.encode()
                for piece, value in zip(pieces, values, strict=True):
                    if value == value:  # noqa: PLR0124 - NaN differs from itself
                        piece.append(label + orjson.dumps(_plain(column.kind, value)))
            else:
                texts = self._texts[column.name]
                codes = self.columns.coded[column.name].codes[at].tolist()
                for piece, code in zip(pieces, codes, strict=True):
                    piece.append(texts[code])
        lon = np.round(self.columns.lon[at], _DIGITS).tolist()
        lat = np.round(self.columns.lat[at], _DIGITS).tolist()
        for piece, x, y in zip(pieces, lon, lat, strict=True):
            if x == x:  # noqa: PLR0124 - NaN
                piece.append(
                    b'},"geometry":{"type":"Point","coordinates":%b}}' % orjson.dumps([x, y])
                )
            else:
                piece.append(b'},"geometry":null}')
        return [b"".join(piece) for piece in pieces]

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


def _plain(kind: str, number: float) -> Any:
    if kind == "date":
        return str(np.datetime64(int(number), "D"))
    return int(number) if kind == "integer" else number
