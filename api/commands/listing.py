"""`layers`: the layers and columns that there are."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.commands.options import Json, Lang, settings_with
from api.commands.output import mark, pick, print_json, print_line, print_table
from layers.catalog import Column, Layer
from layers.catalog import layer as find_layer
from layers.catalog import layers as all_layers


def layers(
    name: Annotated[
        str | None, typer.Argument(metavar="LAYER", help="图层；给出时列出字段 · Its columns")
    ] = None,
    *,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """列出图层，或一个图层的字段 · List the layers, or the columns of one."""
    lang = settings_with(lang=lang).lang
    if name is not None:
        _print_columns(find_layer(name), lang, as_json=as_json)
        return
    declared = list(all_layers().values())
    if as_json:
        print_json([_layer(one) for one in declared])
        return
    print_table(
        [("图层", "Layer"), ("名称", "Name"), ("几何", "Geometry"), ("内部", "Staff")],
        [[d.name, pick((d.zh, d.en), lang), d.geometry, mark(d.staff)] for d in declared],
        lang=lang,
    )


def _layer(declared: Layer) -> dict[str, Any]:
    return {
        "name": declared.name,
        "zh": declared.zh,
        "en": declared.en,
        "geometry": list(declared.geometry),
        "staff": declared.staff,
        "columns": [_column(column) for column in declared.columns],
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        **vars(column),
        "aliases": list(column.aliases),
        "choices": [vars(choice) for choice in column.choices],
    }


def _print_columns(declared: Layer, lang: str, *, as_json: bool) -> None:
    if as_json:
        print_json(_layer(declared))
        return
    print_line(f"{declared.name}: {pick((declared.zh, declared.en), lang)}")
    print_table(
        [
            ("字段", "Column"),
            ("名称", "Name"),
            ("类型", "Kind"),
            ("必填", "Required"),
            ("内部", "Staff"),
            ("取值", "Values"),
        ],
        [
            [
                column.name,
                pick((column.zh, column.en), lang),
                column.kind,
                mark(column.required),
                mark(column.staff),
                _values(column, lang),
            ]
            for column in declared.columns
        ],
        lang=lang,
    )


def _values(column: Column, lang: str) -> str:
    return ", ".join(f"{c.value} {pick((c.zh, c.en), lang)}" for c in column.choices)
