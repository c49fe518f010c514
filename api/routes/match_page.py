"""The staff's page of matching: asked in the background, read at leisure, exported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from api.answers import JSON, open_request_store
from api.auth import require_staff
from api.jobs import background
from api.jobs.matching import MatchAsked, read_form_weights
from api.jobs.record import Job
from api.params import Lang
from api.questions.deals import deals_of_pairs
from api.questions.match import TIME_LIMIT_S
from api.routes.board import CSV, XLSX
from api.routes.pages import Framer
from api.routes.staff import draw_staff_page
from geo.errors import InputError, NotFoundError
from geo.matching import DEFAULT_WEIGHTS, OPERATOR_WEIGHTS
from layers.query import Query as Records
from layers.store import Store
from layers.workbook import write_csv, write_xlsx
from web.match import MatchView, match_page, match_sheets
from web.words import words

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_staff)])

_RANKED = 200
WHOLE = ("best", "stable", "compare")


@dataclass(frozen=True)
class _Held:
    """What the address holds."""

    mode: str = ""
    demand: str = ""
    space: str = ""
    declined: str = ""
    job: str = ""
    show: str = "pairs"
    sort: str = "-score"
    cause: str = ""
    page: int = 1
    weights: Mapping[str, float] | None = None
    operator_weights: Mapping[str, float] | None = None

    @property
    def asked(self) -> MatchAsked | None:
        """What is to be matched; None where nothing was asked yet."""
        if not (self.mode or self.demand or self.space):
            return None
        ranks = bool(self.demand or self.space)
        mode: Any = None if ranks else self.mode
        if mode not in (None, *WHOLE):
            raise InputError(f"mode {mode!r} is not known; give one of {', '.join(WHOLE)}")
        return MatchAsked(
            mode=mode,
            demand=self.demand or None,
            space=self.space or None,
            weights=None if self.weights is None else dict(self.weights),
            operator_weights=None if self.operator_weights is None else dict(self.operator_weights),
            limit=_RANKED,
            demo=True,
            declined=self.declined == "1",
            time_limit_s=TIME_LIMIT_S,
        )

    def address(self, **changes: Any) -> dict[str, Any]:
        """Return the query of this view, with changes."""
        plain = asdict(replace(self, **changes))
        given = {"w": plain.pop("weights"), "o": plain.pop("operator_weights")}
        for sign, weights in given.items():
            plain |= {f"{sign}_{name}": f"{v:g}" for name, v in (weights or {}).items()}
        usual = asdict(_Held())
        return {name: value for name, value in plain.items() if value != usual.get(name, "")}


class _Address(BaseModel):
    """The plain part of the address."""

    mode: str = Field("", max_length=20)
    demand: str = Field("", max_length=200)
    space: str = Field("", max_length=200)
    declined: str = Field("", max_length=1)
    job: str = Field("", max_length=50)
    show: Literal["pairs", "unmatched"] = "pairs"
    sort: str = Field("-score", max_length=30)
    cause: str = Field("", max_length=30)
    page: int = Field(1, ge=1, le=100_000)


def _read_held(request: Request, address: Annotated[_Address, Query()]) -> _Held:
    plain = address.model_dump()
    return _Held(
        **{**plain, "demand": address.demand.strip(), "space": address.space.strip()},
        weights=read_form_weights(request.query_params, "w", DEFAULT_WEIGHTS),
        operator_weights=read_form_weights(request.query_params, "o", OPERATOR_WEIGHTS),
    )


Held = Annotated[_Held, Depends(_read_held)]


@router.get("/match")
def get_match(request: Request, lang: Lang, held: Held) -> Response:
    """Draw a matching: all to all as a job that is followed, or one demand or space at once."""
    asked = held.asked
    report: dict[str, Any] | None = None
    job: Job | None = None
    if asked is not None and asked.ranks:
        report = asked.ask(open_request_store(request)).to_json()
    elif asked is not None:
        inputs = asked.model_dump(mode="json")
        job = background.find(request, held.job, "match", inputs)
        if job is None:
            begun = background.begin(request, "match", inputs)
            query = {**held.address(job=begun.id), "lang": lang}
            return RedirectResponse(f"/match?{urlencode(query)}", status_code=303)
        report = background.read_result(request, job)

    def draw(store: Store, frame: Framer) -> str:
        said = frame() if report is None else frame(
            demo_counted=report["demo_counted"],
            version=f"{report['rule']['name']} {report['rule']['version']}",
        )  # fmt: skip
        view = MatchView(
            held=held.address(),
            weights=held.weights,
            operator_weights=held.operator_weights,
            titles=_titles(store),
            looking=_looking(store),
            deals=deals_of_pairs(store),
            job=None if job is None else job.to_json(),
            stale=background.is_stale(request, job),
        )
        return match_page(report, view, frame=said)

    return draw_staff_page(request, lang, draw)


@router.get("/match/export")
def export_match(
    request: Request,
    lang: Lang,
    held: Held,
    format: Literal["xlsx", "csv", "json"] = "xlsx",  # noqa: A002 - as the address says it
) -> Response:
    """Write a matching to a file: pairs, demands without a space, the shortage, the weights."""
    asked = held.asked
    if asked is None:
        raise InputError("match: nothing to export; give a mode, a demand or a space")
    store = open_request_store(request)
    if asked.ranks:
        report = asked.ask(store).to_json()
    else:
        job = background.find(request, held.job, "match", asked.model_dump(mode="json"))
        found = None if job is None else background.read_result(request, job)
        if found is None:
            raise NotFoundError("this matching is not there any more; match again, then export")
        report = found
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="match.{format}"',
    }
    if format == "json":
        return Response(orjson.dumps(report), headers=headers, media_type=JSON)
    sheets = match_sheets(report, words(lang), titles=_titles(store), deals=deals_of_pairs(store))
    if format == "csv":
        return Response(write_csv(sheets[0]), headers=headers, media_type=CSV)
    return Response(write_xlsx(sheets), headers=headers, media_type=XLSX)


def _titles(store: Store) -> dict[str, str]:
    frame = store.read("demands", Records(columns=["title"]))
    titles = zip(frame["id"], frame["title"], strict=True)
    return {key: title if isinstance(title, str) else key for key, title in titles}


def _looking(store: Store) -> list[str]:
    frame = store.read("demands", Records(where={"status": ["open"]}, columns=[]))
    found: list[str] = frame["id"].tolist()
    return found
