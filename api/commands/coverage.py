"""`coverage`: 一镇一器, 一产一器, and what every unit must have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from api.commands.opening import open_store
from api.commands.options import Day, Json, Lang, NoDemo, Store, Unit, read_day, settings_with
from api.commands.output import mark, number, percent, pick, print_json, print_line, print_table
from api.questions.coverage import ask_industry_coverage, ask_town_coverage
from api.questions.town_work import ask_town_actions
from api.questions.unit_coverage import ask_unit_coverage
from geo.town_actions import TownActions
from web.coverage import action_row
from web.words import Words, words

app = typer.Typer(help="一镇一器、一产一器、各单位 · Coverage of towns, industries and units")

_SHARE = "占比"  # the unit of goals that are shares
_UNIT = ("责任单位", "Unit")
_STATE = ("状态", "State")
_INCUBATORS = ("孵化器", "Incubators")
_TOWNS = ("工业强镇", "Industrial town")
_INDUSTRY = ("重点产业", "Industry")


@app.command()
def towns(
    *,
    unit: Unit = None,
    date: Day = None,
    actions: Annotated[
        bool, typer.Option("--actions", help="各未覆盖强镇的下一步 · What to do next")
    ] = False,
    no_demo: NoDemo = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """一镇一器：各工业强镇的孵化器 · Which industrial towns have an incubator."""
    settings = settings_with(store=store, lang=lang)
    day = read_day(date)
    if actions:
        with open_store(settings.store_path) as opened:
            _print_actions(
                ask_town_actions(opened, unit=unit, as_of=day, demo=not no_demo),
                words(settings.lang),
                as_json=as_json,
            )
        return
    with open_store(settings.store_path) as opened:
        answer = ask_town_coverage(opened, as_of=day, unit=unit, demo=not no_demo)
    if as_json:
        print_json(answer)
        return
    w, result = words(settings.lang), answer.to_json()
    print_table(
        [
            _TOWNS,
            _UNIT,
            _STATE,
            ("依据", "Evidence"),
            _INCUBATORS,
            ("最近的已运营孵化器", "Nearest operating"),
            ("距离(m)", "Distance (m)"),
            ("步行(min)", "Walk (min)"),
            ("驾车(min)", "Drive (min)"),
        ],
        [_town(row, w) for row in result["towns"]],
        lang=settings.lang,
    )
    _print_summary(result, w)
    _print_disagreements(result, w)


def _print_actions(answer: TownActions, w: Words, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    result = answer.to_json()
    rows = [action_row(row, w) for row in result["towns"]]
    print_table(
        [
            _TOWNS,
            _UNIT,
            _STATE,
            ("下一步", "Next action"),
            ("地点", "Place"),
            ("距离(m)", "Distance (m)"),
            ("需要", "Needs"),
        ],
        [
            [
                row["name"],
                row["unit"],
                w(f"state.{row['state']}"),
                row["what"],
                (row["chance"] or {}).get("name"),
                number((row["chance"] or {}).get("distance_m")),
                row["needs"],
            ]
            for row in rows
        ],
        lang=w.lang,
    )
    print_line()
    print_line(w("actions.sentence", **result["summary"]))
    _print_demo(result, w)


def _town(row: Mapping[str, Any], w: Words) -> list[Any]:
    nearest = row.get("nearest") or {}
    return [
        row["name"],
        row["unit"],
        w(f"state.{row['state']}"),
        w.get(f"evidence.{row['evidence']}", str(row["evidence"] or "")),
        number(len(row["incubators"])),
        _nearest_name(nearest),
        number(nearest.get("distance_m")),
        number(nearest.get("walk_minutes")),
        number(nearest.get("drive_minutes")),
    ]


def _nearest_name(nearest: Mapping[str, Any]) -> str | None:
    """Name the nearest incubator, with a sign where its place is known to its town or unit only."""
    name: str | None = nearest.get("name") or nearest.get("id")
    return f"≈ {name}" if nearest.get("approximate") else name


def _print_disagreements(result: Mapping[str, Any], w: Words) -> None:
    cases = result["disagreements"]
    if not cases:
        return
    kept = sum(case["record"] in case["counted"] for case in cases)
    placed, first = len(cases) - kept, cases[0]["id"]
    zh = f"{len(cases)} 个孵化器的位置与所填镇不一致：{placed} 个按位置计，{kept} 个按所填镇计"
    en = (
        f"{len(cases)} incubators stand outside the town that they name: {placed} count where they "
        f"stand, {kept} by their record"
    )
    more = (f"（首个 {first}）；详见 --json", f" (first: {first}); --json has all")
    print_line(f"! {pick((zh, en), w.lang)}{pick(more, w.lang)}")


@app.command()
def industries(
    *,
    unit: Unit = None,
    date: Day = None,
    no_demo: NoDemo = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """一产一器：各重点产业的孵化器 · Which key industries have an incubator."""
    settings = settings_with(store=store, lang=lang)
    day = read_day(date)
    with open_store(settings.store_path) as opened:
        answer = ask_industry_coverage(opened, as_of=day, unit=unit, demo=not no_demo)
    if as_json:
        print_json(answer)
        return
    w, result = words(settings.lang), answer.to_json()
    print_table(
        [
            _INDUSTRY,
            _STATE,
            _INCUBATORS,
            ("运营面积(㎡)", "Operating area (m²)"),
            ("已覆盖单位", "Units covered"),
        ],
        [
            [
                w.pick(row, "name"),
                w(f"state.{row['state']}"),
                number(len(row["incubators"])),
                number(row["operating_area_m2"]),
                number(sum(_is_covered(cell) for cell in row["units"].values())),
            ]
            for row in result["industries"]
        ],
        lang=settings.lang,
    )
    _print_summary(result, w)


def _is_covered(cell: Mapping[str, Any]) -> bool:
    return cell["state"] in ("operating_large", "operating")


@app.command()
def units(
    *,
    unit: Unit = None,
    date: Day = None,
    no_demo: NoDemo = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """各责任单位应有的孵化器与量化目标 · What every unit must have, and the counted goals."""
    settings = settings_with(store=store, lang=lang)
    day = read_day(date)
    with open_store(settings.store_path) as opened:
        answer = ask_unit_coverage(opened, as_of=day, unit=unit, demo=not no_demo)
    if as_json:
        print_json(answer)
        return
    w, result = words(settings.lang), answer.to_json()
    whole = pick(("全市", "Whole city"), settings.lang)
    print_table(
        [
            _UNIT,
            ("运营", "Operating"),
            ("规划在建", "Planned"),
            ("大型", "Large"),
            ("运营面积(㎡)", "Operating area (m²)"),
            ("链主建设", "Leader-built"),
            ("20孵化器", "Twenty"),
            ("强镇覆盖", "Towns"),
            ("产业覆盖", "Industries"),
            ("达到", "Met"),
        ],
        [_unit(row, whole) for row in (*result["units"], result["city"])],
        lang=settings.lang,
    )
    goals = result.get("goals") or ()
    if goals:
        print_line()
        print_table(
            [
                ("目标", "Goal"),
                ("内容", "What"),
                ("目标值", "Target"),
                ("现值", "Value"),
                ("达到", "Met"),
            ],
            [[row["id"], w.pick(row), *_figures(row), mark(row["ok"])] for row in goals],
            lang=settings.lang,
        )
    _print_demo(result, w)


def _unit(row: Mapping[str, Any], whole: str) -> list[Any]:
    return [
        row["unit"] or whole,
        number(row["operating"]),
        number(row["planned"]),
        number(row["large"]),
        number(row["operating_area_m2"]),
        number(row["chain_leader_built"]),
        number(row["twenty"]),
        percent((row["towns"] or {}).get("covered_share")),
        percent((row["industries"] or {}).get("covered_share")),
        mark(row["ok"]),
    ]


def _figures(goal: Mapping[str, Any]) -> list[str]:
    return [_figure(goal[part], share=goal["unit"] == _SHARE) for part in ("target", "value")]


def _figure(value: float | None, *, share: bool) -> str:
    """Write a figure so that one just below its target never reads as the target.

    >>> _figure(0.923, share=False), _figure(1.0, share=False), _figure(0.5, share=True)
    ('0.92', '1', '50.0%')
    """
    if share:
        return percent(value)
    whole = value is None or value == round(value)
    return number(value, 0 if whole else 2)


def _print_summary(result: Mapping[str, Any], w: Words) -> None:
    summary = result["summary"]
    states = w.section("state")
    parts = [f"{label} {summary[key]}" for key, label in states.items() if key in summary]
    share = percent(summary.get("covered_share"))
    total = pick((f"共 {summary['total']}", f"{summary['total']} in all"), w.lang)
    covered = pick((f"覆盖率 {share}", f"covered {share}"), w.lang)
    print_line()
    print_line(f"{str(result['as_of'])[:10]}  {total}: {', '.join(parts)}; {covered}")
    _print_demo(result, w)


def _print_demo(result: Mapping[str, Any], w: Words) -> None:
    if result.get("demo_counted"):
        print_line(f"[{w('site.demo')}] {w('site.demo_title')}")
