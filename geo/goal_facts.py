"""What the counted goals of a plan are computed from, and what a measure of one finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from geo.evidence import COUNT, Evidence


@dataclass(frozen=True)
class GoalPart:
    """One figure of a goal: by name, with its target where it has one."""

    name: str
    value: float | None
    target: float | None = None
    ok: bool | None = None


@dataclass(frozen=True)
class GoalFacts:
    """What the goals are computed from.

    Parameters
    ----------
    incubators
        The operating incubators of the day.
    chosen
        Those chosen in a yearly batch (`twenty_batch`), operating or still planned.
    year
        The year asked about.
    large_area_m2
        From which area an incubator counts as large.
    unit_count
        How many reporting units there are.
    leader_built_units
        In how many of them a chain-leader-built incubator operates.
    towns_share, industries_share
        Share of the towns and industries covered.
    circle_share
        Share of incubators inside a complete 15-minute circle.
    indicators
        Indicator to year to (value, target) of the whole city; value None where not known.
    projects, zones, baselines
        Records of these layers.
    basic_services
        Names of the services that every incubator must offer.
    chosen_units
        Year to how many units have an incubator in its batch.
    of_year
        Whether the year alone is asked about, not all years up to it.
    evidence
        The records behind the shares given above, by name of the measure, and behind indicators, by
        `KEY:YEAR`.
    demo
        Whether demo records stand behind anything here.
    """

    incubators: pd.DataFrame
    year: int
    large_area_m2: float
    unit_count: int = 0
    leader_built_units: int = 0
    towns_share: float | None = None
    industries_share: float | None = None
    circle_share: float | None = None
    indicators: Mapping[str, Mapping[int, tuple[float | None, float | None]]] = field(
        default_factory=dict
    )
    projects: pd.DataFrame = field(default_factory=pd.DataFrame)
    zones: pd.DataFrame = field(default_factory=pd.DataFrame)
    baselines: pd.DataFrame = field(default_factory=pd.DataFrame)
    basic_services: Sequence[str] = ()
    chosen: pd.DataFrame = field(default_factory=pd.DataFrame)
    chosen_units: Mapping[int, int] = field(default_factory=dict)
    evidence: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)
    of_year: bool = False
    demo: bool = False


@dataclass(frozen=True)
class Measured:
    """What a measure found: the value (None where it cannot be told), parts, what is missing.

    `evidence` are the records behind the value, `how` the way that they fold into it; `series` how
    the value grew from nothing, where the records tell.
    """

    value: float | None
    parts: tuple[GoalPart, ...] = ()
    missing: tuple[str, ...] = ()
    over: bool = False  # the target must be passed, not only reached
    at_most: bool = False  # the target is the most that may be
    how: str = COUNT
    evidence: tuple[Evidence, ...] = ()
    series: tuple[tuple[pd.Timestamp, float], ...] = ()
