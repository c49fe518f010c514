"""What has been written to a layer since: from its batches and history, without reading it anew.

The store counts the writes of each layer and notes when the last one was. Another program (QGIS)
notes only the time. So where that is not the time of the layer's last batch, somebody else has
written; the next edit then counts two writes for one batch, and the difference stays visible.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from layers.catalog import layers
from layers.store import Bookmark

if TYPE_CHECKING:
    from layers.sqlstore import SqlStore

Versions = Mapping[str, tuple[int, str]]  # writes counted, and when the last one was, by layer

ASIDE = frozenset(name for name, layer in layers().items() if layer.aside)
_MOST = 20_000  # records from which on reading the layer anew is as quick


@dataclass(frozen=True)
class Known:
    """The state of a store at a stamp, and the tokens made of it."""

    stamp: Hashable | None
    versions: Versions
    tokens: dict[tuple[str, ...], str] = field(default_factory=dict)

    def digest(self, names: tuple[str, ...]) -> str:
        """Return a text that changes whenever one of the layers does; of all that count if none.

        >>> Known(1, {"spaces": (1, "now")}).digest(("spaces",))
        '6da2311e530c149d4e'
        """
        chosen = names or [name for name in self.versions if name not in ASIDE]
        asked = {name: self.versions.get(name) for name in chosen}
        return blake2b(repr(sorted(asked.items())).encode(), digest_size=9).hexdigest()


def written_elsewhere(
    store: SqlStore, connection: Connection, batches: Mapping[str, int]
) -> frozenset[str]:
    """Return those layers that another program has written to since their last batch.

    Parameters
    ----------
    store, connection
        The store, and a connection in the transaction of an edit.
    batches
        The layers of the edit, and the batches that it makes of them.
    """
    versions = store.versions(connection)
    found = set()
    for layer, number in batches.items():
        if layer not in store.tables.layers:
            continue
        _, at = _last_batch(store, connection, layer, before=number)
        if at is not None and store.instant(at) != versions[layer][1]:
            found.add(layer)
    return frozenset(found)


def read_bookmark(store: SqlStore, connection: Connection, layer: str) -> Bookmark:
    """Return how far the edits of a layer have come."""
    version, last_change = store.versions(connection).get(layer, (0, ""))
    number, _ = _last_batch(store, connection, layer)
    return Bookmark(version, number, last_change)


def read_changed(
    store: SqlStore, connection: Connection, layer: str, since: Bookmark
) -> tuple[str, ...] | None:
    """Return the ids of the records written since a bookmark; None where that cannot be told."""
    version, last_change = store.versions(connection).get(layer, (0, ""))
    if (version, last_change) == (since.version, since.last_change):
        return ()
    batches, history = store.tables.batches, store.tables.history
    newer = (batches.c.layer == layer, batches.c.number > since.batch)
    count, rows, at = connection.execute(
        select(func.count(), func.sum(batches.c.rows), func.max(batches.c.at)).where(*newer)
    ).one()
    alone = count == version - since.version and at is not None
    if not alone or store.instant(at) != last_change or rows > _MOST:
        return None
    kept = connection.execute(
        select(history.c.record).where(history.c.layer == layer, history.c.batch > since.batch)
    ).scalars()
    written = list(kept)
    table = store.tables.layers.get(layer)
    # Inserts leave no image in the history: the batch of the record tells of them.
    if len(written) < rows and table is not None:
        added = select(table.c.id).where(table.c.batch > since.batch)
        written += connection.execute(added).scalars()
    return tuple(sorted(set(written)))


def _last_batch(
    store: SqlStore, connection: Connection, layer: str, *, before: int | None = None
) -> tuple[int, str | None]:
    """Return number and instant of the last batch of a layer; 0 and None for none."""
    batches = store.tables.batches
    chosen = select(batches.c.number, batches.c.at).where(batches.c.layer == layer)
    if before is not None:
        chosen = chosen.where(batches.c.number < before)
    row = connection.execute(chosen.order_by(batches.c.number.desc()).limit(1)).first()
    return (0, None) if row is None else (row.number, row.at)
