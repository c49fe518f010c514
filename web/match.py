"""The staff's page of matching: who suits whom, how well, what became of it, what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from geo.deals import LOST
from geo.matching import OPERATOR_WEIGHTS, PARTS, read_weights
from geo.shortage import BY
from layers.catalog import layer
from layers.workbook import Sheet
from web.deals import reason_words, state_word
from web.frame import PageFrame, render
from web.rows import Result, worded
from web.words import Words

PAGE = 100  # rows of a page
SORTS = ("score", "title", "space_name", "unit", "area_m2", "rent_cny_m2_month")
Deals = Mapping[tuple[str, str], Result]


@dataclass(frozen=True)
class MatchView:
    """How a matching is looked at.

    Parameters
    ----------
    held
        What the address holds, where it differs from the usual.
    weights, operator_weights
        The weights asked for; None for the usual ones.
    titles
        Titles of demands by id.
    looking
        Ids of the demands that look for space.
    deals
        Deals by demand and space.
    job
        The job that makes the matching, as its status says.
    stale
        Whether something has changed since it was made.
    """

    held: Mapping[str, Any]
    weights: Mapping[str, float] | None
    operator_weights: Mapping[str, float] | None
    titles: Mapping[str, str]
    looking: Sequence[str]
    deals: Deals = field(default_factory=dict)
    job: Mapping[str, Any] | None = None
    stale: bool = False


def match_page(report: Result | None, view: MatchView, *, frame: PageFrame) -> str:
    """Draw a matching.

    Parameters
    ----------
    report
        The report as plain values; None where nothing was asked, or the answer is on its way.
    view
        How it is looked at.
    frame
        What the frame says.
    """
    w = frame.words
    drawn = {} if report is None else _draw(report, view, w)
    return render(
        "match.html",
        frame=frame,
        page="match",
        report=report,
        held={**dict.fromkeys(_HELD, ""), **view.held},
        query=view.held,
        view=view,
        looking=[(key, view.titles.get(key, key)) for key in view.looking],
        weights=_weights(read_weights(view.weights), w),
        operator_weights=_weights(read_weights(view.operator_weights, OPERATOR_WEIGHTS), w),
        reasons=reason_words(w),
        words=w.section("match_js"),
        **{**dict.fromkeys(_DRAWN), **drawn},
    )


_HELD = ("mode", "demand", "space", "declined", "show", "sort", "cause")
_DRAWN = (
    "rows", "page_count", "page_number", "total", "columns", "comparison", "differing", "blocking",
    "shortage", "verdicts", "notes", "causes", "unmatched", "sort", "form_weights",
)  # fmt: skip


def _draw(report: Result, view: MatchView, w: Words) -> dict[str, Any]:
    """Return what the template needs of a report."""
    held = view.held
    showing = held.get("show", "pairs")
    sort = str(held.get("sort", "-score"))
    if showing == "unmatched":
        cause = held.get("cause")
        rows = [_lone(one, view.titles, w) for one in report["unmatched"]
                if not cause or one["cause"] == cause]  # fmt: skip
    else:
        rows = _sorted([_pair(pair, view, w) for pair in report["pairs"]], sort)
    pages = max(1, -(-len(rows) // PAGE))
    number = min(int(held.get("page", 1)), pages)
    return {
        "rows": rows[(number - 1) * PAGE : number * PAGE],
        "page_count": pages,
        "page_number": number,
        "total": len(rows),
        "sort": sort,
        "columns": [(name, w(f"match.col_{name}"), _turned(name, sort)) for name in SORTS],
        "comparison": [{**row, "name": w(f"match.{row['mode']}")} for row in report["comparison"]],
        "differing": [
            {**one, "title": view.titles.get(one["demand"], one["demand"])}
            for one in report["differing"][:PAGE]
        ],
        "blocking": [
            {**one, "title": view.titles.get(one["demand"], one["demand"])}
            for one in report["blocking_pairs"][:PAGE]
        ],
        "shortage": [
            (w(f"match.by_{name}"), _short(name, report["shortage"][name], w))
            for name in BY
            if report["shortage"].get(name)
        ],
        "verdicts": [_verdict(one, w) for one in report["eligibility"]],
        "notes": [w.pick(note) for note in report["notes"]],
        "causes": [
            (cause, w(f"cause.{cause}"), count)
            for cause, count in _count(one["cause"] for one in report["unmatched"]).items()
        ],
        "unmatched": len(report["unmatched"]),
        "form_weights": _kept(report["weights"]),
    }


def _kept(weights: Mapping[str, float]) -> str:
    """Return weights as the JSON that the form of the pairs sends back."""
    return orjson.dumps({name: value for name, value in weights.items() if value}).decode()


def _weights(weights: Mapping[str, float], w: Words) -> list[tuple[str, str, float]]:
    """Return every part with its words and weight in percent."""
    return [(name, w(f"part.{name}"), round(weights[name] * 100, 1)) for name in PARTS]


def _pair(pair: Result, view: MatchView, w: Words) -> dict[str, Any]:
    deal = view.deals.get((pair["demand"], pair["space"]))
    return {
        **pair,
        "title": view.titles.get(pair["demand"], pair["demand"]),
        "space_name": pair["space_name"] or pair["space"],
        "bars": [(w(f"part.{name}"), value) for name, value in pair["parts"].items()],
        "reasons": [
            {**one, "said": w.pick(one)} for one in pair["reasons"] if one["outcome"] == "unknown"
        ],
        "deal": deal and {**deal, "word": state_word(deal["state"], w)},
        "open": deal is None or deal["state"] == LOST,
    }


def _lone(one: Result, titles: Mapping[str, str], w: Words) -> dict[str, Any]:
    """Return a demand without a space as the table shows it."""
    return {
        **one,
        "title": titles.get(one["demand"], one["demand"]),
        "why": w.pick(one),
        "kind": _said("kind", one["kind"] or "", w),
        "reasons": [{**reason, "said": w.pick(reason)} for reason in one["reasons"]],
    }


def _verdict(one: Result, w: Words) -> dict[str, Any]:
    reasons = [
        {**reason, "said": w.pick(reason), "found": _found(reason["value"], w)}
        for reason in one["reasons"]
    ]
    return {**one, "name": w.pick(one), "reasons": reasons}


def _found(value: Any, w: Words) -> str:
    """Return in words what was found of a condition."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return w("site.yes" if value else "site.no")
    return f"{value:,.6g}" if isinstance(value, int | float) else str(value)


def _sorted(rows: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    """Sort pairs by a column, what has no value last, ties as they were."""
    name = sort.removeprefix("-")
    if name not in SORTS:
        return rows
    known = [row for row in rows if row[name] is not None]
    known.sort(key=lambda row: row[name], reverse=sort.startswith("-"))
    return known + [row for row in rows if row[name] is None]


def _turned(name: str, sort: str) -> str:
    """Return the order that a click on a heading brings.

    >>> _turned("score", "-score"), _turned("score", "title"), _turned("title", "-score")
    ('score', '-score', 'title')
    """
    first = f"-{name}" if name in ("score", "area_m2") else name
    return first if sort != first else first.removeprefix("-") if first[0] == "-" else f"-{name}"


def _count(values: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _short(name: str, sums: Mapping[str, Result], w: Words) -> list[tuple[str, Result]]:
    return [(_said(name, value, w), row) for value, row in sums.items()]


def _said(name: str, value: str, w: Words) -> str:
    if name == "kind":
        return worded(layer("spaces").column("kind"), value, w)
    return w.get(f"cause.{value}", value) if name == "cause" else value or w("site.none")


def match_sheets(
    report: Result, w: Words, *, titles: Mapping[str, str], deals: Deals
) -> list[Sheet]:
    """Return a matching as tables to take away: pairs, who has no space, the shortage, weights.

    Parameters
    ----------
    report
        The report as plain values.
    w
        The words.
    titles
        Titles of demands by id.
    deals
        Deals by demand and space.
    """
    parts = tuple(w(f"part.{name}") for name in PARTS)
    join = w("match.join")
    pairs = tuple(
        (
            pair["demand"], titles.get(pair["demand"]), pair["space"], pair["space_name"],
            pair["unit"], pair["area_m2"], pair["rent_cny_m2_month"], pair["score"],
            *(pair["parts"][name] for name in PARTS),
            w(f"match.{pair['eligible']}"),
            join.join(w.pick(one) for one in pair["reasons"] if one["outcome"] == "unknown"),
            state_word(deal["state"], w)
            if (deal := deals.get((pair["demand"], pair["space"])))
            else None,
        )
        for pair in report["pairs"]
    )  # fmt: skip
    lone = tuple(
        (
            one["demand"], titles.get(one["demand"]), one["unit"], one["industry"],
            _said("kind", one["kind"] or "", w), one["min_area_m2"], w.pick(one),
            join.join(f"{w.pick(reason)} {reason['clause']}" for reason in one["reasons"]),
        )
        for one in report["unmatched"]
    )  # fmt: skip
    short = tuple(
        (w(f"match.by_{name}"), said, row["demands"], row["area_m2"])
        for name in BY
        for said, row in _short(name, report["shortage"].get(name, {}), w)
    )
    theirs = report["operator_weights"] or {}
    weights = tuple(
        (label, report["weights"][name], theirs.get(name))
        for name, label in zip(PARTS, parts, strict=True)
    )
    rules = (w("match.rules"), f"{report['rule']['name']} {report['rule']['version']}", None)
    return [
        Sheet(
            w("match.pairs"),
            (*_heads(_PAIR_HEADS, w), *parts, w("match.rules"), w("match.missing"),
             w("match.deal")),
            pairs,
        ),
        Sheet(w("match.unmatched"), _heads(_LONE_HEADS, w), lone),
        Sheet(w("match.shortage"), (w("match.by"), w("match.value"), w("match.demands"), "m²"),
              short),
        Sheet(w("match.weights"), (w("match.part"), w("match.weights"),
              w("match.operator_weights")), (*weights, rules)),
    ]  # fmt: skip


_PAIR_HEADS = ("demand_id", "title", "space_id", "space_name", "unit", "area_m2",
               "rent_cny_m2_month", "score")  # fmt: skip
_LONE_HEADS = ("demand_id", "title", "unit", "industry", "kind", "min_area_m2", "cause",
               "conditions")  # fmt: skip


def _heads(names: Sequence[str], w: Words) -> tuple[str, ...]:
    return tuple(w(f"match.col_{name}") for name in names)
