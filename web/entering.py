"""The pages where staff enter data: the layers, the records of one, and what an upload would do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from layers.catalog import Layer
from layers.query import GEOMETRY
from web.frame import PageFrame, render
from web.history import column_word
from web.messages import say
from web.rows import Result, worded
from web.words import Words

DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")
_CELLS = 500
_NEW = 100


def data_page(found: Sequence[Any], *, frame: PageFrame) -> str:
    """Draw the list of layers that staff enter.

    Parameters
    ----------
    found
        Layers with `layer`, `records` and `demo`.
    frame
        What the frame says.
    """
    rows = [
        {
            "name": one.layer.name,
            "label": getattr(one.layer, frame.lang),
            "records": one.records,
            "demo": one.demo,
        }
        for one in found
    ]
    return render("data.html", frame=frame, page="data", rows=rows)


def table_page(
    report: Any,
    *,
    frame: PageFrame,
    held: Mapping[str, str],
    sort: str = "",
    wrong: str = "",
    said: str = "",
) -> str:
    """Draw the records of a layer, with its filter, template and upload.

    Parameters
    ----------
    report
        The records, as the question answers.
    frame
        What the frame says.
    held
        What the filter holds, by column, and `text`.
    sort
        Column sorted by, `-` before it for falling.
    wrong
        What is wrong with a file just uploaded.
    said
        What has just been done, as words.
    """
    w, layer = frame.words, report.layer
    columns = {column.name: column for column in layer.columns}
    return render(
        "desk_table.html",
        frame=frame,
        page="listing",
        layer={"name": layer.name, "label": getattr(layer, frame.lang), "spatial": layer.spatial},
        columns=[
            {
                "name": name,
                "label": getattr(columns[name], frame.lang),
                "numeric": columns[name].kind in ("number", "integer"),
                "sort": f"-{name}" if sort == name else name,
                "sorted": {name: "ascending", f"-{name}": "descending"}.get(sort, ""),
            }
            for name in report.columns
        ],
        filters=[
            (name, getattr(columns[name], frame.lang), choices_of(columns[name], report, w))
            for name in report.filters
        ],
        rows=[
            {
                "id": row["id"],
                "demo": row["provenance"] == "demo",
                "cells": [value_word(columns[name], row[name], report.vocabularies, w)
                          for name in report.columns],
            }
            for row in report.rows
        ],
        total=report.total,
        following=report.next,
        searchable=report.searchable,
        confirmable="confirmed_on" in columns,
        by_unit="unit" in columns,
        by_incubator="incubator" in columns,
        datums=DATUMS,
        held=held,
        sort=sort,
        wrong=say(wrong, w.lang),
        said=said,
    )  # fmt: skip


def preview_page(
    plan: Any,
    *,
    layer: Layer,
    frame: PageFrame,
    upload: Mapping[str, str],
    vocabularies: Mapping[str, Any],
    watch: Sequence[Result] = (),
    stale: bool = False,
) -> str:
    """Draw what an upload would do, and the button that does it.

    Parameters
    ----------
    plan
        What it would do, as the question answers.
    layer
        The layer.
    frame
        What the frame says.
    upload
        `key`, `name` and `datum` of the upload.
    vocabularies
        Words of the columns that refer to something.
    watch
        What deserves a look, though it is no fault: `where` and `text`.
    stale
        Whether the store changed after the preview that was confirmed.
    """
    w = frame.words
    labels = column_labels(layer, w)
    columns = {column.name: column for column in layer.columns}

    def shown(name: str, value: Any) -> str:
        if name in columns and name != GEOMETRY:
            return value_word(columns[name], value, vocabularies, w)
        return place_word(value, w)

    return render(
        "preview.html",
        frame=frame,
        page="preview",
        layer={"name": layer.name, "label": getattr(layer, frame.lang)},
        upload=upload,
        counts=[
            ("new", len(plan.new)),
            ("changed", len(plan.changed)),
            ("unchanged", len(plan.unchanged)),
            ("faulty", len(plan.faulty)),
        ],
        cells=[
            {"row": c.row, "id": c.id, "name": c.name, "column": labels.get(c.column, c.column),
             "before": shown(c.column, c.before), "after": shown(c.column, c.after)}
            for c in plan.cells[:_CELLS]
        ],
        more_cells=max(0, len(plan.cells) - _CELLS),
        new=[
            {"row": row, "facts": [(labels[name], shown(name, value))
             for name, value in record.items() if name in labels and name not in _OWN
             and value not in (None, [])]}
            for row, record in list(plan.new.items())[:_NEW]
        ],
        more_new=max(0, len(plan.new) - _NEW),
        faults=fault_rows(plan.faults, labels, w),
        warnings=[told(warning, labels, w) for warning in plan.warnings],
        watch=watch,
        votes=plan.votes,
        token=plan.token,
        writes=plan.writes,
        stale=stale,
    )  # fmt: skip


_OWN = frozenset({"id", "batch", "provenance", "declared_datum", "declared_x", "declared_y"})


def fault_rows(faults: Sequence[Any], labels: Mapping[str, str], w: Words) -> list[dict[str, Any]]:
    """Return faults as the tables show them."""
    return [
        {
            "row": fault.row,
            "column": labels.get(fault.column, fault.column),
            "what": told(fault.what, labels, w),
            "value": "" if fault.value is None else str(fault.value)[:80],
            "fix": told(fault.fix, labels, w),
        }
        for fault in faults[:_CELLS]
    ]


def told(text: str, labels: Mapping[str, str], w: Words) -> str:
    """Return what a check says in the language of the page, columns by what they are called there.

    >>> from web.words import words
    >>> told("is above area_m2 (50)", {"area_m2": "面积"}, words("zh"))
    '大于面积（50）'
    """
    named = [name for name in labels if "_" in name]  # others are words of the sentence too
    said = say(text, w.lang)
    return (
        re.sub(rf"\b({'|'.join(named)})\b", lambda found: labels[found[0]], said, flags=re.ASCII)
        if named
        else said
    )


def column_labels(layer: Layer, w: Words) -> dict[str, str]:
    """Return what columns, and the place, are called in the language of the page."""
    labels = {column.name: str(getattr(column, w.lang)) for column in layer.columns}
    return labels | {GEOMETRY: column_word(layer.name, GEOMETRY, w)}


def value_word(column: Any, value: Any, vocabularies: Mapping[str, Any], w: Words) -> str:
    """Return a value as people read it, what refers to something by its name."""
    known = vocabularies.get(column.name)
    if known is not None and isinstance(value, str) and value in known.labels:
        return str(known.labels[value][0 if w.lang == "zh" else 1])
    if column.kind == "integer" and column.name.endswith("year"):
        return worded(column, None, w) if value is None else str(value)
    text = worded(column, value, w)
    return text if len(text) <= 200 else f"{text[:200]}…"


def place_word(value: Any, w: Words) -> str:
    """Return a place as people read it: longitude and latitude of a point, else its kind.

    >>> from shapely import Point
    >>> from web.words import words
    >>> place_word(Point(120.65, 28.05), words("en"))
    '120.650000, 28.050000'
    """
    if value is None:
        return w("site.none")
    if value.geom_type == "Point":
        return f"{value.x:.6f}, {value.y:.6f}"
    return str(value.geom_type)


def choices_of(column: Any, report: Any, w: Words) -> list[tuple[str, str]] | None:
    """Return what a filter offers: values and words; None for one that is typed."""
    at = 0 if w.lang == "zh" else 1
    if column.choices:
        return [(choice.value, getattr(choice, w.lang)) for choice in column.choices]
    known = report.vocabularies.get(column.name)
    if known is not None and known.labels:
        return [(value, label[at]) for value, label in known.labels.items()]
    return None


def doubt_words(doubts: Sequence[Any], w: Words) -> list[dict[str, str]]:
    """Return doubts as people read them: the row and the text."""
    return [
        {
            "where": w("doubt.row", row=doubt.row),
            "text": w(f"doubt.{doubt.kind}", **{
                name: f"{value:,.10g}" if isinstance(value, float) else value
                for name, value in doubt.values.items()
            }),
        }
        for doubt in doubts
    ]  # fmt: skip
