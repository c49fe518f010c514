"""Faults in the reader's language: what checks say, said again in the words of a page."""

from __future__ import annotations

import re
from collections.abc import Mapping

from web.words import Words

_COLUMN = r"(?P<a>\w+)"

# What is said of faults, by the key of its words; what no pattern knows stays as it is.
_SAID: Mapping[str, str] = {
    "missing": r"is missing",
    "required": r"give a value: the column is required",
    "twice": r"is given twice",
    "keep_one": r"keep one record of each",
    "taken": r"is in the store already.*",
    "change_one": r"change or leave out one|leave it out, or import with replace.*",
    "no_number": r"is not a number",
    "give_number": r"give a number, or leave the cell empty",
    "not_finite": r"is not (?:a )?finite(?: number)?",
    "leave_empty": r"leave the cell empty when it is not known|give a finite number.*",
    "no_integer": r"is not a whole number",
    "give_integer": r"give a whole number",
    "no_boolean": r"is neither yes nor no",
    "give_boolean": r"give 是 or 否",
    "no_date": r"is not a date that reads one way only",
    "day_count": r"looks like a spreadsheet's day count",
    "give_date": r".*give year first.*",
    "years": r"lies outside the years (?P<a>\d+) to (?P<b>\d+)",
    "check_year": r"check the year",
    "no_day": r"is no day of the calendar",
    "check_day": r"check month and day",
    "no_choice": r"is none of the allowed values|is not one of the choices|holds what is no choice",
    "give_one": r"give one of (?P<a>.+)",
    "above_column": r"is above (?P<a>[a-z]\w*) \((?P<b>.+)\)",
    "no_more": rf"give no more than {_COLUMN}, or correct that",
    "below": r"is below (?P<a>\S+)",
    "above": r"is above (?P<a>\S+)",
    "between": r"give (?P<a>-?[\d.e+]+) to (?P<b>-?[\d.e+]+)",
    "or_more": r"give (?P<a>-?[\d.e+]+) or more",
    "or_less": r"give (?P<a>-?[\d.e+]+) or less",
    "behind": r"has (?P<a>.+) behind the number",
    "units": r"units read here: (?P<a>.+)",
    "no_unit": r"is no unit of the city",
    "no_incubator": r"is no id or unambiguous name of an incubator",
    "no_category": r"is no category",
    "swapped": r"longitude and latitude look swapped",
    "swap": r"swap the two columns.*",
    "far": r"lies (?P<a>[\d,]+) km outside the city",
    "check_place": r"check the coordinates and the datum.*|check the numbers and the datum",
    "no_coordinate": r"is not a coordinate",
    "give_coordinate": r"give a number such as (?P<a>\S+)",
    "half": r"has no (?:longitude|latitude) \(.\)",
    "both": r"give both or neither",
    "no_degrees": r"has coordinates that are no degrees",
    "give_point": r"give a Point.*",
    "long": r"is longer than (?P<a>\d+) characters",
    "many": r"has more than (?P<a>\d+) items, or one of more than (?P<b>\d+) characters",
    "shorten": r"shorten it",
    "future": r"lies in the future",
    "up_to": r"give a day up to (?P<a>\S+)",
    "formula": r"holds a formula without a value",
    "type_value": r"type the value",
    "brought": r"was imported from a file of this name before.*",
    "from_incubator": r"(?P<a>\d+) place\(s\) taken from the incubator",
    "unit_filled": r"unit: (?P<a>\d+) missing name\(s\) taken from the unit's polygon",
    "town_filled": r"town: (?P<a>\d+) missing code\(s\) taken from the town's \w+",
    "demo_stays": r"(?P<a>\d+) record\(s\) say that they are demo data, and stay so",
    "near": r"(?P<a>\d+) point\(s\) lie up to 5 km outside the city's polygons",
    "not_read": r"headings that were not read: (?P<a>.+)",
    "kept": r"\d+ .+ name\(s\) are not in the city's list and were kept: (?P<a>.+)",
    "unknown_cells": rf"{_COLUMN}: (?P<b>\d+) cell\(s\) with a sign for 'not known'.*",
    "first_day": rf"{_COLUMN}: (?P<b>\d+) cell\(s\) give only the (?:month|year).*",
    "file_kind": r"(?P<a>.+) is neither \.xlsx nor \.csv.*",
    "file_locked": r"(?P<a>.+) is locked by a password.*",
    "file_macros": r"(?P<a>.+) holds macros.*",
    "file_unpacks": r"(?P<a>.+) unpacks to (?P<b>[\d,]+) MB.*",
    "file_damaged": r"(?P<a>.+) is damaged or not what its ending says.*",
    "file_other": r"(?P<a>.+) is the template of (?P<b>.+), not of (?P<c>.+); upload it there",
    "file_empty": r"(?P<a>.+?) holds no records.*|upload: the file is empty.*",
    "file_headings": r"none of the headings means a column.*",
    "file_datum": r"the datum of the coordinates is not said.*",
    "file_place": r"\w+ need a place and the headings name none.*",
    "datum_lost": r"the coordinates were declared as (?P<a>\w+) but fit (?P<b>\w+) better.*",
    "datum_unsure": r"the records cannot tell whether the datum is (?P<a>\w+).*",
    "file_rows": r"(?P<a>.+) has more than (?P<b>[\d,]+) rows.*",
}
# Those whose first value is the name of a column.
_OF_COLUMNS = frozenset({"above_column", "no_more", "unknown_cells", "first_day"})
_PATTERNS = {key: re.compile(pattern, re.DOTALL) for key, pattern in _SAID.items()}


def say(text: str, w: Words, *, columns: Mapping[str, str] | None = None) -> str:
    """Return what a check says in the language of the page.

    Parameters
    ----------
    text
        As the check says it, in English.
    w
        The words of the page.
    columns
        What columns are called on the page, by name.

    >>> from web.words import words
    >>> say("is below 0", words("zh")), say("is below 0", words("en"))
    ('小于 0', 'is below 0')
    >>> say("something new", words("zh"))
    'something new'
    """
    named = columns or {}
    if w.lang == "en":
        return text
    for key, pattern in _PATTERNS.items():
        found = pattern.fullmatch(text)
        if found is None:
            continue
        values = {name: value or "" for name, value in found.groupdict().items()}
        if key in _OF_COLUMNS:
            values["a"] = named.get(values["a"], values["a"])
        return w(f"fault.{key}").format(**{"a": "", "b": "", "c": "", **values})
    return text
