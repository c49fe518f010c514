"""Concentration: how evenly something is spread over the parts of a city."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from geo.frames import Floats


@dataclass(frozen=True)
class Concentration:
    """How evenly area is spread over the units.

    `hhi` is the Herfindahl-Hirschman index, the sum of squared shares: 1 when all is in one unit,
    `hhi_even` when spread evenly. `gini` is 0 when even. `hhi_targets` and `gini_targets` are those
    of the plan's own targets: what the plan means the spread to be. None where there is nothing.
    """

    units: int
    hhi: float | None
    hhi_even: float | None
    hhi_targets: float | None
    gini: float | None
    gini_targets: float | None
    largest_unit: str | None
    largest_share: float | None


def concentrate(
    amounts: Mapping[str, float], *, weights: Mapping[str, float] | None = None
) -> Concentration:
    """Measure how evenly amounts are spread.

    Parameters
    ----------
    amounts
        By unit; units with nothing count too.
    weights
        The spread to compare with, by unit.

    Examples
    --------
    >>> found = concentrate({"North": 3.0, "South": 1.0})
    >>> found.hhi, found.hhi_even, found.gini, found.largest_share
    (0.625, 0.5, 0.25, 0.75)
    """
    values = np.array(list(amounts.values()), dtype=np.float64)
    total = float(values.sum())
    largest = max(amounts, key=lambda unit: amounts[unit]) if total > 0 else None
    compared = (
        np.array([float(weights.get(unit, 0.0)) for unit in amounts]) if weights else values[:0]
    )
    return Concentration(
        units=len(values),
        hhi=herfindahl(values),
        hhi_even=round(1.0 / len(values), 6) if len(values) else None,
        hhi_targets=herfindahl(compared),
        gini=gini(values),
        gini_targets=gini(compared),
        largest_unit=largest,
        largest_share=None if largest is None else round(amounts[largest] / total, 6),
    )


def herfindahl(values: Floats) -> float | None:
    r"""Return the Herfindahl-Hirschman index :math:`\sum (v_i / \sum v)^2`.

    >>> herfindahl(np.array([1.0, 1.0, 1.0, 1.0]))
    0.25
    """
    total = values.sum()
    return round(float(((values / total) ** 2).sum()), 6) if total > 0 else None


def gini(values: Floats) -> float | None:
    r"""Return the Gini coefficient :math:`\sum_{ij} |v_i - v_j| / (2 n \sum v)`.

    >>> gini(np.array([0.0, 0.0, 0.0, 4.0]))
    0.75
    """
    total, count = values.sum(), len(values)
    if not total > 0:
        return None
    ranks = 2 * np.arange(1, count + 1) - count - 1
    return round(float((ranks * np.sort(values)).sum() / (count * total)), 6)
