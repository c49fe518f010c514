"""The public pages of a need: the form, its check while one types, the secret link, the need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

import orjson
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.answers import JSON, open_request_store
from api.limits import limit_posts
from api.owners import (
    PRIVATE,
    Opener,
    ask_for_cookies,
    forget_owner,
    keeps_cookies,
    let_owner_in,
    mark_posted,
    read_posted,
    who_opens,
)
from api.params import Lang
from api.questions.common import today
from api.questions.deals import ask_deals
from api.questions.demand_choices import FormChoices, read_choices
from api.questions.demand_fields import Fields, read_fields, to_fields, to_given
from api.questions.demand_form import CONTACT, FormError, read_draft
from api.questions.demands import (
    LIVING,
    Posted,
    ask_demand,
    change_demand,
    from_space,
    owns_demand,
    read_change,
    to_form,
    withdraw_demand,
)
from api.questions.match import ask_demand_matches
from api.questions.spaces import ask_space
from api.routes.demands import FOUNDER, Demand, find_or_refuse, read_body, write_demand
from api.routes.pages import Framer
from api.routes.staff import draw_staff_page
from api.views import has_demo, map_view
from geo.errors import InputError, StoreError
from layers.store import Store
from web import demands as pages
from web.words import words

router = APIRouter(prefix="/demands", include_in_schema=False)

_SHOWN = 20
_MOST_FIELDS = 400
Said = Mapping[str, str]


async def _read_form(request: Request) -> Fields:
    """Read a form sent as text; files are not part of one."""
    body = (await read_body(request)).decode("utf-8", "replace")
    try:
        return read_fields(parse_qsl(body, max_num_fields=_MOST_FIELDS))
    except ValueError as error:
        raise InputError(f"form: more than {_MOST_FIELDS} fields") from error


Form = Annotated[Fields, Depends(_read_form)]


def _read_open(request: Request, demand: Annotated[str, Path(max_length=200)]) -> Opener | None:
    """Tell who opens the need of the path; to the staff say where there is none."""
    return find_or_refuse(request, demand) if who_opens(request, demand) else None


Opened = Annotated[Opener | None, Depends(_read_open)]


@router.get("/new")
def get_new(
    request: Request, lang: Lang, space: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Draw the empty form, or one that starts from a space."""
    store = open_request_store(request)
    fields: Fields = {}
    if space:
        record = ask_space(store, space)["properties"]
        fields = to_fields(from_space(record), read_choices(store))
    answer = _draw_form(request, lang, fields, {})
    ask_for_cookies(answer)
    return answer


@router.post("/new/check")
def check_new(request: Request, lang: Lang, form: Form) -> Response:
    """Say what is wrong with what is typed so far, and keep nothing of it."""
    choices = read_choices(open_request_store(request))
    return _say(_faults(lambda: read_draft(to_given(form, choices), choices, day=today()), lang))


@router.post("/new")
def post_new(request: Request, lang: Lang, form: Form) -> Response:
    """Post a need and go to its secret link; or the form with what is wrong.

    The link stands on a page of its own, so that loading it again posts nothing. A browser that
    keeps no cookies could not be shown it there, and gets it at once.
    """
    choices = read_choices(open_request_store(request))
    try:
        posted = write_demand(request, to_given(form, choices))
    except FormError as error:
        return _draw_form(request, lang, form, _worded(error, lang))
    except (HTTPException, StoreError) as error:
        return _refuse(request, lang, form, error)
    if keeps_cookies(request):
        answer = _go(f"/demands/{posted.id}/posted", lang)
        mark_posted(answer, posted.id)
    else:
        answer = _draw_posted(request, lang, posted, status=201)
    let_owner_in(request, answer, posted.id, posted.secret)
    return answer


@router.get("/{demand}/posted")
def get_posted(request: Request, lang: Lang, demand: Demand) -> Response:
    """Draw the secret link for the browser that has just posted; for any other the need."""
    secret = read_posted(request, demand)
    if secret is None:
        return _go(f"/demands/{demand}", lang)
    return _draw_posted(request, lang, Posted(demand, secret))


def _draw_posted(request: Request, lang: str, posted: Posted, *, status: int = 200) -> Response:
    def draw(store: Store, frame: Framer) -> str:
        record = ask_demand(store, posted.id)
        return pages.posted_page(
            frame=frame(),
            link=str(request.base_url).rstrip("/") + posted.path,
            path=f"/demands/{posted.id}",
            secret=posted.secret,
            has_contact=any(record[name] for name in CONTACT),
        )

    return draw_staff_page(request, lang, draw, status=status)


@router.get("/withdrawn")
def get_withdrawn(request: Request, lang: Lang) -> Response:
    """Say that a need was withdrawn."""
    return draw_staff_page(request, lang, lambda _s, frame: pages.gone_page(frame=frame()))


@router.get("/{demand}")
def get_demand(request: Request, lang: Lang, demand: Demand, opener: Opened) -> Response:
    """Draw a need with the spaces that suit, or the door that asks for its secret."""
    return _draw_demand(request, lang, demand, opener)


@router.post("/{demand}/open", dependencies=[Depends(limit_posts)])
def open_demand(request: Request, lang: Lang, demand: Demand, form: Form) -> Response:
    """Turn the secret into a cookie of this need, so that it stands in no address."""
    key = str(form.get("key", "")).strip()
    if not owns_demand(open_request_store(request), demand, key):
        return _draw_key(request, lang, demand, wrong=True)
    answer = _go(f"/demands/{demand}", lang)
    let_owner_in(request, answer, demand, key)
    return answer


@router.post("/{demand}/forget")
def forget_demand(lang: Lang, demand: Demand) -> Response:
    """Let this browser forget the secret."""
    answer = _go("/find", lang)
    forget_owner(answer, demand)
    return answer


@router.get("/{demand}/change")
def get_change(request: Request, lang: Lang, demand: Demand, opener: Opened) -> Response:
    """Draw the form of a need that is to be changed."""
    if opener is None:
        return _draw_key(request, lang, demand)
    store = open_request_store(request)
    record = ask_demand(store, demand)
    if record["status"] not in LIVING:
        return _go(f"/demands/{demand}", lang)
    fields = to_fields(to_form(record), read_choices(store))
    return _draw_form(request, lang, fields, {}, demand=demand)


@router.post("/{demand}/change/check")
def check_change(
    request: Request, lang: Lang, demand: Demand, opener: Opened, form: Form
) -> Response:
    """Say what is wrong with a change so far."""
    if opener is None:
        return _draw_key(request, lang, demand)
    store = open_request_store(request)
    record, choices = ask_demand(store, demand), read_choices(store)
    return _say(_faults(lambda: read_change(record, to_given(form, choices), choices), lang))


@router.post("/{demand}/change")
def post_change(
    request: Request, lang: Lang, demand: Demand, opener: Opened, form: Form
) -> Response:
    """Put the form in the place of what the need said."""
    if opener is None:
        return _draw_key(request, lang, demand)
    store = open_request_store(request)
    record, choices = ask_demand(store, demand), read_choices(store)
    try:
        draft = read_change(record, to_given(form, choices), choices)
        with request.app.state.store.edit("demand changed", who=_who(opener)) as edit:
            change_demand(edit, store, demand, draft, choices.consent)
    except FormError as error:
        return _draw_form(request, lang, form, _worded(error, lang), demand=demand)
    except StoreError as error:
        return _refuse(request, lang, form, error, demand=demand)
    return _go(f"/demands/{demand}", lang)


@router.post("/{demand}/withdraw")
def post_withdraw(
    request: Request, lang: Lang, demand: Demand, opener: Opened, form: Form
) -> Response:
    """Withdraw a need, once that is confirmed."""
    if opener is None:
        return _draw_key(request, lang, demand)
    if form.get("sure") != "true":
        return _draw_demand(request, lang, demand, opener, unsure=True)
    with request.app.state.store.edit("demand withdrawn", who=_who(opener)) as edit:
        withdraw_demand(edit, demand)
    answer = _go("/demands" if opener == "staff" else "/demands/withdrawn", lang)
    forget_owner(answer, demand)
    return answer


def _who(opener: Opener) -> str:
    return "staff" if opener == "staff" else FOUNDER


def _go(path: str, lang: str) -> Response:
    return RedirectResponse(f"{path}?{urlencode({'lang': lang})}", status_code=303, headers=PRIVATE)


def _faults(check: Any, lang: str) -> Said:
    try:
        check()
    except FormError as error:
        return _worded(error, lang)
    return {}


def _worded(error: FormError, lang: str) -> Said:
    return {fault.where: fault.said(lang) for fault in error.form_faults}


def _say(errors: Said) -> Response:
    return Response(orjson.dumps({"errors": errors}), headers=PRIVATE, media_type=JSON)


def _refuse(
    request: Request,
    lang: str,
    form: Fields,
    error: HTTPException | StoreError,
    *,
    demand: str = "",
) -> Response:
    """Draw the form again where nothing is wrong with it, but it cannot be taken now."""
    w = words(lang)
    if isinstance(error, StoreError):
        refused = w("demand.not_now")
        return _draw_form(request, lang, form, {}, demand=demand, refused=refused, status=503)
    wait = (error.headers or {}).get("Retry-After", "60")
    refused = w("demand.too_often", seconds=wait)
    answer = _draw_form(request, lang, form, {}, refused=refused, status=error.status_code)
    answer.headers["Retry-After"] = wait
    return answer


def _draw_form(
    request: Request,
    lang: str,
    fields: Fields,
    errors: Said,
    *,
    demand: str = "",
    refused: str = "",
    status: int = 200,
) -> Response:  # fmt: skip
    def draw(store: Store, frame: Framer) -> str:
        choices: FormChoices = read_choices(store)
        view = map_view(store, frame.settings, lang=lang)
        space = fields.get("space", "")
        known = space and choices.has_space(space)
        return pages.form_page(
            frame=frame(
                demo_counted=view.demo_counted,
                title=words(lang)("demand_view.change") if demand else "",
            ),
            view=view,
            offered=choices.to_json(),
            typed=fields,
            errors=errors,
            action=f"/demands/{demand}/change" if demand else "/demands/new",
            space=ask_space(store, space)["properties"] if known else None,
            refused=refused,
        )

    return draw_staff_page(request, lang, draw, status=422 if errors else status)


def _draw_key(request: Request, lang: str, demand: str, *, wrong: bool = False) -> Response:
    return draw_staff_page(
        request,
        lang,
        lambda _store, frame: pages.key_page(frame=frame(), path=f"/demands/{demand}", wrong=wrong),
        status=403 if wrong else 200,
    )


def _draw_demand(
    request: Request, lang: str, demand: str, opener: Opener | None, *, unsure: bool = False
) -> Response:
    if opener is None:
        return _draw_key(request, lang, demand)

    def draw(store: Store, frame: Framer) -> str:
        record = ask_demand(store, demand)
        living = record["status"] in LIVING
        report = ask_demand_matches(store, demand, limit=_SHOWN).to_json() if living else None
        demo = bool(report and report["demo_counted"] and has_demo(store, "spaces"))
        return pages.demand_page(
            record,
            frame=frame(demo_counted=demo),
            offered=read_choices(store).to_json(),
            report=report,
            deals=ask_deals(store, demand=demand).to_json()["deals"],
            living=living,
            staff=opener == "staff",
            unsure=unsure,
        )

    return draw_staff_page(request, lang, draw, status=422 if unsure else 200)
