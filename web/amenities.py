"""The pages of the 15-minute tests: the board, the checks behind its figures, and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from layers.catalog import layer
from layers.workbook import Sheet
from web.frame import PageFrame, number, percent, render
from web.markmap import Mark, mark_map
from web.rows import Result, amenity_row, gap_tables
from web.timemap import Ground
from web.words import Words

RECORD_QUERY = ("test", "category", "unit", "incubator", "profile")

STANDING = "standing"
COMPLIANCE, PLANNING = "compliance", "planning"

# ColorBrewer RdBu and PuOr, safe for colour-blind readers; the sign says the same.
_LOOKS: Mapping[str | None, tuple[str, str]] = {
    "both": ("●", "#2166ac"),
    "compliance": ("◐", "#4393c3"),
    "planning": ("◑", "#b35806"),
    "neither": ("✕", "#b2182b"),
    "yes": ("✓", "#2166ac"),
    "no": ("✕", "#b2182b"),
    None: ("≈", "#6d6d6d"),
}
_WORST = 3  # how many of the missing categories a table names


def amenities_page(
    board: Result,
    *,
    frame: PageFrame,
    categories: Sequence[Result] = (),
    gaps: Result | None = None,
    roles: Sequence[Result] = (),
    chosen: Mapping[str, Any] | None = None,
    ground: Ground | None = None,
) -> str:
    """Draw the two tests of the 15-minute zone, side by side and never mixed.

    Parameters
    ----------
    board
        The answer: `rows`, one an incubator; `units`, `checks`, `spread`, `rules`.
    frame
        What the frame says.
    categories
        The categories of amenities: `key`, `zh`, `en`, `group`.
    gaps
        What is missing within a walk, by role, and the additions that would mend most.
    roles
        The roles of the city: `key`, `zh`, `en`.
    chosen
        `map`, what the map shows, and `profile`, who walks.
    ground
        What the map lies on; no map without it.
    """
    w, asked = frame.words, chosen or {}
    labels = check_labels(categories, w)
    rows = [
        {**amenity_row(row, {}), "at": at, "standing": row.get(STANDING)}
        for at, row in enumerate(board.get("rows", ()))
    ]
    rules = board.get("rules") or {}
    checks = [check_rate(row, labels, w) for row in board.get("checks", ())]
    shown = str(asked.get("map") or STANDING)
    shown = shown if shown in (STANDING, COMPLIANCE, PLANNING, *labels) else STANDING
    return render(
        "amenities.html",
        frame=frame,
        page="amenities",
        rows=rows,
        summary=board.get("summary") or {},
        approximate=sum(row["approximate"] for row in rows),
        planned=any(row["planning"] for row in rows),
        categories=[{**category, "label": labels[category["key"]]} for category in categories],
        compliance=rules.get("compliance") or {},
        planning=rules.get("planning") or {},
        rule=rules,
        units=[unit_rate(row, labels, w) for row in board.get("units", ())],
        checks=checks,
        spread=spread_chart(board.get("spread") or ()),
        profiles={one["key"]: w.pick(one) for one in rules.get("profiles") or ()},
        profile=asked.get("profile") or "",
        gaps=gap_tables(gaps or {}, categories, roles, w),
        shown=shown,
        choices={
            STANDING: w("amenities.map_standing"),
            COMPLIANCE: w("amenities.compliance"),
            PLANNING: w("amenities.planning"),
            **labels,
        },
        map=None if ground is None or not rows else _map(rows, shown, labels, ground, w),
        legend=_legend(rows, shown, w),
    )


def check_labels(categories: Sequence[Result], w: Words) -> dict[str, str]:
    """Return the name of every check: those of the circle, then the categories."""
    own = {"venues": w("amenities.venues"), "spaces": w("amenities.spaces")}
    return own | {category["key"]: w.pick(category) for category in categories}


def round_of(row: Result) -> Result | None:
    """Return the planning test of an incubator, or the circle that stands in for it."""
    found: Result | None = row.get("planning") or row.get("circle")
    return found if found and "missing" in found else None


def look_of(row: Result, shown: str) -> str | None:
    """Return how an incubator stands in what a map shows: a key of the legend, None if not judged.

    >>> row = {"approximate": False, "standing": "compliance", "compliance": {"missing": []},
    ...        "planning": {"missing": ["cafe"]}}
    >>> look_of(row, "standing"), look_of(row, "cafe"), look_of(row, "venues")
    ('compliance', 'no', 'yes')
    """
    if row.get("approximate"):
        return None
    if shown == STANDING:
        standing: str | None = row.get(STANDING)
        return standing
    of_circle = shown in (COMPLIANCE, "venues", "spaces")
    judged = row.get("compliance") if of_circle else round_of(row)
    if not judged or "missing" not in judged:
        return None
    lacks = bool(judged["missing"]) if shown in (COMPLIANCE, PLANNING) else (
        shown in judged["missing"]
    )  # fmt: skip
    return "no" if lacks else "yes"


def _legend(rows: Sequence[Result], shown: str, w: Words) -> list[dict[str, Any]]:
    keys = ("both", "compliance", "planning", "neither") if shown == STANDING else ("yes", "no")
    looks = [look_of(row, shown) for row in rows]
    return [
        {
            "sign": _LOOKS[key][0],
            "colour": _LOOKS[key][1],
            "label": w(f"amenities.look_{key or 'none'}"),
            "count": looks.count(key),
        }
        for key in (*keys, None)
    ]


def _map(
    rows: Sequence[Result], shown: str, labels: Mapping[str, str], ground: Ground, w: Words
) -> Any:
    """Return the map: the units' outlines, a mark an incubator."""
    marks = []
    for row in rows:
        if row.get("lon") is None:
            continue
        look = look_of(row, shown)
        sign, colour = _LOOKS[look]
        lacks = lacking_text(row, labels, w)
        marks.append(
            Mark(
                lon=row["lon"],
                lat=row["lat"],
                sign=sign,
                colour=colour,
                text=" · ".join(
                    part for part in (row["name"], w(f"amenities.look_{look or 'none'}"), lacks)
                    if part
                ),
                href=f"#row-{row['at']}",
            )
        )  # fmt: skip
    return mark_map(ground, looks={}, marks=marks)


def lacking_text(row: Result, labels: Mapping[str, str], w: Words) -> str:
    """Return what an incubator lacks under both tests, in words; empty where nothing."""
    found = [*((row.get("compliance") or {}).get("missing") or ())]
    found += (round_of(row) or {}).get("missing") or ()
    if not found:
        return ""
    comma = "、" if w.lang == "zh" else ", "
    return w("amenities.lacks", what=comma.join(labels.get(key, key) for key in found))


def unit_rate(row: Result, labels: Mapping[str, str], w: Words) -> dict[str, Any]:
    """Return a unit's pass rates as the table shows them.

    >>> from web.words import words
    >>> row = {"unit": None, "lacking": {"cafe": 3, "pub": 0}}
    >>> shown = unit_rate(row, {"cafe": "小茶咖"}, words("zh"))
    >>> shown["label"], shown["worst"]
    ('未归入单位', '小茶咖 3')
    """
    worst = sorted(row["lacking"].items(), key=lambda pair: -pair[1])[:_WORST]
    comma = "、" if w.lang == "zh" else ", "
    return {
        **row,
        "label": row["unit"] or w("amenities.no_unit"),
        "worst": comma.join(f"{labels.get(key, key)} {count}" for key, count in worst if count),
    }


def check_rate(row: Result, labels: Mapping[str, str], w: Words) -> dict[str, Any]:
    """Return a check's pass rate as the table shows it."""
    minutes, metres = row.get("median_minutes"), row.get("median_m")
    return {
        **row,
        "label": labels.get(row["key"], row["key"]),
        "test_label": w(f"amenities.{row['test']}"),
        "way": _way(minutes, metres, w),
        "far": minutes if minutes is not None else metres,
        "lacking": row["passed"]["tested"] - row["passed"]["ok"],
    }


def _way(minutes: float | None, metres: float | None, w: Words) -> str:
    """Return how far something is: minutes on foot, else straight metres."""
    if minutes is not None:
        return w("amenities.on_foot", minutes=number(minutes, 1))
    return w("amenities.straight", metres=number(metres)) if metres is not None else ""


def spread_chart(spread: Sequence[int]) -> list[dict[str, Any]]:
    """Return bars of how many incubators lack how many categories, up to the most lacked.

    >>> spread_chart([4, 0, 2, 0])
    [{'lacks': 0, 'count': 4, 'high': 1.0}, {'lacks': 1, 'count': 0, 'high': 0.0}, \
{'lacks': 2, 'count': 2, 'high': 0.5}]
    """
    last = max((lacks for lacks, count in enumerate(spread) if count), default=-1)
    most = max(spread, default=0) or 1
    return [
        {"lacks": lacks, "count": count, "high": count / most}
        for lacks, count in enumerate(spread[: last + 1])
    ]


def amenity_records_page(
    found: Result,
    *,
    frame: PageFrame,
    categories: Sequence[Result] = (),
    query: Mapping[str, Any] | None = None,
) -> str:
    """Draw the checks behind a figure: how many are reached, which is the nearest, how far it is.

    Parameters
    ----------
    found
        The answer: `passed`, `checks`.
    frame
        What the frame says.
    categories
        The categories of amenities: `key`, `zh`, `en`.
    query
        What was asked, for the links to the files.
    """
    w = frame.words
    labels = check_labels(categories, w)
    checks = [check_row(check, labels, w) for check in found.get("checks", ())]
    key, test = found.get("category"), found.get("test")
    name = next((check["name"] for check in checks), found.get("incubator") or "")
    whose = name if found.get("incubator") else found.get("unit") or w("board.city")
    passed = found.get("passed")
    met = sum(1 for check in checks if check["ok"])
    return render(
        "amenity_records.html",
        frame=frame,
        page="amenity_records",
        label=labels.get(key, key) if key else w(f"amenities.{test or 'both_tests'}"),
        figure=percent(passed["ok_share"]) if passed else f"{met}/{len(checks)}",
        sentence=w("amenities.records_sentence", total=len(checks), ok=met),
        whose=whose,
        passed=passed,
        checks=checks,
        one=bool(found.get("incubator")),
        of_one=bool(key),
        query={name: (query or {}).get(name) for name in RECORD_QUERY},
    )


def check_row(check: Result, labels: Mapping[str, str], w: Words) -> dict[str, Any]:
    """Return a check as the table shows it.

    >>> from web.words import words
    >>> check = {"test": "planning", "key": "cafe", "incubator": "i1", "name": None,
    ...          "minutes": None, "metres": 1240.0, "ok": False, "provenance": "demo",
    ...          "nearest": "a1", "nearest_name": None, "source": "普查"}
    >>> shown = check_row(check, {"cafe": "小茶咖"}, words("zh"))
    >>> shown["label"], shown["way"], shown["nearest_label"], shown["name"]
    ('小茶咖', '直线 1,240 米', 'a1', 'i1')
    """
    source = str(check.get("source") or "")
    choices = {
        choice.value: getattr(choice, w.lang)
        for choice in layer("amenities").column("provenance").choices
    }
    return {
        **check,
        "name": check.get("name") or check["incubator"],
        "label": labels.get(check["key"], check["key"]),
        "test_label": w(f"amenities.{check['test']}"),
        "way": _way(check.get("minutes"), check.get("metres"), w),
        "nearest_label": check.get("nearest_name") or check.get("nearest") or "",
        "source": source,
        "link": source if source.startswith("http") else "",
        "nature": choices.get(str(check.get("provenance")), ""),
        "from_demo": check.get("provenance") == "demo",
    }


def amenity_sheets(board: Result, categories: Sequence[Result], w: Words) -> list[Sheet]:
    """Return the board as tables: incubators, units, checks."""
    labels = check_labels(categories, w)
    keys = [category["key"] for category in categories]
    units = [unit_rate(row, labels, w) for row in board.get("units", ())]
    checks = [check_rate(row, labels, w) for row in board.get("checks", ())]

    def heads(*names: str) -> tuple[str, ...]:
        return tuple(w(name) for name in names)

    return [
        Sheet(
            w("amenities.incubators"),
            (
                *heads("records.id", "amenities.incubator", "records.unit", "amenities.compliance",
                       "amenities.venues", "amenities.spaces", "amenities.radius",
                       "amenities.complete", "amenities.score", "amenities.lacking"),
                *(f"{labels[key]} {w('amenities.count')}" for key in keys),
                *(f"{labels[key]} {w('amenities.nearest_way')}" for key in keys),
                *heads("amenities.rough", "site.demo"),
            ),
            tuple(_incubator_cells(row, keys, labels, w) for row in board.get("rows", ())),
        ),
        Sheet(
            w("amenities.by_unit"),
            (
                *heads("records.unit", "amenities.incubators_short", "amenities.rough_count"),
                *(
                    f"{w(f'amenities.{test}')} {w(f'amenities.{name}')}"
                    for test in (COMPLIANCE, PLANNING)
                    for name in ("tested", "passed", "rate")
                ),
                w("amenities.mean_score"),
                *(f"{w('amenities.lacking')} {labels[key]}" for key in keys),
            ),
            tuple(
                (
                    row["label"], row["total"], row["approximate"],
                    *(row[test][name] for test in (COMPLIANCE, PLANNING)
                      for name in ("tested", "ok", "ok_share")),
                    row["mean_score"], *(row["lacking"].get(key) for key in keys),
                )
                for row in units
            ),
        ),
        Sheet(
            w("amenities.by_check"),
            heads("amenities.test", "gaps.category", "amenities.needed", "amenities.tested",
                  "amenities.passed", "amenities.rate", "amenities.lacking",
                  "amenities.median_minutes", "amenities.median_m"),
            tuple(
                (
                    row["test_label"], row["label"], row["needed"], row["passed"]["tested"],
                    row["passed"]["ok"], row["passed"]["ok_share"], row["lacking"],
                    row["median_minutes"], row["median_m"],
                )
                for row in checks
            ),
        ),
    ]  # fmt: skip


def _incubator_cells(
    row: Result, keys: Sequence[str], labels: Mapping[str, str], w: Words
) -> tuple[Any, ...]:
    circle, found = row.get("compliance") or {}, round_of(row) or {}
    held = found.get("categories") or {}
    lacks = [labels[key] for key in (*(circle.get("missing") or ()), *(found.get("missing") or ()))]
    return (
        row["id"], row.get("name"), row.get("unit"),
        None if row["approximate"] else circle.get("ok"),
        circle.get("venues"), circle.get("spaces"), circle.get("radius_m"),
        None if row["approximate"] or not found else not found["missing"],
        found.get("score"), lacks,
        *((held.get(key) or {}).get("count") for key in keys),
        *(_nearest_cell(held.get(key) or {}, w) for key in keys),
        bool(row["approximate"]), bool(row["demo"]),
    )  # fmt: skip


def _nearest_cell(held: Result, w: Words) -> str | float | None:
    """Return the minutes to the nearest as a number, or straight metres in words."""
    if "nearest_minutes" in held:
        minutes: float | None = held["nearest_minutes"]
        return minutes
    return _way(None, held.get("nearest_m"), w) or None


def check_sheet(found: Result, categories: Sequence[Result], w: Words) -> Sheet:
    """Return the checks behind a figure as a table."""
    labels = check_labels(categories, w)
    rows = [check_row(check, labels, w) for check in found.get("checks", ())]
    names = ("name", "unit", "test_label", "label", "count", "needed", "ok", "nearest",
             "nearest_label", "minutes", "metres", "source", "as_of", "nature")  # fmt: skip
    keys = ("amenities.incubator", "records.unit", "amenities.test", "gaps.category",
            "amenities.count", "amenities.needed", "amenities.passes", "records.id",
            "amenities.nearest_amenity", "amenities.minutes_head", "amenities.metres_head",
            "records.source", "records.as_of", "records.provenance")  # fmt: skip
    return Sheet(
        w("amenities.records"),
        tuple(w(key) for key in keys),
        tuple(tuple(row[name] for name in names) for row in rows),
    )


def amenity_features(board: Result) -> bytes:
    """Return the incubators under both tests as GeoJSON (RFC 7946), whether placed or not.

    Columns are named as the API names them, so that a style made once fits every language.
    """
    features = []
    for row in board.get("rows", ()):
        circle, found = row.get("compliance") or {}, round_of(row) or {}
        rough = bool(row["approximate"])
        placed = row.get("lon") is not None
        told = {
            "id": row["id"],
            "name": row.get("name"),
            "unit": row.get("unit"),
            "standing": row.get("standing"),
            "compliance_ok": None if rough else circle.get("ok"),
            "venues": circle.get("venues"),
            "spaces": circle.get("spaces"),
            "radius_m": circle.get("radius_m"),
            "planning_test": found.get("test"),
            "planning_complete": None if rough or not found else not found["missing"],
            "score": found.get("score"),
            "missing": [*(circle.get("missing") or ()), *(found.get("missing") or ())],
            "approximate": rough,
            "demo": bool(row["demo"]),
        }
        for key, held in (found.get("categories") or {}).items():
            told[f"{key}_count"] = held["count"]
            told |= {f"{key}_{name.removeprefix('nearest_')}": held[name]
                     for name in ("nearest_minutes", "nearest_m") if name in held}  # fmt: skip
        shape = {"type": "Point", "coordinates": [row["lon"], row["lat"]]} if placed else None
        features.append({"type": "Feature", "id": row["id"], "properties": told, "geometry": shape})
    return orjson.dumps({"type": "FeatureCollection", "features": features})
