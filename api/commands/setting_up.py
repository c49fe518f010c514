"""`init`: a new store."""

from __future__ import annotations

from typing import Annotated

import typer

from api.commands.options import Json, Lang, Store, settings_with
from api.commands.output import number, pick, print_json, print_line, print_table, show_progress
from api.setup import SetupReport, create_city
from layers.catalog import layer as find_layer

City = Annotated[
    str | None,
    typer.Option("--city", metavar="wenzhou|none|FOLDER", help="城市包 · City pack"),
]


def init(
    city: City = None,
    *,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="不加示例 · No demo data")] = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """新建数据库：城市资料、边界、示例数据 · Make a store with a city's facts."""
    settings = settings_with(store=store, lang=lang, city=city)
    with show_progress() as tell:
        report = create_city(
            settings.store_path, city=settings.city, demo=not no_demo, progress=tell
        )
    if as_json:
        print_json(report)
    else:
        print_setup(report, settings.lang)


def print_setup(report: SetupReport, lang: str) -> None:
    """Print what a new store holds."""
    name = pick((report.city, report.city_en), lang)
    print_line(pick((f"已新建 {report.path}：{name}", f"Made {report.path}: {name}"), lang))
    names = dict.fromkeys([*report.records, *report.demo])
    if names:
        print_table(
            [("图层", "Layer"), ("记录", "Records"), ("示例", "Demo")],
            [
                (
                    f"{pick((find_layer(key).zh, find_layer(key).en), lang)} ({key})",
                    number(report.records.get(key, 0)),
                    number(report.demo.get(key, 0)),
                )
                for key in names
            ],
            lang=lang,
        )
    for unit, why in report.without_polygon.items():
        print_line(pick((f"{unit} 还没有边界：{why}", f"{unit} has no outline yet: {why}"), lang))
