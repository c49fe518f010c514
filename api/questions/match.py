"""Who suits whom: spaces for a demand, demands for a space, and everyone to everything at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from geo.assignment import Assignment, Pairs, Progress, assign_best, assign_stable, list_pairs
from geo.columns import Floats
from geo.eligibility import Verdict, admits, judge
from geo.errors import InputError, NotFoundError
from geo.matching import (
    OPERATOR_WEIGHTS,
    area_taken,
    failed_checks,
    find_cause,
    parts_of,
    read_weights,
    score_demands,
    score_pair,
    score_spaces,
    take_best,
    weigh,
)
from layers.store import Store
from layers.supply import Market, read_market
from layers.walking import walk_world

Mode = Literal["spaces", "demands", "best", "stable", "compare"]
MODES: tuple[Mode, ...] = ("spaces", "demands", "best", "stable", "compare")
MAX_LIMIT = 200
_BARRED = np.uint8(128)  # a bit beside those of the checks

_NO_STREETS = {
    "key": "no_streets",
    "zh": "没有步行路网，步行时间按直线距离计算，实际更长",
    "en": "There is no street network: walking minutes are straight ahead and really longer",
}
_STRAIGHT = {
    "key": "straight",
    "zh": "需求很多，到意向地的时间按直线距离计算，实际更长",
    "en": "There are many demands: minutes to the places wished for are straight ahead and "
    "really longer",
}
_CAUSES: Mapping[str, tuple[str, str]] = {
    "vacant": ("没有空置空间", "no space is vacant"),
    "area": ("没有面积合适的空间", "no space has the area"),
    "rent": ("租金都超出预算", "every rent is over the budget"),
    "technical": ("技术条件都不满足", "no space meets the technical needs"),
    "term": ("租期都不合适", "no space is let for the term"),
    "taken": ("合适的空间已分给其他需求", "what would do went to other demands"),
    "not_eligible": ("不符合入驻条件", "the rules of entry are not met"),
}


@dataclass(frozen=True)
class MatchReport:
    """A matching.

    Parameters
    ----------
    mode
        Which question was answered.
    weights, operator_weights
        What the parts were weighed by, summing to 1.
    pairs
        Demand, space, area, score, parts and reasons.
    unmatched
        Demands without a space, and why.
    objective, bound, gap
        Of the best assignment: sum of the scores, what none can exceed, and the share between.
    blocking
        Pairs that would rather have each other.
    comparison
        Best and stable side by side.
    shortage
        Demands and area without a space, by unit, industry and kind.
    eligibility
        What the rules say of the demand asked about.
    rule
        The rules used, with their version and source.
    notes
        What could not be answered as asked.
    demo_counted
        Whether demo records are counted.
    """

    mode: Mode
    weights: Mapping[str, float]
    pairs: tuple[Mapping[str, Any], ...]
    unmatched: tuple[Mapping[str, Any], ...] = ()
    operator_weights: Mapping[str, float] | None = None
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    blocking: int | None = None
    comparison: tuple[Mapping[str, Any], ...] = ()
    shortage: Mapping[str, Any] = field(default_factory=dict)
    eligibility: tuple[Verdict, ...] = ()
    rule: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Mapping[str, str], ...] = ()
    demo_counted: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "mode": self.mode,
            "weights": dict(self.weights),
            "operator_weights": dict(self.operator_weights or {}) or None,
            "pairs": [dict(pair) for pair in self.pairs],
            "unmatched": [dict(one) for one in self.unmatched],
            "objective": self.objective,
            "bound": self.bound,
            "gap": self.gap,
            "blocking": self.blocking,
            "comparison": [dict(row) for row in self.comparison],
            "shortage": dict(self.shortage),
            "eligibility": [verdict.to_json() for verdict in self.eligibility],
            "rule": dict(self.rule),
            "notes": [dict(note) for note in self.notes],
            "demo_counted": self.demo_counted,
        }


def ask_demand_matches(
    store: Store,
    demand: str,
    *,
    weights: Mapping[str, Any] | None = None,
    limit: int = 20,
    demo: bool = True,
) -> MatchReport:
    """Rank the spaces for a demand.

    Parameters
    ----------
    store
        The store.
    demand
        Its id.
    weights
        Weights by part; the usual ones when None.
    limit
        How many spaces.
    demo
        Whether demo records count.

    Raises
    ------
    NotFoundError
        When there is no such demand.
    InputError
        When weights or limit make no sense.
    """
    used, limit = read_weights(weights), _check_limit(limit)
    market = _market(store, demands=(demand,), demo=demo)
    if market.demands.empty:
        raise NotFoundError(f"there is no demand with id {demand!r}")
    verdicts = _judge(store, market)[0]
    score, fails = score_spaces(market.supply, market.wants, 0, weigh(used))
    barred = admits(verdicts) == "fail"
    best = () if barred else take_best(score, fails, limit).tolist()
    pairs = tuple(_pair(market, 0, s, float(score[s]), verdicts) for s in best)
    cause = "not_eligible" if barred else find_cause(fails)
    return MatchReport(
        "spaces",
        used,
        pairs,
        unmatched=() if pairs else (_unmatched(market, 0, cause),),
        eligibility=verdicts,
        **_common(store, market),
    )


def ask_space_matches(
    store: Store,
    space: str,
    *,
    weights: Mapping[str, Any] | None = None,
    limit: int = 20,
    demo: bool = True,
) -> MatchReport:
    """Rank the open demands for a space; parameters as for `ask_demand_matches`.

    Raises
    ------
    NotFoundError
        When there is no such space.
    InputError
        When weights or limit make no sense.
    """
    used, limit = read_weights(weights), _check_limit(limit)
    market = _market(store, demo=demo)
    s = market.table.columns.row_of(space)
    if s is None:
        raise NotFoundError(f"there is no space with id {space!r}")
    score, fails = score_demands(market.supply, market.wants, s, weigh(used))
    verdicts = _judge(store, market)
    fails[[admits(found) == "fail" for found in verdicts]] |= _BARRED
    best = take_best(score, fails, limit).tolist()
    return MatchReport(
        "demands",
        used,
        tuple(_pair(market, d, s, float(score[d]), verdicts[d]) for d in best),
        **_common(store, market),
    )


def rate_pairs(
    store: Store,
    pairs: Sequence[tuple[str, str]],
    *,
    weights: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Rate single pairs of a demand and a space, whether they can be matched or not.

    Returns
    -------
    list of dict
        As the pairs of a matching, with the checks that each `fails`, the `weights` and `rule`
        used, and whether demo records stand behind it.

    Raises
    ------
    NotFoundError
        When a demand or space does not exist.
    InputError
        When a weight makes no sense.
    """
    used = read_weights(weights)
    market = _market(store, demands=tuple(dict.fromkeys(d for d, _ in pairs)), demo=True)
    row = {key: number for number, key in enumerate(market.demands["id"])}
    verdicts = _judge(store, market)
    common = {"weights": used, "rule": _common(store, market)["rule"]}
    rated = []
    for demand, space in pairs:
        d, s = row.get(demand), market.table.columns.row_of(space)
        if d is None or s is None:
            what, key = ("demand", demand) if d is None else ("space", space)
            raise NotFoundError(f"there is no {what} with id {key!r}")
        score, bits = score_pair(market.supply, market.wants, d, s, weigh(used))
        demo = market.demands["provenance"].iloc[d] == "demo" or bool(market.table.demo[s])
        rated.append(
            {
                **_pair(market, d, s, score, verdicts[d]),
                "fails": failed_checks(bits),
                "demo": demo,
                **common,
            }
        )
    return rated


def ask_match(
    store: Store,
    *,
    mode: Mode = "best",
    weights: Mapping[str, Any] | None = None,
    operator_weights: Mapping[str, Any] | None = None,
    demo: bool = True,
    progress: Progress | None = None,
) -> MatchReport:
    """Match all open demands to all vacant spaces.

    Parameters
    ----------
    store
        The store.
    mode
        `best` sum of scores with a proven gap; `stable`, which nobody would leave; or `compare`,
        the best with both side by side.
    weights, operator_weights
        What demands and operators weigh the parts by; the usual ones when None.
    demo
        Whether demo records count.
    progress
        Called with the stage and the share done.

    Raises
    ------
    InputError
        When the mode or a weight makes no sense.
    """
    if mode not in ("best", "stable", "compare"):
        raise InputError(f"mode {mode!r} is not known; give one of best, stable, compare")
    used = read_weights(weights)
    theirs = read_weights(operator_weights, OPERATOR_WEIGHTS)
    market = _market(store, demo=demo)
    verdicts = _judge(store, market)
    barred = np.array([admits(found) == "fail" for found in verdicts], dtype=np.bool_)
    # One who may not enter asks for more than there is.
    wants = market.wants._replace(min_m2=np.where(barred, np.inf, market.wants.min_m2))
    pairs = list_pairs(market.supply, wants, weigh(used), weigh(theirs))
    capacity = market.supply.vacant_m2
    found: dict[str, Assignment] = {}
    if mode in ("best", "compare"):
        found["best"] = assign_best(pairs, capacity, progress=progress)
    if mode in ("stable", "compare"):
        found["stable"] = assign_stable(pairs, capacity)
    chosen = found["stable" if mode == "stable" else "best"]
    unmatched = tuple(
        _unmatched(market, d, "not_eligible" if barred[d] else _cause(market, weigh(used), d))
        for d in np.flatnonzero(chosen.pair < 0).tolist()
    )
    return MatchReport(
        mode,
        used,
        tuple(
            _assigned(market, pairs, d, verdicts[d], int(pair))
            for d, pair in enumerate(chosen.pair.tolist())
            if pair >= 0
        ),
        unmatched=unmatched,
        operator_weights=theirs,
        objective=round(chosen.objective, 6),
        bound=None if chosen.bound is None else round(chosen.bound, 6),
        gap=chosen.gap,
        blocking=chosen.blocking,
        comparison=tuple(_side(name, one, pairs) for name, one in found.items()),
        shortage=_shortage(unmatched),
        **_common(store, market),
    )


def _check_limit(limit: int) -> int:
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit: {limit} is out of range; give 1 to {MAX_LIMIT}")
    return limit


def _market(store: Store, *, demands: tuple[str, ...] | None = None, demo: bool) -> Market:
    return read_market(store, walk_world(store), demands=demands, demo=demo)


def _judge(store: Store, market: Market) -> list[tuple[Verdict, ...]]:
    """Judge every demand by the rules of entry."""
    rules = store.rules("eligibility").body["rules"]
    return [
        judge(rules, facts if isinstance(facts, Mapping) else None, subject="demand")
        for facts in market.demands["facts"]
    ]


def _common(store: Store, market: Market) -> dict[str, Any]:
    rules = store.rules("eligibility")
    world = walk_world(store)
    notes: tuple[Mapping[str, str], ...] = ()
    if world.network is None:
        notes = (_NO_STREETS,)
    elif market.straight:
        notes = (_STRAIGHT,)
    demo = bool(market.table.demo.any() or (market.demands["provenance"] == "demo").any())
    return {
        "rule": {"name": rules.name, "version": rules.version, "source": rules.source},
        "notes": notes,
        "demo_counted": demo or world.demo_counted,
    }


def _pair(
    market: Market, d: int, s: int, score: float, verdicts: tuple[Verdict, ...]
) -> dict[str, Any]:
    """Return a pair as results print it."""
    parts = parts_of(market.supply, market.wants, d, s)
    record = market.table.properties(s)
    return {
        "demand": str(market.demands["id"].iloc[d]),
        "space": record["id"],
        "space_name": record.get("name"),
        "incubator": record.get("incubator"),
        "unit": record.get("unit"),
        "area_m2": round(float(area_taken(market.supply, market.wants, d, s)), 1),
        "rent_cny_m2_month": record.get("rent_cny_m2_month"),
        "score": round(score, 6),
        "parts": parts,
        "reasons": _reasons(market, d, s, verdicts),
        "eligible": admits(verdicts),
    }


def _assigned(
    market: Market, pairs: Pairs, d: int, verdicts: tuple[Verdict, ...], pair: int
) -> dict[str, Any]:
    return _pair(market, d, int(pairs.space[pair]), float(pairs.score[pair]), verdicts)


def _reasons(market: Market, d: int, s: int, verdicts: tuple[Verdict, ...]) -> list[dict[str, str]]:
    """Return in words what is met and what is not known."""
    said = [
        {"key": f"rule.{one.rule}", "outcome": one.outcome, "zh": one.zh, "en": one.en,
         "clause": one.clause}
        for one in verdicts
    ]  # fmt: skip
    supply = market.supply
    missing = {
        "rent": np.isnan(supply.rent[s]) and not np.isnan(market.wants.max_rent[d]),
        "technical": bool(
            (np.isnan(supply.technical[s]) & ~np.isnan(market.wants.technical[d])).any()
        ),
        "availability": np.isnan(supply.available_day[s]),
    }
    words = {
        "rent": ("租金不详", "rent not known"),
        "technical": ("部分技术条件不详", "some technical facts are not known"),
        "availability": ("可入驻日期不详", "date not known"),
    }
    return said + [
        {"key": key, "outcome": "unknown", "zh": words[key][0], "en": words[key][1], "clause": ""}
        for key, absent in missing.items()
        if absent
    ]


def _cause(market: Market, weights: Floats, d: int) -> str:
    _, fails = score_spaces(market.supply, market.wants, d, weights)
    if (fails & 1).all():
        return "vacant"
    # Spaces that are not to let say nothing about what keeps a demand out of the others.
    return find_cause(fails[fails & 1 == 0])


def _unmatched(market: Market, d: int, cause: str) -> dict[str, Any]:
    row = market.demands.iloc[d]
    zh, en = _CAUSES[cause]
    plain = {name: row[name] if isinstance(row[name], str) else None for name in
             ("unit", "industry", "kind")}  # fmt: skip
    return {
        "demand": str(row["id"]),
        "cause": cause,
        "zh": zh,
        "en": en,
        "min_area_m2": float(row["min_area_m2"]),
        **plain,
    }


def _side(name: str, one: Assignment, pairs: Pairs) -> dict[str, Any]:
    taken = one.pair[one.pair >= 0]
    return {
        "mode": name,
        "matched": len(taken),
        "objective": round(one.objective, 6),
        "mean_score": round(float(pairs.score[taken].mean()), 4) if len(taken) else None,
        "area_m2": round(float(pairs.area_m2[taken].sum()), 1),
        "bound": one.bound,
        "gap": one.gap,
        "blocking": one.blocking,
    }


def _shortage(unmatched: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
    """Sum the demands without a space by unit, industry, kind and cause."""
    short = [one for one in unmatched if one["cause"] != "not_eligible"]
    table: dict[str, Any] = {}
    for name in ("unit", "industry", "kind", "cause"):
        counts = Counter(str(one[name] or "") for one in short)
        area: Counter[str] = Counter()
        for one in short:
            area[str(one[name] or "")] += one["min_area_m2"]
        table[name] = {
            key: {"demands": count, "area_m2": round(area[key], 1)}
            for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        }
    return table
