"""Work in pieces on all cores, with progress and a way to stop."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TypeVar

from geo.errors import CancelledError

Item = TypeVar("Item")
Progress = Callable[[float], None]
Cancel = Callable[[], bool]

_POLL_S = 0.1


def core_count() -> int:
    """Give the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_pieces(
    work: Callable[[Item], None],
    pieces: Sequence[Item],
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> None:
    """Do `work` on every piece, several at a time.

    Compiled work lets go of the interpreter, so threads are enough, and they share all arrays.

    Parameters
    ----------
    work
        Called once with each piece; writes its results itself.
    pieces
        What to work on, the largest first where they differ.
    progress
        Called with the share done, in the thread of the caller.
    cancel
        Asked now and then; work stops once it says yes.

    Raises
    ------
    CancelledError
        When `cancel` said yes.

    Examples
    --------
    >>> done = []
    >>> run_pieces(done.append, [1, 2, 3])
    >>> sorted(done)
    [1, 2, 3]
    """
    cores = core_count()
    if len(pieces) <= 1 or cores == 1:
        for at, piece in enumerate(pieces):
            check_cancel(cancel)
            work(piece)
            _tell(progress, (at + 1) / len(pieces))
        return
    with ThreadPoolExecutor(max_workers=min(cores, len(pieces))) as pool:
        waiting = {pool.submit(work, piece) for piece in pieces}
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=_POLL_S, return_when=FIRST_COMPLETED)
                for finished in done:
                    finished.result()
                check_cancel(cancel)
                _tell(progress, 1.0 - len(waiting) / len(pieces))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def check_cancel(cancel: Cancel | None) -> None:
    """Stop where stopping was asked for.

    Raises
    ------
    CancelledError
        When `cancel` says yes.
    """
    if cancel is not None and cancel():
        raise CancelledError("stopped on request before the end; nothing was kept")


def _tell(progress: Progress | None, share: float) -> None:
    if progress is not None:
        progress(share)
