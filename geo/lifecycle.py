"""The life of an incubator: planned, under construction, completed, operating, withdrawn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from geo.errors import InputError
from geo.frames import days, texts

OPERATING, PLANNED, NONE = "operating", "planned", "none"

_STEPS = ("planned", "under_construction", "completed", "operating")
_MILESTONES = ("started_on", "completed_on", "opened_on")  # the dates on which a step is reached
_LAST = len(_STEPS) - 1
_RANKS = {**{name: rank for rank, name in enumerate(_STEPS)}, "rectifying": _LAST}


def parse_day(value: Any) -> pd.Timestamp:
    """Read a date.

    Parameters
    ----------
    value
        A date, datetime, or text like 2026-11-24.

    Returns
    -------
    pandas.Timestamp
        Midnight of that day, without time zone.

    Raises
    ------
    InputError
        When it is not a date.

    Examples
    --------
    >>> parse_day("2026-11-24")
    Timestamp('2026-11-24 00:00:00')
    """
    try:
        if isinstance(value, dt.date):  # datetime and Timestamp are dates too
            day = pd.Timestamp(year=value.year, month=value.month, day=value.day)
        else:
            day = pd.Timestamp(dt.date.fromisoformat(str(value).strip()))
    except ValueError as error:
        raise InputError(f"date {value!r} cannot be read; write it like 2026-11-24") from error
    return day


def status_at(incubators: pd.DataFrame, date: Any) -> pd.Series:
    """Tell the status of each incubator on a day.

    The recorded status holds, except where dates tell more: before its milestone a step is not
    reached yet (an incubator opened in May was not operating in March); a milestone that lay ahead
    when the record was made (after its `as_of`) is taken as reached when its day comes. A date that
    had passed when the record was made moves nothing: a project that should have opened but is
    recorded as under construction is late, not open. From `closed_on` on, or always when that is
    missing, a withdrawn incubator is withdrawn.

    Parameters
    ----------
    incubators
        Records with `status` and, where known, `started_on`, `completed_on`, `opened_on`,
        `closed_on`, `as_of`.
    date
        The day, as `parse_day` takes it.

    Returns
    -------
    pandas.Series
        A status of the catalogue per record, on the same index.

    Examples
    --------
    >>> frame = pd.DataFrame({"status": ["operating"], "opened_on": ["2026-05-01"]})
    >>> status_at(frame, "2026-03-01").tolist(), status_at(frame, "2026-05-01").tolist()
    (['planned'], ['operating'])
    """
    day = np.datetime64(parse_day(date), "s")
    recorded = np.array([text or "" for text in texts(incubators, "status")], dtype=object)
    rank = np.array([_RANKS.get(status, _LAST) for status in recorded], dtype=int)
    recorded_on = days(incubators, "as_of")
    milestones = [(step, days(incubators, name)) for step, name in enumerate(_MILESTONES, start=1)]
    proven = np.zeros(len(rank), dtype=int)  # the last step that a date proves
    for step, on in milestones:
        proven = np.where(on <= day, step, proven)
        rank = np.where((on <= day) & (on > recorded_on), np.maximum(rank, step), rank)
    for step, on in milestones:
        ahead = (on > day) & (rank >= step)
        rank = np.where(ahead, np.minimum(proven, step - 1), rank)
    status = np.array(_STEPS, dtype=object)[rank]
    status = np.where((rank == _LAST) & (recorded == "rectifying"), "rectifying", status)
    closed_on = days(incubators, "closed_on")
    gone = (closed_on <= day) | ((recorded == "withdrawn") & np.isnat(closed_on))
    return pd.Series(np.where(gone, "withdrawn", status), index=incubators.index, name="status")


def state_at(incubators: pd.DataFrame, date: Any, rule: Mapping[str, Any]) -> pd.Series:
    """Tell whether each incubator operates, is planned, or neither on a day.

    Parameters
    ----------
    incubators, date
        As `status_at`.
    rule
        `operating_statuses` and `planned_statuses`: which statuses count as which.

    Returns
    -------
    pandas.Series
        `operating`, `planned` or `none` per record, on the same index.
    """
    states = {
        **dict.fromkeys(rule["planned_statuses"], PLANNED),
        **dict.fromkeys(rule["operating_statuses"], OPERATING),
    }
    return status_at(incubators, date).map(lambda status: states.get(status, NONE)).rename("state")
