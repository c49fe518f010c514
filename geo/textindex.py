"""Finding names as people type them: any part of a text, its pinyin, or its initials."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numba import njit

from geo.columns import Codes, Flags, Rows

Bytes = npt.NDArray[np.uint8]

_NEAR_BLANK = 0x20  # between a capital letter and its small one
_PAIRS = 2**16
_EVERY: Codes = np.empty(0, dtype=np.int32)
_RUN = re.compile(r"[\x00-\x7f]+|[^\x00-\x7f]+")


@dataclass(frozen=True, eq=False)
class _Texts:
    """Texts in one row of bytes, and which of them hold which two bytes side by side.

    Parameters
    ----------
    bytes, starts
        The texts one after another, and where each begins.
    holders, by_pair
        The texts that hold a pair, pair after pair in ascending order, and where each pair begins.
    """

    bytes: Bytes
    starts: Rows
    holders: Codes
    by_pair: Rows

    def find(self, wanted: Bytes) -> Flags:
        """Tell which texts hold some bytes; small letters also stand for capitals."""
        found = np.zeros(len(self.starts) - 1, dtype=np.bool_)
        if not len(wanted):
            found[:] = True
            return found
        holders = _EVERY
        if len(wanted) > 1:
            # Only those that hold the rarest pair can hold the whole.
            pairs = _pairs(_small(wanted)).astype(np.int64)
            sizes = self.by_pair[pairs + 1] - self.by_pair[pairs]
            rarest = pairs[np.argmin(sizes)]
            holders = self.holders[self.by_pair[rarest] : self.by_pair[rarest + 1]]
        _find(self.bytes, self.starts, wanted, holders, len(wanted) == 1, found)
        return found


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
        found = self.plain.find(wanted)
        if small.isascii() and small.isalnum():
            found |= self.initials.find(wanted)
            spoken = np.frombuffer(small.capitalize().encode(), dtype=np.uint8)
            found |= self.syllables.find(spoken)
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
    joined = np.frombuffer(b"".join(parts), dtype=np.uint8)
    pairs = _pairs(_small(joined))
    text = np.repeat(np.arange(len(texts), dtype=np.int32), np.diff(starts))
    inside = text[1:] == text[:-1]
    pairs, text = pairs[inside], text[:-1][inside]
    order = np.argsort(pairs, kind="stable")
    pairs, text = pairs[order], text[order]
    first = np.append(True, (pairs[1:] != pairs[:-1]) | (text[1:] != text[:-1]))[: len(pairs)]
    pairs, holders = pairs[first], text[first]
    by_pair = np.append(0, np.cumsum(np.bincount(pairs, minlength=_PAIRS)))
    return _Texts(joined, starts, holders, by_pair)


def _small(letters: Bytes) -> Bytes:
    return np.where((letters >= 65) & (letters <= 90), letters | _NEAR_BLANK, letters).astype(
        np.uint8
    )


def _pairs(letters: Bytes) -> npt.NDArray[np.uint16]:
    """Return every two bytes side by side as one number.

    >>> _pairs(np.array([1, 2, 3], dtype=np.uint8)).tolist()
    [258, 515]
    """
    return np.asarray(letters[:-1].astype(np.uint16) << 8 | letters[1:], dtype=np.uint16)


@njit(cache=True, nogil=True)
def _find(
    texts: Bytes,
    starts: Rows,
    wanted: Bytes,
    holders: Codes,
    every: bool,  # noqa: FBT001 - compiled functions take no keywords
    found: Flags,
) -> None:
    """Mark those texts, of the holders or of all, that hold the bytes wanted."""
    length, first = len(wanted), wanted[0]
    for n in range(len(starts) - 1 if every else len(holders)):
        i = n if every else holders[n]
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
