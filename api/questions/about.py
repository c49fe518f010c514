"""What the map rests on: records by layer, their sources, and the rules in force."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

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
    counts, demo, sources = {}, {}, []
    for name, declared in layers().items():
        if declared.staff:
            continue
        frame = store.read(name, Query(columns=["source", "as_of", "provenance"]))
        counts[name] = len(frame)
        demo[name] = int((frame["provenance"] == "demo").sum())
        for (source, as_of), rows in frame.groupby(["source", "as_of"], dropna=False):
            sources.append(
                {
                    "layer": name,
                    "source": None if pd.isna(source) else str(source),
                    "as_of": None if pd.isna(as_of) else str(as_of)[:10],
                    "records": len(rows),
                }
            )
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
