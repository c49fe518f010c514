"""The form of a need as a page has it: flat fields of text, to what is checked and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from api.questions.demand_choices import FormChoices

SEVERAL = ("services", "amenities")
_FACT = "facts."
Fields = dict[str, Any]


def read_fields(pairs: Iterable[tuple[str, str]]) -> Fields:
    """Return the fields of a page's form: texts, and lists of them where several are chosen.

    >>> read_fields([("title", "A"), ("services", "x"), ("services", "y")])
    {'title': 'A', 'services': ['x', 'y']}
    """
    fields: Fields = {}
    for name, value in pairs:
        if name in SEVERAL:
            fields.setdefault(name, []).append(value)
        else:
            fields[name] = value
    return fields


def to_given(fields: Mapping[str, Any], choices: FormChoices) -> dict[str, Any]:
    """Return what the check reads: facts gathered, shares as parts of one instead of percent."""
    shares = {f"{_FACT}{one.key}" for one in choices.facts if one.is_share}
    facts = {
        name.removeprefix(_FACT): _part(value) if name in shares else value
        for name, value in fields.items()
        if name.startswith(_FACT)
    }
    given = {name: value for name, value in fields.items() if not name.startswith(_FACT)}
    return given | ({"facts": facts} if facts else {})


def to_fields(given: Mapping[str, Any], choices: FormChoices) -> Fields:
    """Return the fields that a page shows for a need, every value as it would be typed."""
    shares = {one.key for one in choices.facts if one.is_share}
    fields: Fields = {}
    for name, value in given.items():
        if name == "facts":
            fields |= {
                f"{_FACT}{key}": _typed(fact * 100 if key in shares else fact)
                for key, fact in value.items()
            }
        else:
            fields[name] = list(value) if name in SEVERAL else _typed(value)
    return fields


def _part(percent: str) -> float | str:
    """Return a percentage as a part of one; as typed where it is no number."""
    try:
        return float(percent) / 100
    except ValueError:
        return percent


def _typed(value: Any) -> str:
    """Write a value as one would type it.

    >>> _typed(True), _typed(30.0), _typed({"a": 1})
    ('true', '30', '{"a":1}')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.12g}"
    return orjson.dumps(value).decode() if isinstance(value, dict) else str(value)
