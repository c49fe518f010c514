"""Matching as a job: what can be asked, and the work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.answers import JSON, to_bytes
from api.jobs.kinds import Product, Task
from api.questions.match import MAX_LIMIT, ask_demand_matches, ask_match, ask_space_matches
from geo.assignment import GAP, Progress
from geo.errors import InputError
from geo.match_report import MatchReport, Mode
from geo.matching import PARTS, read_weights
from geo.solver import Watch
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
    declined: bool = Field(False, description="Whether pairs count that the staff declined")
    time_limit_s: float = Field(50, gt=0, le=600, allow_inf_nan=False)

    @property
    def ranks(self) -> bool:
        """Whether it asks for a ranking, which is quick."""
        return self._mode in ("spaces", "demands")

    @property
    def _mode(self) -> Mode:
        return self.mode or ("spaces" if self.demand else "demands" if self.space else "best")

    def ask(
        self, store: Store, *, watch: Watch | None = None, progress: Progress | None = None
    ) -> MatchReport:
        """Ask the question that the body means."""
        if self.demand is not None and self.space is not None:
            raise InputError("match: give a demand or a space, not both")
        common: dict[str, Any] = {
            "weights": self.weights,
            "demo": self.demo,
            "declined": self.declined,
        }
        mode = self._mode
        if mode == "spaces":
            if self.demand is None:
                raise InputError("match: mode 'spaces' needs a demand")
            return ask_demand_matches(store, self.demand, limit=self.limit, staff=True, **common)
        if mode == "demands":
            if self.space is None:
                raise InputError("match: mode 'demands' needs a space")
            return ask_space_matches(store, self.space, limit=self.limit, **common)
        return ask_match(
            store,
            mode=mode,
            operator_weights=self.operator_weights,
            watch=watch,
            progress=progress,
            **common,
        )


def read_form_weights(
    form: Mapping[str, str], sign: str, usual: Mapping[str, float]
) -> dict[str, float] | None:
    """Return the weights that a form gives; None where it gives none, or the usual ones.

    >>> read_form_weights({"w_rent": "2", "w_area": ""}, "w", {"rent": 0.5, "area": 0.5})
    {'rent': 2.0}
    """
    given = {name: form[f"{sign}_{name}"] for name in PARTS if form.get(f"{sign}_{name}")}
    if not given:
        return None
    try:
        weights = {name: float(value) for name, value in given.items()}
    except ValueError as error:
        raise InputError("weights: give numbers from 0 up") from error
    same = read_weights(weights) == read_weights(usual)
    return None if same else {name: value for name, value in weights.items() if value}


def run(task: Task) -> Product:
    """Match; asked to stop, it keeps the best found so far."""
    asked = MatchAsked.model_validate(task.inputs)
    task.tell("reading", 0.0)
    watch = Watch.start(
        asked.time_limit_s,
        gap=GAP,
        cancel=task.cancel,
        progress=lambda found, bound: task.tell("whole", 0.8, found=found, bound=bound),
    )
    report = asked.ask(task.store, watch=watch, progress=task.tell)
    return Product(to_bytes(report.to_json()), JSON, whole=report.status == "done")
