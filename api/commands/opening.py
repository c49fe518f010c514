"""Opening the store that a command asks: as it is, or seen through the scenario typed before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.commands.options import SCENARIO, scenario_refused
from layers.scenarios import find_scenario, see_scenario
from layers.store import Store
from layers.store import open_store as open_base


@contextmanager
def open_store(path: Path, *, write: bool = False) -> Iterator[Store]:
    """Open a store for a command, seen through the scenario that was asked for.

    Parameters
    ----------
    path
        The store's file.
    write
        Whether the command writes; it then takes no scenario.

    Raises
    ------
    InputError
        When a scenario was asked for and the command writes.
    NotFoundError
        When there is no such scenario.
    """
    word = SCENARIO.get()
    if word is not None and write:
        raise scenario_refused()
    with open_base(path, write=write) as base:
        yield base if word is None else see_scenario(base, find_scenario(base, word)).store
