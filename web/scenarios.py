"""The pages of scenarios: the list, the editor, and several side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from layers.catalog import layer, layers
from web.compare_maps import compare_maps, difference_map
from web.frame import PageFrame, render
from web.maps import city_map
from web.mapview import MapView
from web.rows import Result
from web.siting import siting_view
from web.words import Words

GROUPS = ("coverage", "goals", "targets", "structure", "amenities")
_SCRIPTS_LEFT_OUT = ("search.js", "reach.js")
# The columns of a record that its form offers, by layer; all others can be set by API and command.
_EDITED = {
    "incubators": ("name", "status", "area_m2", "opened_on", "town"),
    "projects": ("name", "status", "area_m2", "year"),
    "sites": ("name", "decision", "capacity_m2", "cost_cny", "earliest_year"),
    "spaces": ("name", "status", "area_m2", "vacant_area_m2", "rent_cny_m2_month"),
    "amenities": ("name", "category"),
}
# What closing a record of a layer means, and which column takes the day.
_CLOSING = {
    "incubators": {"values": {"status": "withdrawn"}, "day": "closed_on"},
    "sites": {"values": {"decision": "forbidden"}, "day": ""},
}
_MARKS = {
    "won": "●", "lost": "✕", "other": "◐", "added": "＋", "removed": "−", "moved": "⇄",
    "resized": "↕", "closed": "−", "restated": "✎",
}  # fmt: skip


def scenarios_page(
    report: Result,
    *,
    frame: PageFrame,
    held: Mapping[str, str] | None = None,
    problem: str = "",
) -> str:
    """Draw the list of scenarios, and the form that makes one.

    Parameters
    ----------
    report
        The scenarios as plain values.
    frame
        What the frame says.
    held
        What the form holds: `name`, `note`.
    problem
        What was wrong with it.
    """
    return render(
        "scenarios.html",
        frame=frame,
        page="scenarios",
        rows=report["scenarios"],
        held={"name": "", "note": "", **(held or {})},
        problem=problem,
    )


@dataclass(frozen=True)
class Offers:
    """What the editor offers to choose from.

    Parameters
    ----------
    towns
        Where the industrial towns are: `code`, `name`, `lon`, `lat`.
    outlined
        Whether towns have outlines, so that a place tells its town.
    bounded
        Whether the city has an outline, so that places outside it are refused.
    incubators
        Ids and names.
    targets
        `id`, `label`, `value` of every target.
    rules
        Rules, each with its values by path.
    industries
        The key industries of the rules.
    today
        The day, for dates of the form.
    """

    towns: Sequence[Result]
    outlined: bool
    bounded: bool
    incubators: Sequence[tuple[str, str]]
    targets: Sequence[Result]
    rules: Sequence[tuple[str, Sequence[tuple[str, Any]]]]
    industries: Sequence[Result]
    today: str


def scenario_page(scenario: Result, *, frame: PageFrame, view: MapView, offers: Offers) -> str:
    """Draw the editor of a scenario.

    Parameters
    ----------
    scenario
        The scenario as plain values.
    frame
        What the frame says.
    view
        What the map shows: the real layers, under the marks of the scenario.
    offers
        What can be chosen.
    """
    w = frame.words
    drawn = city_map(siting_view(view))
    categories = {one["key"]: w.pick(one) for one in view.categories}
    copy_name = w("scenarios.copy_name", name=scenario["name"])
    return render(
        "scenario.html",
        frame=frame,
        page="scenario",
        scenario=scenario,
        map=drawn,
        scripts=[url for url in drawn.scripts if not any(no in url for no in _SCRIPTS_LEFT_OUT)],
        statuses=_choices("incubators", "status", w),
        project_statuses=_choices("projects", "status", w),
        space_statuses=_choices("spaces", "status", w),
        edited=[(name, getattr(layer(name), w.lang)) for name in _EDITED],
        bounded=offers.bounded,
        industries=[(one["name"], w.pick(one, "name")) for one in offers.industries],
        categories=list(categories.items()),
        incubators=offers.incubators,
        targets=offers.targets,
        rules=offers.rules,
        today=offers.today,
        edit={
            "lang": frame.lang,
            "words": w.section("scenario_js"),
            "id": scenario["id"],
            "labels": _labels(w),
            "categories": categories,
            "towns": list(offers.towns),
            "outlined": offers.outlined,
            "fields": {name: _fields(name, categories, w) for name in _EDITED},
            "closing": _CLOSING,
            "unplaced": [name for name in _EDITED if not layer(name).geometry_required],
            "copy_name": copy_name,
        },
    )


def _choices(name: str, column: str, w: Words) -> list[tuple[str, str]]:
    return [(one.value, getattr(one, w.lang)) for one in layer(name).column(column).choices]


def _fields(name: str, categories: Mapping[str, str], w: Words) -> list[dict[str, Any]]:
    """Say of the columns that the form of a record offers what each takes."""
    fields = []
    for column_name in _EDITED[name]:
        column = layer(name).column(column_name)
        choices = list(categories.items()) if column_name == "category" else [
            (one.value, getattr(one, w.lang)) for one in column.choices
        ]  # fmt: skip
        fields.append(
            {
                "name": column.name,
                "label": getattr(column, w.lang),
                "kind": column.kind,
                "choices": choices or None,
                "required": column.required,
            }
        )
    return fields


def _labels(w: Words) -> dict[str, str]:
    """Return the names of layers and of the columns that people change most."""
    named = {
        column.name: getattr(column, w.lang)
        for name in ("plan_targets", *reversed(_EDITED))
        for column in layer(name).columns
    }
    named |= {name: getattr(one, w.lang) for name, one in layers().items()}
    return named | {"rules": w("scenario.rule_pick"), "geometry": w("scenario_js.move")}


def scenario_compare_page(
    report: Result | None,
    *,
    frame: PageFrame,
    view: MapView,
    ids: Sequence[str],
    names: Sequence[str],
    job: Result,
    every: bool = False,
) -> str:
    """Draw two or three states side by side: maps, what differs on a map and in a table.

    Parameters
    ----------
    report
        The comparison as plain values; None while there is none.
    frame
        What the frame says.
    view
        Extent and base map.
    ids, names
        Which states, `base` for the layers as they are, whose name is empty.
    job
        The job that compares them, as plain values.
    every
        Whether equal figures are shown too.
    """
    w = frame.words
    shown: dict[str, Any] = {
        "names": [name or w("scenario.base") for name in names],
        "ids": ",".join(ids),
        "every": every,
        "job": job,
    }
    if report is None:
        nothing = dict.fromkeys(("report", "maps", "one"))
        config = {"words": w.section("scenario_compare_js")}
        return render(
            "scenario_compare.html",
            frame=frame,
            page="scenario_compare",
            config=config,
            **shown,
            **nothing,
        )
    return render(
        "scenario_compare.html",
        frame=frame,
        page="scenario_compare",
        **shown,
        **_compared(report, w, every=every),
        maps=compare_maps(view, len(names)),
        one=difference_map(view),
    )


def _compared(report: Result, w: Words, *, every: bool) -> dict[str, Any]:
    """Word what a comparison holds."""
    figures = [
        {**row, "label": w.pick(row), "cells": _cells(row)}
        for row in report["rows"]
        if every or row["differs"]
    ]
    changes = {key: w(f"scenario_compare.change_{key}") for key in _MARKS}
    return {
        "report": report,
        "groups": [
            (key, w(f"scenario_compare.group_{key}"), rows)
            for key in GROUPS
            if (rows := [row for row in figures if row["group"] == key])
        ],
        "towns": [
            {**row, "states": [w.get(f"state.{one}", "—") for one in row["states"]],
             "said": changes[row["change"]], "mark": _MARKS[row["change"]]}
            for row in report["towns"]
        ],
        "incubators": [
            {**row, "said": "、".join(changes[key] for key in row["changes"]),
             "mark": _MARKS[row["changes"][0]]}
            for row in report["incubators"]
        ],
        "config": {
            "lang": w.lang,
            "marks": _MARKS,
            "changes": changes,
            "states": [{"towns": s["towns"], "incubators": s["incubators"]}
                       for s in report["states"]],
            "differences": {"towns": report["towns"], "incubators": report["incubators"]},
            "stateLabels": w.section("state"),
        },
    }  # fmt: skip


def _cells(row: Result) -> list[dict[str, Any]]:
    """Return the values of a figure as they are shown, each with its difference to the first."""
    cells = []
    for value, difference in zip(row["values"], [None, *row["differences"]], strict=True):
        share = row["unit"] == "share"
        cells.append({"value": value, "difference": difference, "share": share})
    return cells
