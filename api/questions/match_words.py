"""What a matching says in words: what is met, what is not known, and why a demand has no space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from geo.eligibility import Verdict
from geo.match_report import CAUSES
from geo.matching import Supply, Wants

_NO_STREETS = {
    "key": "no_streets",
    "zh": "没有步行路网，步行时间按直线距离计算，实际更长",
    "en": "There is no street network: walking minutes are straight ahead and really longer",
}
_STRAIGHT = {
    "key": "straight",
    "zh": "需求很多，到意向地的时间按直线距离计算，实际更长",
    "en": "There are many demands: minutes to the places wished for are straight ahead and "
    "really longer",
}
_MISSING: Mapping[str, tuple[str, str]] = {
    "rent": ("租金不详", "rent not known"),
    "technical": ("部分技术条件不详", "some technical facts are not known"),
    "availability": ("可入驻日期不详", "date not known"),
}


def note_limits(*, streets: bool, straight: bool) -> tuple[Mapping[str, str], ...]:
    """Return what could not be answered as asked."""
    if not streets:
        return (_NO_STREETS,)
    return (_STRAIGHT,) if straight else ()


def explain_pair(
    supply: Supply, wants: Wants, d: int, s: int, verdicts: Sequence[Verdict]
) -> list[dict[str, str]]:
    """Return what is met and what is not known: each rule with its clause, and missing facts."""
    missing = {
        "rent": np.isnan(supply.rent[s]) and not np.isnan(wants.max_rent[d]),
        "technical": bool((np.isnan(supply.technical[s]) & ~np.isnan(wants.technical[d])).any()),
        "availability": np.isnan(supply.available_day[s]),
    }
    said = [
        {"key": f"rule.{one.rule}", "outcome": one.outcome, "zh": one.zh, "en": one.en,
         "clause": one.clause}
        for one in verdicts
    ]  # fmt: skip
    return said + [
        {"key": key, "outcome": "unknown", "zh": _MISSING[key][0], "en": _MISSING[key][1],
         "clause": ""}
        for key, absent in missing.items()
        if absent
    ]  # fmt: skip


def explain_unmatched(cause: str, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return why a demand has no space, with the conditions of entry that it does not meet."""
    zh, en = CAUSES[cause]
    failed = [
        {"zh": reason.zh, "en": reason.en, "clause": verdict.clause}
        for verdict in verdicts
        if cause == "not_eligible" and verdict.gate and verdict.outcome == "fail"
        for reason in verdict.reasons
        if reason.outcome == "fail"
    ]
    return {"cause": cause, "zh": zh, "en": en, "reasons": failed}
