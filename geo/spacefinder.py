"""Finding spaces: which records pass every filter, what each choice would bring, in which order.

Each record is held against all filters once. What it fails is kept: nothing, one filter, or more.
From that alone follow the records found, the counts beside every choice (each counted with the
other filters applied), and what relaxing one filter would bring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from geo.columns import Codes, Columns, Flags, Floats, Order, Rows

Fails = npt.NDArray[np.int8]

PASSED, SEVERAL = -1, -2  # else the number of the one filter that a record fails
_FEW = 2_000


@dataclass(frozen=True)
class Within:
    """A number or date from `low` to `high`, both included.

    Parameters
    ----------
    column
        A column of numbers.
    low, high
        The ends.
    unknown
        Whether a record without a value passes.
    """

    column: str
    low: float = -np.inf
    high: float = np.inf
    unknown: bool = False


@dataclass(frozen=True)
class AnyOf:
    """One of several values; of a column that holds several, any of them."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class AllOf:
    """Every one of several values, in a column that holds several."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Rowwise:
    """What was worked out elsewhere: whether each record passes."""

    passes: Flags


Condition = Within | AnyOf | AllOf | Rowwise


@dataclass(frozen=True)
class Filter:
    """What one filter asks, under the name that people know it by."""

    name: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Relaxation:
    """Filters that could be let go, and what that would bring.

    Parameters
    ----------
    filters
        Their names.
    count
        How many records would then be found.
    nearest
        For a single range: the value nearest to it that would do.
    """

    filters: tuple[str, ...]
    count: int
    nearest: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        found = {"filters": list(self.filters), "count": self.count}
        return found if self.nearest is None else {**found, "nearest": self.nearest}


@dataclass(frozen=True, eq=False)
class Found:
    """What filters found.

    Parameters
    ----------
    columns
        The records.
    filters
        The filters.
    fails
        What each record fails.
    """

    columns: Columns
    filters: tuple[Filter, ...]
    fails: Fails

    @cached_property
    def total(self) -> int:
        """How many records pass every filter."""
        return len(self.rows)

    @cached_property
    def _near(self) -> Rows:
        """The records that fail one filter at most: all that counts beside choices need."""
        return np.flatnonzero(self.fails > SEVERAL)

    @cached_property
    def rows(self) -> Rows:
        """The records that pass every filter."""
        return np.flatnonzero(self.fails == PASSED)

    def facet(self, column: str, name: str | None = None) -> dict[str, int]:
        """Count the records of every value of a column, with all other filters applied.

        Parameters
        ----------
        column
            A column of few values.
        name
            The filter that belongs to the column.

        Returns
        -------
        dict
            Count by value; a value that no record would have is left out, unless it is asked for.
        """
        coded = self.columns.coded[column]
        own = next((n for n, one in enumerate(self.filters) if one.name == name), PASSED)
        by_code = _count_codes(coded.codes, self._near, self.fails, own, len(coded.known))
        counts: dict[str, int] = {}
        for code in np.flatnonzero(by_code).tolist():
            for part in coded.parts(coded.known[code]):
                counts[part] = counts.get(part, 0) + int(by_code[code])
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def relaxed(self) -> tuple[Relaxation, ...]:
        """Tell which filter to let go and what that brings, the best first; pairs if none alone."""
        alone = np.bincount(self.fails[self.fails >= 0], minlength=len(self.filters))
        found = [
            Relaxation((one.name,), self.total + int(alone[n]), self._nearest(n, one))
            for n, one in enumerate(self.filters)
            if alone[n]
        ]
        if not found:
            found = [
                Relaxation((a.name, b.name), count)
                for a, b in combinations(self.filters, 2)
                if (count := self._without(a, b))
            ]
        return tuple(sorted(found, key=lambda one: (-one.count, one.filters)))

    def _without(self, *gone: Filter) -> int:
        kept = tuple(one for one in self.filters if one not in gone)
        return find(self.columns, kept).total

    def _nearest(self, number: int, one: Filter) -> float | None:
        """Return the value nearest to a single range among records that fail nothing else."""
        if len(one.conditions) != 1 or not isinstance(one.conditions[0], Within):
            return None
        asked = one.conditions[0]
        values = self.columns.numbers[asked.column][self.fails == number]
        values = values[np.isfinite(values)]
        if not len(values):
            return None
        away = np.maximum(asked.low - values, values - asked.high)
        return float(values[np.argmin(away)])

    def page(self, order: Order, *, start: int, limit: int) -> Rows:
        """Return the first records found from a place in an order on."""
        if not start and self.total <= _FEW:
            # Sorting few is quicker than looking for them among all.
            return self.rows[np.argsort(order.place[self.rows])][:limit]
        return _take(order.rows, self.fails, start, limit)


def find(columns: Columns, filters: Sequence[Filter]) -> Found:
    """Hold every record against every filter.

    Parameters
    ----------
    columns
        The records.
    filters
        The filters; all must pass.

    Returns
    -------
    Found
        What was found.
    """
    fails = np.full(len(columns), PASSED, dtype=np.int8)
    for number, one in enumerate(filters):
        for condition in one.conditions:
            _fail(columns, condition, number, fails)
    return Found(columns, tuple(filters), fails)


def _fail(columns: Columns, condition: Condition, number: int, fails: Fails) -> None:
    match condition:
        case Within(column, low, high, unknown):
            _fail_range(columns.numbers[column], float(low), float(high), unknown, number, fails)
        case AnyOf(column, values):
            coded, wanted = columns.coded[column], set(values)
            allowed = coded.matching(lambda value: not wanted.isdisjoint(coded.parts(value)))
            _fail_codes(coded.codes, allowed, number, fails)
        case AllOf(column, values):
            coded, wanted = columns.coded[column], set(values)
            allowed = coded.matching(lambda value: wanted.issubset(coded.parts(value)))
            _fail_codes(coded.codes, allowed, number, fails)
        case Rowwise(passes):
            _fail_rows(passes, number, fails)


@njit(cache=True, nogil=True, inline="always")
def _note(failed: int, number: int) -> int:
    """Return what a record fails once it also fails a filter."""
    return number if (failed == PASSED) | (failed == number) else SEVERAL


@njit(cache=True, nogil=True)
def _fail_range(
    values: Floats,
    low: float,
    high: float,
    unknown: bool,  # noqa: FBT001 - compiled functions take no keywords
    number: int,
    fails: Fails,
) -> None:
    for row in range(len(values)):
        value = values[row]
        passes = ((low <= value) & (value <= high)) | (unknown & np.isnan(value))
        fails[row] = fails[row] if passes else _note(fails[row], number)


@njit(cache=True, nogil=True)
def _fail_codes(codes: Codes, allowed: Flags, number: int, fails: Fails) -> None:
    for row in range(len(codes)):
        fails[row] = fails[row] if allowed[codes[row]] else _note(fails[row], number)


@njit(cache=True, nogil=True)
def _fail_rows(passes: Flags, number: int, fails: Fails) -> None:
    for row in range(len(passes)):
        fails[row] = fails[row] if passes[row] else _note(fails[row], number)


@njit(cache=True, nogil=True)
def _count_codes(codes: Codes, rows: Rows, fails: Fails, own: int, size: int) -> Rows:
    counts = np.zeros(size + 1, dtype=np.int64)
    for row in rows:
        counts[codes[row]] += (fails[row] == PASSED) | (fails[row] == own)
    return counts[:size]


@njit(cache=True, nogil=True)
def _take(rows: Rows, fails: Fails, start: int, limit: int) -> Rows:
    taken = np.empty(limit, dtype=np.int64)
    count = 0
    for at in range(start, len(rows)):
        if count == limit:
            break
        if fails[rows[at]] == PASSED:
            taken[count] = rows[at]
            count += 1
    return taken[:count]


def text_filter(columns: Columns, found: Mapping[str, Flags]) -> Flags:
    """Tell which records have a value found in any of some columns.

    Parameters
    ----------
    columns
        The records.
    found
        For each column, which of its values were found.
    """
    passes = np.zeros(len(columns), dtype=np.bool_)
    for column, values in found.items():
        if values.any():
            passes |= np.append(values, False)[columns.coded[column].codes]
    return passes
