"""Who suits whom: spaces for a demand, demands for a space, and everyone to everything at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from api.questions.match_case import (
    Case,
    describe_pair,
    describe_unmatched,
    find_causes,
    list_case,
    read_case,
)
from geo.assignment import GAP, Progress, assign_best
from geo.deals import LOST
from geo.eligibility import admits
from geo.errors import InputError, NotFoundError
from geo.match_report import MatchReport, Mode
from geo.matching import (
    OPERATOR_WEIGHTS,
    failed_checks,
    find_cause,
    read_weights,
    score_demands,
    score_pair,
    score_spaces,
    take_best,
    weigh,
)
from geo.pairs import Assignment, Pairs
from geo.shortage import BY, keep_short, sum_by
from geo.solver import Watch
from geo.stable import assign_stable, find_blocking
from layers.store import Store

MAX_LIMIT = 200
TIME_LIMIT_S = 50.0
_BARRED = np.uint8(128)  # a bit beside those of the checks
_BLOCKING_SHOWN = 200


def ask_demand_matches(
    store: Store,
    demand: str,
    *,
    weights: Mapping[str, Any] | None = None,
    limit: int = 20,
    demo: bool = True,
    declined: bool = False,
    staff: bool = False,
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
    declined
        Whether spaces count that the staff declined for it.
    staff
        Whether the answer tells of deals, which are the staff's to know.

    Raises
    ------
    NotFoundError
        When there is no such demand.
    InputError
        When weights or limit make no sense.
    """
    used, limit = read_weights(weights), _check_limit(limit)
    case = read_case(store, demands=(demand,), demo=demo)
    market = case.market
    if market.demands.empty:
        raise NotFoundError(f"there is no demand with id {demand!r}")
    score, fails = score_spaces(market.supply, market.wants, 0, weigh(used))
    gone = [] if declined else [s for s in case.declined_spaces(0) if fails[s] == 0]
    barred = admits(case.verdicts[0]) == "fail"
    cause = "not_eligible" if barred else "declined" if gone and staff else find_cause(fails)
    fails[gone] |= _BARRED
    best = () if barred else take_best(score, fails, limit).tolist()
    pairs = tuple(describe_pair(case, 0, s, float(score[s]), deal=staff) for s in best)
    return MatchReport(
        "spaces",
        used,
        pairs,
        unmatched=() if pairs else (describe_unmatched(case, 0, cause),),
        eligibility=case.verdicts[0],
        declined=len(gone) if staff else 0,
        **case.common,
    )


def ask_space_matches(
    store: Store,
    space: str,
    *,
    weights: Mapping[str, Any] | None = None,
    limit: int = 20,
    demo: bool = True,
    declined: bool = False,
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
    case = read_case(store, demo=demo)
    market = case.market
    s = market.table.columns.row_of(space)
    if s is None:
        raise NotFoundError(f"there is no space with id {space!r}")
    score, fails = score_demands(market.supply, market.wants, s, weigh(used))
    fails[case.barred] |= _BARRED
    lost = {demand for (demand, other), deal in case.deals.items()
            if other == space and deal["state"] == LOST}  # fmt: skip
    away = market.demands["id"].isin(lost).to_numpy(dtype=bool) & (fails == 0) & (not declined)
    gone = np.flatnonzero(away)
    fails[gone] |= _BARRED
    best = take_best(score, fails, limit).tolist()
    return MatchReport(
        "demands",
        used,
        tuple(describe_pair(case, d, s, float(score[d])) for d in best),
        declined=len(gone),
        **case.common,
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
    case = read_case(store, demands=tuple(dict.fromkeys(d for d, _ in pairs)), demo=True)
    market = case.market
    row = {key: number for number, key in enumerate(market.demands["id"])}
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
                **describe_pair(case, d, s, score),
                "fails": failed_checks(bits),
                "demo": demo,
                "weights": used,
                "rule": case.common["rule"],
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
    declined: bool = False,
    watch: Watch | None = None,
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
    declined
        Whether pairs count that the staff declined.
    watch
        Limits, how to be told of the best found and its bound, and how to be stopped: the best
        found so far is then the answer. 50 s and a gap of 0.5 % by default.
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
    watch = watch or Watch.start(TIME_LIMIT_S, gap=GAP)
    case = read_case(store, demo=demo)
    pairs, gone = list_case(case, used, theirs, declined=declined)
    capacity = case.market.supply.vacant_m2
    found: dict[str, Assignment] = {}
    if mode in ("best", "compare"):
        found["best"] = assign_best(pairs, capacity, watch=watch, progress=progress)
    if mode in ("stable", "compare"):
        found["stable"] = assign_stable(pairs, capacity)
    chosen = found["stable" if mode == "stable" else "best"]
    causes = find_causes(case, weigh(used), chosen, pairs)
    unmatched = tuple(describe_unmatched(case, d, cause) for d, cause in causes.items())
    short = keep_short(unmatched)
    return MatchReport(
        mode,
        used,
        tuple(
            describe_pair(case, d, int(pairs.space[pair]), float(pairs.score[pair]))
            for d, pair in enumerate(chosen.pair.tolist())
            if pair >= 0
        ),
        unmatched=unmatched,
        operator_weights=theirs,
        status="stopped" if watch.cancelled else "done",
        objective=round(chosen.objective, 6),
        bound=None if chosen.bound is None else round(chosen.bound, 6),
        gap=chosen.gap,
        blocking=chosen.blocking,
        blocking_pairs=_blocking(case, pairs, chosen),
        comparison=tuple(_side(name, one, pairs) for name, one in found.items()),
        differing=_differing(case, pairs, found) if mode == "compare" else (),
        shortage={name: sum_by(short, name) for name in BY},
        declined=gone,
        **case.common,
    )


def _check_limit(limit: int) -> int:
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit: {limit} is out of range; give 1 to {MAX_LIMIT}")
    return limit


def _blocking(case: Case, pairs: Pairs, chosen: Assignment) -> tuple[dict[str, Any], ...]:
    """Name the first pairs that would rather have each other."""
    capacity = case.market.supply.vacant_m2
    _, first = find_blocking(pairs, capacity, chosen.pair, limit=_BLOCKING_SHOWN)
    demand = pairs.demand
    return tuple(
        {
            "demand": case.demand(int(demand[pair])),
            "space": case.market.table.columns.ids[int(pairs.space[pair])],
            "score": round(float(pairs.score[pair]), 6),
            "operator_score": round(float(pairs.operator[pair]), 6),
        }
        for pair in first.tolist()
    )


def _differing(
    case: Case, pairs: Pairs, found: Mapping[str, Assignment]
) -> tuple[dict[str, Any], ...]:
    """List the demands that the two readings give different spaces."""
    ids = case.market.table.columns.ids

    def space(pair: int) -> str | None:
        return ids[int(pairs.space[pair])] if pair >= 0 else None

    both = zip(found["best"].pair.tolist(), found["stable"].pair.tolist(), strict=True)
    return tuple(
        {"demand": case.demand(d), "best": space(best), "stable": space(stable)}
        for d, (best, stable) in enumerate(both)
        if best != stable
    )


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
