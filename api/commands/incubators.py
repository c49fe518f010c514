"""`incubators`: a list of them."""

from __future__ import annotations

from typing import Annotated

import typer

from api.commands.opening import open_store
from api.commands.options import Json, Lang, NoDemo, Store, Unit, settings_with
from api.commands.output import pick, print_json, print_line, print_table
from api.questions.incubators import ask_incubators
from layers.catalog import layer as find_layer
from layers.query import Query
from web.rows import worded
from web.words import words

_COLUMNS = ("name", "unit", "level", "status", "area_m2", "vacant_area_m2", "tenants")


def incubators(  # noqa: PLR0913 - options of one command
    *,
    unit: Unit = None,
    level: Annotated[str | None, typer.Option("--level", metavar="L", help="级别 · Level")] = None,
    status: Annotated[
        str | None, typer.Option("--status", metavar="S", help="状态 · Status")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", metavar="T", help="名称含 · Part of the name")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="条数 · At most")] = 100,
    after: Annotated[
        str | None, typer.Option("--after", metavar="NEXT", help="续页 · Go on from a page")
    ] = None,
    no_demo: NoDemo = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """孵化器列表 · List incubators."""
    settings = settings_with(store=store, lang=lang)
    given = {"unit": unit, "level": level, "status": status}
    query = Query(
        where={name: value for name, value in given.items() if value is not None},
        text=text,
        limit=limit,
        after=after,
        demo=not no_demo,
    )
    with open_store(settings.store_path) as opened:
        answer = ask_incubators(opened, query)
    if as_json:
        print_json(answer)
        return
    w, declared = words(settings.lang), find_layer("incubators")
    columns = [declared.column(name) for name in _COLUMNS]
    records = answer.frame.to_dict("records")
    print_table(
        [("编号", "Id"), *((column.zh, column.en) for column in columns)],
        [[row["id"], *(worded(c, row.get(c.name), w) for c in columns)] for row in records],
        lang=settings.lang,
    )
    said = (
        f"{len(records)} / {answer.total} 条",
        f"{len(records)} of {answer.total} records",
    )
    print_line()
    print_line(pick(said, settings.lang) + (f"; --after {answer.next}" if answer.next else ""))
    if answer.demo_counted:
        print_line(f"[{w('site.demo')}] {w('site.demo_title')}")
