"""The staff's pages of rules: which are in force, and editing one with a look at the difference."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import require_staff
from api.params import Lang
from api.questions.rulebook import ask_rule, ask_rule_change, ask_rule_version, ask_rules
from api.routes.pages import Framer
from api.routes.staff import draw_staff_page
from api.stores import STAFF
from geo.errors import ConflictError, InputError
from layers.rulebook import put_rules
from layers.store import Store
from web.rulebook import RuleEdit, rule_page, rules_page

router = APIRouter(dependencies=[Depends(require_staff)], include_in_schema=False)

Name = Annotated[str, Path(max_length=60)]
_LONGEST = 500_000


@router.get("/admin/rules")
def get_rules(request: Request, lang: Lang) -> Response:
    """Draw the rules in force."""
    return draw_staff_page(
        request, lang, lambda store, frame: rules_page(ask_rules(store), frame=frame())
    )


@router.get("/admin/rules/{name}")
def get_rule(
    request: Request,
    name: Name,
    lang: Lang,
    version: Annotated[int | None, Query(ge=1, le=10**9)] = None,
    said: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Draw one rule to be edited, with the text of an older version where asked."""
    return _draw(request, name, lang, RuleEdit(said="saved" if said == "saved" else ""), version)


@router.post("/admin/rules/{name}")
def post_rule(
    request: Request,
    name: Name,
    lang: Lang,
    text: Annotated[str, Form(max_length=_LONGEST)],
    version: Annotated[int, Form(ge=1)],
    why: Annotated[str, Form(max_length=500)] = "",
    *,
    sure: Annotated[bool, Form()] = False,
) -> Response:
    """Show what an edit changes, and put it in force once it is confirmed."""
    plain = text.replace("\r\n", "\n")
    edit = RuleEdit(text=plain, why=why.strip(), version=version)
    try:
        if sure:
            with request.app.state.store.write() as store:
                put_rules(store, name, plain, version=version, who=STAFF, note=edit.why)
            return RedirectResponse(f"/admin/rules/{name}?said=saved&lang={lang}", status_code=303)
        store = request.app.state.store.get()
        change = tuple(ask_rule_change(store, name, plain))
        return _draw(request, name, lang, replace(edit, change=change, previewed=True))
    except ConflictError as error:
        return _draw(request, name, lang, replace(edit, conflict=str(error)), status=409)
    except InputError as error:
        return _draw(request, name, lang, replace(edit, faults=error.faults), status=422)


def _draw(
    request: Request,
    name: str,
    lang: str,
    edit: RuleEdit,
    version: int | None = None,
    *,
    status: int = 200,
) -> Response:
    def draw(store: Store, frame: Framer) -> str:
        sheet = ask_rule(store, name)
        shown = edit
        if version is not None:
            text = ask_rule_version(store, name, version)
            shown = replace(edit, text=text, restored=version)
        return rule_page(sheet, shown, frame=frame(version=f"{name} {sheet.version}"))

    return draw_staff_page(request, lang, draw, status=status)
