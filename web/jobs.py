"""The staff's page of jobs: what is under way, how far, and what is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from web.frame import PageFrame, render

KINDS = ("siting", "match", "report")
_SAID = (
    "stop", "stopping", "remove", "result", "cleaned", "failed", "accepted", "running",
    "successful", "failed_state", "dismissed", *KINDS,
)  # fmt: skip


def jobs_page(jobs: Sequence[Mapping[str, Any]], *, frame: PageFrame) -> str:
    """Draw the page; its script draws the rows, and again as they change.

    Parameters
    ----------
    jobs
        The status of every job.
    frame
        What the frame says.
    """
    config = {
        "lang": frame.lang,
        "jobs": list(jobs),
        "words": {key: frame.words(f"jobs.{key}", count="{count}") if key == "cleaned"
                  else frame.words(f"jobs.{key}") for key in _SAID},
    }  # fmt: skip
    return render("jobs.html", frame=frame, page="jobs", config=config)
