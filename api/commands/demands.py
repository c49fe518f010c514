"""`demands`: the needs for space, listed for the staff, and one posted from a file."""

from __future__ import annotations

import datetime as dt
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from api.commands.opening import open_store
from api.commands.options import Json, Lang, NoDemo, Store, Unit, settings_with
from api.commands.output import pick, print_json, print_line, print_table
from api.questions.common import find_unit, read_layer, today
from api.questions.demand_choices import read_choices
from api.questions.demand_fields import read_fields, to_given
from api.questions.demand_form import CONTACT, FormError, read_draft
from api.questions.demands import ask_demands, post_demand
from api.stores import STAFF
from geo.errors import InputError
from layers.catalog import layer as find_layer
from web.rows import worded
from web.words import words

app = typer.Typer(help="空间需求：列出、发布 · Needs for space")

_COLUMNS = ("posted_on", "title", "industry", "kind", "min_area_m2", "max_area_m2",
            "max_rent_cny_m2_month", "unit", "status")  # fmt: skip


@app.callback(invoke_without_command=True)
def demands(  # noqa: PLR0913 - options of one command
    context: typer.Context,
    *,
    status: Annotated[
        str | None, typer.Option("--status", metavar="S", help="状态 · State, as open")
    ] = None,
    unit: Unit = None,
    industry: Annotated[
        str | None, typer.Option("--industry", metavar="NAME", help="产业 · Industry")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", metavar="T", help="标题含 · Part of the title")
    ] = None,
    sort: Annotated[
        str, typer.Option("--sort", metavar="[-]COLUMN", help="排序 · Order; - for falling")
    ] = "-posted_on",
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="条数 · At most")] = 50,
    after: Annotated[
        str | None, typer.Option("--after", metavar="NEXT", help="续页 · Go on from a page")
    ] = None,
    contacts: Annotated[
        bool, typer.Option("--contacts", help="含联系方式（个人信息）· With contacts")
    ] = False,
    no_demo: NoDemo = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """空间需求列表 · List needs for space."""
    if context.invoked_subcommand:
        return
    settings = settings_with(store=store, lang=lang)
    with open_store(settings.store_path) as opened:
        here = find_unit(read_layer(opened, "reporting_units"), unit) if unit else None
        answer = ask_demands(
            opened,
            where={"status": status, "unit": here, "industry": industry},
            text=text,
            sort=sort,
            limit=limit,
            after=after,
            demo=not no_demo,
            contacts=contacts,
        )
    if as_json:
        print_json(answer)
        return
    w, declared = words(settings.lang), find_layer("demands")
    columns = [declared.column(name) for name in (*_COLUMNS, *(CONTACT if contacts else ()))]
    print_table(
        [("编号", "Id"), *((column.zh, column.en) for column in columns)],
        [[row["id"], *(worded(c, row[c.name], w) for c in columns)] for row in answer.rows],
        lang=settings.lang,
    )
    said = (f"{len(answer.rows)} / {answer.total} 条", f"{len(answer.rows)} of {answer.total}")
    print_line()
    print_line(pick(said, settings.lang) + (f"; --after {answer.next}" if answer.next else ""))
    if answer.demo_counted:
        print_line(f"[{w('site.demo')}] {w('site.demo_title')}")


@app.command()
def add(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help=".json .toml；- 为标准输入(JSON) · - reads JSON"),
    ] = None,
    *,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="字段，可多次 · A field, repeated"),
    ] = None,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """发布一条需求；管理链接只显示一次 · Post a need; its secret link is told once."""
    settings = settings_with(store=store, lang=lang)
    held = {} if file is None else _read_file(file)
    with open_store(settings.store_path, write=True) as opened:
        choices = read_choices(opened)
        held |= to_given(read_fields(map(_read_pair, given or ())), choices)
        try:
            draft = read_draft(held, choices, day=today())
        except FormError as error:
            raise FormError(error.form_faults, settings.lang) from error
        with opened.edit(STAFF, "demand posted") as edit:
            posted = post_demand(edit, draft, choices.consent)
    if as_json:
        print_json(posted)
        return
    said = (
        f"需求 {posted.id} 已发布。管理链接只显示这一次，请转交企业：",
        f"demand {posted.id} is posted; its secret link, told only now, for the company:",
    )
    print_line(pick(said, settings.lang))
    print_line(posted.path)


def _read_file(path: Path) -> dict[str, Any]:
    """Read the fields of a need."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
        found = tomllib.loads(text) if path.suffix == ".toml" else orjson.loads(text)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON or TOML ({error})") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: give an object with the fields of a demand")
    return {name: str(one) if isinstance(one, dt.date) else one for name, one in found.items()}


def _read_pair(text: str) -> tuple[str, str]:
    name, stop, value = text.partition("=")
    if not stop:
        raise InputError(f"--set {text[:60]!r}: give FIELD=VALUE")
    return name.strip(), value
