"""The four states of coverage, and how many of something are in each."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from geo.frames import is_demo, numbers, sort_by_id, texts
from geo.lifecycle import OPERATING, PLANNED, parse_day, state_at
from geo.plain import share

OPERATING_LARGE, PLANNED_ONLY, NOTHING = "operating_large", "planned_only", "none"
STATES = (OPERATING_LARGE, OPERATING, PLANNED_ONLY, NOTHING)
COVERED = (OPERATING_LARGE, OPERATING)


@dataclass(frozen=True)
class Tally:
    """How many towns, industries or the like are in each state.

    `covered_share` is the share in both operating states, None of nothing at all.
    """

    total: int
    operating_large: int
    operating: int
    planned_only: int
    none: int
    covered_share: float | None


def tally(states: Iterable[str]) -> Tally:
    """Count states.

    >>> tally(["operating", "none", "operating_large", "planned_only"]).covered_share
    0.5
    """
    found = list(states)
    counts = {state: found.count(state) for state in STATES}
    covered = counts[OPERATING_LARGE] + counts[OPERATING]
    return Tally(total=len(found), **counts, covered_share=share(covered, len(found)))


@dataclass(frozen=True)
class Member:
    """An incubator that operates or is planned, with the little that coverage needs to know."""

    id: str
    name: str | None
    state: str
    area_m2: float | None
    demo: bool
    precision: str | None


@dataclass(frozen=True)
class Fleet:
    """The incubators of a day: every record in the order of ids, and the members by id."""

    frame: pd.DataFrame
    as_of: pd.Timestamp
    members: Mapping[str, Member]

    @property
    def demo_counted(self) -> bool:
        """Whether a demo record counts."""
        return any(member.demo for member in self.members.values())

    @cached_property
    def present(self) -> pd.DataFrame:
        """The records that operate or are planned."""
        return self._keep(self.members)

    @cached_property
    def operating(self) -> pd.DataFrame:
        """The records that operate."""
        return self._keep({key for key, one in self.members.items() if one.state == OPERATING})

    def _keep(self, ids: Container[str]) -> pd.DataFrame:
        return self.frame.loc[[key in ids for key in self.frame["id"]]].reset_index(drop=True)


def muster(incubators: pd.DataFrame, *, as_of: Any, rule: Mapping[str, Any]) -> Fleet:
    """Gather the incubators that operate or are planned on a day.

    Parameters
    ----------
    incubators
        Records of the layer.
    as_of
        The day.
    rule
        The rule `towns`: which statuses count as operating and as planned.
    """
    day = parse_day(as_of)
    frame = sort_by_id(incubators)
    columns = zip(
        frame["id"].tolist(),
        texts(frame, "name"),
        state_at(frame, day, rule).tolist(),
        numbers(frame, "area_m2").tolist(),
        is_demo(frame).tolist(),
        texts(frame, "geom_precision"),
        strict=True,
    )
    members = {
        key: Member(key, name, state, None if np.isnan(area) else area, demo, precision)
        for key, name, state, area, demo, precision in columns
        if state in (OPERATING, PLANNED)
    }
    return Fleet(frame, day, members)


def state_of(members: Iterable[Member], rule: Mapping[str, Any]) -> str:
    """Tell the state that incubators give to a town or an industry.

    Large means one operating incubator of at least `large_area_m2` ("2万平方米以上孵化器"); with
    `large_area_of = "all"` in the rule, all operating ones together.

    Parameters
    ----------
    members
        The incubators in it.
    rule
        The rule `towns`.

    Returns
    -------
    str
        `operating_large`, `operating`, `planned_only` or `none`.
    """
    found = list(members)
    areas_m2 = [member.area_m2 or 0.0 for member in found if member.state == OPERATING]
    if not areas_m2:
        return PLANNED_ONLY if found else NOTHING
    together = rule.get("large_area_of", "one") == "all"
    largest_m2 = sum(areas_m2) if together else max(areas_m2)
    return OPERATING_LARGE if largest_m2 >= rule["large_area_m2"] else OPERATING


def operating_area_m2(members: Iterable[Member]) -> float:
    """Add up the known areas of the operating incubators, in square metres."""
    return float(sum(member.area_m2 or 0.0 for member in members if member.state == OPERATING))
