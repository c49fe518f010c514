"""Units ranked fairly: by how far each is with its own targets, not by raw figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from geo.issuers import TargetRow


@dataclass(frozen=True)
class UnitRank:
    """One unit: the mean share of its own targets, each counted up to 1, and how sure that is.

    `rank` is None for a unit of which nothing is known; equal means share a rank. `known` of
    `asked` targets have a value; `pace` is the mean of their paces today.
    """

    unit: str
    rank: int | None
    mean_share: float | None
    pace: float | None
    known: int
    asked: int
    reached: int
    demo: bool


def rank_units(
    rows: Sequence[TargetRow], units: Sequence[str], *, year: int, issuers: set[str]
) -> list[UnitRank]:
    """Rank units by the mean share of their own targets of a year.

    A target passed twice over does not make up for one missed: shares count up to 1. Targets of 0
    ask nothing and are left out; targets without a value are left out of the mean and told.

    Parameters
    ----------
    rows
        Target rows.
    units
        The units, in the order that equal ones stand in.
    year
        The year.
    issuers
        Whose targets count.

    Returns
    -------
    list
        The best first; units of which nothing is known last.
    """
    found = []
    for unit in units:
        own = [
            row
            for row in rows
            if (row.unit, row.year) == (unit, year)
            and row.issuer in issuers
            and not row.cumulative
            and row.target
        ]
        known = [row for row in own if row.share is not None]
        shares = [row.share or 0.0 for row in known]
        paces = [row.pace_today for row in known if row.pace_today is not None]
        found.append(
            UnitRank(
                unit=unit,
                rank=None,
                mean_share=_mean([min(one, 1.0) for one in shares]),
                pace=_mean(paces),
                known=len(known),
                asked=len(own),
                reached=sum(one >= 1.0 for one in shares),
                demo=any(row.demo for row in known),
            )
        )
    found.sort(key=lambda one: -1.0 if one.mean_share is None else one.mean_share, reverse=True)
    return [_placed(one, found) for one in found]


def _placed(one: UnitRank, all_: Sequence[UnitRank]) -> UnitRank:
    if one.mean_share is None:
        return one
    better = sum(
        other.mean_share is not None and other.mean_share > one.mean_share for other in all_
    )
    return UnitRank(**{**one.__dict__, "rank": better + 1})


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 6) if values else None
