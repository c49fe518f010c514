"""`export`: a layer into a file."""

from __future__ import annotations

from typing import Annotated

import typer

from api.commands.opening import open_store
from api.commands.options import Json, Lang, NoDemo, Store, Unit, settings_with
from api.commands.output import print_written, show_progress
from api.questions.common import find_unit, read_layer
from layers.export import export_layer
from layers.query import Query


def export(  # noqa: PLR0913 - options of one command
    layer: Annotated[str, typer.Argument(help="图层 · Layer")],
    file: Annotated[
        str, typer.Argument(help=".gpkg .geojson .csv .xlsx .shp .zip .fgb；由扩展名决定 · File")
    ],
    *,
    datum: Annotated[
        str, typer.Option("--datum", metavar="D", help="坐标系 · Datum to write in")
    ] = "cgcs2000",
    staff: Annotated[
        bool, typer.Option("--staff", help="含内部字段 · With columns for staff only")
    ] = False,
    unit: Unit = None,
    no_demo: NoDemo = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """导出图层为文件 · Write the records of a layer to a file."""
    settings = settings_with(store=store, lang=lang)
    with open_store(settings.store_path) as opened, show_progress() as tell:
        tell(layer, 0.0)
        part = {"unit": find_unit(read_layer(opened, "reporting_units"), unit)} if unit else {}
        query = Query(where=part, demo=not no_demo)
        report = export_layer(opened, layer, file, query=query, staff=staff, datum=datum)
    print_written(report, settings.lang, as_json=as_json)
