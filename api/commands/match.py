"""`match`: who suits whom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, cast

import orjson
import typer

from api.commands.opening import open_store
from api.commands.options import Json, Lang, NoDemo, Store, settings_with
from api.commands.output import (
    number,
    pick,
    print_json,
    print_line,
    print_table,
    show_progress,
    write_whole,
)
from api.questions.deals import deals_of_pairs
from api.questions.match import TIME_LIMIT_S, ask_demand_matches, ask_match, ask_space_matches
from geo.assignment import GAP
from geo.errors import InputError
from geo.match_report import MatchReport, Mode
from geo.solver import Watch
from layers.query import Query
from layers.store import Store as OpenStore
from layers.workbook import write_csv, write_xlsx
from web.match import match_sheets
from web.words import words

Whole = Literal["best", "stable", "compare"]
_FORMATS = (".xlsx", ".csv", ".json")


def match(  # noqa: PLR0913 - options of one command
    *,
    demand: Annotated[
        str | None, typer.Option("--demand", metavar="ID", help="为需求找空间 · Spaces for it")
    ] = None,
    space: Annotated[
        str | None, typer.Option("--space", metavar="ID", help="为空间找需求 · Demands for it")
    ] = None,
    mode: Annotated[
        Whole, typer.Option("--mode", help="总体最优、稳定或两者比较 · All to all")
    ] = "best",
    weight: Annotated[
        list[str] | None,
        typer.Option("--weight", metavar="PART=N", help="权重，未给的为0 · Those left out are 0"),
    ] = None,
    operator_weight: Annotated[
        list[str] | None,
        typer.Option("--operator-weight", metavar="PART=N", help="运营方权重 · Of operators"),
    ] = None,
    declined: Annotated[
        bool, typer.Option("--declined", help="计入已否决的 · Count declined pairs")
    ] = False,
    time_limit: Annotated[
        float, typer.Option("--time-limit", metavar="S", help="秒 · At most so many seconds")
    ] = TIME_LIMIT_S,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="写入 .xlsx、.csv 或 .json · Write a file"),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="条数 · At most")] = 20,
    no_demo: NoDemo = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """供需匹配 · Match demands and spaces."""
    settings = settings_with(store=store, lang=lang)
    if demand is not None and space is not None:
        raise InputError("--demand and --space: give one of them")
    if output is not None and output.suffix.lower() not in _FORMATS:
        raise InputError(f"--output {output}: the ending is not one of {', '.join(_FORMATS)}")
    weights = dict(map(_read_weight, weight)) if weight else None
    theirs = dict(map(_read_weight, operator_weight)) if operator_weight else None
    common: dict[str, Any] = {"weights": weights, "demo": not no_demo, "declined": declined}
    with open_store(settings.store_path) as opened:
        if demand is not None:
            report = ask_demand_matches(opened, demand, limit=limit, staff=True, **common)
        elif space is not None:
            report = ask_space_matches(opened, space, limit=limit, **common)
        else:
            with show_progress() as tell:
                report = ask_match(
                    opened,
                    mode=cast("Mode", mode),
                    operator_weights=theirs,
                    watch=Watch.start(time_limit, gap=GAP),
                    progress=tell,
                    **common,
                )
        if output is not None:
            _write(opened, report, output, settings.lang)
    if as_json:
        print_json(report)
        return
    _print(report, settings.lang, limit)


def _write(store: OpenStore, report: MatchReport, file: Path, lang: str) -> None:
    """Write a matching to a file, whole or not at all."""
    plain, w = report.to_json(), words(lang)
    if file.suffix.lower() == ".json":
        write_whole(file, orjson.dumps(plain).decode())
        return
    frame = store.read("demands", Query(columns=["title"]))
    titles = dict(zip(frame["id"], frame["title"].astype(object), strict=True))
    known = {key: title for key, title in titles.items() if isinstance(title, str)}
    sheets = match_sheets(plain, w, titles=known, deals=deals_of_pairs(store))
    body = write_csv(sheets[0]) if file.suffix.lower() == ".csv" else write_xlsx(sheets)
    write_whole(file, body)


def _read_weight(text: str) -> tuple[str, float]:
    """Return a part and its weight.

    >>> _read_weight("rent=2")
    ('rent', 2.0)
    """
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError as error:
        raise InputError(f"--weight {text!r}: give PART=NUMBER") from error


def _print(report: MatchReport, lang: str, limit: int) -> None:
    w = words(lang)
    print_table(
        [("需求", "Demand"), ("空间", "Space"), ("单位", "Unit"), ("面积(㎡)", "Area (m²)"),
         ("租金", "Rent"), ("得分", "Score"), ("条件", "Rules")],
        [
            [pair["demand"], pair["space"], pair["unit"], number(pair["area_m2"], 1),
             number(pair["rent_cny_m2_month"], 1), number(pair["score"], 3), pair["eligible"]]
            for pair in report.pairs[:limit]
        ],
        lang=lang,
    )  # fmt: skip
    print_line()
    if report.objective is not None:
        gap = "—" if report.gap is None else f"{report.gap:.3%}"
        done, left = len(report.pairs), len(report.unmatched)
        total, blocking = number(report.objective, 3), report.blocking
        zh = f"匹配 {done}，未匹配 {left}，总分 {total}，与最优差距 {gap}，不稳定对 {blocking}"
        en = f"{done} matched, {left} not; scores {total}, gap {gap}, blocking pairs {blocking}"
        said = (zh, en)
        print_line(pick(said, lang))
        for cause, sums in report.shortage.get("cause", {}).items():
            print_line(f"  {cause}: {sums['demands']} ({number(sums['area_m2'])} m²)")
    elif report.unmatched:
        print_line(pick((report.unmatched[0]["zh"], report.unmatched[0]["en"]), lang))
    for note in report.notes:
        print_line(note[lang])
    shown = ", ".join(f"{name} {value:.2f}" for name, value in report.weights.items() if value)
    print_line(pick((f"权重：{shown}", f"Weights: {shown}"), lang))
    if report.demo_counted:
        print_line(f"[{w('site.demo')}] {w('site.demo_title')}")
