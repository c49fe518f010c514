"""The rules in force, and one of them to be edited: text, versions, what an edit changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from geo.errors import NotFoundError
from layers.rulebook import RuleVersion, differ, list_versions, read_rules, write_rules
from layers.store import Store


@dataclass(frozen=True)
class RuleSheet:
    """A rule to be edited.

    Attributes
    ----------
    name, version, source, clause
        Of the rule in force.
    text
        As TOML.
    versions
        Every version that the history keeps, the latest first.
    """

    name: str
    version: int
    source: str
    clause: str
    text: str
    versions: tuple[RuleVersion, ...]


def ask_rules(store: Store) -> list[dict[str, Any]]:
    """List the rules in force with their version, source, clause and last change."""
    found = []
    for name in store.rules_names():
        rules = store.rules(name)
        life = store.history("rules", name)
        found.append(
            {
                "name": name,
                "version": rules.version,
                "source": rules.source,
                "clause": str(rules.body.get("clause") or ""),
                "at": _local(life[-1].at) if life else "",
                "who": life[-1].who if life else "",
            }
        )
    return found


def ask_rule(store: Store, name: str) -> RuleSheet:
    """Return a rule to be edited.

    Raises
    ------
    NotFoundError
        When there is none of that name.
    """
    rules = store.rules(name)
    return RuleSheet(
        name,
        rules.version,
        rules.source,
        str(rules.body.get("clause") or ""),
        write_rules(rules.body, rules.source),
        tuple(list_versions(store, name)),
    )


def ask_rule_version(store: Store, name: str, version: int) -> str:
    """Return the text of a version that the history keeps.

    Raises
    ------
    NotFoundError
        When it keeps none of that number.
    """
    for one in list_versions(store, name):
        if one.version == version:
            return one.text
    raise NotFoundError(f"rules {name}: the history keeps no version {version}")


def ask_rule_change(store: Store, name: str, text: str) -> list[tuple[str, str]]:
    """Return what an edited text changes, line by line; nothing where it says the same.

    Raises
    ------
    InputError
        When the text cannot be taken; every fault names its line.
    """
    held = store.rules(name)
    body, source = read_rules(text, held)
    return differ(write_rules(held.body, held.source), write_rules(body, source))


def _local(instant: str) -> str:
    return datetime.fromisoformat(instant).astimezone().isoformat(timespec="minutes")
