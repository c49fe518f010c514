"""Errors: one base, and what was wrong, the value and the way out in every message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One thing wrong with an input: the place, what is wrong, the value, and the way out."""

    where: str
    what: str
    value: Any = None
    fix: str = ""

    def __str__(self) -> str:
        """Say the fault in one line.

        >>> str(Fault("row 3, area_m2", "is negative", -5.0, "give square metres above 0"))
        'row 3, area_m2: is negative (-5.0); give square metres above 0'
        """
        value = "" if self.value is None else f" ({self.value!r})"
        fix = f"; {self.fix}" if self.fix else ""
        return f"{self.where}: {self.what}{value}{fix}"


class HatchmapError(Exception):
    """The base of every error that this program raises on purpose."""


class InputError(HatchmapError, ValueError):
    """An input cannot be taken; `faults` lists every place that is wrong.

    Parameters
    ----------
    message
        One line that names the place, the value and the way out.
    faults
        All faults found, where an input can hold more than one.
    """

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class ConflictError(InputError):
    """What was asked rests on a state that somebody else has changed meanwhile."""


class NotFoundError(HatchmapError, LookupError):
    """A thing asked for by name or id does not exist."""


class CancelledError(HatchmapError):
    """Long work was cancelled before its end; nothing was written."""


class BusyError(HatchmapError):
    """Too much is asked at once; the same can be asked again a little later."""


class StoreError(HatchmapError, RuntimeError):
    """The store cannot do what was asked."""


class StoreMissingError(StoreError):
    """There is no store at the place named."""


class StoreCorruptError(StoreError):
    """The file named is not a store, or is damaged."""


class StoreBusyError(StoreError):
    """Another writer holds the store."""


class StoreReadOnlyError(StoreError):
    """The store can be read but not written."""
