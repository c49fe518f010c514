"""`template`: an XLSX to fill in, for a layer that staff enter."""

from __future__ import annotations

from typing import Annotated

import typer

from api.commands.opening import open_store
from api.commands.options import Lang, Store, Unit, settings_with
from api.commands.output import pick, print_line, write_whole
from api.questions.desk import ask_template
from geo.errors import InputError


def template(
    layer: Annotated[str, typer.Argument(help="图层 · Layer")],
    file: Annotated[str, typer.Argument(help="新文件 .xlsx · The file to write")],
    *,
    filled: Annotated[
        bool, typer.Option("--filled", help="填入现有记录 · With current records")
    ] = False,
    unit: Unit = None,
    incubator: Annotated[
        str | None, typer.Option("--incubator", metavar="I", help="只要这家 · Only of this one")
    ] = None,
    datum: Annotated[
        str, typer.Option("--datum", metavar="D", help="坐标系 · Datum of coordinates")
    ] = "wgs84",
    store: Store = None,
    lang: Lang = None,
) -> None:
    """写出录入模板，填好后用 import --replace 或网页上传 · Write a template to fill in."""
    settings = settings_with(store=store, lang=lang)
    if not file.lower().endswith(".xlsx"):
        raise InputError(f"{file}: a template is an .xlsx; name it so")
    with open_store(settings.store_path) as opened:
        body = ask_template(
            opened, layer, filled=filled, unit=unit or "", incubator=incubator or "", datum=datum
        )
    write_whole(file, body)
    print_line(pick((f"已写出 {file}", f"Wrote {file}"), settings.lang))
