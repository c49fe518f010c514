"""Siting as a job: what can be asked, and the work."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.answers import JSON, to_bytes
from api.jobs.kinds import Product, Task
from api.questions.programme import Plan, ask_programme
from api.questions.site_candidates import Scope
from api.questions.siting import Walk, ask_demand_sites, ask_town_sites
from api.questions.siting_answer import SitingAnswer
from geo.errors import InputError
from geo.solver import Watch
from layers.store import Store

Ids = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=10_000)]
Metres = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
Money = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class SitingAsked(BaseModel):
    """What siting can be asked; what a model does not use is left aside."""

    model_config = ConfigDict(extra="forbid")

    model: Literal["towns", "cover", "programme"] = Field(
        description="Fewest sites for all towns, p sites for most demand, or a programme of years"
    )
    source: Literal["auto", "sites", "spaces", "grid"] = "auto"
    unit: str | None = Field(None, max_length=100)
    fixed: Ids = []
    forbidden: Ids = []
    demo: bool = Field(True, description="Whether demo records count")
    alternatives: int = Field(3, ge=0, le=20)
    time_limit_s: float = Field(30, gt=0, le=300, allow_inf_nan=False)
    gap: float = Field(1e-4, ge=0, lt=1, allow_inf_nan=False)
    within_m: Metres = Field(0.0, description="A site also covers towns this near")
    planned_count: bool = Field(False, description="Incubators under way cover their town")
    p: int | None = Field(None, ge=1, le=10_000, description="How many sites (model cover)")
    minutes: float = Field(15, gt=0, le=240, allow_inf_nan=False)
    profile: str | None = Field(None, max_length=50)
    demand: Literal["auto", "population", "demands", "unmet"] = "auto"
    beyond_existing: bool = Field(False, description="Only demand not served yet")
    curve: bool = True
    from_year: int | None = Field(None, ge=1900, le=2200)
    budget_cny: dict[int, Money] = Field(default_factory=dict, description="Budget by year")
    target_share: float = Field(1.0, ge=0, le=10, allow_inf_nan=False)
    cover_towns: bool = True
    step_m2: float = Field(10_000, gt=0, allow_inf_nan=False)

    def ask(self, store: Store, watch: Watch) -> SitingAnswer:
        """Ask the question of the model."""
        scope = Scope(
            self.source, self.unit, tuple(self.fixed), tuple(self.forbidden), demo=self.demo
        )
        if self.model == "towns":
            return ask_town_sites(
                store,
                scope=scope,
                within_m=self.within_m,
                planned_count=self.planned_count,
                alternatives=self.alternatives,
                watch=watch,
            )
        if self.model == "cover":
            if self.p is None:
                raise InputError("p: is missing; give how many sites")
            return ask_demand_sites(
                store,
                self.p,
                scope=scope,
                walk=Walk(self.minutes, self.profile, self.demand, self.beyond_existing),
                alternatives=self.alternatives,
                curve=self.curve,
                watch=watch,
            )
        plan = Plan(
            from_year=self.from_year,
            budget_cny=self.budget_cny,
            target_share=self.target_share,
            cover_towns=self.cover_towns,
            within_m=self.within_m,
            step_m2=self.step_m2,
        )
        return ask_programme(
            store, scope=scope, plan=plan, alternatives=self.alternatives, watch=watch
        )


def run(task: Task) -> Product:
    """Choose sites; asked to stop, the best found so far is the result."""
    asked = SitingAsked.model_validate(task.inputs)
    task.tell("solving")
    watch = Watch.start(
        asked.time_limit_s,
        gap=asked.gap,
        cancel=task.cancel,
        progress=lambda found, bound: task.tell("solving", found=found, bound=bound),
    )
    answer = asked.ask(task.store, watch)
    whole = answer.status != "cancelled"
    return Product(to_bytes(answer.to_json()), JSON, whole=whole)
