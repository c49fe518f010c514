"""Compile every kernel ahead of the first question: `python -m geo.warm`, run at set-up."""

import numpy as np

from geo import isochrone, reach
from geo.assignment import assign_best
from geo.bundles import tally_columns
from geo.columns import Columns, encode
from geo.matching import (
    PARTS,
    TECHNICAL,
    Supply,
    Wants,
    parts_of,
    rank_spaces,
    score_demands,
    score_pair,
    score_spaces,
)
from geo.pairs import list_pairs
from geo.spacefinder import AnyOf, Filter, Within, find
from geo.stable import assign_stable
from geo.textindex import index_texts


def main() -> None:
    """Compile what walks, what draws zones, what matches and what searches into numba's cache."""
    reach.warm_up()
    isochrone.warm_up()
    _match()
    _search()


def _match() -> None:
    """Match two demands to one space by every kernel."""
    one, codes, weights = np.ones(1), np.zeros(1, dtype=np.int32), np.ones(len(PARTS))
    supply = Supply(
        one, one, one, np.ones((1, len(TECHNICAL))), codes, codes, codes, codes, codes, codes,
        one, one, one, np.zeros(1, dtype=np.int64),
    )  # fmt: skip
    two, both, fit = np.ones(2), np.zeros(2, dtype=np.int32), np.ones((2, 2))
    wants = Wants(
        two, two, two, np.full((2, len(TECHNICAL)), np.nan), both, both, two, two,
        np.zeros(2, dtype=np.bool_), fit, fit, fit, fit, fit, fit,
    )  # fmt: skip
    score_spaces(supply, wants, 0, weights)
    score_demands(supply, wants, 0, weights)
    score_pair(supply, wants, 0, 0, weights)
    parts_of(supply, wants, 0, 0)
    rank_spaces(supply, wants, weights, limit=1)
    pairs = list_pairs(supply, wants, weights, weights)
    for room in (1.0, 9.0):  # for one demand; for both
        assign_best(pairs, supply.vacant_m2 * room)
    assign_stable(pairs, supply.vacant_m2)


def _search() -> None:
    """Search as many records as one, two and four bytes number, by every kind of filter."""
    for size in (3, 300, 70_000):
        values = np.arange(size, dtype=np.float64)
        names = encode([f"name {n}" for n in range(size)])
        columns = Columns(tuple(map(str, range(size))), values, values, {"n": values}, {"c": names})
        index_texts(names.known).find("name")
        tally = tally_columns(columns.coded, ("c",))
        for last in (0, size - 2):  # few pass; nearly all
            filters = [
                Filter("range", (Within("n", high=last),)),
                Filter("choice", (AnyOf("c", names.known[:-1]),)),
            ]
            found = find(columns, filters)
            found.facets(tally, {})
            found.relaxed()
            found.page(columns.order("n"), start=1, limit=1)


if __name__ == "__main__":
    main()
