"""`match`: who suits whom."""

from __future__ import annotations

from typing import Annotated, Literal, cast

import typer

from api.commands.opening import open_store
from api.commands.options import Json, Lang, NoDemo, Store, settings_with
from api.commands.output import number, pick, print_json, print_line, print_table, show_progress
from api.questions.match import MatchReport, Mode, ask_demand_matches, ask_match, ask_space_matches
from geo.errors import InputError
from web.words import words

Whole = Literal["best", "stable", "compare"]


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
        list[str] | None, typer.Option("--weight", metavar="PART=N", help="权重 · A weight")
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
    weights = dict(map(_read_weight, weight)) if weight else None
    with open_store(settings.store_path) as opened:
        if demand is not None:
            report = ask_demand_matches(
                opened, demand, weights=weights, limit=limit, demo=not no_demo
            )
        elif space is not None:
            report = ask_space_matches(
                opened, space, weights=weights, limit=limit, demo=not no_demo
            )
        else:
            with show_progress() as tell:
                report = ask_match(
                    opened, mode=cast("Mode", mode), weights=weights, demo=not no_demo,
                    progress=tell,
                )  # fmt: skip
    if as_json:
        print_json(report)
        return
    _print(report, settings.lang, limit)


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
