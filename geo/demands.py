"""Results about needs for space: a list of them for the staff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class DemandList:
    """Some needs in order.

    Parameters
    ----------
    rows
        The needs by column; with a contact only where that was asked for.
    total
        How many suit in all.
    next
        Cursor of the next page; None at the end.
    counts
        How many there are of each state, whatever state was asked for.
    demo_counted
        Whether demo records are among the rows.
    """

    rows: tuple[Mapping[str, Any], ...]
    total: int
    next: str | None
    counts: Mapping[str, int]
    demo_counted: bool

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "demands": [dict(row) for row in self.rows],
            "total": self.total,
            "next": self.next,
            "counts": dict(self.counts),
            "demo_counted": self.demo_counted,
        }
