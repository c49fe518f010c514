"""The map of units on the board: a yearly indicator or a counted goal, with table and legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from web.frame import figure, percent
from web.rows import SHARE, Result, chart_year, rule_of
from web.timemap import STEPS, UNKNOWN, Ground, time_map
from web.words import Words

Shares = dict[str, dict[int, float | None]]
Labels = dict[str, dict[int, str]]


def time_part(
    board: Result,
    asked: Mapping[str, Any],
    known: Mapping[str, Result],
    w: Words,
    *,
    ground: Ground | None,
    goals: Sequence[Result] = (),
) -> dict[str, Any] | None:
    """Return the map of units by year and the table that says the same.

    Parameters
    ----------
    board
        The whole board.
    asked
        What was asked: `map` (an indicator, or a counted goal in every unit), `indicator`, `year`.
    known
        The indicators of the rules by key.
    w
        The words of the page's language.
    ground
        What the map lies on; no map without it.
    goals
        The counted goals to choose from: `id`, `label`, `period`.
    """
    total = rule_of(board).get("total_unit")
    cities = {row["issuer"] for row in board.get("rows", ()) if row["unit"] == total}
    own = [
        row
        for row in board.get("rows", ())
        if row["issuer"] in cities and row["unit"] != total and not row.get("cumulative")
    ]
    keys = list(dict.fromkeys(row["indicator"] for row in own))
    if ground is None or not keys:
        return None
    by, chosen = "share", asked.get("map")
    goal_map = chosen if isinstance(chosen, Mapping) else None
    if goal_map is not None:
        key = goal_map["goal"]
        by, shares, labels = goal_shares(goal_map)
        years = list(goal_map["years"]) or [int(str(goal_map["as_of"])[:4])]
    else:
        key = chosen or asked.get("indicator")
        key = key if key in keys else keys[0]
        years, shares, labels = sorted({row["year"] for row in own}), {}, {}
        for row in own:
            if row["indicator"] == key:
                shares.setdefault(row["unit"], {})[row["year"]] = row["share"]
    this = chart_year([{"year": year} for year in years], board["as_of"])
    start = int(asked["year"] if asked.get("year") in years else this)
    drawn = {feature["properties"].get("name") for feature in ground.outlines.get("features", ())}
    measure = str((goal_map or {}).get("measure") or "")
    return {
        "map": time_map(ground, shares, years=years, start=start, labels=labels),
        "years": years,
        "start": start,
        "at": years.index(start),
        "indicator": key,
        "goal": key if goal_map is not None else "",
        "one_state": goal_map is not None and not goal_map["years"],
        "as_of": (goal_map or {}).get("as_of") or board.get("as_of"),
        "by": by,
        "measure": "" if measure == SHARE else w.get(f"measures.{measure}", measure),
        "told": any(share is not None for found in shares.values() for share in found.values()),
        "indicators": {one: w.pick({"key": one, **known.get(one, {})}) for one in keys},
        "goals": {
            goal["id"]: f"{goal['id']} {goal['label']}"
            for goal in goals
            if goal["period"] != "fact"
        },
        "rows": [
            {
                "unit": unit,
                "shares": [found.get(year) for year in years],
                "labels": [labels.get(unit, {}).get(year, "") for year in years],
                "mapped": unit in drawn,
            }
            for unit, found in shares.items()
        ],
        "legend": [*_steps(w), (UNKNOWN, w("board.unknown"))],
    }


def goal_shares(goal_map: Result) -> tuple[str, Shares, Labels]:
    """Return what a goal is coloured by, the share of each unit and year, and the figures to read.

    A goal that the plan divides is coloured by the share of each unit's own target; one that is a
    share itself by that; any other by its part of the highest value.

    >>> rows = [{"unit": "东区", "year": None, "value": 4.0, "share": None},
    ...         {"unit": "西区", "year": None, "value": 1.0, "share": None}]
    >>> goal_shares({"measure": "个", "as_of": "2026-11-26", "rows": rows})
    ('highest', {'东区': {2026: 1.0}, '西区': {2026: 0.25}}, \
{'东区': {2026: '4'}, '西区': {2026: '1'}})
    """
    rows, this = goal_map["rows"], int(str(goal_map["as_of"])[:4])
    is_share = goal_map["measure"] == SHARE
    by = "share" if any(row["share"] is not None for row in rows) else "highest"
    if by == "highest" and is_share:
        by = "value"
    most = max((row["value"] or 0.0 for row in rows), default=0.0) or 1.0
    shares: Shares = {}
    labels: Labels = {}
    for row in rows:
        value, year = row["value"], row["year"] or this
        share = row["share"] if by == "share" else value
        if by == "highest" and value is not None:
            share = value / most
        shares.setdefault(row["unit"], {})[year] = share
        if value is not None:
            said = percent(value) if is_share else figure(value)
            labels.setdefault(row["unit"], {})[year] = said if by != "share" else percent(share)
    return by, shares, labels


def _steps(w: Words) -> list[tuple[str, str]]:
    texts, low = [], 0.0
    for limit, colour in STEPS:
        text = w("board.from", low=f"{low:.0%}")
        if limit != float("inf"):
            text = w("board.between", low=f"{low:.0%}", high=f"{limit:.0%}")
        texts.append((colour, text))
        low = limit
    return texts
