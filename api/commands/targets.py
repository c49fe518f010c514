"""`targets`: progress against the plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from api.commands.opening import open_store
from api.commands.options import Day, Json, Lang, Store, Unit, read_day, settings_with
from api.commands.output import mark, number, percent, pick, print_json, print_line, print_table
from api.questions.board import ask_board
from web.board import board_goal
from web.rows import baseline_row, missing_text
from web.words import Words, words


def targets(
    *,
    unit: Unit = None,
    year: Annotated[
        int | None, typer.Option("--year", metavar="YYYY", help="年度 · Year of the target")
    ] = None,
    indicator: Annotated[
        str | None, typer.Option("--indicator", metavar="KEY", help="指标 · Indicator")
    ] = None,
    issuer: Annotated[
        str | None, typer.Option("--issuer", metavar="NAME", help="发布单位 · Issuer")
    ] = None,
    date: Day = None,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """目标进度：按单位、年度、指标 · Targets and progress by unit, year and indicator."""
    settings = settings_with(store=store, lang=lang)
    day = read_day(date)
    w = words(settings.lang)
    with open_store(settings.store_path) as opened:
        answer = ask_board(
            opened,
            unit=unit,
            year=year,
            indicator=indicator,
            issuer=issuer,
            as_of=day,
        )
        indicators = {one["key"]: one for one in opened.rules("targets").body["indicators"]}
    if as_json:
        print_json(answer)
        return
    result = answer.to_json()
    print_table(
        [
            ("责任单位", "Unit"),
            ("年度", "Year"),
            ("指标", "Indicator"),
            ("发布单位", "Issuer"),
            ("目标", "Target"),
            ("完成", "Value"),
            ("完成率", "Share"),
            ("进度", "Pace"),
            ("缺少", "Missing"),
        ],
        [_row(row, indicators, w) for row in result["rows"]],
        lang=settings.lang,
    )
    print_line()
    print_table(
        [
            ("目标", "Goal"), ("内容", "What"), ("目标值", "Target"), ("现值", "Value"),
            ("完成率", "Share"), ("进度", "Pace"), ("期末推算", "Forecast"), ("达到", "Met"),
        ],
        [_goal(row, indicators, w) for row in result["goals"]],
        lang=settings.lang,
    )  # fmt: skip
    _print_checks(result, w)
    if result["missing"]:
        lacking = "; ".join(baseline_row(one, indicators, w) for one in result["missing"])
        print_line(f"{w('targets.missing_title')}: {lacking}")
    if result["demo_counted"]:
        print_line(f"[{w('site.demo')}] {w('site.demo_title')}")


def _goal(row: Mapping[str, Any], indicators: Mapping[str, Any], w: Words) -> list[Any]:
    shown = board_goal(row, indicators, w)
    return [
        shown["id"],
        shown["label"],
        shown["target_text"],
        shown["partial_text"] or shown["value_text"],
        percent(shown["reached"]),
        number(shown["pace"], 2),
        shown["forecast_text"],
        mark(shown["ok"]),
    ]


def _row(row: Mapping[str, Any], indicators: Mapping[str, Any], w: Words) -> list[Any]:
    label = w.pick({"key": row["indicator"], "zh": row["zh"], "en": row["en"]})
    measure = f" ({row['measure']})" if row["measure"] else ""
    return [
        row["unit"],
        str(row["year"]),
        label + measure,
        row["issuer"],
        number(row["target"]),
        number(row["value"]),
        percent(row["share"]),
        number(row["pace"], 2),
        [missing_text(code, indicators, w) for code in row["missing"]],
    ]


def _print_checks(result: Mapping[str, Any], w: Words) -> None:
    checks = result["checks"]
    failed = [check for check in checks if not check["ok"]]
    said = (
        f"核对 {len(checks)} 项，{len(failed)} 项不一致",
        f"{len(checks)} checks, {len(failed)} failed",
    )
    print_line()
    print_line(pick(said, w.lang))
    for check in failed:
        print_line(f"{mark(False)} {pick((check['detail'], check['detail_en']), w.lang)}")
