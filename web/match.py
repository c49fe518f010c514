"""The staff's page of matching: who suits whom, how well, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from layers.catalog import layer
from web.frame import PageFrame, render
from web.rows import Result, worded
from web.words import Words

_SHORTAGE = ("unit", "industry", "kind", "cause")
_SHOWN = 500


def match_page(
    report: Result,
    *,
    frame: PageFrame,
    demands: Sequence[Result],
    held: Mapping[str, Any],
) -> str:
    """Draw a matching.

    Parameters
    ----------
    report
        The report as plain values.
    frame
        What the frame says.
    demands
        The open demands to choose from: `id` and `title`.
    held
        What the form holds: `mode`, `demand`, `space` and the weights as given.
    """
    w = frame.words
    titles = {one["id"]: one["title"] for one in demands}
    return render(
        "match.html",
        frame=frame,
        page="match",
        report=report,
        demands=demands,
        held=held,
        weights=[(name, w(f"part.{name}"), value) for name, value in report["weights"].items()],
        pairs=[_pair(pair, titles, w) for pair in report["pairs"][:_SHOWN]],
        unmatched=[
            {**one, "title": titles.get(one["demand"], one["demand"]), "why": w.pick(one)}
            for one in report["unmatched"][:_SHOWN]
        ],
        comparison=[{**row, "name": w(f"match.{row['mode']}")} for row in report["comparison"]],
        shortage=[
            (w(f"match.by_{name}"), _short(name, report["shortage"][name], w))
            for name in _SHORTAGE
            if report["shortage"].get(name)
        ],
        verdicts=[
            {**one, "name": w.pick(one), "reasons": [w.pick(r) for r in one["reasons"]
             if r["outcome"] != "pass"]}
            for one in report["eligibility"]
        ],
        notes=[w.pick(note) for note in report["notes"]],
    )  # fmt: skip


def _pair(pair: Result, titles: Mapping[str, str], w: Words) -> dict[str, Any]:
    return {
        **pair,
        "title": titles.get(pair["demand"], pair["demand"]),
        "parts": [(w(f"part.{name}"), value) for name, value in pair["parts"].items()],
        "reasons": [w.pick(one) for one in pair["reasons"] if one["outcome"] == "unknown"],
    }


def _short(name: str, sums: Mapping[str, Result], w: Words) -> list[tuple[str, Result]]:
    return [(_said(name, value, w), row) for value, row in sums.items()]


def _said(name: str, value: str, w: Words) -> str:
    if name == "kind":
        return worded(layer("spaces").column("kind"), value, w)
    return w.get(f"cause.{value}", value) if name == "cause" else value or w("site.none")
