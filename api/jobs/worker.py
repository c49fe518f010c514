"""A process that does jobs, one after another, and tells the server how far each is."""

from __future__ import annotations

import errno
import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from api.errors import problem, status_of
from api.jobs.kinds import Product, Task, find_work
from api.jobs.record import State
from api.scenarios import through_lens
from api.stores import StoreHandle
from geo.errors import CancelledError, HatchmapError, InputError

log = logging.getLogger("hatchmap")

_PAUSE_S = 0.2  # between two words on how far it is


class Order(NamedTuple):
    """A job for the worker: its id, the function that does it, and what is asked."""

    id: str
    target: str
    inputs: dict[str, Any]


class Progress(NamedTuple):
    """How far a job is."""

    percent: int | None
    stage: str
    figures: dict[str, Any]


class Ended(NamedTuple):
    """How a job ended: its state, and the columns of the table that go with it."""

    state: State
    values: dict[str, Any]


class Stop(NamedTuple):
    """A wish that a job stop, and hand over what it has."""

    id: str


def work(pipe: Connection, store: Path, results: Path) -> None:
    """Do what comes through the pipe until it closes; runs in a process of its own.

    Parameters
    ----------
    pipe
        Brings an `Order`, and `Stop` while it is worked on; takes `Progress` and one `Ended` each.
    store
        The store's file.
    results
        The folder of results.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides when to end
    orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
    stopped: set[str] = set()
    threading.Thread(target=_listen, args=(pipe, orders, stopped), daemon=True).start()
    handle = StoreHandle(store)
    while True:
        order = orders.get()
        pipe.send(
            do(order, handle, _teller(pipe.send), partial(stopped.__contains__, order.id), results)
        )


def _listen(pipe: Connection, orders: queue.SimpleQueue[Order], stopped: set[str]) -> None:
    """Take what the server says; end the process once the server is no more."""
    while True:
        try:
            said = pipe.recv()
        except (EOFError, OSError):
            os._exit(1)
        if isinstance(said, Stop):
            stopped.add(said.id)
        else:
            orders.put(said)


def do(
    order: Order,
    handle: StoreHandle,
    tell: Callable[..., None],
    cancel: Callable[[], bool],
    results: Path,
) -> Ended:
    """Do one job; whatever goes wrong is how it ended."""
    try:
        task = Task(*through_lens(order.inputs, handle.get()), tell, cancel)
        task.check()
        product = find_work(order.target)(task)
        return Ended("successful" if product.whole else "dismissed", _keep(order, product, results))
    except CancelledError:
        return Ended("dismissed", {})
    except HatchmapError as error:
        faults = error.faults if isinstance(error, InputError) else ()
        return Ended("failed", {"problem": problem(status_of(error), str(error), errors=faults)})
    except OSError as error:
        log.exception("job %s cannot be written", order.target)
        return Ended("failed", {"problem": _disk_problem(error)})
    except MemoryError:
        return Ended("failed", {"problem": problem(507, "the memory of the server is too small")})
    except Exception:
        log.exception("job %s failed", order.target)
        said = "The server failed on this job; its log has the cause"
        return Ended("failed", {"problem": problem(500, said)})


def _keep(order: Order, product: Product, results: Path) -> dict[str, Any]:
    """Write a result, whole or not at all, and return what the table says of it."""
    draft, name = results / f"{order.id}.part", f"{order.id}.result"
    try:
        with draft.open("wb") as file:
            file.write(product.body)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(results / name)
    finally:
        draft.unlink(missing_ok=True)
    return {
        "result": name,
        "media_type": product.media_type,
        "filename": product.filename,
        "size_bytes": len(product.body),
    }


def _disk_problem(error: OSError) -> dict[str, Any]:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        said = "the disk is full: nothing was kept; make room in the data folder and ask again"
        return problem(507, said)
    return problem(500, f"the result cannot be written: {error.strerror or error}")


def _teller(send: Callable[[Progress], None]) -> Callable[..., None]:
    """Pass on how far a job is, a few times a second, from whichever thread."""
    lock = threading.Lock()
    last_stage, last_said = "", 0.0

    def tell(stage: str, share: float | None = None, **figures: Any) -> None:
        nonlocal last_stage, last_said
        now = time.monotonic()
        with lock:
            if stage == last_stage and now - last_said < _PAUSE_S:
                return
            last_stage, last_said = stage, now
            percent = None if share is None else min(99, max(0, int(share * 100)))
            # What is not finite is not known yet.
            known = {key: value for key, value in figures.items() if abs(value) < float("inf")}
            send(Progress(percent, stage, known))

    return tell
