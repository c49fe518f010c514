"""What every question of siting answers with, and its shape as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.questions.site_candidates import Candidates
from api.questions.siting_words import Said
from geo.covering import Alternative, CurvePoint
from geo.plain import plain
from geo.solver import Status


@dataclass(frozen=True)
class SitingAnswer:
    """Where new space should go, how good that is and how surely.

    Parameters
    ----------
    model
        `towns`, `cover` or `programme`.
    status
        `optimal` within the gap asked for, `feasible` (time ran out), `cancelled`, `infeasible`.
    objective, bound, gap
        Value of the answer, what no answer can beat, and the share between them.
    sentence
        The answer in one sentence, in both languages.
    chosen
        The sites: `site`, `name`, `unit`, `lon`, `lat`, `year`, `adds`, `why` and more.
    alternatives
        Other sets nearly as good.
    curve
        Number of sites against what they cover.
    conflict
        What makes the question impossible, in words of both languages.
    candidates
        The sites chosen from.
    asked
        The parameters as they were understood.
    more
        What only this model has.
    rules
        Versions of the rules used, by name.
    demo_counted
        Whether demo records count.
    """

    model: str
    status: Status
    objective: float | None
    bound: float | None
    gap: float | None
    sentence: Said
    chosen: Sequence[Mapping[str, Any]]
    alternatives: Sequence[Mapping[str, Any]]
    curve: Sequence[Mapping[str, Any]]
    conflict: Sequence[Mapping[str, Any]]
    candidates: Candidates
    asked: Mapping[str, Any]
    more: Mapping[str, Any]
    rules: Mapping[str, int]
    demo_counted: bool

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        own = {key: value for key, value in vars(self).items() if key not in ("candidates", "more")}
        found = self.candidates
        answer: dict[str, Any] = plain(
            {
                **own,
                **self.more,
                "source": found.source,
                "candidates": found.to_json(),
                "left_out": list(found.left_out),
            }
        )
        return answer


def describe_site(candidates: Candidates, site: int) -> dict[str, Any]:
    """Return the record of a chosen site, without why."""
    row = candidates.frame.iloc[site]
    return {
        "site": str(row["id"]),
        "name": row["name"],
        "unit": row["unit"],
        "lon": round(float(row.geometry.x), 6),
        "lat": round(float(row.geometry.y), 6),
        "capacity_m2": row["capacity_m2"],
        "cost_cny": row["cost_cny"],
        "decision": "fixed" if site in candidates.choice.fixed else "candidate",
        "year": None,
    }


def name_sites(candidates: Candidates, sites: Sequence[int]) -> list[str]:
    """Return the names of candidates, their ids where they have none."""
    names, ids = candidates.frame["name"].tolist(), candidates.ids
    return [str(names[site] or ids[site]) for site in sites]


def describe_alternatives(
    candidates: Candidates, found: Sequence[Alternative], objective: float | None
) -> list[dict[str, Any]]:
    """Return alternatives by id, with what differs by name and the loss against the answer."""
    ids = candidates.ids
    return [
        {
            "sites": [ids[site] for site in one.sites],
            "objective": one.objective,
            "difference": one.objective - (objective or 0.0),
            "without": name_sites(candidates, one.without),
            "instead": name_sites(candidates, one.instead),
        }
        for one in found
    ]


def describe_curve(curve: Sequence[CurvePoint], demand: float) -> list[dict[str, Any]]:
    """Return the curve with shares of all demand."""
    return [
        {
            "p": point.p,
            "covered": point.covered,
            "bound": point.bound,
            "share": point.covered / demand if demand else None,
        }
        for point in curve
    ]
