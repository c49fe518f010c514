"""A layer as plain arrays, one a column, so that questions about every record take a moment."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_FLAGS_KEPT = 64  # a byte a record each

Slim = npt.NDArray[np.unsignedinteger[Any]]  # numbers from 0 in as few bytes as hold them


def slim_codes(codes: npt.NDArray[np.signedinteger[Any]], size: int) -> Slim:
    """Return codes in the fewest bytes, `size` in the place of -1: what is small is read quickly.

    >>> slim_codes(np.array([0, -1, 1]), 2)
    array([0, 2, 1], dtype=uint8)
    """
    return np.where(codes < 0, size, codes).astype(np.min_scalar_type(size))


@dataclass(frozen=True, eq=False)
class Ranks:
    """Numbers by their place among the different ones, exact and short.

    Parameters
    ----------
    ranks
        The place of each record's number; one beyond the last where it has none.
    values
        The different numbers, ascending.
    """

    ranks: Slim
    values: Floats

    def between(self, low: float, high: float) -> tuple[int, int]:
        """Return the first place from `low` on, and the first beyond `high`.

        >>> rank_numbers(np.array([3.0, np.nan, 1.0])).between(1.0, 2.0)
        (0, 1)
        """
        first = int(np.searchsorted(self.values, low, side="left"))
        return first, max(first, int(np.searchsorted(self.values, high, side="right")))


def rank_numbers(numbers: Floats) -> Ranks:
    """Put numbers in the order of their size; NaN is none."""
    known = np.isfinite(numbers)
    values, places = np.unique(numbers[known], return_inverse=True)
    ranks = np.full(len(numbers), -1, dtype=np.int64)
    ranks[known] = places.reshape(-1)
    return Ranks(slim_codes(ranks, len(values)), values)


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of few different values, as numbers.

    Parameters
    ----------
    codes
        The number of each record's value; -1 where it has none.
    known
        The different values: texts, truth values, or tuples of texts where a record holds several.
    """

    codes: Codes
    known: tuple[Any, ...]

    @cached_property
    def slim(self) -> Slim:
        """The codes in the fewest bytes, that of a missing value last."""
        return slim_codes(self.codes, len(self.known))

    def matching(self, test: Callable[[Any], bool]) -> Flags:
        """Tell which values pass a test; the last entry, that of a missing value, is False.

        >>> Coded(np.array([0, -1], dtype=np.int32), ("lab",)).matching(lambda v: v == "lab")
        array([ True, False])
        """
        return np.array([*map(test, self.known), False], dtype=np.bool_)

    def having(self, values: Iterable[str]) -> tuple[Slim, Flags]:
        """Return the codes, and which of them hold any of these single values.

        >>> Coded(np.array([1, -1], dtype=np.int32), (("a", "b"), ("b",))).having(["b"])
        (array([1, 2], dtype=uint8), array([ True,  True, False]))
        """
        allowed = np.zeros(len(self.known) + 1, dtype=np.bool_)
        for value in values:
            allowed[self._places.get(value, [])] = True
        return self.slim, allowed

    @property
    def single(self) -> AbstractSet[str]:
        """Every single value; those within tuples one by one."""
        return self._places.keys()

    def choices(self) -> tuple[str, ...]:
        """Return every single value, in order."""
        return tuple(sorted(self.single))

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        """The codes that hold each single value."""
        places: dict[str, list[int]] = {}
        for code, value in enumerate(self.known):
            for part in self.parts(value):
                places.setdefault(part, []).append(code)
        return places

    def parts(self, value: Any) -> tuple[str, ...]:
        """Return the single values of one value."""
        return value if isinstance(value, tuple) else (as_text(value),)


def as_text(value: Any) -> str:
    """Write a single value as addresses and facets have it.

    >>> as_text(True), as_text("lab")
    ('true', 'lab')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def encode(values: Sequence[Hashable | None]) -> Coded:
    """Give values numbers in the order that they first come.

    >>> encode(["b", None, "a", "b"]).codes.tolist()
    [0, -1, 1, 0]
    """
    index: dict[Hashable, int] = {}
    codes = np.fromiter(
        (-1 if value is None else index.setdefault(value, len(index)) for value in values),
        dtype=np.int32,
        count=len(values),
    )
    return Coded(codes, tuple(index))


@dataclass(frozen=True, eq=False)
class Order:
    """Records sorted by a key: those without one last, ties by id.

    Parameters
    ----------
    rows
        Records in order.
    keys
        Their keys in the same order, ascending; NaN last.
    """

    rows: Rows
    keys: Floats

    @cached_property
    def place(self) -> Rows:
        """Where each record stands in the order."""
        place = np.empty(len(self.rows), dtype=np.int64)
        place[self.rows] = np.arange(len(self.rows))
        return place

    def after(self, key: float, row: int) -> int:
        """Return how many records stand up to and including `row` of `key`.

        Parameters
        ----------
        key
            Its key; NaN for none.
        row
            Its number; of a record that has gone, that of the last one before it.
        """
        known = int(np.searchsorted(self.keys, np.inf, side="right"))
        if np.isnan(key):
            low, high = known, len(self.keys)
        else:
            low = int(np.searchsorted(self.keys[:known], key, side="left"))
            high = int(np.searchsorted(self.keys[:known], key, side="right"))
        return low + int(np.searchsorted(self.rows[low:high], row, side="right"))


def sort_rows(keys: Floats) -> Order:
    """Sort records by a key.

    >>> sort_rows(np.array([2.0, np.nan, 1.0, 2.0])).rows.tolist()
    [2, 0, 3, 1]
    """
    rows = np.argsort(keys, kind="stable")
    return Order(rows, keys[rows])


@dataclass(frozen=True, eq=False)
class Columns:
    """A layer as arrays; records in ascending order of id.

    Parameters
    ----------
    ids
        Ids, ascending.
    lon, lat
        Degrees; NaN without a place.
    numbers
        Numbers, and dates as days since 1970, by column; NaN where missing.
    coded
        Every other column.
    """

    ids: tuple[str, ...]
    lon: Floats
    lat: Floats
    numbers: Mapping[str, Floats]
    coded: Mapping[str, Coded]
    _orders: dict[tuple[str, bool], Order] = field(default_factory=dict, repr=False)
    _ranks: dict[str, Ranks] = field(default_factory=dict, repr=False)
    _flags: dict[Hashable, Flags] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.ids)

    def row_of(self, key: str) -> int | None:
        """Return the number of the record with an id; None when there is none."""
        at = bisect_left(self.ids, key)
        return at if at < len(self.ids) and self.ids[at] == key else None

    def row_before(self, key: str) -> int:
        """Return the number of the last record whose id is not after `key`; -1 for none."""
        return bisect_right(self.ids, key) - 1

    def keys(self, column: str) -> Floats:
        """Return what a column is sorted by: numbers, or the places of texts in their order."""
        if column in self.numbers:
            return self.numbers[column]
        coded = self.coded[column]
        names = sorted(range(len(coded.known)), key=lambda code: str(coded.known[code]))
        rank = np.full(len(names) + 1, np.nan)
        rank[names] = np.arange(len(names))
        return np.asarray(rank[coded.codes])

    def ranked(self, column: str) -> Ranks:
        """Return a column of numbers, `lon` or `lat` as ranks; worked out once."""
        if column not in self._ranks:
            places = {"lon": self.lon, "lat": self.lat}
            numbers = places[column] if column in places else self.numbers[column]
            self._ranks[column] = rank_numbers(numbers)
        return self._ranks[column]

    def keep_flags(self, key: Hashable, make: Callable[[], Flags]) -> Flags:
        """Return what a test says of every record; of those asked often worked out once."""
        found = self._flags.get(key)
        if found is None:
            found = self._flags[key] = make()
            if len(self._flags) > _FLAGS_KEPT:
                self._flags.pop(next(iter(self._flags)), None)
        return found

    def order(self, column: str, *, descending: bool = False) -> Order:
        """Return the records sorted by a column; worked out once."""
        wanted = (column, descending)
        if wanted not in self._orders:
            keys = np.arange(len(self), dtype=np.float64) if column == "id" else self.keys(column)
            self._orders[wanted] = sort_rows(-keys if descending else keys)
        return self._orders[wanted]

    def sort_key(self, column: str, value: Any) -> float:
        """Return the key that a value of a column is sorted by; NaN for none."""
        if value is None:
            return float("nan")
        if column in self.numbers:
            return float(value)
        names = sorted(str(known) for known in self.coded[column].known)
        at = bisect_left(names, str(value))
        return float(at) if at < len(names) and names[at] == str(value) else at - 0.5


def merge_columns(old: Columns, fresh: Columns, gone: Iterable[str]) -> Columns:
    """Return records with some taken out and others put in their place.

    Parameters
    ----------
    old
        The records.
    fresh
        Records to put in; those of the same id leave.
    gone
        Ids that leave.
    """
    gone = {*gone}
    rows = [old.row_of(key) for key in fresh.ids]
    if gone <= {*fresh.ids} and None not in rows:
        ids, places = old.ids, np.array(rows, dtype=np.int64)
    else:
        leaving = gone | {*fresh.ids}
        kept = np.array([key not in leaving for key in old.ids], dtype=np.bool_)
        both = [*(key for key in old.ids if key not in leaving), *fresh.ids]
        order = np.array(sorted(range(len(both)), key=both.__getitem__), dtype=np.int64)
        ids, places = tuple(both[row] for row in order.tolist()), None

    def merged(mine: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if places is None:
            return np.concatenate([mine[kept], theirs])[order]
        whole = mine.copy()
        whole[places] = theirs
        return whole

    coded = {}
    for name, mine in old.coded.items():
        theirs = fresh.coded[name]
        number = {value: code for code, value in enumerate(mine.known)}
        same = [number.setdefault(value, len(number)) for value in theirs.known]
        codes = np.array([*same, -1], dtype=np.int32)[theirs.codes]
        coded[name] = Coded(merged(mine.codes, codes), tuple(number))
    numbers = {name: merged(values, fresh.numbers[name]) for name, values in old.numbers.items()}
    return Columns(ids, merged(old.lon, fresh.lon), merged(old.lat, fresh.lat), numbers, coded)
