"""The categories of amenities and who walks to them, as the rules `amenities` say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from geo.errors import InputError


def find_walker(rule: Mapping[str, Any], profile: str | None) -> tuple[float, float]:
    """Return the minutes of the rule and the speed in km/h of a profile, the default one when None.

    Raises
    ------
    InputError
        When there is no such profile; the message lists those that exist.
    """
    planning = rule["planning"]
    key = profile or planning["default_profile"]
    speeds = {item["key"]: float(item["speed_km_h"]) for item in rule["profiles"]}
    if key not in speeds:
        raise InputError(f"walking profile {key!r} is not known; give one of {', '.join(speeds)}")
    return float(planning["minutes"]), speeds[key]


def find_missing(counts: Mapping[str, int], rule: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the categories with fewer than their least count."""
    usual = rule["planning"]["min_count"]
    least = {item["key"]: item.get("min_count", usual) for item in rule["categories"]}
    return tuple(key for key, count in counts.items() if count < least[key])


def score(missing: Sequence[str], keys: Sequence[str]) -> float:
    """Return the share of categories that are within reach, 0 to 1."""
    return round(1.0 - len(missing) / len(keys), 4) if keys else 0.0
