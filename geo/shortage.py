"""Shortage: demands without a space, summed by where and what they look for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geo.plain import share

BY = ("unit", "industry", "kind", "cause")
_NOT_SHORT = "not_eligible"  # who may not enter does not lack space
Row = Mapping[str, Any]  # a demand without a space, as a matching tells it


@dataclass(frozen=True)
class Shortage:
    """Demands without a space, by unit.

    Parameters
    ----------
    units
        `unit`, `demands`, `area_m2`, the share of all area, `causes` and the most frequent one;
        the largest area first. The unit is None where a demand wishes for none.
    industries, kinds
        The same sums by industry and by kind, whatever was chosen of the other.
    demands, area_m2
        The totals of what was chosen.
    industry, kind
        What was chosen; None for all.
    """

    units: tuple[Row, ...]
    industries: Mapping[str, Row]
    kinds: Mapping[str, Row]
    demands: int
    area_m2: float
    industry: str | None = None
    kind: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "units": [dict(one) for one in self.units],
            "industries": {key: dict(one) for key, one in self.industries.items()},
            "kinds": {key: dict(one) for key, one in self.kinds.items()},
            "demands": self.demands,
            "area_m2": self.area_m2,
            "industry": self.industry,
            "kind": self.kind,
        }


def keep_short(unmatched: Iterable[Row]) -> list[Row]:
    """Keep the demands that lack space: those that may enter but found none."""
    return [one for one in unmatched if one["cause"] != _NOT_SHORT]


def sum_by(rows: Iterable[Row], name: str) -> dict[str, dict[str, Any]]:
    """Sum demands and the least area that they ask for, by the value of a column.

    Returns
    -------
    dict
        The most demands first; under an empty text what has no value.

    >>> sum_by([{"unit": "A", "min_area_m2": 50.0}, {"unit": None, "min_area_m2": 7.0}], "unit")
    {'': {'demands': 1, 'area_m2': 7.0}, 'A': {'demands': 1, 'area_m2': 50.0}}
    """
    table: dict[str, dict[str, Any]] = {}
    for one in rows:
        sums = table.setdefault(str(one[name] or ""), {"demands": 0, "area_m2": 0.0})
        sums["demands"] += 1
        sums["area_m2"] += one["min_area_m2"]
    for sums in table.values():
        sums["area_m2"] = round(sums["area_m2"], 1)
    return dict(sorted(table.items(), key=lambda item: (-item[1]["demands"], item[0])))


def sum_shortage(
    unmatched: Sequence[Row], *, industry: str | None = None, kind: str | None = None
) -> Shortage:
    """Sum the shortage of one industry and kind, or of all, by unit.

    Examples
    --------
    >>> rows = [
    ...     {"unit": "A", "industry": "x", "kind": "rd", "cause": "rent", "min_area_m2": 100.0},
    ...     {"unit": "A", "industry": "y", "kind": "rd", "cause": "area", "min_area_m2": 50.0},
    ...     {"unit": "B", "industry": "x", "kind": None, "cause": "rent", "min_area_m2": 10.0}]
    >>> [(one["unit"], one["area_m2"]) for one in sum_shortage(rows, industry="x").units]
    [('A', 100.0), ('B', 10.0)]
    """
    short = keep_short(unmatched)
    of_industry = [one for one in short if industry is None or one["industry"] == industry]
    of_kind = [one for one in short if kind is None or one["kind"] == kind]
    chosen = [one for one in of_industry if kind is None or one["kind"] == kind]
    area_m2 = round(sum(one["min_area_m2"] for one in chosen), 1)
    units = []
    for unit, sums in sum_by(chosen, "unit").items():
        causes = sum_by([one for one in chosen if (one["unit"] or "") == unit], "cause")
        units.append(
            {
                "unit": unit or None,
                **sums,
                "share": share(sums["area_m2"], area_m2),
                "cause": next(iter(causes)),
                "causes": {cause: one["demands"] for cause, one in causes.items()},
            }
        )
    units.sort(key=lambda one: (-one["area_m2"], one["unit"] or ""))
    return Shortage(
        tuple(units),
        sum_by(of_kind, "industry"),
        sum_by(of_industry, "kind"),
        len(chosen),
        area_m2,
        industry,
        kind,
    )
