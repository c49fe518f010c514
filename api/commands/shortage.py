"""`shortage`: where space is lacking after the best matching."""

from __future__ import annotations

from typing import Annotated

import typer

from api.commands.opening import open_store
from api.commands.options import Json, Lang, NoDemo, Store, settings_with
from api.commands.output import number, pick, print_json, print_line, print_table, show_progress
from api.questions.match import ask_match
from api.questions.shortage import ask_shortage
from web.words import words


def shortage(
    *,
    industry: Annotated[
        str | None, typer.Option("--industry", metavar="NAME", help="产业 · An industry")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help="空间类型 · A kind of space")
    ] = None,
    no_demo: NoDemo = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """空间缺口：按责任单位、产业、类型 · Demands without a space, by unit."""
    settings = settings_with(store=store, lang=lang)
    with open_store(settings.store_path) as opened, show_progress() as tell:
        matched = ask_match(opened, demo=not no_demo, progress=tell)
        report = ask_shortage(
            opened, unmatched=matched.unmatched, industry=industry, kind=kind, demo=not no_demo
        )
    if as_json:
        print_json(report)
        return
    w = words(settings.lang)
    print_table(
        [("责任单位", "Unit"), ("需求", "Demands"), ("面积(㎡)", "Area (m²)"),
         ("主要原因", "Cause")],
        [
            [one["unit"] or w("shortage.nowhere"), one["demands"], number(one["area_m2"], 1),
             w(f"cause.{one['cause']}")]
            for one in report.shortage.units
        ],
        lang=settings.lang,
    )  # fmt: skip
    area, demands = number(report.shortage.area_m2, 1), report.shortage.demands
    print_line()
    print_line(
        pick((f"共 {demands} 个需求，{area} ㎡", f"{demands} demands, {area} m²"), settings.lang)
    )
    if report.demo_counted:
        print_line(f"[{w('site.demo')}] {w('site.demo_title')}")
