"""`map`: the city map in one file that opens without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.commands.opening import open_store
from api.commands.options import Lang, Store, settings_with
from api.commands.output import pick, print_line, show_progress, write_whole
from api.questions.map_layers import ask_map_layers
from api.views import map_view
from web.maps import offline_map


def draw_map(
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.html", help="写入 · File to write")
    ],
    layers: Annotated[
        str | None,
        typer.Option("--layers", metavar="A,B", help="图层；缺省为全部（路网除外） · Layers"),
    ] = None,
    store: Store = None,
    lang: Lang = None,
) -> None:
    """离线地图：一个文件，无需网络 · Write the map to one file that needs no network."""
    settings = settings_with(store=store, lang=lang)
    names = None if layers is None else [name.strip() for name in layers.split(",")]
    with open_store(settings.store_path) as opened, show_progress() as tell:
        tell("reading", 0.1)
        data = ask_map_layers(opened, names=names)
        view = map_view(opened, settings, lang=settings.lang)
        tell("drawing", 0.6)
        page = offline_map(view, data=data)
    write_whole(output, page)
    size = f"{output.stat().st_size / 1e6:,.1f} MB"
    print_line(pick((f"{output}：{size}", f"{output}: {size}"), settings.lang))
