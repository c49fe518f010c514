"""What the map rests on: records by layer, their sources, and the rules in force."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from layers.catalog import layers
from layers.query import Query
from layers.store import Store


@dataclass(frozen=True)
class About:
    """Counts and demo counts by layer, sources, and rules with their versions."""

    counts: dict[str, int]
    demo: dict[str, int]
    sources: list[dict[str, Any]]
    rules: list[dict[str, Any]]
    demo_counted: bool

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def ask_about(store: Store) -> About:
    """Tell what the map rests on."""
    counts: dict[str, int] = {}
    demo: dict[str, int] = {}
    sources: list[dict[str, Any]] = []
    for name, declared in layers().items():
        if declared.staff:
            continue
        frame = store.read(name, Query(columns=["source", "as_of", "provenance"]))
        counts[name] = len(frame)
        demo[name] = int((frame["provenance"] == "demo").sum())
        days = frame["as_of"].dt.strftime("%Y-%m-%d").fillna("")
        rows = Counter(zip(frame["source"].fillna(""), days, strict=True))
        sources += [
            {"layer": name, "source": source or None, "as_of": day or None, "records": count}
            for (source, day), count in rows.items()
        ]
    rules = [store.rules(name) for name in store.rules_names()]
    return About(
        counts=counts,
        demo=demo,
        sources=sources,
        rules=[
            {"name": rule.name, "version": rule.version, "source": rule.source} for rule in rules
        ],
        demo_counted=any(demo.values()),
    )
