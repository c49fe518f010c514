"""Matching as a job: what can be asked, and the work."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.answers import JSON, to_bytes
from api.jobs.kinds import Product, Task
from api.questions.match import (
    MAX_LIMIT,
    MatchReport,
    Mode,
    ask_demand_matches,
    ask_match,
    ask_space_matches,
)
from geo.assignment import Progress
from geo.errors import InputError
from layers.store import Store

Weights = dict[str, Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]]


class MatchAsked(BaseModel):
    """What is to be matched: a demand, a space, or all to all."""

    model_config = ConfigDict(extra="forbid")

    mode: Literal["spaces", "demands", "best", "stable", "compare"] | None = Field(
        None, description="By default spaces for a demand, demands for a space, else best"
    )
    demand: str | None = Field(None, max_length=200, description="Rank spaces for this demand")
    space: str | None = Field(None, max_length=200, description="Rank demands for this space")
    weights: Weights | None = Field(None, description="Weights by part")
    operator_weights: Weights | None = Field(None, description="Weights of operators by part")
    limit: int = Field(20, ge=1, le=MAX_LIMIT)
    demo: bool = Field(True, description="Whether demo records count")

    @property
    def ranks(self) -> bool:
        """Whether it asks for a ranking, which is quick."""
        return self._mode in ("spaces", "demands")

    @property
    def _mode(self) -> Mode:
        return self.mode or ("spaces" if self.demand else "demands" if self.space else "best")

    def ask(self, store: Store, *, progress: Progress | None = None) -> MatchReport:
        """Ask the question that the body means."""
        if self.demand is not None and self.space is not None:
            raise InputError("match: give a demand or a space, not both")
        common: dict[str, Any] = {"weights": self.weights, "demo": self.demo}
        mode = self._mode
        if mode == "spaces":
            if self.demand is None:
                raise InputError("match: mode 'spaces' needs a demand")
            return ask_demand_matches(store, self.demand, limit=self.limit, **common)
        if mode == "demands":
            if self.space is None:
                raise InputError("match: mode 'demands' needs a space")
            return ask_space_matches(store, self.space, limit=self.limit, **common)
        return ask_match(
            store,
            mode=mode,
            operator_weights=self.operator_weights,
            progress=progress,
            **common,
        )


def run(task: Task) -> Product:
    """Match; asked to stop, it stops between two stages and keeps nothing."""

    def tell(stage: str, share: float) -> None:
        task.check()
        task.tell(stage, share)

    asked = MatchAsked.model_validate(task.inputs)
    task.tell("reading", 0.0)
    return Product(to_bytes(asked.ask(task.store, progress=tell).to_json()), JSON)
