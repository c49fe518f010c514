"""`demands`: the needs for space, for the staff."""

from __future__ import annotations

from typing import Annotated

import typer

from api.commands.opening import open_store
from api.commands.options import Json, Lang, NoDemo, Store, Unit, settings_with
from api.commands.output import pick, print_json, print_line, print_table
from api.questions.common import find_unit, read_layer
from api.questions.demand_form import CONTACT
from api.questions.demands import ask_demands
from layers.catalog import layer as find_layer
from web.rows import worded
from web.words import words

_COLUMNS = ("posted_on", "title", "industry", "kind", "min_area_m2", "max_area_m2",
            "max_rent_cny_m2_month", "unit", "status")  # fmt: skip


def demands(  # noqa: PLR0913 - options of one command
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
