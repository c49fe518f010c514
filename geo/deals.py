"""Deals: how far a demand and a space have come together, step by step, each step kept.

A deal is the tuple of its steps; its state is that of the last one. `FOLLOWS` says which step may
follow which. Taking back the last step leaves the deal as it was before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from geo.errors import Fault, InputError

STATES = ("proposed", "contacted", "visited", "signed", "lost")
OPEN = ("proposed", "contacted", "visited")
SIGNED, LOST = "signed", "lost"
_NOTHING = ""  # the state before the first step

FOLLOWS: Mapping[str, tuple[str, ...]] = {
    _NOTHING: ("proposed", "lost"),
    "proposed": ("contacted", "lost"),
    "contacted": ("visited", "signed", "lost"),
    "visited": ("signed", "lost"),
    "signed": ("lost",),
    "lost": ("proposed",),
}
# Why a deal is lost; `other` must be told in the note.
REASONS = (
    "rent", "area", "place", "technical", "term", "rules", "elsewhere", "withdrawn", "taken",
    "ended", "other",
)  # fmt: skip


class RefusedError(InputError):
    """A step that cannot be taken.

    Parameters
    ----------
    key
        Which rule refuses it, for words in other languages.
    fault
        The field, what is wrong, the value and the way out.
    values
        What the words of the key speak of.
    """

    def __init__(self, key: str, fault: Fault, **values: Any) -> None:
        super().__init__(str(fault), (fault,))
        self.key = key
        self.values = values


@dataclass(frozen=True)
class Step:
    """One step of a deal.

    Parameters
    ----------
    state
        The state that it leads to.
    taken_at
        The instant in UTC, ISO 8601.
    who
        Who took it.
    area_m2
        Area that it is about, in m²; the area let where it is signed.
    reason
        Why the deal is lost, one of `REASONS`.
    note
        What else there is to say.
    """

    state: str
    taken_at: str = ""
    who: str = ""
    area_m2: float | None = None
    reason: str | None = None
    note: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


Steps = tuple[Step, ...]


def write_steps(steps: Steps) -> dict[str, Any]:
    """Return steps as a JSON object that keeps them; `read_steps` reads it."""
    return {"taken": [step.to_json() for step in steps]}


def read_steps(kept: Mapping[str, Any] | None) -> Steps:
    """Return the steps that `write_steps` wrote."""
    return tuple(Step(**step) for step in (kept or {}).get("taken", ()))


def state_of(steps: Steps) -> str:
    """Return the state that steps lead to; empty before the first.

    >>> state_of(()), state_of((Step("proposed"), Step("lost", reason="rent")))
    ('', 'lost')
    """
    return steps[-1].state if steps else _NOTHING


def let_area(steps: Steps) -> float:
    """Return the area that a deal holds of its space, in m²: what is signed, else nothing.

    >>> let_area((Step("contacted"), Step("signed", area_m2=120.0))), let_area((Step("lost"),))
    (120.0, 0.0)
    """
    return (steps[-1].area_m2 or 0.0) if steps and steps[-1].state == SIGNED else 0.0


def take_step(steps: Steps, step: Step) -> Steps:
    """Return a deal with one more step.

    Raises
    ------
    RefusedError
        When the step may not follow (the message names those that may), gives no reason for a
        loss or one that is not known, or signs no area.

    Examples
    --------
    >>> deal = take_step((), Step("proposed"))
    >>> take_step(deal, Step("signed", area_m2=80.0))
    Traceback (most recent call last):
    geo.deals.RefusedError: state: 'proposed' cannot become this ('signed'); give contacted or lost
    """
    now = state_of(steps)
    allowed = FOLLOWS[now]
    if step.state not in allowed:
        what = f"{now!r} cannot become this" if now else "is no first step"
        fault = Fault("state", what, step.state, f"give {' or '.join(allowed)}")
        raise RefusedError("state", fault, now=now, state=step.state, allowed=allowed)
    if step.state == LOST:
        _check_reason(step)
    elif step.reason is not None:
        fault = Fault("reason", "belongs to a lost deal only", step.reason, "leave it out")
        raise RefusedError("reason", fault)
    if step.state == SIGNED and not (step.area_m2 or 0.0) > 0.0:
        fault = Fault("area_m2", "is missing", step.area_m2, "give the area signed in m²")
        raise RefusedError("area", fault)
    return (*steps, step)


def _check_reason(step: Step) -> None:
    if step.reason not in REASONS:
        fault = Fault("reason", "is not known", step.reason, f"give one of {', '.join(REASONS)}")
        raise RefusedError("reason", fault)
    if step.reason == "other" and not step.note:
        raise RefusedError("note", Fault("note", "is missing", fix="say why the deal is lost"))


def take_back(steps: Steps) -> Steps:
    """Return a deal without its last step.

    Raises
    ------
    RefusedError
        When there is no step.

    >>> take_back((Step("proposed"), Step("contacted")))[-1].state
    'proposed'
    """
    if not steps:
        raise RefusedError("undo", Fault("undo", "there is no step to take back"))
    return steps[:-1]
