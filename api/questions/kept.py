"""What a process keeps of what it worked out, for as long as its layers stay as they are."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from layers.store import Store

T = TypeVar("T")


class Kept(Generic[T]):
    """The last few results, each under a key that says all it depends on.

    Parameters
    ----------
    most
        How many are kept; the one asked longest ago leaves first.

    >>> squares = Kept[int](2)
    >>> [squares.recall(n, lambda n=n: n * n) for n in (2, 3, 2)]
    [4, 9, 4]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is held under a key; made, and held from then on, where nothing is.

        Two that ask at once may both make it: nobody waits for another.
        """
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        made = make()
        with self._lock:
            self._held[key] = made
            self._held.move_to_end(key)
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return made


def state_key(store: Store, layers: tuple[str, ...], *more: Any) -> Hashable:
    """Say which state of some layers a result is of, and what else it depends on.

    A scenario has the key of the real layers wherever it changes none of them, so that both share
    what is kept.
    """
    return (store.url, store.token(*layers), *more)
