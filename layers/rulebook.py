"""The rules in force as TOML that a person edits, checked against what is in force.

Programs read rules by their keys and kinds: an edit may change values, entries and texts, but not
take a key away, make a number a text, or give a share above one.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from geo.errors import ConflictError, Fault, InputError
from layers.store import Rules, Store

Body = Mapping[str, Any]

SOURCE = "source"
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ENTRY_KEYS = ("key", "id", "name")


@dataclass(frozen=True)
class RuleVersion:
    """One version of a rule: when, by whom and why it came, and its text."""

    version: int
    at: str
    who: str
    note: str
    text: str


def write_rules(body: Body, source: str) -> str:
    """Write rules as TOML, the source first.

    >>> print(write_rules({"large_area_m2": 20000, "walk": {"speeds": [4, 3.2]}}, "§3"), end="")
    source = "§3"
    large_area_m2 = 20000
    <BLANKLINE>
    [walk]
    speeds = [4, 3.2]
    """
    return "\n".join([*_lines({SOURCE: source, **body}, ()), ""])


def read_rules(text: str, held: Rules) -> tuple[dict[str, Any], str]:
    r"""Read edited rules, held against those in force.

    Parameters
    ----------
    text
        TOML with `source`.
    held
        The rules in force.

    Returns
    -------
    tuple
        Body and source.

    Raises
    ------
    InputError
        When the text is no TOML or says what a program could not read; every fault names its line.

    Examples
    --------
    >>> held = Rules("towns", 1, {"large_area_m2": 20000, "kinds": ["a"]}, "s")
    >>> read_rules('source = "t"\nlarge_area_m2 = 25000\nkinds = []', held)
    ({'large_area_m2': 25000, 'kinds': []}, 't')
    >>> read_rules('source = "t"\nlarge_area_m2 = -1\nkinds = []', held)
    Traceback (most recent call last):
    geo.errors.InputError: rules towns: line 2, large_area_m2: is below 0 (-1); give 0 or more
    """
    try:
        body = _plain(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        where = f"line {found[1]}" if found else "the end of the text"
        fault = Fault(where, "is not TOML", str(error).partition(" (at")[0], "mend that line")
        raise InputError(f"rules {held.name}: {fault}", [fault]) from error
    source = body.pop(SOURCE, None)
    faults = list(_compare(held.body, body, ()))
    if not isinstance(source, str) or not source.strip():
        what = "is missing or empty"
        faults.insert(0, ((SOURCE,), what, source, "cite where the rules stand"))
    if faults:
        told = [
            Fault(f"line {line_of(text, path)}, {'.'.join(path)}", what, value, fix)
            for path, what, value, fix in faults
        ]
        more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
        raise InputError(f"rules {held.name}: {told[0]}{more}", told)
    return body, str(source)


def put_rules(store: Store, name: str, text: str, *, version: int, who: str, note: str) -> Rules:
    """Put edited rules in force; the version goes up where anything is different.

    Raises
    ------
    InputError
        When the text cannot be taken.
    ConflictError
        When another version than the one edited is in force now.
    NotFoundError
        When there are no rules of that name.
    """
    with store.edit(who, note) as edit:
        held = store.rules(name)
        if held.version != version:
            raise ConflictError(
                f"rules {name}: version {held.version} came into force while you edited version "
                f"{version}; look at it and repeat your change"
            )
        body, source = read_rules(text, held)
        return edit.set_rules(name, body, source)


def list_versions(store: Store, name: str) -> list[RuleVersion]:
    """List every version of a rule that the history keeps, the latest first."""
    return [
        RuleVersion(
            change.after["version"],
            change.at,
            change.who,
            change.note,
            write_rules(change.after["body"], change.after["source"]),
        )
        for change in reversed(store.history("rules", name))
        if change.after is not None
    ]


def differ(before: str, after: str) -> list[tuple[str, str]]:
    r"""Return what differs between two texts, line by line: `+`, `-` or a blank, and the line.

    >>> differ("a = 1\nb = 2\n", "a = 1\nb = 3\n")
    [(' ', 'a = 1'), ('-', 'b = 2'), ('+', 'b = 3')]
    """
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=2, lineterm="")
    return [(line[:1], line[1:]) for line in list(lines)[2:] if not line.startswith("@@")]


def line_of(text: str, path: tuple[str, ...]) -> int:
    r"""Return the line that a key stands on, or the table that lacks it; 1 where none is found.

    >>> line_of('a = 1\n\n[[list]]\nkey = "x"\nn = 1\n', ("list", "x", "n"))
    5
    """
    lines = text.splitlines()
    at = 0
    for part in path:
        name = re.escape(part)
        mark = re.compile(
            rf'\s*"?{name}"?\s*=|\s*\[+\s*(?:[^\]]*\.)?"?{name}"?\s*\]'
            rf'|.*\b(?:{"|".join(_ENTRY_KEYS)})\s*=\s*"{name}"'
        )
        at = next((row for row in range(at, len(lines)) if mark.match(lines[row])), at)
    return at + 1


Found = tuple[tuple[str, ...], str, Any, str]


def _compare(held: Any, given: Any, path: tuple[str, ...]) -> Iterator[Found]:
    """Find what programs could not read in edited rules."""
    if isinstance(held, Mapping) and isinstance(given, Mapping):
        for key, value in held.items():
            if key not in given:
                yield (*path, key), "is missing", None, "keep the key, and change its value only"
            else:
                yield from _compare(value, given[key], (*path, key))
    elif isinstance(held, list) and isinstance(given, list):
        yield from _compare_lists(held, given, path)
    elif _kind(held) != _kind(given):
        yield path, f"is a {_kind(given)}", _short(given), f"give a {_kind(held)}"
    elif _kind(held) == "number":
        yield from _compare_numbers(held, given, path)


def _compare_lists(held: list[Any], given: list[Any], path: tuple[str, ...]) -> Iterator[Found]:
    """Hold the entries of a list against those of the same key, others against their kind."""
    keyed = [(_entry_key(entry), entry) for entry in held if isinstance(entry, Mapping)]
    keys = [key for key, _ in keyed]
    # Entries that share their name with another are told apart by nothing.
    entries = {key: entry for key, entry in keyed if key is not None and keys.count(key) == 1}
    seen: set[str] = set()
    for entry in given:
        key = _entry_key(entry) if isinstance(entry, Mapping) else None
        if key is not None:
            if key in seen and entry not in held:
                yield (*path, key), "is given twice", key, "keep one"
            seen.add(key)
            yield from _compare(entries.get(key, {}), entry, (*path, key))
        elif held and _kind(entry) != _kind(held[0]):
            yield path, f"holds a {_kind(entry)}", _short(entry), f"give a {_kind(held[0])}"


def _entry_key(entry: Mapping[str, Any]) -> str | None:
    return next((str(entry[name]) for name in _ENTRY_KEYS if name in entry), None)


def _compare_numbers(held: float, given: float, path: tuple[str, ...]) -> Iterator[Found]:
    if not math.isfinite(given):
        yield path, "is not finite", str(given), "give a finite number"
    elif held >= 0 > given:
        yield path, "is below 0", given, "give 0 or more"
    elif path[-1].endswith("share") and 0 <= held <= 1 < given:
        yield path, "is above 1", given, "give a share from 0 to 1"


def _kind(value: Any) -> str:
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "truth value"),
        ((int, float), "number"),
        (str, "text"),
        (list, "list"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "table")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _plain(value: Any) -> Any:
    """Turn what TOML can hold into what JSON can: dates become texts."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _lines(table: Body, path: tuple[str, ...]) -> Iterator[str]:
    """Write a table: its values, then the tables in it under their headings."""
    inner = {key: value for key, value in table.items() if _is_table(value)}
    for key, value in table.items():
        if key not in inner and value is not None:
            yield f"{_key(key)} = {_value(value)}"
    for key, value in inner.items():
        name = ".".join(map(_key, (*path, key)))
        for entry in value if isinstance(value, list) else [value]:
            yield ""
            yield f"[[{name}]]" if isinstance(value, list) else f"[{name}]"
            yield from _lines(entry, (*path, key))


def _is_table(value: Any) -> bool:
    """Whether a value is written under a heading: a table, or a list of tables."""
    if isinstance(value, Mapping):
        return True
    return isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) for v in value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _quoted(key)


def _quoted(value: Any) -> str:
    """Write a text, number or truth value as JSON and TOML have it alike."""
    return orjson.dumps(value).decode().replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inner = (f"{_key(key)} = {_value(item)}" for key, item in value.items() if item is not None)
        return f"{{ {', '.join(inner)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return _quoted(value)
