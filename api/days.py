"""Days as people and programs write them, for every door."""

from __future__ import annotations

import datetime as dt

from geo.errors import InputError

# Years that plans and records can be about; beyond them the arithmetic of days ends.
FIRST_YEAR, LAST_YEAR = 1900, 2200


def parse_day(text: str | None, name: str) -> dt.date | None:
    """Read a day; None for nothing.

    Parameters
    ----------
    text
        The day as YYYY-MM-DD.
    name
        What was asked for, named in the error.

    Raises
    ------
    InputError
        When the text is no day, or none of the years 1900 to 2200.

    >>> parse_day("2026-11-24", "date")
    datetime.date(2026, 11, 24)
    >>> parse_day("2026-02-30", "date")
    Traceback (most recent call last):
    geo.errors.InputError: date: '2026-02-30' is not a day; give YYYY-MM-DD
    """
    if not text:
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{name}: {text[:40]!r} is not a day; give YYYY-MM-DD") from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InputError(
            f"{name}: {text!r} is out of range; give a day of the years {FIRST_YEAR} to {LAST_YEAR}"
        )
    return day
