"""The page of coverage: 一镇一器 and 一产一器, how they grew, and what to do next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from layers.workbook import Sheet
from web.board import board_goal
from web.frame import PageFrame, number, percent, render
from web.mapview import state_words
from web.markmap import Mark, mark_map
from web.rows import (
    Result,
    large_area,
    matrix,
    rule_of,
    summary_of,
    tally,
    town_row,
    unit_row,
)
from web.timemap import Ground
from web.words import Words

# ColorBrewer RdBu, as on the city map; the sign says the same.
_SIGNS: Mapping[str, tuple[str, str]] = {
    "operating_large": ("●", "#2166ac"),
    "operating": ("◐", "#2f7ba8"),
    "planned_only": ("○", "#b2481a"),
    "none": ("✕", "#b2182b"),
}
_WIDE, _HIGH, _LEFT, _TOP = 640.0, 200.0, 44.0, 18.0


def coverage_page(
    towns: Result,
    industries: Result,
    units: Result,
    *,
    frame: PageFrame,
    names: Mapping[str, str] | None = None,
    indicators: Sequence[Result] = (),
    work: Mapping[str, Result] | None = None,
    ground: Ground | None = None,
) -> str:
    """Draw which towns and industries have an incubator.

    Parameters
    ----------
    towns, industries, units
        The three answers.
    frame
        What the frame says.
    names
        The names of incubators by id.
    indicators
        The indicators of the rules: `key`, `zh`, `en`.
    work
        `actions`, `town_trend` and `industry_trend`: what to do next, and how coverage grew.
    ground
        What the map lies on; no map without it.
    """
    w = frame.words
    known = {indicator["key"]: indicator for indicator in indicators}
    rows = [town_row(row, names or {}, w) for row in towns.get("towns", ())]
    by_unit = [
        {**row, "share": row.get("share", row.get("covered_share"))}
        for row in towns.get("units") or tally(rows)
    ]
    asked = work or {}
    return render(
        "coverage.html",
        frame=frame,
        page="coverage",
        summary=summary_of(towns),
        towns=rows,
        by_unit=by_unit,
        states=state_words(w, large_area(towns)),
        rule=rule_of(towns),
        matrix=matrix(industries, w),
        industry_rule=rule_of(industries),
        unit_rows=[unit_row(row) for row in units.get("units", ())],
        goals=[board_goal(row, known, w) for row in units.get("goals", ())],
        as_of=towns.get("as_of"),
        actions=[action_row(row, w) for row in asked.get("actions", {}).get("towns", ())],
        action_summary=asked.get("actions", {}).get("summary") or {},
        trends=[
            {"of": name, "chart": trend_chart(asked[f"{name}_trend"], w)}
            for name in ("town", "industry")
            if asked.get(f"{name}_trend")
        ],
        map=None if ground is None or not rows else _map(rows, ground, w),
    )


def _map(rows: Sequence[Result], ground: Ground, w: Words) -> Any:
    """Return the map: the units' outlines, a mark a town."""
    states = state_words(w)
    marks = [
        Mark(
            lon=row["lon"],
            lat=row["lat"],
            sign=_SIGNS[row["state"]][0],
            colour=_SIGNS[row["state"]][1],
            text=f"{row['name']} · {states[row['state']]}",
            href=f"#town-{row['code']}",
        )
        for row in rows
        if row.get("lon") is not None and row.get("lat") is not None
    ]
    return mark_map(ground, looks={}, marks=marks)


def trend_chart(trend: Result, w: Words) -> dict[str, Any]:
    """Return a trend as a line to draw, and as rows that say the same.

    >>> from web.words import words
    >>> point = {"summary": {"covered_share": 0.5, "total": 4, "operating": 1,
    ...          "operating_large": 1}, "gained": ["a", "b"], "lost": []}
    >>> chart = trend_chart({"points": [{**point, "on": "2025-12-31"},
    ...                                 {**point, "on": "2026-12-31"}]}, words("zh"))
    >>> chart["line"]
    '44.0,109.0 620.0,109.0'
    >>> chart["rows"][0]["covered"], chart["rows"][0]["gained"]
    (2, 'a、b')
    """
    points = list(trend.get("points", ()))
    days = [dt.date.fromisoformat(point["on"]) for point in points]
    span = max((days[-1] - days[0]).days, 1) if days else 1
    comma = "、" if w.lang == "zh" else ", "
    rows = []
    for day, point in zip(days, points, strict=True):
        summary = point["summary"]
        share = summary.get("covered_share")
        rows.append(
            {
                "on": point["on"],
                "share": share,
                "total": summary["total"],
                "covered": summary["operating"] + summary["operating_large"],
                "gained": comma.join(point["gained"]),
                "lost": comma.join(point["lost"]),
                "x": round(_LEFT + (day - days[0]).days / span * (_WIDE - _LEFT - 20), 1),
                "y": round(_TOP + (1 - (share or 0.0)) * (_HIGH - _TOP), 1),
            }
        )
    return {
        "rows": rows,
        "line": " ".join(f"{row['x']},{row['y']}" for row in rows),
        "wide": _WIDE,
        "high": _HIGH + 26,
        "ticks": [
            {"y": round(_TOP + (1 - part) * (_HIGH - _TOP), 1), "label": percent(part)}
            for part in (0.0, 0.5, 1.0)
        ],
        "left": _LEFT,
    }


def action_row(row: Result, w: Words) -> dict[str, Any]:
    """Return the next action of a town as the table shows it.

    >>> from web.words import words
    >>> row = {"code": "1", "name": "甲镇", "unit": "东区", "state": "none", "action": "build",
    ...        "chance": {"kind": "site", "id": "s1", "name": "地块", "distance_m": 640.0,
    ...                   "area_m2": 16300.0, "in_town": True, "demo": True,
    ...                   "lon": 120.5, "lat": 28.0},
    ...        "needs": [{"kind": "area_m2", "value": 16300.0},
    ...                  {"kind": "from_year", "value": 2027}],
    ...        "site": None, "building": None}
    >>> shown = action_row(row, words("zh"))
    >>> shown["what"], shown["needs"]
    ('用镇内候选用地新建', ['可建 16,300 ㎡', '最早 2027 年'])
    """
    return {
        **row,
        "what": w(f"actions.{row['action']}"),
        "chance": _chance(row.get("chance"), w),
        "needs": [need_text(need, w) for need in row.get("needs", ())],
        "site": _chance(row.get("site"), w),
        "building": _chance(row.get("building"), w),
    }


def need_text(need: Result, w: Words) -> str:
    """Return one thing that an action needs, in words."""
    kind, value = need["kind"], need.get("value")
    if value is None:
        return w(f"needs.{kind}_unknown" if kind == "open" else f"needs.{kind}")
    match kind:
        case "settle":
            text = number(float(value) / 1000, 1)
        case "cost_cny":
            text = number(float(value) / 10_000)
        case "from_year":
            text = str(int(value))
        case "confirm":
            text = w(f"needs.column_{value}")
        case "area_m2" | "extend_m2":
            text = number(value)
        case _:
            text = str(value)
    return w(f"needs.{kind}", value=text)


def _chance(chance: Result | None, w: Words) -> dict[str, Any] | None:
    if chance is None:
        return None
    away = chance.get("distance_m")
    lon, lat = chance.get("lon"), chance.get("lat")
    return {
        **chance,
        "name": chance.get("name") or chance["id"],
        "away": "" if away is None else w("coverage.km", value=number(away / 1000, 1)),
        "where": w("actions.in_town" if chance.get("in_town") else "actions.outside"),
        "path": f"/incubators/{chance['id']}" if chance["kind"] == "planned" else "",
        "place": "" if lon is None or lat is None else f"#map=15/{lat:.5f}/{lon:.5f}",
    }


def coverage_sheets(
    towns: Result, industries: Result, work: Mapping[str, Result], w: Words
) -> list[Sheet]:
    """Return coverage as tables: towns, next actions, the matrix of industries, both trends."""
    states = state_words(w, large_area(towns))
    rows = [town_row(row, {}, w) for row in towns.get("towns", ())]
    actions = [action_row(row, w) for row in work["actions"].get("towns", ())]
    grid = matrix(industries, w)

    def heads(*keys: str) -> tuple[str, ...]:
        return tuple(w(key) for key in keys)

    return [
        Sheet(
            w("coverage.towns"),
            heads("coverage.town", "coverage.unit", "coverage.state", "coverage.evidence",
                  "coverage.incubators", "coverage.nearest", "actions.distance_m",
                  "coverage.list"),
            tuple(
                (row["name"], row["unit"], states[row["state"]], row["evidence_label"],
                 [found["name"] for found in row["found"]], row["nearest"]["name"],
                 row["nearest"]["distance_m"], row["list"])
                for row in rows
            ),
        ),
        Sheet(
            w("actions.title"),
            heads("coverage.town", "coverage.unit", "coverage.state", "actions.next",
                  "actions.place", "actions.area_m2", "actions.distance_m", "actions.needs"),
            tuple(
                (row["name"], row["unit"], states[row["state"]], row["what"],
                 (row["chance"] or {}).get("name"), (row["chance"] or {}).get("area_m2"),
                 (row["chance"] or {}).get("distance_m"), "；".join(row["needs"]))
                for row in actions
            ),
        ),
        Sheet(
            w("coverage.industries"),
            (w("coverage.industry"), w("coverage.city"), *grid["units"]),
            tuple(
                (row["label"], row["count"], *(cell["count"] for cell in row["cells"]))
                for row in grid["rows"]
            ),
        ),
        *(
            Sheet(
                w(f"trend.{name}"),
                heads("trend.on", "trend.covered", "trend.total", "trend.share", "trend.gained"),
                tuple(
                    (row["on"], row["covered"], row["total"], row["share"], row["gained"])
                    for row in trend_chart(work[f"{name}_trend"], w)["rows"]
                ),
            )
            for name in ("town", "industry")
        ),
    ]  # fmt: skip
