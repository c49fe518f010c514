"""What OpenStreetMap tags mean to a walker: may one walk here, which way, and what is this place.

Pure functions of tags and of the rules `osm` (`layers/bundled/default/rules/osm.toml`), which say
what each class of street and each value allows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
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


def is_shut(tags: Tags, rules: Rules) -> bool:
    """Tell whether a node on a way, such as a gate, stops walkers.

    Parameters
    ----------
    tags
        Tags of the node.
    rules
        The table `streets` of the rules `osm`.

    Examples
    --------
    >>> from layers.ingest.osm import default_rules
    >>> streets = default_rules()["streets"]
    >>> is_shut({"barrier": "gate"}, streets)
    False
    >>> is_shut({"barrier": "gate", "access": "private"}, streets)
    True
    >>> is_shut({"barrier": "gate", "access": "private", "foot": "yes"}, streets)
    False
    """
    if not is_tagged(tags, "barrier"):
        return False
    foot, forbidding = tags.get("foot"), rules["forbidding"]
    return foot in forbidding or (
        foot not in rules["allowing"] and tags.get("access") in forbidding
    )


def is_tagged(tags: Tags, key: str) -> bool:
    """Tell whether a key is there with a value other than no.

    >>> is_tagged({"bridge": "viaduct"}, "bridge"), is_tagged({"bridge": "no"}, "bridge")
    (True, False)
    """
    return tags.get(key, "no") != "no"


@dataclass(frozen=True)
class TagIndex:
    """Entries of the rules by the tags that they want, for one look-up a tag.

    Parameters
    ----------
    entries
        Tables with `key`, `tags` and perhaps `without`; earlier ones come first.
    forbidding
        Values of `access` that no entry takes.
    """

    entries: Sequence[Rules]
    forbidding: Sequence[str] = ()

    @cached_property
    def _numbers(self) -> Mapping[tuple[str, str], list[int]]:
        numbers = defaultdict(list)
        for number, entry in enumerate(self.entries):
            for key, values in entry["tags"].items():
                for value in values:
                    numbers[key, value].append(number)
        return dict(numbers)

    @property
    def keys(self) -> set[str]:
        """Every key that an entry wants a value of."""
        return {key for key, _ in self._numbers}

    def find(self, tags: Tags) -> str | None:
        """Find the key of the first entry that the tags fit; None when they fit none.

        >>> index = TagIndex([{"key": "books", "tags": {"shop": ["books"]}},
        ...                   {"key": "shop", "tags": {"shop": ["*"]}}])
        >>> index.find({"shop": "books"}), index.find({"shop": "tea"}), index.find({})
        ('books', 'shop', None)
        """
        numbers = self._numbers
        fitting = {
            number
            for key, value in tags.items()
            for wanted in (value, "*")
            for number in numbers.get((key, wanted), ())
        }
        if not fitting or tags.get("access") in self.forbidding:
            return None
        for number in sorted(fitting):
            entry = self.entries[number]
            if not fits(tags, entry.get("without", {})):
                return str(entry["key"])
        return None
