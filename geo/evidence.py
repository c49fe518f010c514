"""Evidence: the records behind a figure, and how the figure folds out of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.frames import Bools, Floats
from geo.plain import share

COUNT, SUM, SHARE, MEAN, LEAST, MOST, FEWEST, FIRST = (
    "count", "sum", "share", "mean", "least", "most", "fewest", "first",
)  # fmt: skip
FOLDS = (COUNT, SUM, SHARE, MEAN, LEAST, MOST, FEWEST, FIRST)


@dataclass(frozen=True)
class Evidence:
    """One record behind a figure.

    `amount` is what it brings, `counts` whether it counts (a record looked at that does not meet
    the condition is evidence too), `part` the part of the figure that it belongs to, and `weight`
    its weight in a mean.
    """

    layer: str
    id: str
    amount: float | None = None
    counts: bool = True
    part: str = ""
    weight: float = 1.0


def list_evidence(
    layer: str,
    frame: pd.DataFrame,
    *,
    amounts: Floats | None = None,
    counts: Bools | None = None,
    weights: Floats | None = None,
    part: str = "",
) -> tuple[Evidence, ...]:
    """Make evidence of the records of a frame, in their order.

    Parameters
    ----------
    layer
        The layer that the records are of.
    frame
        Records with `id`.
    amounts, counts, weights
        One a record; no amount, all counting and the weight 1 where not given.
    part
        The part of the figure that they belong to.
    """
    size = len(frame)
    ids = frame["id"].tolist() if "id" in frame else [""] * size
    brought = np.full(size, np.nan) if amounts is None else amounts
    meets = np.ones(size, dtype=bool) if counts is None else counts
    weighs = np.ones(size) if weights is None else weights
    return tuple(
        Evidence(layer, str(key), None if np.isnan(amount) else float(amount), bool(held), part, w)
        for key, amount, held, w in zip(ids, brought, meets, weighs.tolist(), strict=True)
    )


def fold(evidence: Iterable[Evidence], how: str) -> float | None:
    """Fold records into the figure that they stand behind.

    Parameters
    ----------
    evidence
        The records.
    how
        `count` those that count, `sum` or (weighted) `mean` of their amounts, the `least` or `most`
        of them, the `share` of those that count among all, the count of the part with the `fewest`,
        or the `first` amount.

    Returns
    -------
    float or None
        None where nothing is there to fold.

    Examples
    --------
    >>> two = [Evidence("projects", "a", 3.0), Evidence("projects", "b", 5.0, counts=False)]
    >>> fold(two, "count"), fold(two, "sum"), fold(two, "share"), fold([], "share")
    (1.0, 3.0, 0.5, None)
    """
    found = list(evidence)
    if how in _OF_ALL:
        return _OF_ALL[how](found)
    weighed = [(one.amount, one.weight) for one in found if one.counts and one.amount is not None]
    return _OF_AMOUNTS[how](weighed) if weighed else None


def _fewest(found: Sequence[Evidence]) -> float | None:
    parts = dict.fromkeys(one.part for one in found)
    counts = [sum(one.counts for one in found if one.part == part) for part in parts]
    return float(min(counts)) if counts else None


def _mean(weighed: Sequence[tuple[float, float]]) -> float | None:
    return share(sum(a * w for a, w in weighed), sum(w for _, w in weighed))


_OF_ALL: Mapping[str, Callable[[Sequence[Evidence]], float | None]] = {
    COUNT: lambda found: float(sum(one.counts for one in found)),
    SHARE: lambda found: share(sum(one.counts for one in found), len(found)),
    FEWEST: _fewest,
}
_OF_AMOUNTS: Mapping[str, Callable[[Sequence[tuple[float, float]]], float | None]] = {
    SUM: lambda weighed: round(float(sum(a for a, _ in weighed)), 6),
    MEAN: _mean,
    LEAST: lambda weighed: min(a for a, _ in weighed),
    MOST: lambda weighed: max(a for a, _ in weighed),
    FIRST: lambda weighed: weighed[0][0],
}
