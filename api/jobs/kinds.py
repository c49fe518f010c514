"""What can be asked as a job, and what the work is handed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from geo.pool import check_cancel
from layers.store import Store


class Tell(Protocol):
    """Says how far the work is: the stage, the share done (0 to 1), and figures so far."""

    def __call__(self, stage: str, share: float | None = None, **figures: Any) -> None:
        """Say it; cheap, however often."""


@dataclass(frozen=True)
class Task:
    """What the work of a job is handed: what was asked, the store, and its ties to the asker."""

    inputs: Mapping[str, Any]
    store: Store
    tell: Tell
    cancel: Callable[[], bool]

    def check(self) -> None:
        """Stop here where stopping was asked for.

        Raises
        ------
        CancelledError
            When it was.
        """
        check_cancel(self.cancel)


@dataclass(frozen=True)
class Product:
    """What a job made.

    Parameters
    ----------
    body
        The result as it is sent.
    media_type
        What it is.
    filename
        Its name when it is saved; empty for answers that are read.
    whole
        False for the best found when the job was asked to stop.
    """

    body: bytes
    media_type: str
    filename: str = ""
    whole: bool = True


class Kind(NamedTuple):
    """A kind of job: the function that does it, and whether it is the staff's alone."""

    target: str
    staff: bool


KINDS: Mapping[str, Kind] = {
    "siting": Kind("api.jobs.siting:run", staff=False),
    "match": Kind("api.jobs.matching:run", staff=True),
    "compare": Kind("api.jobs.comparison:run", staff=True),
    "report": Kind("api.jobs.report:run", staff=False),
}


def find_work(target: str) -> Callable[[Task], Product]:
    """Return the function that does a kind of job.

    >>> find_work("api.jobs.siting:run").__module__
    'api.jobs.siting'
    """
    module, _, name = target.partition(":")
    work: Callable[[Task], Product] = getattr(import_module(module), name)
    return work
