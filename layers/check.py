"""Checking a store: what in its records contradicts itself, the map, or the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

import pandas as pd

from layers.checking.places import (
    find_invalid_geometries,
    find_misplaced_records,
    find_overlaps,
    find_stray_divisions,
)
from layers.checking.plan import find_unreconciled_targets
from layers.checking.records import (
    find_area_contradictions,
    find_date_contradictions,
    find_duplicates,
    find_lead_industries,
    find_orphan_spaces,
    find_unknown_towns,
    find_unknown_units,
)
from layers.checking.world import Found, World
from layers.store import Store

Level = Literal["error", "warning", "info"]

_CHECKS: tuple[Callable[[World], Iterator[Found]], ...] = (
    find_overlaps,
    find_stray_divisions,
    find_invalid_geometries,
    find_unknown_units,
    find_unknown_towns,
    find_misplaced_records,
    find_area_contradictions,
    find_lead_industries,
    find_orphan_spaces,
    find_duplicates,
    find_date_contradictions,
    find_unreconciled_targets,
)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or worth a look.

    Attributes
    ----------
    name
        The check, such as `overlap`.
    level
        `error` (contradicts itself), `warning` (probably wrong) or `info`.
    layer, ids
        The records concerned.
    detail_zh, detail_en
        One line with names and figures.
    """

    name: str
    level: Level
    layer: str
    ids: tuple[str, ...]
    detail_zh: str
    detail_en: str


@dataclass(frozen=True)
class CheckReport:
    """All findings, errors first; `ok` when none of them is an error."""

    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return all(finding.level != "error" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        findings = [asdict(f) | {"ids": list(f.ids)} for f in self.findings]
        return {"ok": self.ok, "findings": findings}


def check_store(store: Store, *, today: date | None = None) -> CheckReport:
    """Check everything in a store.

    Parameters
    ----------
    store
        Its records, rules and city.
    today
        The day by which dates lie in the future; the current one by default.

    Returns
    -------
    CheckReport
        Errors, then warnings, then what is only worth a look.
    """
    world = World(store, pd.Timestamp(today or datetime.now(tz=UTC).astimezone().date()))
    found = [Finding(**asdict(one)) for check in _CHECKS for one in check(world)]
    rank = ("error", "warning", "info")
    return CheckReport(sorted(found, key=lambda finding: rank.index(finding.level)))
