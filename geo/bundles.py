"""Columns counted together: records say few combinations of what they share.

What a record takes over from its incubator comes in as many combinations as there are incubators.
Counting those once, and sharing each count out to the values in it, costs one pass over the records
where counting every column would cost one a column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from numba import njit

from geo.columns import Coded, Codes, Flags, Rows, Slim, slim_codes

Counts = npt.NDArray[np.int64]
Fails = npt.NDArray[np.int8]

PASSED, SEVERAL = -1, -2  # what a record fails; else the number of the only filter that it fails
MOST = 1_024  # combinations of a bundle; its counts then stay close to the processor


@dataclass(frozen=True, eq=False)
class Bundle:
    """Some columns whose values come in few combinations.

    Parameters
    ----------
    codes
        The combination of each record.
    size
        How many combinations there are.
    of
        For each column, the code of every combination.
    """

    codes: Slim
    size: int
    of: Mapping[str, Codes]

    def spread(self, column: str, allowed: Flags) -> Flags:
        """Tell of each combination whether its value of a column is allowed.

        Parameters
        ----------
        column
            One of its columns.
        allowed
            For each value, then for none.
        """
        return allowed[self.of[column]]


def bundle_columns(
    columns: Mapping[str, Coded], names: Sequence[str], *, most: int = MOST
) -> tuple[Bundle, ...]:
    """Put columns together, in the order given, as long as their combinations stay few.

    Parameters
    ----------
    columns
        The columns.
    names
        Those to put together; a column of more than `most` values stands alone.
    most
        The most combinations of a bundle of several.

    >>> kind, unit = Coded(np.array([0, 1, 0]), ("a", "b")), Coded(np.array([0, -1, 0]), ("x",))
    >>> [one] = bundle_columns({"kind": kind, "unit": unit}, ["kind", "unit"])
    >>> one.codes.tolist(), one.of["unit"].tolist()
    ([0, 1, 0], [0, -1])
    """
    bundles: list[Bundle] = []
    for name in names:
        coded = columns[name]
        alone = _number(coded.codes.astype(np.int64) + 1, len(coded.known) + 1)
        joined = _join(bundles[-1], coded, most) if bundles else None
        if joined is None:
            codes, values = alone
            made = Bundle(
                slim_codes(codes, len(values)), len(values), {name: (values - 1).astype(np.int32)}
            )
            bundles.append(made)
            continue
        codes, values = joined
        before, own = np.divmod(values, len(coded.known) + 1)
        of = {column: held[before] for column, held in bundles[-1].of.items()}
        bundles[-1] = Bundle(
            slim_codes(codes, len(values)), len(values), {**of, name: (own - 1).astype(np.int32)}
        )
    return tuple(bundles)


def _join(bundle: Bundle, coded: Coded, most: int) -> tuple[Codes, Counts] | None:
    width = len(coded.known) + 1
    if bundle.size > most or width > most:
        return None
    joint = bundle.codes.astype(np.int64) * width + coded.codes + 1
    codes, values = _number(joint, bundle.size * width)
    return (codes, values) if len(values) <= most else None


def _number(values: Counts, size: int) -> tuple[Codes, Counts]:
    """Give the values that occur numbers, in ascending order."""
    occurs = np.zeros(size, dtype=np.bool_)
    occurs[values] = True
    number = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
    return number[values], np.flatnonzero(occurs)


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts every choice of some columns at once.

    Parameters
    ----------
    bundles
        The columns, put together.
    choices
        By column, the single values that can be chosen, in ascending order.
    """

    bundles: tuple[Bundle, ...]
    choices: Mapping[str, tuple[str, ...]]
    _wholes: tuple[Codes, ...]
    _shares: tuple[tuple[Codes, Codes, Codes], ...]

    def count(self, fails: Fails, own: Mapping[str, int], filters: int) -> Counts:
        """Count the records of every choice, each with the filters of other columns applied.

        Parameters
        ----------
        fails
            What each record fails: -2 several filters, -1 none, else the number of the only one.
        own
            By column, the number of its filter; left out where it has none.
        filters
            How many filters there are.

        Returns
        -------
        Counts
            The count beside each choice, the choices of one column after those of another.
        """
        numbers = np.array([own.get(column, -1) for column in self.choices], dtype=np.int64)
        counts = np.zeros(len(self._flat), dtype=np.int64)
        # Whichever are fewer: those that may count, or those that take away from all.
        counting, failing = fails != SEVERAL, fails != PASSED
        few = bool(np.count_nonzero(counting) <= np.count_nonzero(failing))
        rows = rows_where(counting if few else failing)
        for bundle, whole, share in zip(self.bundles, self._wholes, self._shares, strict=True):
            met = np.zeros((bundle.size, filters + 2), dtype=np.int32)
            if few:
                _count(bundle.codes, rows, fails, met)
            else:
                met[:, 1] = whole
                _discount(bundle.codes, rows, fails, met)
            _share(met, *share, numbers, counts)
        return counts

    def rank(self, counts: Counts) -> dict[str, dict[str, int]]:
        """Return counts by column and choice, the largest first; what nothing has is left out."""
        # Choices stand in ascending order, so that equal counts do too.
        order = np.lexsort((-counts, self._column))
        order = order[counts[order] > 0]
        names, owners = list(self.choices), self._column[order].tolist()
        found: dict[str, dict[str, int]] = {name: {} for name in names}
        for owner, at, count in zip(owners, order.tolist(), counts[order].tolist(), strict=True):
            found[names[owner]][self._flat[at]] = count
        return found

    @cached_property
    def _flat(self) -> tuple[str, ...]:
        return tuple(choice for column in self.choices.values() for choice in column)

    @cached_property
    def _column(self) -> Counts:
        """The number of the column of each choice."""
        return np.repeat(np.arange(len(self.choices)), [*map(len, self.choices.values())])


def tally_columns(columns: Mapping[str, Coded], names: Sequence[str]) -> Tally:
    """Make columns ready to be counted.

    Parameters
    ----------
    columns
        The columns; of one whose records hold several values each of them counts.
    names
        Those to count.
    """
    choices = {name: columns[name].choices() for name in names}
    starts = dict(zip(names, np.cumsum([0, *map(len, choices.values())]).tolist(), strict=False))
    place = {name: number for number, name in enumerate(names)}
    bundles = bundle_columns(columns, names)
    shares = []
    for bundle in bundles:
        rows: list[tuple[int, int, int]] = []
        for name, of in bundle.of.items():
            coded = columns[name]
            at = {value: starts[name] + n for n, value in enumerate(choices[name])}
            parts = [sorted({at[part] for part in coded.parts(value)}) for value in coded.known]
            rows += [
                (combination, choice, place[name])
                for combination, code in enumerate(of.tolist())
                if code >= 0
                for choice in parts[code]
            ]
        table = np.array(rows, dtype=np.int32).reshape(-1, 3)
        shares.append((table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy()))
    wholes = tuple(
        np.bincount(bundle.codes, minlength=bundle.size).astype(np.int32) for bundle in bundles
    )
    return Tally(bundles, choices, wholes, tuple(shares))


def rows_where(flags: Flags) -> Rows:
    """Return the records that have a flag, in order; quickest where few have.

    >>> rows_where(np.array([False, True, True])).tolist()
    [1, 2]
    """
    eights = flags[: len(flags) // 8 * 8].view(np.uint64)
    return _rows_where(eights, flags, int(np.count_nonzero(flags)))


@njit(cache=True, nogil=True)
def _rows_where(eights: npt.NDArray[np.uint64], flags: Flags, count: int) -> Rows:
    rows = np.empty(count + 1, dtype=np.int64)
    at = 0
    for eight in range(len(eights)):
        if eights[eight]:
            for row in range(8 * eight, 8 * eight + 8):
                rows[at] = row  # written in any case: to jump would take longer
                at += flags[row]
    for row in range(8 * len(eights), len(flags)):
        rows[at] = row
        at += flags[row]
    return rows[:count]


@njit(cache=True, nogil=True)
def _count(codes: Slim, rows: Rows, fails: Fails, met: Codes) -> None:
    """Count records of each combination by what they fail: several, nothing, one filter."""
    for row in rows:
        met[codes[row], fails[row] + 2] += 1


@njit(cache=True, nogil=True)
def _discount(codes: Slim, rows: Rows, fails: Fails, met: Codes) -> None:
    """Move records that fail something from nothing to what they fail."""
    for row in rows:
        met[codes[row], 1] -= 1
        met[codes[row], fails[row] + 2] += 1


@njit(cache=True, nogil=True)
def _share(
    met: Codes, combination: Codes, choice: Codes, column: Codes, own: Counts, counts: Counts
) -> None:
    """Add the counts of combinations to those of the choices in them."""
    for at in range(len(choice)):
        found = met[combination[at], 1]
        number = own[column[at]]
        if number >= 0:
            found += met[combination[at], number + 2]
        counts[choice[at]] += found
