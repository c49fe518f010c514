"""Doubts: figures of progress that may be right but deserve a look before they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FAR = 2.0  # jobs per tenant twice as many as the plan counts, or half
_FIGURE = ("unit", "year", "indicator")

Report = Mapping[str, Any]


@dataclass(frozen=True)
class Doubt:
    """What deserves a look: its kind, the row that it is about, and the values to tell it with."""

    kind: str
    row: int
    values: Mapping[str, Any] = field(default_factory=dict)


def find_progress_doubts(
    fresh: Mapping[int, Report], held: Sequence[Report], rule: Mapping[str, Any]
) -> list[Doubt]:
    """Find doubts about reports of progress.

    Parameters
    ----------
    fresh
        New or changed reports by row, with `id`, `unit`, `year`, `indicator`, `value`,
        `reported_on`, `definition`.
    held
        Reports that the store has; those of the same id as a fresh one are passed over.
    rule
        The rule `targets`: `jobs_per_tenant`.

    Returns
    -------
    list of Doubt
        `falls`: less than reported before. `definition`: counted otherwise than before. `again`:
        the figure of that day is there already. `ratio`: jobs for each tenant far from the plan's.

    Examples
    --------
    >>> old = {"id": "a", "unit": "U", "year": 2026, "indicator": "jobs", "value": 50.0,
    ...        "reported_on": "2026-05-31", "definition": None}
    >>> new = {**old, "id": None, "value": 40.0, "reported_on": "2026-06-30"}
    >>> find_progress_doubts({3: new}, [old], {})
    [Doubt(kind='falls', row=3, values={'value': 40.0, 'before': 50.0, 'day': '2026-05-31'})]
    """
    own = {report["id"] for report in fresh.values() if report["id"] is not None}
    others = [report for report in held if report["id"] not in own]
    found: list[Doubt] = []
    for row, report in fresh.items():
        rest = [*others, *(one for place, one in fresh.items() if place != row)]
        found += _against_earlier(row, report, rest)
        found += _against_tenants(row, report, rest, rule.get("jobs_per_tenant"))
    return found


def _against_earlier(row: int, report: Report, rest: Sequence[Report]) -> Iterator[Doubt]:
    same = [one for one in rest if all(one[name] == report[name] for name in _FIGURE)]
    if any(one["reported_on"] == report["reported_on"] for one in same):
        yield Doubt("again", row, {"day": report["reported_on"]})
    earlier = [one for one in same if one["reported_on"] < report["reported_on"]]
    if not earlier:
        return
    last = max(earlier, key=lambda one: str(one["reported_on"]))
    if report["value"] < last["value"]:
        values = {"value": report["value"], "before": last["value"], "day": last["reported_on"]}
        yield Doubt("falls", row, values)
    if (report["definition"] or "") != (last["definition"] or ""):
        values = {"before": last["definition"] or "—", "day": last["reported_on"]}
        yield Doubt("definition", row, values)


def _against_tenants(
    row: int, report: Report, rest: Sequence[Report], wanted: float | None
) -> Iterator[Doubt]:
    """Hold jobs against tenants of the same unit and year, the report nearest in time."""
    partner = {"jobs": "tenant_firms", "tenant_firms": "jobs"}.get(report["indicator"])
    if not wanted or partner is None:
        return
    others = [
        one
        for one in rest
        if one["indicator"] == partner
        and (one["unit"], one["year"]) == (report["unit"], report["year"])
        and one["reported_on"] <= report["reported_on"]
    ]
    if not others:
        return
    other = max(others, key=lambda one: str(one["reported_on"]))
    jobs, tenants = (
        (report["value"], other["value"])
        if partner == "tenant_firms"
        else (other["value"], report["value"])
    )
    if jobs > wanted * FAR * tenants or jobs * FAR < wanted * tenants:
        yield Doubt("ratio", row, {"jobs": jobs, "tenants": tenants, "wanted": wanted})
