"""A job: what was asked, how far it is, and how it ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["accepted", "running", "successful", "failed", "dismissed"]
STATES: tuple[State, ...] = ("accepted", "running", "successful", "failed", "dismissed")
ACTIVE = frozenset({"accepted", "running"})


@dataclass(frozen=True)
class Job:
    """One job, in the states of OGC API Processes.

    Parameters
    ----------
    id
        Names the job; whoever knows it may follow and stop it.
    kind
        What is done, a key of `api.jobs.kinds.KINDS`.
    staff
        Whether only staff may see it.
    inputs
        What was asked.
    hash
        Of kind, inputs, state of the store and day: equal questions have equal ones.
    state
        How far it is.
    created, started, finished
        Seconds since 1970, UTC.
    revision
        Goes up with every change.
    percent
        How much is done, 0 to 100; None where nobody can tell.
    stage
        What is being done.
    figures
        Figures of the work so far, such as the best found and its bound.
    stopping
        Whether it was asked to stop.
    result
        The name of the result's file; empty where there is none.
    media_type, filename, size_bytes
        What the result is.
    problem
        Why it failed, as problem details.
    """

    id: str
    kind: str
    staff: bool
    inputs: Mapping[str, Any]
    hash: str
    state: State
    created: float
    revision: int = 1
    started: float | None = None
    finished: float | None = None
    percent: int | None = None
    stage: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    stopping: bool = False
    result: str = ""
    media_type: str = ""
    filename: str = ""
    size_bytes: int = 0
    problem: Mapping[str, Any] | None = None

    @property
    def active(self) -> bool:
        """Whether it still waits or works."""
        return self.state in ACTIVE

    @property
    def url(self) -> str:
        """Where it is followed."""
        return f"/api/jobs/{self.id}"

    def to_json(self) -> dict[str, Any]:
        """Return the status as OGC API Processes writes it, with what is known beside.

        >>> Job("a1", "siting", False, {}, "h", "accepted", 0.0).to_json()["created"]
        '1970-01-01T00:00:00.000Z'
        """
        links = [{"rel": "self", "type": "application/json", "href": self.url}]
        links.append({"rel": "monitor", "type": "text/event-stream", "href": f"{self.url}/events"})
        if self.result:
            rel = "http://www.opengis.net/def/rel/ogc/1.0/results"
            links.append({"rel": rel, "type": self.media_type, "href": f"{self.url}/results"})
        said = {
            "jobID": self.id,
            "processID": self.kind,
            "type": "process",
            "status": self.state,
            "message": self.message,
            "created": _instant(self.created),
            "started": _instant(self.started),
            "finished": _instant(self.finished),
            "progress": self.percent,
            "stage": self.stage or None,
            "stopping": self.stopping if self.active else None,
            "figures": dict(self.figures) or None,
            "filename": self.filename or None,
            "size_bytes": self.size_bytes or None,
            "problem": dict(self.problem) if self.problem else None,
            "links": links,
        }
        return {key: value for key, value in said.items() if value is not None}

    @property
    def message(self) -> str:
        """Where it stands, in a line."""
        if self.problem:
            return str(self.problem["detail"])
        if self.active and self.stopping:
            return "stopping"
        if self.state == "dismissed":
            return "stopped; the best found so far is kept" if self.result else "stopped"
        return self.stage or self.state


def _instant(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    text = dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
