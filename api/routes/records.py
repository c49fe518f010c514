"""Records of public layers: lists that page by a cursor, and single records."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi import Query as Asked
from pydantic import BaseModel, Field

from api.answers import GEOJSON, respond_result
from api.params import read_bbox, refuse_unknown
from api.questions.incubators import ask_incubators
from api.questions.surroundings import ask_incubator_facts
from layers.query import Query, Range

router = APIRouter(prefix="/api", tags=["records"], dependencies=[Depends(refuse_unknown)])

Several = Annotated[list[str], Field(max_length=50)]
Number = Annotated[float | None, Field(ge=0, le=1e12)]


class Listing(BaseModel):
    """What every list can be asked: part, order and page."""

    bbox: str | None = Field(None, description="west,south,east,north in WGS-84 degrees")
    text: str | None = Field(None, max_length=200, description="Part of the name or address")
    sort: str | None = Field(None, max_length=60, description="Column; - before it for falling")
    limit: int = Field(100, ge=1, le=1000, description="Records a page")
    after: str | None = Field(None, max_length=2000, description="`next` of the page before")
    demo: bool = Field(True, description="Whether demo records count")

    def where(self) -> dict[str, Any]:
        """Return the conditions by column."""
        return {}

    def to_query(self) -> Query:
        """Return the query of the store."""
        conditions = {
            column: value for column, value in self.where().items() if value not in (None, [])
        }
        return Query(
            bbox=read_bbox(self.bbox),
            text=self.text or None,
            where=conditions,
            order_by=(self.sort or "").removeprefix("-") or None,
            descending=(self.sort or "").startswith("-"),
            limit=self.limit,
            after=self.after,
            demo=self.demo,
        )


class IncubatorListing(Listing):
    """What the list of incubators can be asked."""

    unit: Several = []
    level: Several = []
    status: Several = []
    kind: Several = []
    industry: Several = []
    min_area_m2: Number = None
    max_area_m2: Number = None

    def where(self) -> dict[str, Any]:
        """Return the conditions by column."""
        return {
            "unit": self.unit,
            "level": self.level,
            "status": self.status,
            "kind": self.kind,
            "lead_industries": self.industry,
            "area_m2": _between(self.min_area_m2, self.max_area_m2),
        }


def _between(low: float | None, high: float | None) -> Range | None:
    return None if low is None and high is None else Range(low, high)


@router.get("/incubators")
def get_incubators(request: Request, asked: Annotated[IncubatorListing, Asked()]) -> Response:
    """List incubators as GeoJSON with `total` and, until the end, `next`."""
    query = asked.to_query()
    return respond_result(request, lambda store: ask_incubators(store, query), media_type=GEOJSON)


@router.get("/incubators/{incubator}")
def get_incubator(request: Request, incubator: Annotated[str, Path(max_length=200)]) -> Response:
    """Return one incubator as a GeoJSON feature, with what lies around it and its vacant units."""
    days = request.app.state.settings.stale_days
    return respond_result(
        request,
        lambda store: ask_incubator_facts(store, incubator, stale_days=days),
        media_type=GEOJSON,
    )
