"""What OpenStreetMap tags mean to a walker: may one walk here, which way, and what is this place.

Pure functions of tags and of the rules `osm` (`layers/bundled/default/rules/osm.toml`), which say
what each class of street and each value allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

Tags = Mapping[str, str]
Rules = Mapping[str, Any]
Direction = Literal["both", "forward", "backward"]

_SIDEWALK_KEYS = ("sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right")


def fits(tags: Tags, wanted: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether any tag has one of the values wanted for its key; `"*"` is any value.

    >>> fits({"shop": "tea"}, {"shop": ["*"]}), fits({"shop": "tea"}, {"shop": ["books"]})
    (True, False)
    """
    return any(
        key in tags and (tags[key] in values or "*" in values) for key, values in wanted.items()
    )


def find_direction(tags: Tags, rules: Rules) -> Direction | None:
    """Find which way one may walk along a line, in the direction that it is drawn.

    `oneway` does not bind walkers; `oneway:foot`, `foot:forward`, `foot:backward` and the way that
    an escalator moves do.

    Parameters
    ----------
    tags
        Tags of the way.
    rules
        The table `streets` of the rules `osm`.

    Returns
    -------
    str or None
        `both`, `forward` or `backward`; None where one may not walk.

    Examples
    --------
    >>> from layers.ingest.osm import default_rules
    >>> streets = default_rules()["streets"]
    >>> find_direction({"highway": "residential", "oneway": "yes"}, streets)
    'both'
    >>> find_direction({"highway": "motorway"}, streets) is None
    True
    """
    if not _is_open(tags, rules):
        return None
    oneway = tags.get("oneway:foot", "no")
    moving = tags.get("conveying", "")
    forbidding = rules["forbidding"]
    against = oneway == "yes" or moving == "forward" or tags.get("foot:backward") in forbidding
    along = oneway == "-1" or moving == "backward" or tags.get("foot:forward") in forbidding
    if along and against:
        return None
    return "backward" if along else "forward" if against else "both"


def _is_open(tags: Tags, rules: Rules) -> bool:
    foot = tags.get("foot")
    if foot in rules["forbidding"] or not _is_walkable_kind(tags, rules):
        return False
    if foot in rules["allowing"]:
        return True
    if tags.get("access") in rules["forbidding"]:
        return False
    closed = tags.get("highway") in rules["closed_highways"] or fits(tags, rules["closing_tags"])
    return not closed or any(tags.get(key) in rules["sidewalk_sides"] for key in _SIDEWALK_KEYS)


def _is_walkable_kind(tags: Tags, rules: Rules) -> bool:
    if tags.get("route") == "ferry":
        return bool(rules["ferries"])
    highway = tags.get("highway")
    if highway in rules["open_highways"] or highway in rules["closed_highways"]:
        return True
    return highway is None and fits(tags, rules["open_others"])


def is_tagged(tags: Tags, key: str) -> bool:
    """Tell whether a key is there with a value other than no.

    >>> is_tagged({"bridge": "viaduct"}, "bridge"), is_tagged({"bridge": "no"}, "bridge")
    (True, False)
    """
    return tags.get(key, "no") != "no"


def find_category(tags: Tags, rules: Rules) -> str | None:
    """Find the key of the first category that the tags fit.

    Parameters
    ----------
    tags
        Tags of a node, way or area.
    rules
        The table `amenities` of the rules `osm`.

    Examples
    --------
    >>> from layers.ingest.osm import default_rules
    >>> find_category({"amenity": "cafe", "shop": "books"}, default_rules()["amenities"])
    'bookshop'
    """
    return _find_key(tags, rules["categories"], rules)


def find_cultural_kind(tags: Tags, rules: Rules) -> str | None:
    """Find whether the tags are of a cultural `venue` or `space`, as `find_category`."""
    return _find_key(tags, rules["cultural_kinds"], rules)


def _find_key(tags: Tags, entries: Sequence[Rules], rules: Rules) -> str | None:
    if tags.get("access") in rules["forbidding"]:
        return None
    for entry in entries:
        if fits(tags, entry["tags"]) and not fits(tags, entry.get("without", {})):
            return str(entry["key"])
    return None
