"""`demo add` and `demo remove`: fictional records, plainly marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from api.commands.opening import open_store
from api.commands.options import Json, Lang, Store, settings_with
from api.commands.output import (
    number,
    pick,
    print_json,
    print_line,
    print_table,
    show_progress,
)
from layers.catalog import layer as find_layer
from layers.demo import SEED, Sizes, add_demo, remove_demo
from layers.walking import load_network

app = typer.Typer(help="示例数据 · Demo data, fictional and marked as such")
_SIZES = Sizes()


@app.command()
def add(
    *,
    spaces: Annotated[int, typer.Option("--spaces", metavar="N")] = _SIZES.spaces,
    amenities: Annotated[int, typer.Option("--amenities", metavar="N")] = _SIZES.amenities,
    incubators: Annotated[int, typer.Option("--incubators", metavar="N")] = _SIZES.incubators,
    demands: Annotated[int, typer.Option("--demands", metavar="N")] = _SIZES.demands,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="随机种子 · Seed")] = SEED,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """加入示例数据，替换原有示例 · Add demo data in place of those there are."""
    settings = settings_with(store=store, lang=lang)
    sizes: dict[str, Any] = {
        "spaces": spaces,
        "amenities": amenities,
        "incubators": incubators,
        "demands": demands,
    }
    with open_store(settings.store_path, write=True) as opened, show_progress() as tell:
        tell("demo data", 0.1)
        made = add_demo(opened, seed=seed, **sizes)
        load_network(opened, progress=tell)
    _print(made, ("已加入示例", "Demo records added"), settings.lang, as_json=as_json)


@app.command()
def remove(*, store: Store = None, lang: Lang = None, as_json: Json = False) -> None:
    """删除全部示例数据 · Remove every demo record."""
    settings = settings_with(store=store, lang=lang)
    with open_store(settings.store_path, write=True) as opened:
        gone = remove_demo(opened)
    _print(gone, ("已删除示例", "Demo records removed"), settings.lang, as_json=as_json)


def _print(counts: Mapping[str, int], what: tuple[str, str], lang: str, *, as_json: bool) -> None:
    if as_json:
        print_json(counts)
    elif counts:
        rows = [
            [f"{pick((find_layer(name).zh, find_layer(name).en), lang)} ({name})", number(count)]
            for name, count in counts.items()
        ]
        print_table([("图层", "Layer"), what], rows, lang=lang)
    else:
        print_line(pick(("没有示例数据", "There are no demo records"), lang))
