"""Matching: which spaces a demand can take at all, how well each suits, and the best of them.

First what must hold: the space is vacant, an area that both sides accept exists, the rent is within
the budget, no technical need is known to be unmet, the term is let. Then how well it suits: ten
parts from 0 to 1, each shown, weighed by weights that anyone may change. Every part rises with a
better offer, so that a better offer never ranks lower. What is not known scores nothing, but keeps
nobody out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from geo.columns import Codes, Floats, Rows
from geo.errors import Fault, InputError
from geo.pool import run_pieces

Bits = npt.NDArray[np.uint8]

PARTS = (
    "industry", "area", "rent", "kind", "technical", "stage", "place", "amenities", "services",
    "availability",
)  # fmt: skip
DEFAULT_WEIGHTS: Mapping[str, float] = {
    "industry": 0.20, "area": 0.10, "rent": 0.15, "kind": 0.15, "technical": 0.10,
    "stage": 0.05, "place": 0.10, "amenities": 0.05, "services": 0.05, "availability": 0.05,
}  # fmt: skip
# What an operator looks at when companies compete for a space.
OPERATOR_WEIGHTS: Mapping[str, float] = {"industry": 0.5, "stage": 0.2, "kind": 0.2, "area": 0.1}
CHECKS = ("vacant", "area", "rent", "technical", "term")  # bit by bit of what a pair fails
TECHNICAL = ("clear_height_m", "floor_load_kn_m2", "power_kw", "water", "gas", "exhaust")

_VACANT, _AREA, _RENT, _TECHNICAL, _TERM = 1, 2, 4, 8, 16
_LARGEST_M2 = 100_000.0  # where a demand names no largest area
_LATE_DAYS = 180.0  # so late, an offer is worth nothing for its date
_PIECE = 64  # demands ranked in one go


class Supply(NamedTuple):
    """Spaces as arrays; numbers are NaN and codes -1 where not known.

    Parameters
    ----------
    vacant_m2, part_m2
        Area to let, 0 when none, and the smallest part that is let.
    rent
        CNY per m² and month.
    technical
        Columns of `TECHNICAL`; supplies are 1 or 0.
    lab, kind, unit
        Codes shared with the demands.
    industries, stages, services
        Codes of the lists.
    available_day
        Days since 1970.
    min_term, max_term
        Months.
    place
        Which place it is at.
    """

    vacant_m2: Floats
    part_m2: Floats
    rent: Floats
    technical: Floats
    lab: Codes
    kind: Codes
    unit: Codes
    industries: Codes
    stages: Codes
    services: Codes
    available_day: Floats
    min_term: Floats
    max_term: Floats
    place: Rows


class Wants(NamedTuple):
    """Demands as arrays; NaN and -1 where nothing is asked.

    The fits say for every value of a space's column how well it suits each demand, 0 to 1, the
    last one for a space without a value.

    Parameters
    ----------
    min_m2, max_m2
        Area.
    max_rent
        CNY per m² and month.
    technical, lab, kind
        As for `Supply`.
    start_day, term
        Days since 1970, months.
    by_place
        Whether a place is wished for, rather than a unit.
    industry_fit, stage_fit, service_fit, unit_fit, place_fit, amenity_fit
        Demands by values.
    """

    min_m2: Floats
    max_m2: Floats
    max_rent: Floats
    technical: Floats
    lab: Codes
    kind: Codes
    start_day: Floats
    term: Floats
    by_place: npt.NDArray[np.bool_]
    industry_fit: Floats
    stage_fit: Floats
    service_fit: Floats
    unit_fit: Floats
    place_fit: Floats
    amenity_fit: Floats


def read_weights(
    given: Mapping[str, Any] | None, default: Mapping[str, float] = DEFAULT_WEIGHTS
) -> dict[str, float]:
    """Return the weights of all parts, summing to 1.

    Parameters
    ----------
    given
        Weights by part; those left out count 0. The default ones when None or empty.
    default
        What to use then.

    Raises
    ------
    InputError
        When a part is not known, a weight is not a number from 0 up, or all are 0.

    >>> read_weights({"rent": 3, "area": 1})["rent"]
    0.75
    """
    asked = dict(given or default)
    faults = [
        Fault(f"weights.{name}", "is not a part", value, f"give some of {', '.join(PARTS)}")
        for name, value in asked.items()
        if name not in PARTS
    ]
    faults += [
        Fault(f"weights.{name}", "is no weight", value, "give a number from 0 to 1000")
        for name, value in asked.items()
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1000
    ]
    if not faults and not sum(asked.values()):
        faults.append(Fault("weights", "are all 0", fix="give at least one above 0"))
    if faults:
        raise InputError("; ".join(map(str, faults)), faults)
    total = float(sum(asked.values()))
    return {name: float(asked.get(name, 0.0)) / total for name in PARTS}


def weigh(weights: Mapping[str, float]) -> Floats:
    """Return weights as an array in the order of the parts."""
    return np.array([weights.get(name, 0.0) for name in PARTS])


@njit(cache=True, nogil=True, inline="always")
def check(supply: Supply, wants: Wants, d: int, s: int) -> int:
    """Return the bits of what a pair fails; 0 for nothing."""
    fails = 0
    vacant = supply.vacant_m2[s]
    floor = max(wants.min_m2[d], min(supply.part_m2[s], vacant))
    if not vacant > 0.0:
        fails |= _VACANT
    elif floor > min(wants.max_m2[d], vacant):
        fails |= _AREA
    if supply.rent[s] > wants.max_rent[d]:
        fails |= _RENT
    if wants.term[d] < supply.min_term[s] or wants.term[d] > supply.max_term[s]:
        fails |= _TERM
    # What is not known is not less than what is needed.
    for t in range(supply.technical.shape[1]):
        if supply.technical[s, t] < wants.technical[d, t]:
            fails |= _TECHNICAL
    if wants.lab[d] >= 0 and supply.lab[s] >= 0 and supply.lab[s] != wants.lab[d]:
        fails |= _TECHNICAL
    return fails


@njit(cache=True, nogil=True)
def sift(supply: Supply, wants: Wants, d: int, able: Rows) -> int:
    """Write the spaces that fail nothing for a demand, in order, and return how many there are."""
    # Arrays by their own names: taking them out of the tuple costs more than what is compared. And
    # every number is written, whether it stays or not: to jump would take longer.
    vacant_m2, part_m2, rents = supply.vacant_m2, supply.part_m2, supply.rent
    shortest, longest, technical, labs = (
        supply.min_term, supply.max_term, supply.technical, supply.lab,
    )  # fmt: skip
    least, most, budget, term = wants.min_m2[d], wants.max_m2[d], wants.max_rent[d], wants.term[d]
    count = 0
    for s in range(len(rents)):
        vacant = vacant_m2[s]
        too_small = max(least, min(part_m2[s], vacant)) > min(most, vacant)
        no_term = (term < shortest[s]) | (term > longest[s])
        able[count] = s
        count += (vacant > 0.0) & (not ((rents[s] > budget) | too_small | no_term))
    for t in range(technical.shape[1]):
        needed = wants.technical[d, t]
        if np.isnan(needed):
            continue
        kept = 0
        for at in range(count):
            able[kept] = able[at]
            kept += not technical[able[at], t] < needed
        count = kept
    wanted = wants.lab[d]
    if wanted >= 0:
        kept = 0
        for at in range(count):
            lab = labs[able[at]]
            able[kept] = able[at]
            kept += (lab < 0) | (lab == wanted)
        count = kept
    return count


@njit(cache=True, nogil=True, inline="always")
def rate(supply: Supply, wants: Wants, d: int, s: int, parts: Floats) -> None:
    """Write how well a pair suits, part by part."""
    parts[0] = wants.industry_fit[d, supply.industries[s]]
    least, most = wants.min_m2[d], min(wants.max_m2[d], _LARGEST_M2)
    ceiling = min(most, supply.vacant_m2[s])
    parts[1] = 0.0
    if ceiling >= least:
        parts[1] = 0.5 + 0.5 * ((ceiling - least) / (most - least) if most > least else 1.0)
    rent, budget = supply.rent[s], wants.max_rent[d]
    parts[2] = 1.0
    if not np.isnan(budget):
        parts[2] = 0.0
        if rent <= budget:
            parts[2] = 1.0 - 0.5 * (rent / budget if budget > 0.0 else 0.0)
    parts[3] = 1.0 if wants.kind[d] < 0 or wants.kind[d] == supply.kind[s] else 0.0
    asked, met = 0, 0
    for t in range(supply.technical.shape[1]):
        if not np.isnan(wants.technical[d, t]):
            asked += 1
            met += supply.technical[s, t] >= wants.technical[d, t]
    if wants.lab[d] >= 0:
        asked += 1
        met += supply.lab[s] == wants.lab[d]
    parts[4] = met / asked if asked else 1.0
    parts[5] = wants.stage_fit[d, supply.stages[s]]
    parts[6] = wants.unit_fit[d, supply.unit[s]]
    if wants.by_place[d]:
        parts[6] = wants.place_fit[d, supply.place[s]]
    parts[7] = wants.amenity_fit[d, supply.place[s]]
    parts[8] = wants.service_fit[d, supply.services[s]]
    parts[9] = 1.0
    if not np.isnan(wants.start_day[d]):
        late = supply.available_day[s] - wants.start_day[d]
        parts[9] = 0.0 if np.isnan(late) else min(1.0, max(0.0, 1.0 - late / _LATE_DAYS))


@njit(cache=True, nogil=True, inline="always")
def weigh_parts(parts: Floats, weights: Floats) -> float:
    """Return the weighted sum of the parts."""
    total = 0.0
    for number in range(len(weights)):
        total += parts[number] * weights[number]
    return total


@njit(cache=True, nogil=True)
def area_taken(supply: Supply, wants: Wants, d: int, s: int) -> float:
    """Return the smallest area that both sides of a pair accept, in m²."""
    taken: float = max(wants.min_m2[d], min(supply.part_m2[s], supply.vacant_m2[s]))
    return taken


@njit(cache=True, nogil=True)
def _rate_demand(
    supply: Supply, wants: Wants, d: int, weights: Floats, score: Floats, fails: Bits
) -> None:
    parts = np.empty(len(weights))
    for s in range(len(score)):
        fails[s] = check(supply, wants, d, s)
        score[s] = 0.0
        if fails[s] == 0:
            rate(supply, wants, d, s, parts)
            score[s] = weigh_parts(parts, weights)


@njit(cache=True, nogil=True)
def _rate_space(
    supply: Supply, wants: Wants, s: int, weights: Floats, score: Floats, fails: Bits
) -> None:
    parts = np.empty(len(weights))
    for d in range(len(score)):
        fails[d] = check(supply, wants, d, s)
        score[d] = 0.0
        if fails[d] == 0:
            rate(supply, wants, d, s, parts)
            score[d] = weigh_parts(parts, weights)


@njit(cache=True, nogil=True)
def _rank_some(
    supply: Supply, wants: Wants, weights: Floats, first: int, beyond: int, best: Rows,
    scores: Floats,
) -> None:  # fmt: skip
    """Keep the best spaces of some demands, in order; of equals, the one that comes first."""
    parts, able = np.empty(len(weights)), np.empty(len(supply.rent), dtype=np.int64)
    most = best.shape[1]
    for d in range(first, beyond):
        count = 0
        for s in able[: sift(supply, wants, d, able)]:
            rate(supply, wants, d, s, parts)
            score = weigh_parts(parts, weights)
            if count == most and score <= scores[d, most - 1]:
                continue
            at = count if count < most else most - 1
            while at > 0 and scores[d, at - 1] < score:
                scores[d, at] = scores[d, at - 1]
                best[d, at] = best[d, at - 1]
                at -= 1
            scores[d, at] = score
            best[d, at] = s
            count = min(count + 1, most)


def score_spaces(supply: Supply, wants: Wants, d: int, weights: Floats) -> tuple[Floats, Bits]:
    """Rate every space for one demand.

    Returns
    -------
    tuple
        Scores from 0 to 1, 0 for pairs that fail a check; and the bits of `CHECKS` that each fails.
    """
    score, fails = np.empty(len(supply.rent)), np.empty(len(supply.rent), dtype=np.uint8)
    _rate_demand(supply, wants, d, weights, score, fails)
    return score, fails


def score_demands(supply: Supply, wants: Wants, s: int, weights: Floats) -> tuple[Floats, Bits]:
    """Rate every demand for one space; as `score_spaces`."""
    score, fails = np.empty(len(wants.min_m2)), np.empty(len(wants.min_m2), dtype=np.uint8)
    _rate_space(supply, wants, s, weights, score, fails)
    return score, fails


def score_pair(supply: Supply, wants: Wants, d: int, s: int, weights: Floats) -> tuple[float, int]:
    """Rate one pair; as `score_spaces`."""
    parts = np.empty(len(PARTS))
    rate(supply, wants, d, s, parts)
    return float(weigh_parts(parts, weights)), int(check(supply, wants, d, s))


def take_best(score: Floats, fails: Bits, limit: int) -> Rows:
    """Return the best that fail nothing, in order; ties in the order of the records.

    >>> fails = np.array([0, 0, 0, 2], dtype=np.uint8)
    >>> take_best(np.array([0.5, 0.9, 0.5, 1.0]), fails, 2).tolist()
    [1, 0]
    """
    able = np.flatnonzero(fails == 0)
    if len(able) > 4 * limit:
        least = -np.partition(-score[able], limit - 1)[limit - 1]
        able = able[score[able] >= least]
    return able[np.argsort(-score[able], kind="stable")][:limit]


def rank_spaces(
    supply: Supply, wants: Wants, weights: Floats, *, limit: int = 20
) -> tuple[Rows, Floats]:
    """Rank the best spaces of every demand.

    Returns
    -------
    tuple
        Spaces and scores, (demands, limit); -1 and NaN where fewer can be taken.
    """
    best = np.full((len(wants.min_m2), limit), -1, dtype=np.int64)
    scores = np.full((len(wants.min_m2), limit), np.nan)
    demands = len(best)

    def rank(first: int) -> None:
        beyond = min(first + _PIECE, demands)
        _rank_some(supply, wants, weights, first, beyond, best, scores)

    run_pieces(rank, range(0, demands, _PIECE))
    return best, scores


def parts_of(supply: Supply, wants: Wants, d: int, s: int) -> dict[str, float]:
    """Return the parts of one pair by name."""
    parts = np.empty(len(PARTS))
    rate(supply, wants, d, s, parts)
    return {name: round(float(part), 4) for name, part in zip(PARTS, parts, strict=True)}


def failed_checks(bits: int) -> tuple[str, ...]:
    """Return the names of what a pair fails.

    >>> failed_checks(6)
    ('area', 'rent')
    """
    return tuple(name for bit, name in enumerate(CHECKS) if bits >> bit & 1)


def find_cause(fails: Bits) -> str:
    """Return why a demand can take no space: the check that alone keeps most spaces out.

    Where no space fails one check only, the one failed most often; `taken` when some would do.

    >>> find_cause(np.array([2, 2, 6], dtype=np.uint8)), find_cause(np.array([0], dtype=np.uint8))
    ('area', 'taken')
    """
    if not len(fails):
        return "vacant"
    if (fails == 0).any():
        return "taken"
    alone = [int((fails == 1 << bit).sum()) for bit in range(len(CHECKS))]
    often = [int((fails >> bit & 1).sum()) for bit in range(len(CHECKS))]
    counts = alone if any(alone) else often
    return CHECKS[counts.index(max(counts))]
