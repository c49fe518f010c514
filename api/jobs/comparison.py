"""Comparing scenarios as a job: every question of every state, and what is asked of whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.answers import JSON, to_bytes
from api.jobs.kinds import Product, Task
from api.questions.comparison import ask_comparison, check_states
from layers.scenarios import find_scenario, see_scenario
from layers.store import Store

BASE = "base"  # the real layers among the ids


def comparison_inputs(stores: Sequence[Store]) -> dict[str, Any]:
    """Return what a comparison of some states depends on: which they are, and how they stand.

    Raises
    ------
    InputError
        When there are not two or three different ones.
    """
    ids = [store.lens.id if store.lens else BASE for store in stores]
    check_states(ids)
    names = [store.lens.name if store.lens else "" for store in stores]
    return {"ids": ids, "names": names, "states": [store.token() for store in stores]}


def run(task: Task) -> Product:
    """Ask every question of every state; asked to stop, it keeps nothing."""
    task.tell("reading", 0.0)
    stores = [
        task.store
        if word == BASE
        else see_scenario(task.store, find_scenario(task.store, word)).store
        for word in task.inputs["ids"]
    ]
    report = ask_comparison(stores, progress=task.tell, cancel=task.cancel)
    return Product(to_bytes(report.to_json()), JSON)
