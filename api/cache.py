"""A cache of finished answers: bytes by key, the least recently asked leave first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable


class Cache:
    """Finished answers up to a size, safe from several threads.

    Parameters
    ----------
    max_bytes
        Bytes to keep; an answer larger than a quarter of it is never kept.

    >>> cache = Cache(max_bytes=40)
    >>> cache.get("a", lambda: b"12345"), cache.get("a", lambda: b"other")
    (b'12345', b'12345')
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Return the answer of a key; made once, however many ask at the same time."""
        with self._lock:
            found = self._find(key)
            if found is not None:
                return found
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                found = self._find(key)
            if found is not None:
                return found
            try:
                made = make()
                with self._lock:
                    self._keep(key, made)
            finally:
                with self._lock:
                    self._making.pop(key, None)
            return made

    def _find(self, key: Hashable) -> bytes | None:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def _keep(self, key: Hashable, made: bytes) -> None:
        if len(made) > self._max_bytes // 4:
            return
        self._kept[key] = made
        self._bytes += len(made)
        while self._bytes > self._max_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped)
