"""`amenities` and `gaps`: the 15-minute tests of incubators, and what would mend them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from api.commands.opening import open_store
from api.commands.options import Json, Lang, NoDemo, Profile, Store, settings_with
from api.commands.output import (
    mark,
    number,
    percent,
    pick,
    print_json,
    print_line,
    print_table,
    show_progress,
)
from api.questions.amenities import ask_amenities
from api.questions.amenity_board import ask_amenity_board
from api.questions.gaps import ask_gaps
from api.settings import Settings
from web.amenities import check_labels, check_rate, unit_rate
from web.words import Words, words


class Test(StrEnum):
    """Which of the two tests."""

    BOTH = "both"
    COMPLIANCE = "compliance"
    PLANNING = "planning"


def amenities(
    incubator: Annotated[
        str | None, typer.Argument(help="孵化器编号；缺省为全部 · Id of one; all by default")
    ] = None,
    *,
    test: Annotated[
        Test, typer.Option("--test", help="达标检验、规划检验 · The circle, the walk, or both")
    ] = Test.BOTH,
    board: Annotated[
        bool, typer.Option("--board", help="按单位与类别的通过率 · Pass rates by unit and category")
    ] = False,
    profile: Profile = None,
    no_demo: NoDemo = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """15分钟圈配套：达标检验与规划检验 · Both 15-minute tests of incubators."""
    settings = settings_with(store=store, lang=lang)
    if board:
        _print_board(settings, profile=profile, demo=not no_demo, as_json=as_json)
        return
    with open_store(settings.store_path) as opened, show_progress() as tell:
        tell("walking", 0.0)
        answer = ask_amenities(
            opened, incubator=incubator, test=test.value, profile=profile, demo=not no_demo
        )
    if as_json:
        print_json(answer)
        return
    w, result = words(settings.lang), answer.to_json()
    rules = result["rules"]
    labels = {c["key"]: w.pick(c) for c in (rules.get("body") or rules)["categories"]}
    if incubator is None:
        _print_all(result, labels, w)
    else:
        for row in result["rows"]:
            _print_one(row, labels, w)
    if result["demo_counted"]:
        print_line(f"[{w('site.demo')}] {w('site.demo_title')}")


def _print_board(settings: Settings, *, profile: str | None, demo: bool, as_json: bool) -> None:
    with open_store(settings.store_path) as opened, show_progress() as tell:
        tell("walking", 0.0)
        answer = ask_amenity_board(opened, profile=profile, demo=demo)
        categories = opened.rules("amenities").body["categories"]
    if as_json:
        print_json(answer)
        return
    w, result = words(settings.lang), answer.to_json()
    labels = check_labels(categories, w)
    print_table(
        [
            ("责任单位", "Unit"),
            ("孵化器", "Incubators"),
            ("达标检验", "Compliance"),
            ("规划检验", "Planning"),
            ("平均得分", "Mean score"),
            ("最缺", "Most lacking"),
        ],
        [
            [
                row["label"],
                number(row["total"]),
                _passed(row["compliance"]),
                _passed(row["planning"]),
                percent(row["mean_score"]),
                row["worst"] or w("site.none"),
            ]
            for row in (unit_rate(one, labels, w) for one in result["units"])
        ],
        lang=w.lang,
    )
    print_line()
    print_table(
        [
            ("类别", "Category"),
            ("检验", "Test"),
            ("要求", "Needed"),
            ("通过", "Passed"),
            ("最近一处(中位)", "Nearest (median)"),
        ],
        [
            [
                row["label"],
                row["test_label"],
                number(row["needed"]),
                _passed(row["passed"]),
                row["way"] or w("site.none"),
            ]
            for row in (check_rate(one, labels, w) for one in result["checks"])
        ],
        lang=w.lang,
    )
    if result["demo_counted"]:
        print_line(f"[{w('site.demo')}] {w('site.demo_title')}")


def _passed(count: Mapping[str, Any]) -> str:
    return f"{count['ok']}/{count['tested']} ({percent(count['ok_share'])})"


def _print_all(result: Mapping[str, Any], labels: Mapping[str, str], w: Words) -> None:
    rows = result["rows"]
    walked = next((row for row in rows if row["planning"] is not None), None) is not None
    kind = ("规划检验", "Planning") if walked else ("直线圈", "Circle")
    print_table(
        [
            ("编号", "Id"),
            ("孵化器", "Incubator"),
            ("半径(m)", "Radius (m)"),
            ("文化场馆", "Venues"),
            ("文化空间", "Spaces"),
            ("达标检验", "Compliance"),
            (f"{kind[0]}得分", f"{kind[1]} score"),
            ("缺少", "Missing"),
        ],
        [_row(row, labels, w) for row in rows],
        lang=w.lang,
    )
    summary = result["summary"]
    passed, tested = summary["compliance"], summary["categories"]
    print_line()
    print_line(
        f"{w('amenities.compliance')}: {passed['ok']} / {passed['tested']} "
        f"({percent(passed['ok_share'])}); {pick(kind, w.lang)}: {tested['complete']} / "
        f"{tested['tested']}"
    )
    if not walked:
        _print_no_streets(w)


def _row(row: Mapping[str, Any], labels: Mapping[str, str], w: Words) -> list[Any]:
    circle = row["compliance"] or {}
    reached = row["planning"] or row["circle"] or {}
    name = f"≈ {row['name']}" if row["approximate"] else row["name"]
    return [
        row["id"],
        name,
        number(circle.get("radius_m")),
        number(circle.get("venues")),
        number(circle.get("spaces")),
        "≈" if row["approximate"] else mark(circle.get("ok")),
        percent(reached.get("score")),
        [labels.get(key, key) for key in reached.get("missing") or ()] or w("site.none"),
    ]


def _print_one(row: Mapping[str, Any], labels: Mapping[str, str], w: Words) -> None:
    print_line(f"{row['name']} ({row['id']})")
    if row["approximate"]:
        print_line(f"≈ {w('incubator.approximate')}")
    circle = row["compliance"]
    if circle is not None:
        print_line(
            f"{w('amenities.compliance')}: {'≈' if row['approximate'] else mark(circle['ok'])}  "
            f"{w('amenities.radius')} {number(circle['radius_m'])}, "
            f"{w('amenities.venues')} {circle['venues']}, {w('amenities.spaces')} "
            f"{circle['spaces']}"
        )
    reached = row["planning"] or row["circle"]
    if reached is None:
        return
    nearest = ("最近(min)", "Nearest (min)") if row["planning"] else ("最近(m)", "Nearest (m)")
    print_table(
        [("配套", "Amenity"), ("数量", "Count"), nearest],
        [
            [
                labels.get(key, key),
                number(found["count"]),
                number(found.get("nearest_minutes", found.get("nearest_m")), 1),
            ]
            for key, found in reached["categories"].items()
        ],
        lang=w.lang,
    )
    print_line(f"{w('amenities.score')}: {percent(reached['score'])}")
    if not row["planning"]:
        _print_no_streets(w)


def _print_no_streets(w: Words) -> None:
    said = (
        "没有步行路网，以上为直线圈；导入路网：hatchmap import streets 文件.osm.pbf",
        "No street was walked: these are circles; load streets: hatchmap import streets FILE",
    )
    print_line(pick(said, w.lang))


def gaps(
    *,
    profile: Profile = None,
    each: Annotated[
        int, typer.Option("--each", metavar="N", help="每类建议数 · Additions a category")
    ] = 10,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """配套缺口与补点建议 · What incubators lack in walking reach, and where to add it."""
    settings = settings_with(store=store, lang=lang)
    with open_store(settings.store_path) as opened, show_progress() as tell:
        tell("walking", 0.0)
        answer = ask_gaps(opened, profile=profile, each=each)
        categories = opened.rules("amenities").body["categories"]
    if as_json:
        print_json(answer)
        return
    w, result = words(settings.lang), answer.to_json()
    labels = {c["key"]: w.pick(c) for c in categories}
    if result["note"]:
        print_line(w.pick(result["note"]))
        return
    keys = list(result["summary"]["lacking"])
    short = [(labels[key], labels[key]) for key in keys]
    print_table(
        [("责任单位", "Unit"), ("孵化器", "Incubators"), ("齐备", "Complete"), *short],
        [
            [row.get("unit") or pick(("全市", "Whole city"), w.lang)]
            + [number(row["total"]), number(row["complete"])]
            + [number(row["lacking"][key]) for key in keys]
            for row in (*result["units"], result["summary"])
        ],
        lang=w.lang,
    )
    print_line()
    print_table(
        [
            ("补充", "Add"),
            ("经度", "Lon"),
            ("纬度", "Lat"),
            ("补齐", "Completes"),
            ("惠及", "Helps"),
            ("孵化器", "Incubators"),
        ],
        [
            [
                labels[row["category"]],
                f"{row['lon']:.5f}",
                f"{row['lat']:.5f}",
                number(len(row["completes"])),
                number(len(row["helps"])),
                row["names"][:3],
            ]
            for row in result["additions"]
        ],
        lang=w.lang,
    )
    if result["demo_counted"]:
        print_line(f"[{w('site.demo')}] {w('site.demo_title')}")
