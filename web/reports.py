"""The page of reports: a form, how far the report is, and its file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from web.frame import PageFrame, render

_SAID = ("working", "waiting", "stopped", "done", "download", "again", "failed", "none_chosen")


def reports_page(
    *,
    frame: PageFrame,
    formats: Sequence[str],
    sections: Sequence[tuple[str, bool, bool]],
    units: Sequence[str],
    today: str,
    staff: bool,
) -> str:
    """Draw the page.

    Parameters
    ----------
    frame
        What the frame says.
    formats
        The formats that there are.
    sections
        Each section: its key, whether it is chosen at first, whether it is the staff's.
    units
        The reporting units.
    today
        The day that the form holds at first.
    staff
        Whether the reader is signed in.
    """
    w = frame.words
    config: dict[str, Any] = {
        "lang": frame.lang,
        "words": {key: w.section("reports")[key] for key in _SAID},
        "stages": {key: w(f"report.{key}") for key, _, _ in sections}
        | {"writing": w("reports.writing")},
    }
    return render(
        "reports.html",
        frame=frame,
        page="reports",
        formats=formats,
        sections=sections,
        units=units,
        today=today,
        staff=staff,
        config=config,
    )
