"""Values inside rules: single numbers, texts and switches, each by its path.

A path names tables by their key and entries of a list by their `key`, `name` or position:
`compliance.urban_radius_m`, `profiles.adult.speed_km_h`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from geo.errors import Fault, InputError

_NAMES = ("key", "name")


def rule_values(body: Mapping[str, Any]) -> dict[str, Any]:
    """List every single value of a rule by its path.

    >>> rule_values({"large_area_m2": 20000, "who": [{"key": "adult", "speed_km_h": 4.0}]})
    {'large_area_m2': 20000, 'who.adult.key': 'adult', 'who.adult.speed_km_h': 4.0}
    """
    return dict(_walk(body, ()))


def _walk(node: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _walk(value, (*path, str(key)))
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from _walk(value, (*path, _entry(value, place)))
    elif node is not None:
        yield ".".join(path), node


def _entry(value: Any, place: int) -> str:
    if isinstance(value, Mapping):
        for name in _NAMES:
            if isinstance(value.get(name), str) and "." not in value[name]:
                return str(value[name])
    return str(place)


def take_values(body: Mapping[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """Return the values of some paths; None where a rule has none."""
    known = rule_values(body)
    return {path: known.get(path) for path in paths}


def put_values(body: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule with other values at some paths.

    Raises
    ------
    InputError
        With every path that the rule does not have, and every value of another kind.

    >>> put_values({"a": {"b": 1.5}}, {"a.b": 2})
    {'a': {'b': 2.0}}
    """
    known = rule_values(body)
    changed: dict[str, Any] = copy.deepcopy(dict(body))
    faults = []
    for path, value in values.items():
        if path not in known:
            close = get_close_matches(path, known, n=1)
            fix = f"did you mean {close[0]}?" if close else "see the rule for its values"
            faults.append(Fault(path, "the rule has no such value", None, fix))
            continue
        fitting = _fit(known[path], value)
        if fitting is None:
            kind = type(known[path]).__name__
            faults.append(Fault(path, f"is not of kind {kind}", value, f"it is {known[path]!r}"))
            continue
        _set(changed, path, fitting)
    if faults:
        raise InputError(str(faults[0]), faults)
    return changed


def _fit(known: Any, value: Any) -> Any:
    """Return a value in the kind of the one it replaces; None when it cannot be."""
    if isinstance(known, bool) or isinstance(value, bool):
        return value if isinstance(known, bool) and isinstance(value, bool) else None
    if isinstance(known, int | float):
        if not isinstance(value, int | float) or value != value or abs(value) == float("inf"):  # noqa: PLR0124
            return None
        if isinstance(known, float):
            return float(value)
        return int(value) if float(value).is_integer() else float(value)
    return value if isinstance(value, str) and isinstance(known, str) else None


def _set(body: dict[str, Any], path: str, value: Any) -> None:
    """Set the value of a path that is known to exist."""
    node: Any = body
    *way, last = path.split(".")
    for step in way:
        node = _down(node, step)
    if isinstance(node, list):
        node[_place(node, last)] = value
    else:
        node[last] = value


def _down(node: Any, step: str) -> Any:
    return node[_place(node, step)] if isinstance(node, list) else node[step]


def _place(entries: list[Any], step: str) -> int:
    return next(place for place, one in enumerate(entries) if _entry(one, place) == step)
