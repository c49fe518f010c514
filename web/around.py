"""What lies around a space or an incubator, worded for its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from web.minimap import draw_minimap
from web.words import Words

Result = Mapping[str, Any]


def around_view(
    facts: Result,
    spots: Sequence[Result],
    *,
    name: str,
    categories: Sequence[Result],
    w: Words,
) -> dict[str, Any]:
    """Return what the page of a place shows of its surroundings.

    Parameters
    ----------
    facts
        As `PlaceFacts.to_json` gives them.
    spots
        The amenities within the longest zone.
    name
        What the place is called.
    categories
        The categories of amenities.
    w
        The words.
    """
    found = facts["around"]
    if found is None:
        return {"unknown": True}
    zones, planning = found["zones"], found["planning"]
    steps = [
        {**zone["properties"], "count": sum(zone["properties"]["amenities"].values())}
        for zone in zones["features"]
    ]
    missing = set(planning["missing"]) if planning else set()
    rows = [
        {
            "label": w.pick(category),
            "counts": [step["amenities"].get(category["key"], 0) for step in steps],
            "nearest": _far(found["nearest"].get(category["key"]), w),
        }
        for category in categories
    ]
    nearest = found["station"]
    said = w("around.map", name=name, count=f"{steps[-1]['count']:,}" if steps else "0")
    return {
        "unknown": False,
        "approximate": facts["approximate"],
        "compliance": facts["compliance"],
        "planning": planning,
        "had": len(categories) - len(missing),
        "of": len(categories),
        "missing": w("around.and").join(
            str(w.pick(category)) for category in categories if category["key"] in missing
        ),
        "warnings": [w.pick(warning) for warning in zones["warnings"]],
        "steps": steps,
        "rows": rows,
        "station": _far(nearest, w),
        "platforms": [_far(one, w) for one in found["platforms"]],
        "map": draw_minimap(
            zones,
            groups={category["key"]: category["group"] for category in categories},
            spots=spots,
            label=said,
            here=name,
        ),
    }


def _far(one: Result | None, w: Words) -> dict[str, Any] | None:
    """Say how far a place is: minutes on foot where it is reached, metres straight ahead else."""
    if one is None:
        return None
    if one["minutes"] is not None:
        far = w("around.walk", minutes=f"{one['minutes']:g}")
    elif one["metres"] >= 1000:
        far = w("around.straight_km", km=f"{one['metres'] / 1000:.1f}")
    else:
        far = w("around.straight_m", metres=f"{one['metres']:,}")
    return {**one, "far": w("around.rough", far=far) if one.get("rough") else far}
