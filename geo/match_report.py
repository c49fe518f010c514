"""What a matching says: who goes where, why, and who is left with nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from geo.eligibility import Verdict

Mode = Literal["spaces", "demands", "best", "stable", "compare"]
Status = Literal["done", "stopped"]

CAUSES: Mapping[str, tuple[str, str]] = {
    "vacant": ("没有空置空间", "no space is vacant"),
    "area": ("没有面积合适的空间", "no space has the area"),
    "rent": ("租金都超出预算", "every rent is over the budget"),
    "technical": ("技术条件都不满足", "no space meets the technical needs"),
    "term": ("租期都不合适", "no space is let for the term"),
    "taken": ("合适的空间已分给其他需求", "what would do went to other demands"),
    "declined": ("合适的空间都已否决", "what would do was declined"),
    "not_eligible": ("不符合入驻条件", "the rules of entry are not met"),
}


@dataclass(frozen=True)
class MatchReport:
    """A matching.

    Parameters
    ----------
    mode
        Which question was answered.
    weights, operator_weights
        What the parts were weighed by, summing to 1.
    pairs
        Demand, space, area, score, parts, reasons, and the deal that the pair has.
    unmatched
        Demands without a space, and why.
    status
        `stopped` when the best found so far was asked for before the end.
    objective, bound, gap
        Of the best assignment: sum of the scores, what none can exceed, and the share between.
    blocking
        Pairs that would rather have each other.
    blocking_pairs
        The first of them.
    comparison, differing
        Best and stable side by side, and the demands that they give different spaces.
    shortage
        Demands and area without a space, by unit, industry and kind.
    eligibility
        What the rules say of the demand asked about.
    declined
        How many pairs were left out because the staff declined them.
    rule
        The rules used, with their version and source.
    notes
        What could not be answered as asked.
    demo_counted
        Whether demo records are counted.
    """

    mode: Mode
    weights: Mapping[str, float]
    pairs: tuple[Mapping[str, Any], ...]
    unmatched: tuple[Mapping[str, Any], ...] = ()
    operator_weights: Mapping[str, float] | None = None
    status: Status = "done"
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    blocking: int | None = None
    blocking_pairs: tuple[Mapping[str, Any], ...] = ()
    comparison: tuple[Mapping[str, Any], ...] = ()
    differing: tuple[Mapping[str, Any], ...] = ()
    shortage: Mapping[str, Any] = field(default_factory=dict)
    eligibility: tuple[Verdict, ...] = ()
    declined: int = 0
    rule: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Mapping[str, str], ...] = ()
    demo_counted: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "mode": self.mode,
            "weights": dict(self.weights),
            "operator_weights": dict(self.operator_weights or {}) or None,
            "pairs": [dict(pair) for pair in self.pairs],
            "unmatched": [dict(one) for one in self.unmatched],
            "status": self.status,
            "objective": self.objective,
            "bound": self.bound,
            "gap": self.gap,
            "blocking": self.blocking,
            "blocking_pairs": [dict(pair) for pair in self.blocking_pairs],
            "comparison": [dict(row) for row in self.comparison],
            "differing": [dict(one) for one in self.differing],
            "shortage": dict(self.shortage),
            "eligibility": [verdict.to_json() for verdict in self.eligibility],
            "declined": self.declined,
            "rule": dict(self.rule),
            "notes": [dict(note) for note in self.notes],
            "demo_counted": self.demo_counted,
        }
