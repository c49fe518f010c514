"""The store that a server answers from: opened once, opened again when its file is another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from geo.errors import StoreReadOnlyError
from layers.store import Edit, Store, open_store

STAFF = "staff"  # who writes, until accounts come
# Whether the request under way asks a scenario; it then reads only.
IN_SCENARIO: ContextVar[bool] = ContextVar("IN_SCENARIO", default=False)


class StoreHandle:
    """Opens the store at the first question, and again after a restore put another file there.

    Parameters
    ----------
    path
        The store's file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._open: tuple[tuple[int, int], Store] | None = None

    def get(self) -> Store:
        """Return the store, open for reading.

        Raises
        ------
        StoreError
            When there is none, or it cannot be read.
        """
        with self._lock:
            file = self._file()
            if self._open is not None and self._open[0] == file:
                return self._open[1]
            # An older one is not closed: answers on their way may still read from it.
            self._open = None
            store = open_store(self.path)
            if file is not None:
                self._open = (file, store)
            return store

    def opened(self) -> Store | None:
        """Return the store where it is open already, without waiting for anything."""
        kept = self._open
        return kept[1] if kept is not None and kept[0] == self._file() else None

    def _file(self) -> tuple[int, int] | None:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return None
        return stat.st_dev, stat.st_ino

    @contextmanager
    def edit(self, note: str, *, who: str = STAFF) -> Iterator[Edit]:
        """Change the store: everything inside the `with` block is written together or not at all.

        Parameters
        ----------
        note
            What is done and why, for the history.
        who
            Who does it.

        Raises
        ------
        StoreError
            When the store cannot be written to, or another writer holds it too long.
        """
        with self.write() as store, store.edit(who, note) as edit:
            yield edit

    @contextmanager
    def write(self) -> Iterator[Store]:
        """Give the store, open for writing.

        Raises
        ------
        StoreError
            When the store cannot be written to.
        """
        if IN_SCENARIO.get():
            raise StoreReadOnlyError(
                "this page shows a scenario, and this would change the real layers: leave the "
                "scenario first, or make the change in it at /scenarios"
            )
        with open_store(self.path, write=True) as store:
            yield store

    def close(self) -> None:
        """Let go of the store."""
        with self._lock:
            if self._open is not None:
                self._open[1].close()
                self._open = None
