"""Finding spaces: which records pass every filter, what each choice would bring, in which order.

Each record is held against all filters once. What it fails is kept: nothing, one filter, or more.
From that alone follow the records found, the counts beside every choice (each counted with the
other filters applied), and what relaxing one filter would bring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import combinations
from typing import Any

import numpy as np
from numba import njit

from geo.bundles import PASSED, SEVERAL, Fails, Tally, rows_where
from geo.columns import Coded, Columns, Flags, Order, Rows, Slim

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


@dataclass(frozen=True, eq=False)
class ByCode:
    """What was worked out for every code of something: whether records of that code pass.

    Parameters
    ----------
    parts
        Codes of the records, and for each code, then for none, whether it passes; a record passes
        where any part does.
    lasting
        Whether this very object is asked again, and what passes worth keeping.
    """

    parts: tuple[tuple[Slim, Flags], ...]
    lasting: bool = False


Condition = Within | AnyOf | AllOf | Rowwise | ByCode


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
        return int(np.count_nonzero(self._passed))

    @cached_property
    def _passed(self) -> Flags:
        return np.asarray(self.fails == PASSED)

    @cached_property
    def rows(self) -> Rows:
        """The records that pass every filter."""
        return rows_where(self._passed)

    def any_of(self, flags: Flags) -> bool:
        """Tell whether any record found has a flag."""
        return bool((self._passed & flags).any())

    def facets(self, tally: Tally, names: Mapping[str, str]) -> dict[str, dict[str, int]]:
        """Count the records of every choice of some columns, each with all other filters applied.

        Parameters
        ----------
        tally
            The columns, ready to be counted.
        names
            By column, the filter that belongs to it.

        Returns
        -------
        dict
            By column, the count of each value, the largest first; one that no record would have is
            left out.
        """
        number = {one.name: at for at, one in enumerate(self.filters)}
        own = {column: number[name] for column, name in names.items() if name in number}
        return tally.rank(tally.count(self.fails, own, len(self.filters)))

    def relaxed(self) -> tuple[Relaxation, ...]:
        """Tell which filter to let go and what that brings, the best first; pairs if none alone."""
        alone = _count_fails(self.fails, len(self.filters)).tolist()
        found = [
            Relaxation((one.name,), self.total + alone[n], self._nearest(n, one))
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
        values = self.columns.numbers[asked.column][rows_where(self.fails == number)]
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
        passes = reduce(np.logical_and, (_passing(columns, each) for each in one.conditions))
        _fail(passes, np.int8(number), fails)
    return Found(columns, tuple(filters), fails)


def _passing(columns: Columns, condition: Condition) -> Flags:
    """Tell which records pass a condition; of choices, which few make differently, that is kept."""
    match condition:
        case Within(column, low, high, unknown):
            held = columns.ranked(column)
            passes = _between(held.ranks, *held.between(low, high))
            return passes | (held.ranks == len(held.values)) if unknown else passes
        case AnyOf(column, values):
            coded = columns.coded[column]
            return columns.keep_flags(condition, lambda: _look_up(*coded.having(values)))
        case AllOf(column, values):
            return columns.keep_flags(condition, lambda: _all_of(columns.coded[column], {*values}))
        case Rowwise(passes):
            return passes
        case ByCode(lasting=True):
            return columns.keep_flags(condition, lambda: _by_code(len(columns), condition))
        case ByCode():
            return _by_code(len(columns), condition)


def _all_of(coded: Coded, wanted: set[str]) -> Flags:
    return _look_up(coded.slim, coded.matching(lambda value: wanted.issubset(coded.parts(value))))


def _by_code(size: int, condition: ByCode) -> Flags:
    found = (_look_up(codes, allowed) for codes, allowed in condition.parts)
    return reduce(np.logical_or, found) if condition.parts else np.zeros(size, dtype=np.bool_)


def _between(ranks: Slim, first: int, beyond: int) -> Flags:
    if beyond <= first:
        return np.zeros(len(ranks), dtype=np.bool_)
    # Ends as short as the ranks: what is compared in few bytes is compared many at a time.
    kind = ranks.dtype.type
    return _within(ranks, kind(first), kind(beyond - 1))


@njit(cache=True, nogil=True)
def _within(ranks: Slim, first: np.unsignedinteger[Any], last: np.unsignedinteger[Any]) -> Flags:
    passes = np.empty(len(ranks), dtype=np.bool_)
    for row in range(len(ranks)):
        rank = ranks[row]
        passes[row] = (first <= rank) & (rank <= last)
    return passes


@njit(cache=True, nogil=True)
def _look_up(codes: Slim, allowed: Flags) -> Flags:
    passes = np.empty(len(codes), dtype=np.bool_)
    for row in range(len(codes)):
        passes[row] = allowed[codes[row]]
    return passes


@njit(cache=True, nogil=True)
def _fail(passes: Flags, number: np.int8, fails: Fails) -> None:
    for row in range(len(fails)):
        failed = fails[row]
        fails[row] = failed if passes[row] else number if failed == PASSED else SEVERAL


@njit(cache=True, nogil=True)
def _count_fails(fails: Fails, filters: int) -> Rows:
    """Count the records that fail each filter alone."""
    counts = np.zeros(filters + 2, dtype=np.int64)
    for row in range(len(fails)):
        counts[fails[row] + 2] += 1
    return counts[2:]


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
