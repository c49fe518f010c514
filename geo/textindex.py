"""Finding names as people type them: any part of a text, its pinyin, or its initials."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numba import njit

from geo.columns import Flags, Rows

Bytes = npt.NDArray[np.uint8]

_NEAR_BLANK = 0x20  # between a capital letter and its small one
_RUN = re.compile(r"[\x00-\x7f]+|[^\x00-\x7f]+")


@dataclass(frozen=True, eq=False)
class _Texts:
    """Texts in one row of bytes, and where each begins."""

    bytes: Bytes
    starts: Rows


@dataclass(frozen=True, eq=False)
class TextIndex:
    """Texts ready to be searched.

    Parameters
    ----------
    plain
        The texts in small letters.
    syllables
        Their pinyin, each syllable begun by a capital.
    initials
        The first letters of the syllables.
    """

    plain: _Texts
    syllables: _Texts
    initials: _Texts

    def find(self, word: str) -> Flags:
        """Tell which texts hold a word: as written, in pinyin, or by its initials.

        >>> index = index_texts(["瓯海区", "鹿城区", "Lab 3"])
        >>> [index.find(word).tolist() for word in ("瓯海", "ouhai", "lc", "LAB")]
        ... # doctest: +NORMALIZE_WHITESPACE
        [[True, False, False], [True, False, False], [False, True, False], [False, False, True]]
        """
        small = word.lower()
        wanted = np.frombuffer(small.encode(), dtype=np.uint8)
        found = _find(self.plain.bytes, self.plain.starts, wanted)
        if small.isascii() and small.isalnum():
            found |= _find(self.initials.bytes, self.initials.starts, wanted)
            spoken = np.frombuffer(small.capitalize().encode(), dtype=np.uint8)
            found |= _find(self.syllables.bytes, self.syllables.starts, spoken)
        return found


def index_texts(texts: Sequence[str]) -> TextIndex:
    """Make texts ready to be searched.

    Parameters
    ----------
    texts
        Any texts; each is read as Mandarin where it holds Chinese characters.
    """
    syllables = [_syllables(text) for text in texts]
    return TextIndex(
        _join([text.lower() for text in texts]),
        _join(["".join(part.capitalize() for part in parts) for parts in syllables]),
        _join(["".join(part[:1].lower() for part in parts) for parts in syllables]),
    )


def _syllables(text: str) -> list[str]:
    """Return the pinyin of each character; what is not Chinese as it stands, word by word.

    >>> _syllables("瓯海Lab 3")
    ['ou', 'hai', 'Lab', '3']
    """
    return [syllable for run in _RUN.findall(text) for syllable in _read(run)]


@lru_cache(maxsize=100_000)
def _read(run: str) -> tuple[str, ...]:
    """Return the syllables of a run; equal runs of many texts are read once."""
    if run.isascii():
        return tuple(run.split())
    # Its dictionary takes a second to load: the server's first page need not wait for it.
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415

    return tuple(lazy_pinyin(run, style=Style.NORMAL))


def _join(texts: Sequence[str]) -> _Texts:
    parts = [text.encode() for text in texts]
    starts = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    return _Texts(np.frombuffer(b"".join(parts), dtype=np.uint8), starts)


@njit(cache=True, nogil=True)
def _find(texts: Bytes, starts: Rows, wanted: Bytes) -> Flags:
    """Tell which texts hold the bytes wanted; small letters also stand for capitals."""
    found = np.zeros(len(starts) - 1, dtype=np.bool_)
    length = len(wanted)
    if length == 0:
        found[:] = True
        return found
    first = wanted[0]
    for i in range(len(starts) - 1):
        for at in range(starts[i], starts[i + 1] - length + 1):
            if texts[at] != first:
                continue
            same = True
            for k in range(1, length):
                byte = texts[at + k]
                if 65 <= byte <= 90:
                    byte |= _NEAR_BLANK
                if byte != wanted[k]:
                    same = False
                    break
            if same:
                found[i] = True
                break
    return found
