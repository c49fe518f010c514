"""`import`: a file into a layer, with a report of every row that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from api.commands.opening import open_store
from api.commands.options import Json, Lang, Store, settings_with
from api.commands.output import (
    Tell,
    number,
    pick,
    print_json,
    print_line,
    print_note,
    print_table,
    show_progress,
)
from geo.errors import InputError
from layers.catalog import layer as find_layer
from layers.imports import ImportReport, import_file
from layers.ingest.datum import Vote
from layers.ingest.heights import LAYER as HEIGHTS
from layers.ingest.heights import import_heights
from layers.store import Store as OpenStore
from layers.street_files import import_street_file, takes
from layers.walking import load_network
from web.messages import say

_SHOWN = 200  # faults in the table; --json has them all
_NETWORK_LAYERS = ("streets", "barriers", HEIGHTS)


def import_layer(  # noqa: PLR0913 - options of one command
    layer: Annotated[
        str, typer.Argument(help="图层，或 heights 高程 · Layer, see `hatchmap layers`; or heights")
    ],
    file: Annotated[
        str, typer.Argument(help="文件：表格、GeoJSON、GeoPackage、Shapefile、OSM … · File")
    ],
    *,
    datum: Annotated[
        str | None,
        typer.Option(
            "--datum",
            metavar="D",
            help="坐标系 · wgs84, cgcs2000, gcj02 (高德/腾讯), bd09 (百度) or EPSG:n",
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="A=B", help="字段=表头，可多次 · Column=heading, repeatable"),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option("--sheet", metavar="NAME", help="工作表 · Sheet or layer of it")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只核对不写入 · Check only, write nothing")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="跳过有误的行 · Write the rows without fault")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="更新已有记录 · Change records that exist")
    ] = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """导入文件到图层；有误则不写入 · Import a file into a layer, all or nothing."""
    settings = settings_with(store=store, lang=lang)
    if layer != HEIGHTS:
        find_layer(layer)
    options: dict[str, Any] = {
        "datum": datum,
        "sheet": sheet,
        "dry_run": dry_run,
        "skip_bad": skip_bad,
        "replace": replace,
    }
    pairs = read_pairs(columns or [])
    with open_store(settings.store_path, write=not dry_run) as opened, show_progress() as tell:
        if pairs and (layer == HEIGHTS or takes(layer, file)):
            raise InputError(
                "--map is for tables of records; streets, extracts and heights are read without"
            )
        if layer == HEIGHTS:
            report = import_heights(
                opened, file, datum=datum, sheet=sheet, dry_run=dry_run, progress=tell
            )
        elif takes(layer, file):
            report = import_street_file(opened, layer, file, progress=tell, **options)
        else:
            report = import_file(
                opened,
                layer,
                file,
                columns=pairs,
                progress=lambda share, stage: tell(stage, share),
                **options,
            )
        if report.written and layer in _NETWORK_LAYERS:
            _prepare_network(opened, tell)
    if as_json:
        print_json(report)
    else:
        print_report(report, settings.lang)
    good = report.rows - len({fault.row for fault in report.faults})
    if report.faults and not (skip_bad and good):
        raise InputError(_refusal(report, good))


def read_pairs(typed: Sequence[str]) -> dict[str, str]:
    """Read `A=B` pairs.

    >>> read_pairs(["code=street_code"])
    {'code': 'street_code'}
    >>> read_pairs(["code"])
    Traceback (most recent call last):
    geo.errors.InputError: --map: 'code' is not A=B; give such as --map code=代码
    """
    pairs: dict[str, str] = {}
    for text in typed:
        left, sign, right = (part.strip() for part in text.partition("="))
        if not (left and sign and right):
            raise InputError(f"--map: {text!r} is not A=B; give such as --map code=代码")
        if left in pairs:
            raise InputError(f"--map: {left!r} is given twice; keep one")
        pairs[left] = right
    return pairs


def _prepare_network(store: OpenStore, tell: Tell) -> None:
    """Build the walking network now, so that the first question need not wait."""
    try:
        load_network(store, progress=tell)
    except InputError as error:
        print_note(f"the streets are in the store, but are no walking network yet: {error}")


def print_report(report: ImportReport, lang: str) -> None:
    """Print what an import found and did."""
    if report.faults:
        print_table(
            [
                ("行", "Row"),
                ("字段", "Column"),
                ("问题", "What is wrong"),
                ("值", "Value"),
                ("办法", "Way out"),
            ],
            [
                [fault.row, fault.column, say(fault.what, lang), fault.value, say(fault.fix, lang)]
                for fault in report.faults[:_SHOWN]
            ],
            lang=lang,
        )
        more = len(report.faults) - _SHOWN
        if more > 0:
            print_line(pick((f"另有 {more} 处", f"and {more} more; --json has all"), lang))
    for warning in report.warnings:
        print_line(f"! {say(warning, lang)}")
    for vote in report.datum_votes or ():
        print_line(f"  {pick(('坐标系', 'datum'), lang)} {_vote(vote)}")
    rows, written = number(report.rows), number(report.written)
    said = (
        f"{report.path} → {report.layer}：{rows} 条记录，写入 {written} 条",
        f"{report.path} → {report.layer}: {rows} records, {written} written",
    )
    if report.dry_run:
        said = (f"{said[0]}（试运行）", f"{said[1]} (dry run)")
    print_line(pick(said, lang))


def _vote(vote: Vote) -> str:
    shares = {
        "in the unit named": vote.in_unit_share,
        "near a street": vote.near_streets_share,
        "with the second pair": vote.pair_share,
    }
    told = [f"{share:.0%} {what}" for what, share in shares.items() if share is not None]
    return f"{vote.datum}: {', '.join(told)}"


def _refusal(report: ImportReport, good: int) -> str:
    first = report.faults[0]
    way_out = "mend them, or import the others with --skip-bad" if good else "mend them"
    return (
        f"{report.path}: {report.rows - good} of {report.rows} rows are faulty, nothing was "
        f"written (the first: row {first.row}, {first.column}: {first.what}); {way_out}"
    )
