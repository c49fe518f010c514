"""The pages of the history: which edits there were, and one of them with its undo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layers.catalog import layers
from layers.query import GEOMETRY
from web.frame import PageFrame, render
from web.rows import Result, worded
from web.words import Words

_LONG = 200


def history_page(report: Result, *, frame: PageFrame, held: Mapping[str, Any]) -> str:
    """Draw the list of edits.

    Parameters
    ----------
    report
        The history as plain values.
    frame
        What the frame says.
    held
        What the filter holds: `layer`, `who`, `text`.
    """
    w = frame.words
    return render(
        "history.html",
        frame=frame,
        page="history",
        batches=[batch_row(batch, w) for batch in report["batches"]],
        total=report["total"],
        following=report.get("next"),
        layers=[(name, layer_word(name, w)) for name in report["layers"]],
        people=report["people"],
        held=held,
    )


def batch_page(report: Result, *, frame: PageFrame, said: str = "") -> str:
    """Draw one batch: what it did, and the button that takes it back.

    Parameters
    ----------
    report
        The batch as plain values.
    frame
        What the frame says.
    said
        What has just been done, as a key of the words under `history`.
    """
    w = frame.words
    undo = report["undo"]
    return render(
        "batch.html",
        frame=frame,
        page="batch",
        batch=batch_row(report["batch"], w),
        cells=[_cell(cell, report["batch"]["layer"], w) for cell in report["cells"]],
        counts=[
            (w(f"history.{name}", count=len(undo[name])))
            for name in ("deletes", "reverts", "restores")
            if undo[name]
        ],
        conflicts=undo["conflicts"],
        said=said,
    )


def batch_row(batch: Result, w: Words) -> dict[str, Any]:
    """Return a batch as the tables show it."""
    at = str(batch["at"])[:16].replace("T", " ")
    return {**batch, "at": at, "label": layer_word(batch["layer"], w)}


def layer_word(name: str, w: Words) -> str:
    """Return the word of a layer, or of what has a history beside the layers."""
    declared = layers().get(name)
    return str(getattr(declared, w.lang)) if declared else w.get(f"history.of_{name}", name)


def cell_word(layer: str, column: str, value: Any, w: Words) -> str:
    """Return a value of the history as people read it, shortened.

    >>> from web.words import words
    >>> cell_word("incubators", "level", "national", words("en"))
    'National'
    """
    declared = layers().get(layer)
    known = next((c for c in declared.columns if c.name == column), None) if declared else None
    if known is None or column == GEOMETRY:
        text = w("site.none") if value is None else str(value)
    else:
        text = worded(known, value, w)
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def column_word(layer: str, column: str, w: Words) -> str:
    """Return the word of a column.

    >>> from web.words import words
    >>> column_word("incubators", "geometry", words("en"))
    'Place'
    """
    if column == GEOMETRY:
        return w("history.place")
    declared = layers().get(layer)
    known = next((c for c in declared.columns if c.name == column), None) if declared else None
    return str(getattr(known, w.lang)) if known else column


def _cell(cell: Result, layer: str, w: Words) -> dict[str, Any]:
    column = cell["column"]
    return {
        "id": cell["id"],
        "action": w(f"history.{cell['action']}"),
        "column": column_word(layer, column, w) if column else "",
        "before": cell_word(layer, column, cell["before"], w),
        "after": cell_word(layer, column, cell["after"], w),
    }
