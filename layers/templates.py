"""XLSX templates of a layer: headings with units, choices to pick from, what each column means.

A template says of itself which layer and datum it is for, on its second sheet, so that it is read
back without being told. The example row is marked and never imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from geo.crs import DATUMS
from geo.errors import InputError
from layers.catalog import Column, Layer
from layers.catalog import layer as find_layer
from layers.export import to_datum
from layers.formats import join_list
from layers.ingest.gazetteer import Gazetteer, Vocabulary, read_gazetteer
from layers.ingest.headings import SETTLED
from layers.ingest.sheets import EXAMPLE
from layers.query import GEOMETRY, Query
from layers.store import Store

REQUIRED = "(必填)"
GUIDE, CHOICES = "填写说明", "选项"
LAYER_CELL, DATUM_CELL = "图层", "坐标系"
_DEGREES, _NO_PLACE = "度", "不填时保留原位置，或用所属孵化器的位置"
_PLACE = {"lon": ("经度", "lon"), "lat": ("纬度", "lat")}
_ROWS = 2_000  # rows with drop-down lists, beyond those filled in
_OPTIONS = 5_000
_DIGITS = 8
_FIRST = 3  # the first row to fill in, below headings and example
_HEAD, _MUST, _DIM = (PatternFill("solid", fgColor=c) for c in ("DCE9E4", "F7D9A8", "EFEFEF"))
_KINDS = {
    "text": "文字",
    "integer": "整数",
    "number": "数字",
    "boolean": "是 或 否",
    "date": "日期，如 2026-10-31",
    "list": "多项，用顿号“、”分开",
}
_SAMPLES: dict[str, Any] = {
    "text": "文字",
    "integer": 12,
    "number": 120.5,
    "boolean": "是",
    "date": "2026-10-31",
    "list": "甲、乙",
}


def template_columns(layer: Layer) -> list[Column]:
    """Return the columns that staff fill in, the id first."""
    left_out = SETTLED | {"provenance"}
    own = [c for c in layer.columns if c.name not in left_out and c.kind != "json"]
    common = ("source", "as_of", "geom_precision")
    last = [c for c in own if c.name in common and (c.name != "geom_precision" or layer.spatial)]
    return [*(c for c in own if c.name not in common), *last]


def write_template(
    store: Store,
    layer_name: str,
    path: Path,
    *,
    query: Query | None = None,
    datum: str = "wgs84",
) -> int:
    """Write the template of a layer.

    Parameters
    ----------
    store
        Whose names of units, incubators and indicators are offered.
    layer_name
        A layer that staff enter at their desk.
    path
        The .xlsx to write.
    query
        Which records are filled in to be changed; none when not given.
    datum
        What the coordinates are in: `wgs84`, `cgcs2000`, `gcj02` or `bd09`.

    Returns
    -------
    int
        How many records were filled in.

    Raises
    ------
    InputError
        When the datum is another, or staff do not enter the layer.
    """
    layer = desk_layer(layer_name)
    if datum not in DATUMS:
        raise InputError(f"template: {datum[:40]!r} is no datum; give one of {', '.join(DATUMS)}")
    gazetteer = read_gazetteer(store)
    columns = template_columns(layer)
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = layer.zh
    headings = [heading(column) for column in columns]
    headings += [label for label, _ in _PLACE.values()] if layer.spatial else []
    _write_head(sheet, columns, headings, datum)
    rows = _prefilled(store, layer, columns, gazetteer, query, datum) if query else []
    for number, row in enumerate(rows, _FIRST):
        for place, value in enumerate(row, 1):
            put(sheet, number, place, value)
    _offer(book, sheet, columns, options_of(columns, gazetteer.vocabularies), len(rows))
    _write_guide(book, layer, columns, datum)
    book.move_sheet(CHOICES, offset=1)
    book.save(path)
    return len(rows)


def desk_layer(name: str) -> Layer:
    """Return a layer that staff enter at their desk.

    Raises
    ------
    InputError
        When it is another.
    """
    layer = find_layer(name)
    if not layer.desk:
        raise InputError(f"layer {name} is not entered by form or template; import a file")
    return layer


def heading(column: Column) -> str:
    """Return the heading of a column, marked when it is required.

    >>> heading(find_layer("spaces").column("area_m2"))
    '面积(㎡)(必填)'
    """
    return f"{column.zh}{REQUIRED}" if column.required else column.zh


def options_of(
    columns: Sequence[Column], vocabularies: Mapping[str, Vocabulary]
) -> dict[str, list[str]]:
    """List what a column may be filled with, as people write it, for those of one value.

    >>> options_of([find_layer("spaces").column("status")], {})
    {'status': ['空置', '预订', '已租']}
    """
    offered: dict[str, list[str]] = {}
    for column in columns:
        if column.kind == "list":
            continue
        if column.choices:
            offered[column.name] = [choice.zh for choice in column.choices]
        elif column.kind == "boolean":
            offered[column.name] = ["是", "否"]
        elif column.name in vocabularies and column.kind == "text":
            offered[column.name] = [zh for zh, _ in vocabularies[column.name].labels.values()][
                :_OPTIONS
            ]
    return {name: values for name, values in offered.items() if values}


def put(sheet: Worksheet, row: int, column: int, value: Any) -> None:
    """Write a value; a text stays one, whatever sign it begins with."""
    if value is None:
        return
    cell = sheet.cell(row, column)
    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
        cell.data_type = "s"
        cell.number_format = "@"
    else:
        cell.value = value


def _write_head(
    sheet: Worksheet, columns: Sequence[Column], headings: Sequence[str], datum: str
) -> None:
    """Write headings with what they mean, and the example row."""
    for place, text in enumerate(headings, 1):
        known = columns[place - 1] if place <= len(columns) else None
        cell = sheet.cell(1, place, text)
        cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
        cell.fill = _MUST if known is not None and known.required else _HEAD
        note = _note(known) if known is not None else f"{_DEGREES}，{datum}。{_NO_PLACE}。"
        cell.comment = Comment(note, "Hatchmap", width=280, height=120)
        sample = _sample(known) if known is not None else None
        put(sheet, 2, place, f"{EXAMPLE}此行不导入）" if place == 1 else sample)
        sheet.cell(2, place).fill = _DIM
        sheet.cell(2, place).font = Font(italic=True, color="808080")
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = max(12, min(28, 2 * len(text)))
    sheet.freeze_panes = "B2"


def _note(column: Column) -> str:
    """Say in Chinese what a column holds."""
    kind = _KINDS.get(column.kind, "")
    parts = [column.help[0] if column.help else "", kind if not column.choices else ""]
    if column.choices:
        words = "、".join(choice.zh for choice in column.choices)
        parts.append(f"{'可多选' if column.kind == 'list' else '选其一'}：{words}")
    if column.minimum is not None or column.maximum is not None:
        low = "" if column.minimum is None else f"{column.minimum:g}"
        high = "" if column.maximum is None else f"{column.maximum:.15g}"
        parts.append(f"范围 {low}—{high}")
    if column.past:
        parts.append("不晚于今天")
    if column.name == "id":
        parts = ["新记录留空；修改已有记录时不要改动编号"]
    return "。".join(filter(None, [*parts, "必填" if column.required else ""])) + "。"


def _sample(column: Column) -> Any:
    if column.choices:
        return column.choices[0].zh
    return _SAMPLES.get(column.kind)


def _prefilled(
    store: Store,
    layer: Layer,
    columns: Sequence[Column],
    gazetteer: Gazetteer,
    query: Query,
    datum: str,
) -> list[list[Any]]:
    """Write records as people write them, row by row."""
    held = list(store.records(layer.name, query).values())
    words = {
        name: {value: zh for value, (zh, _) in vocabulary.labels.items()}
        for name, vocabulary in gazetteer.vocabularies.items()
    }
    rows = [[_cell(column, r[column.name], words.get(column.name, {})) for column in columns]
            for r in held]  # fmt: skip
    if not layer.spatial:
        return rows
    shapes = to_datum(np.array([r[GEOMETRY] for r in held], dtype=object), datum)
    return [
        [*row, *_pair(r, shape, datum)] for row, r, shape in zip(rows, held, shapes, strict=True)
    ]


def _pair(record: dict[str, Any], shape: Any, datum: str) -> tuple[float | None, float | None]:
    """Give the coordinates of a point: as they were declared, where they were in this datum."""
    if shape is None or shapely.get_type_id(shape) != 0:
        return None, None
    if record["declared_datum"] == datum and record["declared_x"] is not None:
        return record["declared_x"], record["declared_y"]
    return round(shape.x, _DIGITS), round(shape.y, _DIGITS)


def _cell(column: Column, value: Any, words: dict[str, str]) -> Any:
    if value is None:
        return None
    choices = {choice.value: choice.zh for choice in column.choices}
    if column.kind == "list":
        return join_list([choices.get(item, words.get(item, item)) for item in value])
    if column.kind == "boolean":
        return "是" if value else "否"
    return choices.get(value, words.get(value, value)) if isinstance(value, str) else value


def _offer(
    book: Workbook,
    sheet: Worksheet,
    columns: Sequence[Column],
    options: dict[str, list[str]],
    filled: int,
) -> None:
    """Give the cells of a column a list to pick from, kept on a sheet of its own."""
    lists = book.create_sheet(CHOICES)
    last = _FIRST + filled + _ROWS
    for number, (name, values) in enumerate(options.items(), 1):
        put(lists, 1, number, next(c.zh for c in columns if c.name == name))
        for row, value in enumerate(values, 2):
            put(lists, row, number, value)
        letter = get_column_letter(number)
        rule = DataValidation(
            type="list",
            formula1=f"'{CHOICES}'!${letter}$2:${letter}${len(values) + 1}",
            allow_blank=True,
            showErrorMessage=True,
            errorTitle="不在选项中",
            error="请从下拉选项中选择",
        )
        place = next(i for i, c in enumerate(columns, 1) if c.name == name)
        rule.add(f"{get_column_letter(place)}{_FIRST}:{get_column_letter(place)}{last}")
        sheet.add_data_validation(rule)


def _write_guide(book: Workbook, layer: Layer, columns: Sequence[Column], datum: str) -> None:
    """Write what the template is for, and what each column means."""
    guide = book.create_sheet(GUIDE, 1)
    for number, pair in enumerate(
        ((LAYER_CELL, layer.name), ("名称", layer.zh), (DATUM_CELL, datum)), 1
    ):
        for place, value in enumerate(pair, 1):
            put(guide, number, place, value)
    lines = [
        "请在第一个工作表中填写，一行一条记录；不要改动表头和本表前三行。",
        "编号留空为新增；带编号的行是已有记录，改哪个单元格就改哪项，清空单元格即清空该项。",
        "经纬度须为上面所写的坐标系；不填时保留原位置，或用所属孵化器的位置。",
        "保存为 .xlsx 后在工作台上传，确认预览后才会写入，写入后可以整批撤销。",
    ]
    for number, line in enumerate(lines, 5):
        put(guide, number, 1, line)
    start = 5 + len(lines) + 1
    for place, text in enumerate(("字段", "名称", "含义与填法"), 1):
        put(guide, start, place, text)
        guide.cell(start, place).font = Font(bold=True)
    for number, column in enumerate(columns, start + 1):
        for place, value in enumerate((column.name, heading(column), _note(column)), 1):
            put(guide, number, place, value)
    for letter, width in (("A", 22), ("B", 28), ("C", 80)):
        guide.column_dimensions[letter].width = width
