"""The check of the plan's targets: whether its tables add up (`geo.reconcile`)."""

from __future__ import annotations

from collections.abc import Iterator

from geo.targets import reconcile
from layers.checking.world import Found, World


def find_unreconciled_targets(world: World) -> Iterator[Found]:
    """Find sums of the target tables that do not agree, named by what was added up."""
    rule = world.rule("targets")
    if "total_unit" not in rule:
        return
    for row in reconcile(world.frame("plan_targets"), rule=rule):
        if not row.ok:
            yield Found(row.name, "error", "plan_targets", row.ids, row.detail, row.detail_en)
