"""`deals`: pairs proposed and declined, and the steps that follow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from api.commands.opening import open_store
from api.commands.options import Json, Lang, NoDemo, Store, Unit, settings_with
from api.commands.output import number, pick, print_json, print_line, print_table
from api.questions.deal_steps import Told, note_deal, open_deals, rate_deals, step_deal, undo_deal
from api.questions.deals import ask_deal, ask_deals
from api.settings import Settings
from api.stores import STAFF
from layers.catalog import layer as find_layer
from layers.store import Edit
from layers.store import Store as OpenStore
from web.rows import worded
from web.words import words

app = typer.Typer(help="对接 · Deals between demands and spaces", no_args_is_help=True)

Deal = Annotated[str, typer.Argument(metavar="ID", help="对接编号 · The deal")]
Area = Annotated[float | None, typer.Option("--area", metavar="M2", help="面积 · Area in m²")]
Reason = Annotated[
    str | None, typer.Option("--reason", metavar="KEY", help="未成原因 · Why it is lost")
]
Note = Annotated[str | None, typer.Option("--note", metavar="TEXT", help="备注 · A note")]


@app.command("list")
def list_deals(  # noqa: PLR0913 - options of one command
    *,
    state: Annotated[
        list[str] | None, typer.Option("--state", metavar="STATE", help="状态 · In this state")
    ] = None,
    demand: Annotated[
        str | None, typer.Option("--demand", metavar="ID", help="某需求的 · Of a demand")
    ] = None,
    space: Annotated[
        str | None, typer.Option("--space", metavar="ID", help="某空间的 · Of a space")
    ] = None,
    unit: Unit = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="条数 · At most")] = 100,
    no_demo: NoDemo = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """列出对接 · List deals, the latest change first."""
    settings = settings_with(store=store, lang=lang)
    with open_store(settings.store_path) as opened:
        page = ask_deals(
            opened,
            states=state or (),
            demand=demand,
            space=space,
            unit=unit,
            limit=limit,
            demo=not no_demo,
        )
    if as_json:
        print_json(page)
        return
    w, declared = words(settings.lang), find_layer("deals")
    print_table(
        [("编号", "Id"), ("需求", "Demand"), ("空间", "Space"), ("面积(㎡)", "Area (m²)"),
         ("状态", "State"), ("原因", "Reason"), ("变动", "Changed"), ("备注", "Note")],
        [
            [deal["id"], deal["demand"], deal["space"], number(deal["area_m2"], 1),
             worded(declared.column("state"), deal["state"], w),
             worded(declared.column("reason"), deal["reason"], w),
             deal["changed_on"], deal["note"]]
            for deal in page.deals
        ],
        lang=settings.lang,
    )  # fmt: skip
    area = number(page.signed_area_m2, 1)
    said = (f"共 {page.total} 项，已签约 {area} ㎡", f"{page.total} deals, {area} m² signed")
    print_line(pick(said, settings.lang))
    if page.demo_counted:
        print_line(f"[{w('site.demo')}] {w('site.demo_title')}")


@app.command()
def show(deal: Deal, *, store: Store = None, lang: Lang = None, as_json: Json = False) -> None:
    """一项对接的经过 · One deal with its whole history."""
    settings = settings_with(store=store, lang=lang)
    with open_store(settings.store_path) as opened:
        _print_deal(opened, deal, settings, as_json=as_json)


@app.command()
def propose(  # noqa: PLR0913 - options of one command
    demand: Annotated[str, typer.Argument(metavar="DEMAND", help="需求 · The demand")],
    space: Annotated[str, typer.Argument(metavar="SPACE", help="空间 · The space")],
    *,
    area: Area = None,
    note: Note = None,
    decline: Annotated[
        bool, typer.Option("--decline", help="不推荐，需写原因 · Decline instead, with a reason")
    ] = False,
    reason: Reason = None,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """推荐或否决一对 · Propose a pair, or decline it."""
    settings = settings_with(store=store, lang=lang)
    state = "lost" if decline else "proposed"
    with _editing(settings, state) as (opened, edit):
        rated = rate_deals(opened, [(demand, space)])
        made = open_deals(edit, rated, Told(STAFF, area, reason, note), state=state)
    with open_store(settings.store_path) as opened:
        _print_deal(opened, made[0], settings, as_json=as_json)


@app.command()
def step(
    deal: Deal,
    state: Annotated[str, typer.Argument(metavar="STATE", help="下一状态 · The state to follow")],
    *,
    area: Area = None,
    reason: Reason = None,
    note: Note = None,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """推进一步：contacted、visited、signed、lost · Take a step; signing lets the area."""
    settings = settings_with(store=store, lang=lang)
    with _editing(settings, state) as (_, edit):
        step_deal(edit, deal, state, Told(STAFF, area, reason, note))
    with open_store(settings.store_path) as opened:
        _print_deal(opened, deal, settings, as_json=as_json)


@app.command()
def note(
    deal: Deal,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="备注 · The note")],
    *,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """写备注 · Write the note of a deal."""
    settings = settings_with(store=store, lang=lang)
    with _editing(settings, "note") as (_, edit):
        note_deal(edit, deal, Told(STAFF, note=text))
    with open_store(settings.store_path) as opened:
        _print_deal(opened, deal, settings, as_json=as_json)


@app.command()
def undo(deal: Deal, *, store: Store = None, lang: Lang = None, as_json: Json = False) -> None:
    """撤销最后一步 · Take back the last step."""
    settings = settings_with(store=store, lang=lang)
    with _editing(settings, "undo") as (_, edit):
        left = undo_deal(edit, deal)
    if left is not None:
        with open_store(settings.store_path) as opened:
            _print_deal(opened, deal, settings, as_json=as_json)
    elif as_json:
        print_json({"id": deal, "state": None})
    else:
        print_line(pick((f"{deal} 已撤销", f"{deal} is taken back"), settings.lang))


@contextmanager
def _editing(settings: Settings, what: str) -> Iterator[tuple[OpenStore, Edit]]:
    with (
        open_store(settings.store_path, write=True) as opened,
        opened.edit(STAFF, f"对接 · deal: {what}") as edit,
    ):
        yield opened, edit


def _print_deal(store: OpenStore, deal: str, settings: Settings, *, as_json: bool) -> None:
    found = ask_deal(store, deal)
    if as_json:
        print_json(found)
        return
    w, state = words(settings.lang), find_layer("deals").column("state")
    print_line(f"{found['id']}: {found['demand']} → {found['space']} ({found['unit'] or '—'})")
    print_table(
        [("时间", "At"), ("谁", "Who"), ("状态", "State"), ("面积(㎡)", "Area (m²)"),
         ("原因", "Reason"), ("备注", "Note")],
        [
            [one["taken_at"], one["who"], worded(state, one["state"], w), number(one["area_m2"], 1),
             worded(find_layer("deals").column("reason"), one["reason"], w), one["note"]]
            for one in found["steps"]
        ],
        lang=settings.lang,
    )  # fmt: skip
    allowed = "、".join(found["allowed"])
    print_line(pick((f"下一步：{allowed}", f"next: {allowed}"), settings.lang))
