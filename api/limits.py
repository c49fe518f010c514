"""Limits against abuse: how often one address may do a thing in a minute, and what came twice."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from math import ceil

from fastapi import HTTPException, Request

_MINUTE_S = 60.0
_MOST_ADDRESSES = 100_000  # beyond them those seen longest ago are forgotten


class RateLimit:
    """Counts what each address did in the last minute; in memory, and forgotten after it.

    Parameters
    ----------
    per_minute
        How often an address may.
    clock
        Tells seconds.
    """

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, address: str) -> int:
        """Count one more time; return 0, or the seconds to wait when it is too often.

        >>> limit = RateLimit(1, clock=lambda: 5.0)
        >>> limit.take("192.0.2.1"), limit.take("192.0.2.1"), limit.take("192.0.2.2")
        (0, 60, 0)
        """
        now, key = self._clock(), network_of(address)
        with self._lock:
            times = self._seen.pop(key, deque())
            while times and now - times[0] >= _MINUTE_S:
                times.popleft()
            wait = ceil(_MINUTE_S - (now - times[0])) if len(times) >= self._per_minute else 0
            if not wait:
                times.append(now)
            self._seen[key] = times
            while self._seen and (
                len(self._seen) > _MOST_ADDRESSES
                or now - next(iter(self._seen.values()))[-1] >= _MINUTE_S
            ):
                self._seen.popitem(last=False)
        return wait


def network_of(address: str) -> str:
    """Return what counts as one address: of IPv6 the network of 64 bits that one customer has.

    >>> network_of("2001:db8::1:2"), network_of("192.0.2.7"), network_of("testclient")
    ('2001:db8::', '192.0.2.7', 'testclient')
    """
    try:
        read = ip_address(address)
    except ValueError:
        return address
    if isinstance(read, IPv6Address) and read.ipv4_mapped is None:
        return str(IPv6Address(int(read) >> 64 << 64))
    return str(read)


def limit_posts(request: Request) -> None:
    """Refuse an address that posts or opens needs too often.

    Raises
    ------
    HTTPException
        429 with the seconds to wait.
    """
    limit: RateLimit = request.app.state.post_limit
    wait = limit.take(request.client.host if request.client else "")
    if wait:
        raise HTTPException(
            429,
            f"too many requests from this address; wait {wait} seconds",
            headers={"Retry-After": str(wait)},
        )
