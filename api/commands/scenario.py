"""`scenario`: sets of changes over the real layers, made, listed, compared and adopted."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
import typer

from api.commands.options import Json, Lang, Store, settings_with
from api.commands.output import (
    number,
    percent,
    pick,
    print_json,
    print_line,
    print_table,
)
from api.questions.common import today
from api.questions.comparison import ask_comparison
from api.questions.effect import ask_effect
from api.questions.scenarios import ask_scenario, ask_scenarios
from geo.errors import InputError
from layers.adoption import adopt_scenario
from layers.scenario_checks import Wish, check_wishes
from layers.scenario_edits import add_changes, duplicate_scenario, make_scenario
from layers.scenarios import find_scenario, see_scenario
from layers.store import open_store

app = typer.Typer(help="情景：列出、新建、改动、比较、采纳 · Scenarios over the real layers")

_WHO = "command"
Name = Annotated[str, typer.Argument(metavar="SCENARIO", help="编号或名称 · Id or name")]
_STATES = {
    "draft": ("草案", "draft"),
    "archived": ("已归档", "archived"),
    "adopted": ("已采纳", "adopted"),
}


@app.command("list")
def list_all(*, store: Store = None, lang: Lang = None, as_json: Json = False) -> None:
    """列出情景 · List the scenarios."""
    settings = settings_with(store=store, lang=lang)
    with open_store(settings.store_path) as opened:
        report = ask_scenarios(opened).to_json()
    if as_json:
        print_json(report)
        return
    print_table(
        [
            ("编号", "Id"),
            ("名称", "Name"),
            ("状态", "State"),
            ("改动", "Changes"),
            ("创建日期", "Made on"),
            ("说明", "Note"),
        ],
        [
            [
                one["id"],
                one["name"],
                pick(_STATES[one["state"]], settings.lang),
                one["changes"],
                one["made_on"],
                one["note"],
            ]
            for one in report["scenarios"]
        ],
        lang=settings.lang,
    )


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="名称 · Name")],
    *,
    note: Annotated[str, typer.Option("--note", help="说明 · What it is for")] = "",
    copy_of: Annotated[
        str | None,
        typer.Option("--copy-of", metavar="SCENARIO", help="复制自 · Begin with its changes"),
    ] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """新建情景 · Make a scenario."""
    settings = settings_with(store=store)
    day = today().isoformat()
    with open_store(settings.store_path, write=True) as opened:
        with opened.edit(_WHO, f"scenario {name} made") as edit:
            if copy_of is None:
                made = make_scenario(edit, opened, name, note=note, who=_WHO, day=day)
            else:
                original = find_scenario(opened, copy_of)
                made = duplicate_scenario(edit, opened, original, name, who=_WHO, day=day)
        report = ask_scenario(opened, find_scenario(opened, made.id))
    if as_json:
        print_json(report)
    else:
        print_line(made.id)


@app.command(context_settings={"ignore_unknown_options": True})
def change(
    scenario: Name,
    action: Annotated[
        Literal["add", "change", "remove"], typer.Argument(help="新增、修改、删除 · What to do")
    ],
    what: Annotated[
        str,
        typer.Argument(metavar="LAYER[/RECORD]", help="图层或图层/编号 · rules/NAME for a rule"),
    ],
    *,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="COLUMN=VALUE", help="字段与新值 · A column and its value"),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="LON,LAT", help="位置 · The place, in degrees")
    ] = None,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """改动情景，并说明作用 · Add a change to a scenario, and tell what it does."""
    settings = settings_with(store=store, lang=lang)
    layer, _, record = what.partition("/")
    values = dict(_read_value(one, typed=layer == "rules") for one in set_ or ())
    if at is not None:
        values["geometry"] = {"type": "Point", "coordinates": _read_place(at)}
    wish = Wish(layer, action, record, values)
    with open_store(settings.store_path, write=True) as opened:
        seen = see_scenario(opened, find_scenario(opened, scenario))
        changes, after = check_wishes(opened, seen, [wish])
        effect = ask_effect(seen.store, after.store).to_json()
        with opened.edit(_WHO, f"scenario {seen.scenario.name} changed") as edit:
            add_changes(edit, seen.scenario, changes)
    if as_json:
        print_json({"change": changes[0].to_json(), "effect": effect})
        return
    print_line(f"{changes[0].action} {changes[0].layer} {changes[0].record}")
    _print_effect(effect, settings.lang)


def _read_value(text: str, *, typed: bool) -> tuple[str, Any]:
    """Read COLUMN=VALUE; values of rules keep their kind, those of layers are cast there."""
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise InputError(f"--set {text[:40]!r}: is not COLUMN=VALUE")
    if not typed:
        return name.strip(), value or None
    try:
        return name.strip(), orjson.loads(value)
    except orjson.JSONDecodeError:
        return name.strip(), value


def _read_place(text: str) -> list[float]:
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"--at {text[:40]!r}: is not LON,LAT in degrees") from error
    return [lon, lat]


def _print_effect(effect: dict[str, Any], lang: str) -> None:
    covered = effect["covered"]
    label = pick(("覆盖的工业强镇", "Industrial towns covered"), lang)
    print_line(
        f"{label}: {number(covered['before'])} → {number(covered['after'])} / {covered['total']}"
    )
    for key, words in (
        ("won", ("新覆盖", "Newly covered")),
        ("lost", ("失去覆盖", "No longer covered")),
    ):
        if effect[key]:
            print_line(f"{pick(words, lang)}: {'、'.join(town['name'] for town in effect[key])}")
    for row in effect["targets"]:
        name = row["zh"] if lang == "zh" else row["en"]
        shares = f"{percent(row['before'])} → {percent(row['after'])}"
        print_line(f"{row['unit']} {row['year']} {name}: {shares}")


@app.command()
def compare(
    scenarios: Annotated[
        list[str], typer.Argument(help="两三个情景；base为现状 · Two or three; base for the layers")
    ],
    *,
    every: Annotated[bool, typer.Option("--all", help="含相同的 · Equal figures too")] = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """逐项比较情景 · Compare scenarios figure by figure."""
    settings = settings_with(store=store, lang=lang)
    with open_store(settings.store_path) as opened:
        stores = [
            opened if word == "base" else see_scenario(opened, find_scenario(opened, word)).store
            for word in scenarios
        ]
        report = ask_comparison(stores).to_json()
    if as_json:
        print_json(report)
        return
    names = [
        state["name"] or pick(("现状", "Real layers"), settings.lang) for state in report["states"]
    ]
    print_table(
        [("指标", "Figure"), *((name, name) for name in names)],
        [
            [
                row["zh"] if settings.lang == "zh" else row["en"],
                *(_shown(row, value) for value in row["values"]),
            ]
            for row in report["rows"]
            if every or row["differs"]
        ],
        lang=settings.lang,
    )


def _shown(row: dict[str, Any], value: float | None) -> str:
    if row["unit"] == "share":
        return percent(value)
    return number(value, 0 if value is None or float(value).is_integer() else 1)


@app.command()
def adopt(
    scenario: Name,
    *,
    keep: Annotated[
        Literal["scenario", "real"] | None,
        typer.Option("--keep", help="有冲突时采用哪边 · Which side counts in conflicts"),
    ] = None,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """采纳情景，写入真实图层 · Write a scenario into the real layers."""
    settings = settings_with(store=store, lang=lang)
    with open_store(settings.store_path, write=True) as opened:
        found = find_scenario(opened, scenario)
        with opened.edit(_WHO, f"adopted scenario {found.name}") as edit:
            done = adopt_scenario(edit, opened, found, everywhere=keep)
    if as_json:
        print_json(done)
        return
    for layer, count in done.written.items():
        print_line(f"{layer}: {count}")
