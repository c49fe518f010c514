"""The pages of the spatial structure: roll-up, comparison of readings, and their editing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from layers.workbook import Sheet
from web.frame import PageFrame, figure, number, percent, render
from web.markmap import AreaLook, call_map, mark_map
from web.rows import Result, place_row
from web.timemap import Ground, tight_extent
from web.words import Words


def structure_page(
    report: Result,
    *,
    frame: PageFrame,
    roles: Sequence[Result] = (),
    confidence: Any = None,
    versions: Result | None = None,
    comparison: Result | None = None,
    ground: Ground | None = None,
) -> str:
    """Draw space, tenants, vacancy and coverage by role of the structure and by zone.

    Parameters
    ----------
    report
        The answer: `roles`, `zones`, `concentration`.
    frame
        What the frame says.
    roles
        The roles of the city: `key`, `zh`, `en`.
    confidence
        How sure the reading of the structure is, 0 to 1.
    versions
        All readings, and what is wrong with the one shown.
    comparison
        What the reading shown changes against another.
    ground
        What the map lies on: the parts with `name` and `role`.
    """
    w = frame.words
    known = {role["key"]: w.pick(role) for role in roles}
    rows = [
        {
            **place_row(row, known.get(str(row.get("role"))) or (w.pick({**row, "key": ""}))),
            "role": row.get("role") or "",
        }
        for row in report.get("roles", ())
    ]
    zones = [
        {**place_row(row, row["name"]), "role": None}
        for row in report.get("zones", ())
        if row.get("mapped")
    ]
    return render(
        "structure.html",
        frame=frame,
        page="structure",
        roles=rows,
        zones=zones,
        unmapped=[row["name"] for row in report.get("zones", ()) if not row.get("mapped")],
        lead=max((row for row in rows if row["label"]), key=_share_of, default=None),
        concentration=[
            (w.get(f"concentration.{name}", name), value)
            for name, value in (report.get("concentration") or {}).items()
            if isinstance(value, int | float)
        ],
        confidence=confidence if confidence is not None else report.get("confidence"),
        version=report.get("version"),
        versions=list((versions or {}).get("readings", ())),
        faults=[fault_text(one, w) for one in (versions or {}).get("faults", ())],
        change=None if comparison is None else compared(comparison, known, w),
        map=None if ground is None else _map(ground, roles, w),
    )


def _share_of(row: Result) -> float:
    return float(row["share"] or 0.0)


def _map(ground: Ground, roles: Sequence[Result], w: Words) -> Any:
    """Return the map: every part in the colour of its role, with the role written in it."""
    known = {role["key"]: role for role in roles}
    looks = {}
    for feature in ground.outlines.get("features", ()):
        said = feature["properties"]
        role = known.get(said.get("role"), {})
        label = w.pick({"key": said.get("role") or "", **role})
        looks[said.get("name", "")] = AreaLook(role.get("colour") or "#999999", label)
    return mark_map(ground, looks=looks)


def fault_text(fault: Result, w: Words) -> str:
    """Return what is wrong with a reading, in words.

    >>> from web.words import words
    >>> fault_text({"kind": "overlap", "parts": ["甲", "乙"], "area_m2": 2.5e6}, words("zh"))
    '甲、乙：重叠 2.50 km²'
    """
    comma = "、" if w.lang == "zh" else ", "
    area_m2 = fault.get("area_m2")
    return w(
        f"faults.{fault['kind']}",
        parts=comma.join(fault["parts"]),
        detail=fault.get("detail") or "",
        area="" if area_m2 is None else number(area_m2 / 1e6, 2),
    )


def compared(comparison: Result, roles: Mapping[str, str], w: Words) -> dict[str, Any]:
    """Return a comparison of two readings as the page shows it."""

    def role(key: str | None) -> str:
        return roles.get(key or "", key or "") or w("structure.outside")

    def moved(rows: Sequence[Result]) -> list[dict[str, Any]]:
        return [{**row, "before": role(row["before"]), "after": role(row["after"])} for row in rows]

    return {
        "before": comparison["before"],
        "after": comparison["after"],
        "summary": comparison["summary"],
        "units": moved(comparison["units"]),
        "towns": moved(comparison["towns"]),
        "incubators": moved(comparison["incubators"]),
        "roles": [
            {
                "label": role(row["role"]),
                "figures": [
                    _figures(row, name, w)
                    for name in ("operating", "area_m2", "vacancy", "tenants", "covered")
                ],
            }
            for row in comparison["roles"]
        ],
    }


def _figures(row: Result, name: str, w: Words) -> dict[str, str]:
    """Return a figure of a role under both readings, and how it changes."""
    before, after = (_figure_of(row[side], name) for side in ("before", "after"))
    is_share = name in ("vacancy", "covered")

    def said(value: float | None) -> str:
        if value is None:
            return w("site.none")
        return percent(value, 1) if is_share else figure(value)

    change = ""
    if before is not None and after is not None and before != after:
        by = after - before
        change = f"{'+' if by > 0 else '−'}{said(abs(by))}"
    return {"before": said(before), "after": said(after), "change": change}


def _figure_of(figures: Result | None, name: str) -> float | None:
    if figures is None:
        return None if name in ("vacancy", "covered") else 0.0
    if name == "covered":
        return (figures.get("towns") or {}).get("covered_share")
    value: float | None = figures.get(name)
    return value


def structure_edit_page(
    *,
    frame: PageFrame,
    ground: Ground,
    roles: Sequence[Result],
    versions: Sequence[Result],
    held: Mapping[str, Any],
    rows: Sequence[Result],
    report: Result | None = None,
    errors: Sequence[Result] = (),
) -> str:
    """Draw the form that defines a reading: units and towns from a list, outlines on a map.

    Parameters
    ----------
    frame
        What the frame says.
    ground
        The map, and the units as GeoJSON to draw over.
    roles, versions
        The roles of the city, and the readings that there are.
    held
        What stands in the form: `version`, `valid_from`, `source`, `confidence`, `note`, `base` and
        `drawn`, outlines as GeoJSON text.
    rows
        Divisions to choose from: `code`, `name`, `unit`, `role`, `part`.
    report
        What is wrong with the draft and what it would change, where it was asked.
    errors
        Why the form could not be taken: `where`, `what`, `value`, `fix`.
    """
    w = frame.words
    known = {role["key"]: w.pick(role) for role in roles}
    spoken = w.section("edit_js")
    data = {
        "outlines": ground.outlines,
        "extent": tight_extent(ground),
        "roles": [
            {"key": role["key"], "label": w.pick(role), "colour": role.get("colour", "#999999")}
            for role in roles
        ],
        "words": spoken,
    }
    return render(
        "structure_edit.html",
        frame=frame,
        page="structure_edit",
        roles=[(role["key"], w.pick(role)) for role in roles],
        versions=versions,
        held=held,
        rows=rows,
        errors=errors,
        faults=[fault_text(one, w) for one in (report or {}).get("faults", ())],
        change=None if report is None else compared(report["comparison"], known, w),
        map=call_map(ground.view, "editStructure", data, script="structure.js"),
    )


def structure_sheets(report: Result, roles: Sequence[Result], w: Words) -> list[Sheet]:
    """Return the roll-up as tables: roles and zones, with the version used."""
    known = {role["key"]: w.pick(role) for role in roles}
    names = ("incubators", "operating", "area_m2", "share", "tenants", "vacant_area_m2",
             "vacancy", "growth")  # fmt: skip
    keys = ("incubators", "operating", "area", "area_share", "tenants", "vacant", "vacancy",
            "growth")  # fmt: skip
    heads = (*(w(f"structure.{key}") for key in keys), w("structure.towns"), w("readings.version"))

    def rows(found: Sequence[Result], label: Any) -> tuple[tuple[Any, ...], ...]:
        return tuple(
            (
                label(row),
                *(row.get(name) for name in names),
                place_row(row, "")["towns"],
                report.get("version"),
            )
            for row in found
        )

    outside = w("structure.outside")
    mapped = [row for row in report.get("zones", ()) if row.get("mapped")]
    return [
        Sheet(
            w("structure.roles"),
            (w("structure.role"), *heads),
            rows(report.get("roles", ()), lambda row: known.get(row["role"] or "") or outside),
        ),
        Sheet(
            w("structure.zones"),
            (w("structure.zone"), *heads),
            rows(mapped, lambda row: row["name"]),
        ),
    ]
