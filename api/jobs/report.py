"""A report as a job: what can be asked, and the work."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.jobs.kinds import Product, Task
from api.questions.common import today
from api.questions.report import ask_report, choose_sections
from api.settings import Settings
from web.report.build import FORMATS, check_format, write_report

_ASKING = 0.7  # of the time goes into the answers, the rest into writing them down


class ReportAsked(BaseModel):
    """What a report is to hold, and in which form."""

    model_config = ConfigDict(extra="forbid")

    format: str = Field("pdf", max_length=10, description="pdf, xlsx, html or gpkg")
    sections: list[Annotated[str, Field(max_length=50)]] | None = Field(
        None, max_length=50, description="Which sections; those always at hand when not given"
    )
    unit: str | None = Field(None, max_length=100, description="A reporting unit; else the city")
    date: str | None = Field(None, max_length=10, description="The day, YYYY-MM-DD; today")
    lang: Literal["zh", "en"] = "zh"
    demo: bool = Field(True, description="Whether demo records count")

    def to_inputs(self, settings: Settings, *, staff: bool) -> dict[str, Any]:
        """Return all that the report depends on beside the store, checked.

        Parameters
        ----------
        settings
            The settings, for the map review number.
        staff
            Whether staff asks.

        Raises
        ------
        InputError
            When a format or section cannot be taken.
        """
        return {
            **self.model_dump(),
            "format": check_format(self.format),
            "sections": list(choose_sections(self.sections, staff=staff)),
            "date": self.date or today().isoformat(),
            "unit": self.unit or None,
            "staff": staff,
            "review": settings.review_number,
        }


def run(task: Task) -> Product:
    """Ask the questions of a report and write it; asked to stop, it keeps nothing."""
    asked = dict(task.inputs)
    report = ask_report(
        task.store,
        sections=asked["sections"],
        unit=asked["unit"],
        as_of=asked["date"],
        demo=asked["demo"],
        staff=asked["staff"],
        progress=lambda section, share: task.tell(section, _ASKING * share),
        cancel=task.cancel,
    )
    body = write_report(
        report,
        asked["format"],
        lang=asked["lang"],
        review=asked["review"],
        progress=lambda stage, share: task.tell(stage, _ASKING + (1 - _ASKING) * share),
        cancel=task.cancel,
    )
    name = f"hatchmap-report-{report.as_of}.{asked['format']}"
    return Product(body, FORMATS[asked["format"]].media_type, name)
