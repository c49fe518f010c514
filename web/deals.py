"""The staff's page of deals: what became of the pairs, and what can be done next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from geo.deals import LOST, REASONS, SIGNED, STATES, RefusedError
from layers.catalog import layer
from web.frame import PageFrame, render
from web.rows import Result, worded
from web.words import Words


def deals_page(
    page: Result,
    *,
    frame: PageFrame,
    held: Mapping[str, str],
    units: Sequence[str],
    refused: RefusedError | None = None,
    typed: Mapping[str, str] | None = None,
) -> str:
    """Draw deals.

    Parameters
    ----------
    page
        The deals as plain values.
    frame
        What the frame says.
    held
        What the address holds: `state`, `unit`, `demand`, `space`.
    units
        Names of the reporting units.
    refused, typed
        Why the step of a form was refused, and what was typed: `deal`, `area_m2`, `reason`, `note`.
    """
    w, typed = frame.words, typed or {}
    kept = {name: held.get(name, "") for name in ("state", "unit", "demand", "space")}
    return render(
        "deals.html",
        frame=frame,
        page="deals",
        report=page,
        rows=[_row(deal, w, typed) for deal in page["deals"]],
        states=[(state, state_word(state, w), page["counts"][state]) for state in STATES],
        reasons=reason_words(w),
        held=kept,
        units=units,
        whole=sum(page["counts"].values()),
        more={**kept, "after": page["next"]} if page["next"] else None,
        refused=refusal(refused, w),
        typed=typed,
    )


def reason_words(w: Words) -> list[tuple[str, str]]:
    """Return every reason for a loss with its words."""
    column = layer("deals").column("reason")
    return [(reason, worded(column, reason, w)) for reason in REASONS]


def state_word(state: str, w: Words) -> str:
    """Return a state in words.

    >>> from web.words import words
    >>> state_word("visited", words("zh"))
    '已看房'
    """
    return worded(layer("deals").column("state"), state, w)


def refusal(error: RefusedError | None, w: Words) -> str:
    """Return in words why a step was refused; empty where none was."""
    if error is None:
        return ""
    values = dict(error.values)
    for name in ("now", "state"):
        if name in values:
            values[name] = state_word(values[name], w) if values[name] else ""
    if "allowed" in values:
        values["allowed"] = w("deals.or").join(state_word(one, w) for one in values["allowed"])
    if "fails" in values:
        values["fails"] = w("deals.and").join(w(f"cause.{one}") for one in values["fails"])
    if "status" in values:
        values["status"] = worded(layer("demands").column("status"), values["status"], w)
    return w(f"deals.refused_{error.key}", **values)


def _row(deal: Result, w: Words, typed: Mapping[str, str]) -> dict[str, Any]:
    reason = layer("deals").column("reason")
    return {
        **deal,
        "title": deal["demand_title"] or deal["demand"],
        "place": deal["space_name"] or deal["space"],
        "word": state_word(deal["state"], w),
        "why": worded(reason, deal["reason"], w) if deal["reason"] else "",
        "history": [
            {
                **step,
                "word": state_word(step["state"], w),
                "why": worded(reason, step["reason"], w) if step["reason"] else "",
                "on": str(step["taken_at"])[:10],
            }
            for step in deal["steps"]
        ],
        "onward": [(s, w(f"deals.to_{s}")) for s in deal["allowed"] if s not in (SIGNED, LOST)],
        "can_sign": SIGNED in deal["allowed"],
        "can_lose": LOST in deal["allowed"],
        "taken": deal["demand_status"] == SIGNED and deal["state"] != SIGNED,
        "open": typed.get("deal") == deal["id"],
    }
