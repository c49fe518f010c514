"""Compile every kernel ahead of the first question: `python -m geo.warm`, run at set-up."""

import numpy as np

from geo import isochrone, reach
from geo.assignment import assign_best
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
from geo.stable import assign_stable


def main() -> None:
    """Compile what walks, what draws zones and what matches into numba's cache."""
    reach.warm_up()
    isochrone.warm_up()
    _match()


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
    assign_best(pairs, supply.vacant_m2)
    assign_stable(pairs, supply.vacant_m2)


if __name__ == "__main__":
    main()
