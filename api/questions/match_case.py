"""Both sides of a matching with all that is known of them: verdicts, units and deals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from api.questions.deals import deals_of_pairs
from api.questions.match_words import explain_pair, explain_unmatched, note_limits
from geo.columns import Floats
from geo.deals import LOST
from geo.eligibility import Verdict, admits, judge
from geo.matching import Bits, area_taken, find_cause, parts_of, score_spaces, weigh
from geo.pairs import Assignment, Flags, Pairs, drop_pairs, list_pairs
from geo.units import assign_units
from layers.store import Store
from layers.supply import Market, read_market
from layers.walking import walk_world

Deals = Mapping[tuple[str, str], Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Case:
    """Both sides of a store with all that is known of them: verdicts, units and deals."""

    store: Store
    market: Market
    verdicts: list[tuple[Verdict, ...]]
    deals: Deals
    common: Mapping[str, Any]

    def demand(self, d: int) -> str:
        """Return the id of a demand."""
        return str(self.market.demands["id"].iloc[d])

    @cached_property
    def units(self) -> list[str | None]:
        """The unit that each demand wishes for, by name or by place."""
        return assign_units(self.market.demands, self.store.read("reporting_units"))

    @property
    def barred(self) -> Flags:
        """The demands that do not meet the rules of entry."""
        return np.array([admits(found) == "fail" for found in self.verdicts], dtype=np.bool_)

    def declined_spaces(self, d: int) -> list[int]:
        """Return the spaces that were declined for a demand."""
        key, row_of = self.demand(d), self.market.table.columns.row_of
        lost = (space for (demand, space), deal in self.deals.items()
                if demand == key and deal["state"] == LOST)  # fmt: skip
        return [row for space in lost if (row := row_of(space)) is not None]


def read_case(store: Store, *, demands: tuple[str, ...] | None = None, demo: bool) -> Case:
    """Read both sides of a store, and judge every demand by the rules of entry."""
    world = walk_world(store)
    market = read_market(store, world, demands=demands, demo=demo)
    rules = store.rules("eligibility")
    verdicts = [
        judge(rules.body["rules"], facts if isinstance(facts, Mapping) else None, subject="demand")
        for facts in market.demands["facts"]
    ]
    counted = bool(market.table.demo.any() or (market.demands["provenance"] == "demo").any())
    common = {
        "rule": {"name": rules.name, "version": rules.version, "source": rules.source},
        "notes": note_limits(streets=world.network is not None, straight=market.straight),
        "demo_counted": counted or world.demo_counted,
    }
    return Case(store, market, verdicts, deals_of_pairs(store), common)


def list_case(
    case: Case, used: Mapping[str, float], theirs: Mapping[str, float], *, declined: bool
) -> tuple[Pairs, int]:
    """List the pairs that can be matched, and tell how many of them were declined."""
    market = case.market
    # One who may not enter asks for more than there is.
    wants = market.wants._replace(min_m2=np.where(case.barred, np.inf, market.wants.min_m2))
    pairs = list_pairs(market.supply, wants, weigh(used), weigh(theirs))
    if declined:
        return pairs, 0
    row = {key: number for number, key in enumerate(market.demands["id"])}
    dropped = np.zeros(len(pairs.space), dtype=np.bool_)
    for (demand, space), deal in case.deals.items():
        d, s = row.get(demand), market.table.columns.row_of(space)
        if deal["state"] == LOST and d is not None and s is not None:
            low, high = pairs.starts[d], pairs.starts[d + 1]
            dropped[low:high] |= pairs.space[low:high] == s
    return drop_pairs(pairs, dropped), int(dropped.sum())


def describe_pair(case: Case, d: int, s: int, score: float, *, deal: bool = True) -> dict[str, Any]:
    """Return a pair as results print it, with its deal unless that is not to be told."""
    market = case.market
    record = market.table.properties(s)
    demand = case.demand(d)
    return {
        "demand": demand,
        "space": record["id"],
        "space_name": record.get("name"),
        "incubator": record.get("incubator"),
        "unit": record.get("unit"),
        "area_m2": round(float(area_taken(market.supply, market.wants, d, s)), 1),
        "rent_cny_m2_month": record.get("rent_cny_m2_month"),
        "score": round(score, 6),
        "parts": parts_of(market.supply, market.wants, d, s),
        "reasons": explain_pair(market.supply, market.wants, d, s, case.verdicts[d]),
        "eligible": admits(case.verdicts[d]),
        **({"deal": case.deals.get((demand, record["id"]))} if deal else {}),
    }


def find_causes(case: Case, weights: Floats, chosen: Assignment, pairs: Pairs) -> dict[int, str]:
    """Tell why each demand without a space has none."""
    barred, causes = case.barred, {}
    for d in np.flatnonzero(chosen.pair < 0).tolist():
        if barred[d]:
            causes[d] = "not_eligible"
            continue
        _, fails = score_spaces(case.market.supply, case.market.wants, d, weights)
        cause = _cause(fails)
        alone = pairs.starts[d] == pairs.starts[d + 1]
        causes[d] = "declined" if cause == "taken" and alone else cause
    return causes


def _cause(fails: Bits) -> str:
    if (fails & 1).all():
        return "vacant"
    # Spaces that are not to let say nothing about what keeps a demand out of the others.
    return find_cause(fails[fails & 1 == 0])


def describe_unmatched(case: Case, d: int, cause: str) -> dict[str, Any]:
    """Return a demand without a space as results print it."""
    row = case.market.demands.iloc[d]
    plain = {
        name: row[name] if isinstance(row[name], str) else None for name in ("industry", "kind")
    }
    return {
        "demand": str(row["id"]),
        **explain_unmatched(cause, case.verdicts[d]),
        "min_area_m2": float(row["min_area_m2"]),
        "unit": case.units[d],
        **plain,
    }
