"""What the goals of any unit and year rest on, worked out once and shared between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from api.questions.common import read_layer, read_rule
from api.questions.targets import ask_targets
from geo.amenities import AmenityReport
from geo.states import Fleet, muster
from geo.targets import TargetReport
from geo.unit_coverage import UnitRow, cover_units
from geo.units import assign_units
from layers.store import Store


@dataclass
class PlanData:
    """Layers and answers of whole days; each is worked out when it is first asked for.

    Parameters
    ----------
    store
        The store.
    demo
        Whether demo records count.
    """

    store: Store
    demo: bool = True
    _fleets: dict[pd.Timestamp, Fleet] = field(default_factory=dict, init=False, repr=False)
    _reports: dict[pd.Timestamp, TargetReport] = field(default_factory=dict, init=False, repr=False)
    _rows: dict[Any, tuple[UnitRow, ...]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def units(self) -> pd.DataFrame:
        """The reporting units."""
        return read_layer(self.store, "reporting_units", demo=self.demo)

    @cached_property
    def incubators(self) -> pd.DataFrame:
        """All incubators."""
        return read_layer(self.store, "incubators", demo=self.demo)

    @cached_property
    def unit_of(self) -> Mapping[str, str | None]:
        """The unit of each incubator."""
        found = assign_units(self.incubators, self.units)
        return dict(zip(self.incubators["id"].tolist(), found, strict=True))

    @cached_property
    def towns_rule(self) -> dict[str, Any]:
        """The rule `towns`."""
        return read_rule(self.store, "towns")

    @cached_property
    def circles(self) -> AmenityReport:
        """The compliance test of every incubator."""
        # Only this needs the walking kernels behind it, which take most of the start of a command.
        from api.questions.amenities import ask_amenities  # noqa: PLC0415

        return ask_amenities(self.store, test="compliance", demo=self.demo)

    def report_on(self, day: pd.Timestamp) -> TargetReport:
        """Return the targets on a day."""
        if day not in self._reports:
            self._reports[day] = ask_targets(self.store, as_of=day, demo=self.demo)
        return self._reports[day]

    def fleet_on(self, day: pd.Timestamp) -> Fleet:
        """Return the incubators that operate or are planned on a day."""
        if day not in self._fleets:
            self._fleets[day] = muster(self.incubators, as_of=day, rule=self.towns_rule)
        return self._fleets[day]

    def unit_rows_on(self, day: pd.Timestamp, years: tuple[int, ...]) -> tuple[UnitRow, ...]:
        """Tell what each unit has on a day of what the plan asks of every unit."""
        if (day, years) not in self._rows:
            self._rows[day, years] = cover_units(
                self.incubators,
                units=self.units,
                rule=read_rule(self.store, "industries"),
                towns_rule=self.towns_rule,
                as_of=day,
                years=years,
            ).units
        return self._rows[day, years]
