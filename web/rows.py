"""Rows: results as the tables of the pages show them, worded and with every field present."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from layers.catalog import Column, layer, layers
from web.words import Words

Result = Mapping[str, Any]

STATES = ("operating_large", "operating", "planned_only", "none")
SPACE_COLUMNS = ("name", "floor", "kind", "status", "area_m2", "rent_cny_m2_month",
                  "clear_height_m", "available_from")  # fmt: skip


def worded(column: Column, value: Any, w: Words) -> str:
    """Return a value of a column as people read it.

    >>> from web.words import words
    >>> worded(layer("incubators").column("level"), "national", words("en"))
    'National'
    >>> worded(layer("incubators").column("area_m2"), 21000.0, words("zh"))
    '21,000'
    >>> worded(layer("incubators").column("chain_leader_built"), True, words("zh"))
    '是'
    """
    if not present(value):
        return w("site.none")
    choices = {choice.value: getattr(choice, w.lang) for choice in column.choices}
    match column.kind:
        case "list":
            text = ("、" if w.lang == "zh" else ", ").join(choices.get(v, str(v)) for v in value)
        case "boolean":
            text = w("site.yes" if value else "site.no")
        case "date":
            text = str(value)[:10]
        case "number" | "integer":
            text = _counted(column.name, float(value))
        case _:
            text = choices.get(value, str(value))
    return text


def _counted(name: str, value: float) -> str:
    if name.endswith("_share"):
        return f"{value:.0%}"
    if name.endswith("_batch"):
        return f"{value:.0f}"
    return f"{value:,.6g}" if abs(value) < 1000 else f"{value:,.0f}"


def present(value: Any) -> bool:
    """Tell whether a value is there.

    >>> present(0), present(float("nan")), present([])
    (True, False, False)
    """
    if isinstance(value, list | tuple):
        return bool(value)
    return value is not None and value == value and str(value) not in {"", "<NA>", "NaT"}  # noqa: PLR0124  NaN


def rule_of(result: Result) -> dict[str, Any]:
    """Return the rule that a result printed, its body and its version side by side."""
    rule = result.get("rule") or {}
    body = rule.get("body") if isinstance(rule.get("body"), Mapping) else {}
    return {**(body or {}), **rule}


def large_area(result: Result) -> float | None:
    """Return the area from which an incubator counts as large, m², as the result printed it."""
    area = rule_of(result).get("large_area_m2")
    return float(area) if area else None


def summary_of(result: Result) -> dict[str, Any]:
    """Return the summary of the towns, with zeros where the result is silent."""
    summary = {"total": 0, **dict.fromkeys(STATES, 0), "covered_share": None}
    return summary | dict(result.get("summary") or {})


def town_row(row: Result, names: Mapping[str, str], w: Words) -> dict[str, Any]:
    """Return a town as the table shows it."""
    nearest = row.get("nearest") or {}
    called = {found["id"]: found.get("name") for found in row.get("found") or ()}

    def name(key: Any) -> Any:
        return called.get(key) or names.get(key) or key

    return {
        **row,
        "list": w.get(f"list.{row.get('status')}", str(row.get("status") or "")),
        "evidence_label": w.get(f"evidence.{row.get('evidence')}", ""),
        "found": [{"id": key, "name": name(key)} for key in row.get("incubators") or ()],
        "nearest": {
            **dict.fromkeys(("id", "distance_m", "walk_minutes", "drive_minutes", "approximate")),
            **nearest,
            "name": nearest.get("name") or name(nearest.get("id")),
        },
        "disagrees": bool(row.get("disagrees")),
        "boundary": bool(row.get("boundary")),
    }


def tally(rows: Iterable[Result]) -> list[dict[str, Any]]:
    """Count towns by unit and state, for a result that does not say it itself."""
    tally: dict[str, dict[str, Any]] = {}
    for row in rows:
        unit = row.get("unit") or "—"
        counts = tally.setdefault(unit, {"unit": unit, "total": 0, **dict.fromkeys(STATES, 0)})
        counts["total"] += 1
        counts[row["state"]] += 1
    return [
        {**counts, "share": (counts["operating_large"] + counts["operating"]) / counts["total"]}
        for counts in tally.values()
    ]


def target_row(row: Result, indicators: Mapping[str, Result], w: Words) -> dict[str, Any]:
    """Return a target as the board shows it."""
    indicator = {**row, **indicators.get(row["indicator"], {})}
    measure = indicator.get("unit_en") if w.lang == "en" else row.get("measure")
    return {
        **dict.fromkeys(("unit", "year", "issuer", "target", "value", "share", "pace")),
        **dict.fromkeys(("expected_share", "forecast", "demo", "records", "cumulative")),
        **row,
        "label": w.pick({"key": row["indicator"], **indicator}),
        "measure": measure if measure is not None else "",
        "missing": [missing_text(code, indicators, w) for code in row.get("missing") or ()],
    }


def missing_text(code: str, indicators: Mapping[str, Result], w: Words) -> str:
    """Return what lacks, as people read it.

    Results name it `progress:东区`, `baseline:INDICATOR:DATE` or, by layer and column,
    `incubators.revenue_cny`.

    >>> from web.words import words
    >>> missing_text("incubators.revenue_cny", {}, words("en"))
    'Incubators: Revenue (CNY)'
    >>> missing_text("zones.kind=park", {}, words("en"))
    'Zones: Kind, park'
    >>> missing_text("progress:东区", {}, words("zh"))
    '进展数据：东区'
    >>> missing_text("incubators.revenue_cny:12", {}, words("en"))
    'Incubators: Revenue (CNY), not given by 12'
    """
    kind, *rest = re.split(r"[:.=]", code)
    if kind in layers() and ":" in code and rest[-1].isdigit():
        rest[-1] = w("missing.records", count=rest[-1])
    if "." in code and kind in layers():
        declared = layer(kind)
        columns = {column.name: getattr(column, w.lang) for column in declared.columns}
        kind = getattr(declared, w.lang)
        said = [columns.get(part) or _indicator_label(part, indicators, w) for part in rest]
    else:
        kind = w.get(f"missing.{kind}", kind)
        said = [_indicator_label(part, indicators, w) for part in rest]
    if not said:
        return kind
    colon, comma = ("：", " ") if w.lang == "zh" else (": ", ", ")
    return f"{kind}{colon}{comma.join(said)}"


def check_row(row: Result, indicators: Mapping[str, Result], w: Words) -> dict[str, Any]:
    """Return a check of the targets' tables as the page shows it."""
    kind, *rest = str(row["name"]).split(":")
    said = [_indicator_label(part, indicators, w) for part in rest]
    english = row.get("detail_en") if w.lang == "en" else None
    return {
        "name": " ".join([w.get(f"check.{kind}", kind), *said]),
        "ok": bool(row.get("ok")),
        "detail": english or row.get("detail") or "",
    }


def baseline_row(row: Result | str, indicators: Mapping[str, Result], w: Words) -> str:
    """Return a missing baseline as people read it."""
    if isinstance(row, str):
        return missing_text(row, indicators, w)
    label = _indicator_label(str(row.get("indicator")), indicators, w)
    parts = (row.get("definition") or label, row.get("unit"), row.get("measured_on"))
    return " · ".join(str(part) for part in parts if part)


def _indicator_label(key: str, indicators: Mapping[str, Result], w: Words) -> str:
    return w.pick(indicators[key]) if key in indicators else key


def target_charts(
    rows: Sequence[Result], *, year: Any = None, total_unit: str | None = None
) -> list[dict[str, Any]]:
    """Group targets into charts: one an indicator, year and issuer, a bar a unit.

    Parameters
    ----------
    rows
        Targets as `target_row` gives them.
    year
        Only this year's, and those of the whole plan, whose year is its last.
    total_unit
        The name of the whole city, whose bar would dwarf the others.
    """
    charts: dict[tuple[Any, ...], list[Result]] = {}
    for row in rows:
        if row["target"] is None or row["unit"] in (None, total_unit):
            continue
        if year is None or str(row["year"]) == str(year):
            key = (row["indicator"], row["year"], row["issuer"])
            charts.setdefault(key, []).append(row)
    return [
        {
            "label": bars[0]["label"],
            "year": bars[0]["year"],
            "measure": bars[0]["measure"],
            "bars": bars,
            "most": max(bar["target"] for bar in bars) or 1,
        }
        for bars in charts.values()
        if len(bars) > 1
    ]


def chart_year(rows: Sequence[Result], as_of: Any) -> Any:
    """Return the year that charts show first: that of the day asked about, else the first planned.

    >>> chart_year([{"year": 2025}, {"year": 2026}], "2026-11-24")
    2026
    """
    years = sorted({row["year"] for row in rows})
    asked = str(as_of or "")[:4]
    return next((year for year in years if str(year) == asked), years[0] if years else None)


def place_row(row: Result, label: Any) -> dict[str, Any]:
    """Return a role or a zone as the table shows it; one without outline has no figures."""
    names = ("incubators", "operating", "area_m2", "share", "tenants", "vacant_area_m2",
             "vacancy", "growth")  # fmt: skip
    towns = row.get("towns") or {}
    return {
        "label": label,
        **{name: row.get(name) for name in names},
        "towns": f"{towns['covered']} / {towns['total']}" if towns else None,
    }


def amenity_row(row: Result, names: Mapping[str, str]) -> dict[str, Any]:
    """Return an incubator's two tests as the matrix shows them."""
    planning = row.get("planning")
    circle = row.get("circle") or {}
    counted: Mapping[str, Any] = circle.get("categories") or circle
    return {
        **row,
        "name": row.get("name") or names.get(row.get("id", ""), row.get("id", "")),
        "unit": row.get("unit"),
        "compliance": row.get("compliance") or {},
        "approximate": bool(row.get("approximate")),
        "planning": planning,
        "note": row.get("planning_note"),
        "circle": {
            key: value.get("count") if isinstance(value, Mapping) else value
            for key, value in counted.items()
        },
    }


def space_row(space: Result, w: Words) -> list[str]:
    """Return a space as the table shows it."""
    declared = layer("spaces")
    return [worded(declared.column(name), space.get(name), w) for name in SPACE_COLUMNS]


def place_hash(record: Result) -> str:
    """Return the hash that shows a record on the map."""
    shape = record.get("geometry")
    if shape is None:
        return ""
    pair = shape["coordinates"] if isinstance(shape, Mapping) else (shape.x, shape.y)
    return f"#map=15/{pair[1]:.5f}/{pair[0]:.5f}"


def matrix(result: Result, w: Words) -> dict[str, Any]:
    """Return industries by unit as the matrix shows them.

    A cell carries a state and how many incubators stand behind it.
    """
    found = list(result.get("industries", ()))
    units = list(result.get("unit_names") or dict.fromkeys(
        unit for row in found for unit in _by_unit(row)
    ))  # fmt: skip
    rows = [
        {
            "key": row.get("key", ""),
            "label": w.pick(row, "name") or row.get("key", ""),
            **_cell(row),
            "cells": [_cell(_by_unit(row).get(unit, {})) for unit in units],
        }
        for row in found
    ]
    covered = sum(1 for row in rows if row["state"] in STATES[:2])
    return {"rows": rows, "units": units, "total": len(rows), "covered": covered}


def _by_unit(row: Result) -> dict[str, Any]:
    units = row.get("units") or {}
    if isinstance(units, Mapping):
        return dict(units)
    return {cell["unit"]: cell for cell in units}


def _cell(cell: Any) -> dict[str, Any]:
    if not isinstance(cell, Mapping):
        return {"state": cell or "", "count": None}
    incubators = cell.get("incubators")
    count = len(incubators) if isinstance(incubators, list | tuple) else incubators
    return {"state": cell.get("state") or "", "count": count}


def unit_row(row: Result) -> dict[str, Any]:
    """Return a unit's incubators as the table shows them."""
    empty = ("code", "operating", "planned", "operating_area_m2", "chain_leader_built",
             "chain_leader_ok", "twenty", "ok")  # fmt: skip
    asked = [year.get("ok") for year in row.get("twenty_years") or ()]
    judged = [ok for ok in asked if ok is not None]
    return {
        **dict.fromkeys(empty),
        **row,
        "unit": row.get("unit"),
        "twenty_ok": all(judged) if judged else None,
        "towns_share": (row.get("towns") or {}).get("covered_share"),
        "industries_share": (row.get("industries") or {}).get("covered_share"),
    }


SHARE = "占比"  # the unit of goals that are shares


def goal_row(row: Result, indicators: Mapping[str, Result], w: Words) -> dict[str, Any]:
    """Return a counted goal of the plan as the table shows it, indicators named by their label.

    >>> from web.words import words
    >>> goal_row({"id": "T10", "unit": "占比", "zh": "全覆盖"}, {}, words("zh"))["share"]
    True
    """
    return {
        **dict.fromkeys(("id", "unit", "clause", "target", "value", "ok", "demo")),
        **row,
        "label": w.pick(row),
        "share": row.get("unit") == SHARE,
        "missing": [missing_text(code, indicators, w) for code in row.get("missing") or ()],
    }


def gap_tables(
    gaps: Result, categories: Sequence[Result], roles: Sequence[Result], w: Words
) -> dict[str, Any]:
    """Return the gaps as tables: zones complete by role, and what to add where.

    >>> from web.words import words
    >>> gaps = {"roles": [{"role": "A", "tested": 4, "complete": 1, "lacking": {"cafe": 3}}],
    ...         "additions": [{"category": "cafe", "lon": 120.5, "lat": 28, "completes": ["i"],
    ...                        "helps": ["i", "j"], "names": ["I", "J"]}]}
    >>> tables = gap_tables(gaps, [{"key": "cafe", "zh": "小茶咖"}], [], words("zh"))
    >>> tables["roles"][0]["share"], tables["roles"][0]["worst"]
    (0.25, '小茶咖 3')
    >>> tables["additions"][0]["category"], tables["additions"][0]["place"]
    ('小茶咖', '#map=16/28.00000/120.50000')
    """
    labels = {category["key"]: w.pick(category) for category in categories}
    role_labels = {role["key"]: w.pick(role) for role in roles}

    def complete(row: Result, label: str) -> dict[str, Any]:
        tested = row["tested"]
        worst = sorted(row["lacking"].items(), key=lambda pair: -pair[1])[:3]
        return {
            "label": label,
            "tested": tested,
            "complete": row["complete"],
            "share": row["complete"] / tested if tested else None,
            "worst": ("、" if w.lang == "zh" else ", ").join(
                f"{labels.get(key, key)} {count}" for key, count in worst if count
            ),
        }

    return {
        "roles": [
            complete(row, role_labels.get(row["role"], row["role"]))
            for row in gaps.get("roles", ())
        ],
        "additions": [
            {
                "category": labels.get(row["category"], row["category"]),
                "completes": len(row["completes"]),
                "helps": len(row["helps"]),
                "names": row["names"],
                "place": f"#map=16/{row['lat']:.5f}/{row['lon']:.5f}",
            }
            for row in gaps.get("additions", ())
        ],
    }
