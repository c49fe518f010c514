"""The board of the 15-minute tests: pass rates by unit and by check, and the checks behind them.

A *check* is one thing that a test asks for: the venues and the spaces of the standard's circle,
each category of the planning test. Both tests are counted apart. Incubators whose own place is not
known (`approximate`) are listed and do not count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from geo.amenities import AmenityReport, AmenityRow, Planning
from geo.circles import Circle, Encircled
from geo.plain import plain, share

COMPLIANCE, PLANNING = "compliance", "planning"
VENUES, SPACES = "venues", "spaces"
BOTH, NEITHER = "both", "neither"


@dataclass(frozen=True)
class Site:
    """Where an incubator stands: its unit, and WGS-84 degrees where its place is known."""

    unit: str | None
    lon: float | None
    lat: float | None


@dataclass(frozen=True)
class Passed:
    """How many of the incubators tested pass."""

    tested: int
    ok: int
    ok_share: float | None


@dataclass(frozen=True)
class UnitPassed:
    """A unit's incubators under both tests; `lacking` counts them by missing category."""

    unit: str | None
    total: int
    approximate: int
    compliance: Passed
    planning: Passed
    mean_score: float | None
    lacking: Mapping[str, int]


@dataclass(frozen=True)
class CheckPassed:
    """A check over all incubators: how many are needed, who passes, the median way to the nearest.

    `median_minutes` is over those who reach one on foot in time, `median_m` over straight lines.
    """

    test: str
    key: str
    needed: int
    passed: Passed
    median_minutes: float | None
    median_m: float | None


@dataclass(frozen=True)
class Check:
    """One check of one incubator: how many are reached, and which is the nearest.

    `minutes` is the walk to the nearest; `metres` the straight way, for circles and where none is
    reached on foot in time. `nearest` is the id of an amenity, and what else is known of it stands
    in `nearest_name`, `source`, `as_of`, `provenance`.
    """

    incubator: str
    name: str | None
    unit: str | None
    approximate: bool
    demo: bool
    test: str
    key: str
    count: int
    needed: int
    ok: bool
    minutes: float | None
    metres: float | None
    nearest: str | None
    nearest_name: str | None = None
    source: str | None = None
    as_of: str | None = None
    provenance: str | None = None


@dataclass(frozen=True)
class AmenityBoard:
    """Both tests of all incubators, with where they stand.

    Parameters
    ----------
    report
        The two tests.
    sites
        Where each incubator stands, by id.
    units
        The order of the units; those not named come after, by name.
    """

    report: AmenityReport
    sites: Mapping[str, Site]
    units: Sequence[str] = ()

    @property
    def demo_counted(self) -> bool:
        """Whether demo records count in anything here."""
        return self.report.demo_counted

    @property
    def walked(self) -> bool:
        """Whether streets were walked; else a circle stands in for the planning test."""
        return any(row.planning is not None for row in self.report.rows)

    @property
    def by_unit(self) -> tuple[UnitPassed, ...]:
        """Count who passes by unit, in the order of the units; None at the end."""
        rows: dict[str | None, list[AmenityRow]] = {}
        for row in self.report.rows:
            rows.setdefault(self.sites[row.id].unit, []).append(row)
        rank = {unit: at for at, unit in enumerate(self.units)}
        order = sorted(rows, key=lambda one: (one is None, rank.get(one or "", len(rank)), one))
        return tuple(_pass_unit(unit, rows[unit]) for unit in order)

    @property
    def by_check(self) -> tuple[CheckPassed, ...]:
        """Count who passes by check: those of the circle, then the categories."""
        found: dict[tuple[str, str], list[Check]] = {}
        for row in self.report.rows:
            for check in list_checks(row, self.sites[row.id], rule=self.report.rules):
                found.setdefault((check.test, check.key), []).append(check)
        return tuple(_pass_check(checks) for checks in found.values())

    @property
    def spread(self) -> tuple[int, ...]:
        """Count incubators by how many categories they lack, from none to all."""
        rounds = [found for row in _known(self.report.rows) if (found := round_of(row))]
        counted = Counter(len(found.missing) for found in rounds)
        return tuple(counted[lacks] for lacks in range(len(self.report.rules["categories"]) + 1))

    def to_json(self) -> dict[str, Any]:
        """Return the board as JSON holds it: the report, each row with its place and standing."""
        told = self.report.to_json()
        rows = [
            {**said, **plain(self.sites[row.id]), "standing": standing_of(row)}
            for row, said in zip(self.report.rows, told["rows"], strict=True)
        ]
        return {
            **told,
            "rows": rows,
            "walked": self.walked,
            "units": plain(self.by_unit),
            "checks": plain(self.by_check),
            "spread": list(self.spread),
        }


@dataclass(frozen=True)
class AmenityRecords:
    """The checks behind a figure of the board, and the incubators whom they judge.

    `passed` is of the figure as asked: of one check, or of a whole test.
    """

    test: str | None
    category: str | None
    unit: str | None
    incubator: str | None
    rules: Mapping[str, Any]
    demo_counted: bool
    passed: Passed | None
    checks: tuple[Check, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the records as JSON holds them."""
        told: dict[str, Any] = plain(self)
        return told


def round_of(row: AmenityRow) -> Planning | Circle | None:
    """Return the planning test of an incubator, or the circle that stands in for it."""
    return row.planning or row.circle


def _known(rows: Iterable[AmenityRow]) -> list[AmenityRow]:
    return [row for row in rows if not row.approximate]


def standing_of(row: AmenityRow) -> str | None:
    """Tell which tests an incubator passes: both, one by its name, neither; None where not judged.

    An incubator is judged where its own place is known and both tests, or their circles, were done.
    """
    found = round_of(row)
    if row.approximate or row.compliance is None or found is None:
        return None
    if row.compliance.ok:
        return COMPLIANCE if found.missing else BOTH
    return NEITHER if found.missing else PLANNING


def list_checks(
    row: AmenityRow,
    site: Site,
    *,
    rule: Mapping[str, Any],
    straight: Mapping[str, Encircled] | None = None,
) -> list[Check]:
    """List the checks of an incubator, those of the circle first.

    Parameters
    ----------
    row
        The incubator under both tests.
    site
        Where it stands.
    rule
        The rule `amenities`.
    straight
        The nearest of each category in a straight line, told where none is reached on foot.

    Returns
    -------
    list
        A check per venue, space and category; none of a test that was not done.
    """
    who: dict[str, Any] = {
        "incubator": row.id,
        "name": row.name,
        "unit": site.unit,
        "approximate": row.approximate,
        "demo": row.demo,
    }
    checks: list[Check] = []
    circle = row.compliance
    if circle is not None:
        asked = (
            (VENUES, circle.venues, "min_venues", circle.nearest_venue_m, circle.nearest_venue),
            (SPACES, circle.spaces, "min_spaces", circle.nearest_space_m, circle.nearest_space),
        )
        for key, count, least, metres, nearest in asked:
            needed = int(rule[COMPLIANCE][least])
            checks.append(
                Check(
                    **who,
                    test=COMPLIANCE,
                    key=key,
                    count=count,
                    needed=needed,
                    ok=key not in circle.missing,
                    minutes=None,
                    metres=metres,
                    nearest=nearest,
                )
            )
    found = round_of(row)
    if found is None:
        return checks
    usual = rule[PLANNING]["min_count"]
    least_of = {one["key"]: int(one.get("min_count", usual)) for one in rule["categories"]}
    for key, held in found.categories.items():
        minutes = None if isinstance(held, Encircled) else held.nearest_minutes
        nearby = held if isinstance(held, Encircled) else (straight or {}).get(key)
        by_line = minutes is None and nearby is not None
        checks.append(
            Check(
                **who,
                test=found.test,
                key=key,
                count=held.count,
                needed=least_of[key],
                ok=key not in found.missing,
                minutes=minutes,
                metres=nearby.nearest_m if nearby is not None and by_line else None,
                nearest=nearby.nearest if nearby is not None and by_line else held.nearest,
            )
        )
    return checks


def count_passed(oks: Sequence[bool]) -> Passed:
    """Count who passes.

    >>> count_passed([True, False, True, True])
    Passed(tested=4, ok=3, ok_share=0.75)
    """
    return Passed(len(oks), sum(oks), share(sum(oks), len(oks)))


def _pass_unit(unit: str | None, rows: Sequence[AmenityRow]) -> UnitPassed:
    known = _known(rows)
    rounds = [found for row in known if (found := round_of(row))]
    keys = rounds[0].categories if rounds else {}
    return UnitPassed(
        unit=unit,
        total=len(rows),
        approximate=len(rows) - len(known),
        compliance=count_passed([row.compliance.ok for row in known if row.compliance]),
        planning=count_passed([not found.missing for found in rounds]),
        mean_score=float(np.mean([found.score for found in rounds])) if rounds else None,
        lacking={key: sum(key in found.missing for found in rounds) for key in keys},
    )


def _pass_check(checks: Sequence[Check]) -> CheckPassed:
    counted = [check for check in checks if not check.approximate]
    first = checks[0]
    return CheckPassed(
        test=first.test,
        key=first.key,
        needed=first.needed,
        passed=count_passed([check.ok for check in counted]),
        median_minutes=_median([one.minutes for one in counted]),
        median_m=_median([one.metres for one in counted]),
    )


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(float(np.median(known)), 1) if known else None
