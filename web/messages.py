"""Messages of errors in the reader's language.

The program says what is wrong once, in English, where it finds it. `words/messages/` holds the
Chinese of every such message, under the English with `{0}`, `{1}`, … where a value stands; a
message is recognised by its fixed words, its values are kept. What is not in the tables stays
English: a true sentence in the other language is better than none.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files

from geo.errors import Fault

_SLOT = re.compile(r"\{(\d)\}")
_SPLIT = re.compile(r"(\{\d\})")
_Pattern = tuple[re.Pattern[str], list[str], str]  # of the English; its values; Chinese
_FEW_LETTERS = 12  # a pattern with fewer fixed letters is tried last: it fits too much
_DEEPEST = 5  # messages quote messages, but not endlessly
_LONGEST = 600  # longer texts are quotations, not sentences of ours


def say(message: str, lang: str) -> str:
    """Return a message in a language.

    Parameters
    ----------
    message
        The message in English, as the program raised it.
    lang
        The language, `zh` or `en`.

    Examples
    --------
    >>> say("row 3, area_m2: is negative (-5.0); check the coordinates and the datum", "en")
    'row 3, area_m2: is negative (-5.0); check the coordinates and the datum'
    >>> say("date: '2026-02-30' is not a day; give YYYY-MM-DD", "zh")
    "date：'2026-02-30'不是日期；请写成YYYY-MM-DD"
    """
    return message if lang != "zh" or len(message) > _LONGEST else _chinese(message, _DEEPEST)


def say_fault(fault: Fault, lang: str) -> Fault:
    """Return a fault with its place, what is wrong and the way out in a language.

    >>> say_fault(Fault("row 3, x", "is not a coordinate", "a", "give both or neither"), "zh").what
    '不是坐标'
    """
    return replace(
        fault,
        where=say(fault.where, lang),
        what=say(fault.what, lang),
        fix=say(fault.fix, lang),
    )


def say_all(message: str, faults: Sequence[Fault], lang: str) -> str:
    """Return the message of an error: fault by fault where it tells several one after another.

    >>> faults = [Fault("unit", "is not known", "a"), Fault("kind", "is not a choice", "b")]
    >>> say_all("; ".join(map(str, faults)), faults, "zh")
    "unit：不能识别（'a'）；kind：不是可选值（'b'）"
    """
    if lang != "zh" or message != "; ".join(map(str, faults)):
        return say(message, lang)
    return "；".join(say(str(fault), lang) for fault in faults)


def _chinese(text: str, depth: int) -> str:
    """Put a message into Chinese: whole, else by its parts, else by a pattern of few words."""
    if depth == 0 or not text:
        return text
    plain, loose = _table()
    told = _match(text, plain, depth)
    if told is None:
        told = _by_parts(text, depth)
    if told is None:
        told = _match(text, loose, depth)
    return text if told is None else told


def _match(text: str, patterns: Sequence[_Pattern], depth: int) -> str | None:
    for pattern, order, chinese in patterns:
        found = pattern.fullmatch(text)
        if found is not None:
            told = [_chinese(value, depth - 1) for value in found.groups()]
            values = dict(zip(order, told, strict=True))
            return "".join(values.get(piece, piece) for piece in _SPLIT.split(chinese))
    return None


def _by_parts(text: str, depth: int) -> str | None:
    """Put "place: what (value); way out" into Chinese, each part for itself."""
    for mark, written in (("; ", "；"), (": ", "：")):
        first, sign, rest = text.partition(mark)
        if sign:
            parts = _chinese(first, depth - 1), _chinese(rest, depth - 1)
            if parts != (first, rest):
                return written.join(parts)
    body, sign, value = text.rpartition(" (")
    if sign and value.endswith(")"):
        told = _chinese(body, depth - 1)
        return None if told == body else f"{told}（{value[:-1]}）"
    return None


@cache
def _table() -> tuple[list[_Pattern], list[_Pattern]]:
    """Return the patterns of the messages, those of few fixed words apart; the longest first."""
    table = sorted(read_messages().items(), key=lambda pair: _weight(pair[0]), reverse=True)
    plain = [_compile(*pair) for pair in table if _fixed_length(pair[0]) >= _FEW_LETTERS]
    plain += [_compile(*pair) for pair in table if not _SLOT.search(pair[0])]
    return plain, [_compile(*pair) for pair in table if _fixed_length(pair[0]) < _FEW_LETTERS]


def _weight(english: str) -> tuple[int, int]:
    return _fixed_length(english), len(_SLOT.sub("", english))


def _fixed_length(english: str) -> int:
    return sum(map(str.isalpha, _SLOT.sub("", english)))


def _compile(english: str, chinese: str) -> _Pattern:
    pieces = _SLOT.split(english)
    fixed, order = pieces[::2], [f"{{{number}}}" for number in pieces[1::2]]
    pattern = "(.*?)".join(re.escape(piece) for piece in fixed)
    return re.compile(pattern, re.DOTALL), order, chinese


def read_messages() -> dict[str, str]:
    """Return the Chinese of every message by its English."""
    table: dict[str, str] = {}
    for file in files("web").joinpath("words", "messages").iterdir():
        table |= tomllib.loads(file.read_text("utf-8"))
    return table
