"""`structure`: sums by role of the spatial structure and by zone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from api.commands.opening import open_store
from api.commands.options import Day, Json, Lang, NoDemo, Store, read_day, settings_with
from api.commands.output import number, percent, pick, print_json, print_line, print_table
from api.questions.structure import ask_structure
from web.words import words

_CONFIDENCE = ("结构解读的可信度", "confidence of the reading of the structure")
_FIGURES = (
    ("孵化器", "Incubators"),
    ("运营", "Operating"),
    ("运营面积(㎡)", "Operating area (m²)"),
    ("占比", "Share"),
    ("空置率", "Vacancy"),
    ("在孵企业", "Tenants"),
    ("强镇覆盖", "Towns"),
    ("增长", "Growth"),
)


def structure(
    *,
    date: Day = None,
    reading: Annotated[
        str | None, typer.Option("--reading", metavar="VERSION", help="版本 · Version to use")
    ] = None,
    no_demo: NoDemo = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """空间结构：各角色与片区的空间 · Space, tenants and coverage by role and zone."""
    settings = settings_with(store=store, lang=lang)
    day = read_day(date)
    with open_store(settings.store_path) as opened:
        answer = ask_structure(opened, as_of=day, version=reading, demo=not no_demo)
    if as_json:
        print_json(answer)
        return
    w, result = words(settings.lang), answer.to_json()
    outside = w("structure.outside")
    roles = [[w.pick(row) or outside, row["members"], *_figures(row)] for row in result["roles"]]
    whole = pick(("全市", "Whole city"), settings.lang)
    print_table(
        [("角色", "Role"), ("成员", "Members"), *_FIGURES],
        [*roles, [whole, "", *_figures(result["city"])]],
        lang=settings.lang,
    )
    zones = [[row["name"], *_figures(row)] for row in result["zones"] if row["mapped"]]
    if zones:
        print_line()
        print_table([("功能片区", "Zone"), *_FIGURES], zones, lang=settings.lang)
    spread = result["concentration"]
    print_line()
    print_line(
        f"HHI {number(spread['hhi'], 3)}, Gini {number(spread['gini'], 3)}; "
        f"{pick(_CONFIDENCE, w.lang)} {percent(result['confidence'])}; "
        f"{w('readings.version')} {result['version'] or w('site.none')}"
    )
    if result["demo_counted"]:
        print_line(f"[{w('site.demo')}] {w('site.demo_title')}")


def _figures(row: Mapping[str, Any]) -> list[str]:
    towns = row.get("towns") or {}
    return [
        number(row.get("incubators")),
        number(row.get("operating")),
        number(row.get("area_m2")),
        percent(row.get("share")),
        percent(row.get("vacancy")),
        number(row.get("tenants")),
        f"{towns['covered']}/{towns['total']}" if towns else "—",
        percent(row.get("growth")),
    ]
