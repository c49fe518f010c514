"""Options that several commands share, and the store and settings that they lead to."""

from __future__ import annotations

import datetime as dt
import os
from contextvars import ContextVar
from typing import Annotated, Any

import typer

from api.days import parse_day
from api.settings import PREFIX, Settings, load_settings
from geo.errors import InputError
from web.words import LANGUAGES

Store = Annotated[
    str | None,
    typer.Option("--store", metavar="PATH", help="数据库文件 · The store, a .gpkg file"),
]
Lang = Annotated[
    str | None, typer.Option("--lang", metavar="zh|en", help="语言 · Language of tables")
]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON · Print JSON instead of a table")]
Unit = Annotated[
    str | None, typer.Option("--unit", metavar="NAME", help="责任单位 · A reporting unit")
]
Day = Annotated[
    str | None,
    typer.Option("--date", metavar="YYYY-MM-DD", help="统计日期 · Day to answer for; today"),
]
NoDemo = Annotated[bool, typer.Option("--no-demo", help="不计示例 · Leave demo records out")]
Profile = Annotated[
    str | None, typer.Option("--profile", metavar="KEY", help="步行者 · Who walks, as in the rules")
]

# What stood before the command's name: `hatchmap --store FILE coverage towns`.
GIVEN: ContextVar[dict[str, Any]] = ContextVar("GIVEN", default={})  # noqa: B039 - never mutated

# And the scenario: `hatchmap --scenario NAME coverage towns`.
SCENARIO: ContextVar[str | None] = ContextVar("SCENARIO", default=None)


def scenario_refused() -> InputError:
    """Say that a command has nothing to do with scenarios."""
    return InputError(
        "--scenario: this command works on the real layers; leave it out, or change the scenario "
        "by: hatchmap scenario change"
    )


def settings_with(**given: Any) -> Settings:
    """Return the settings, with what was typed before them; the later the stronger."""
    typed = {key: value for key, value in given.items() if value is not None}
    merged = {**GIVEN.get(), **typed}
    address = str(merged.get("store") or "")
    if "://" in address:
        raise InputError(
            f"--store {address.partition('://')[0]}://…: this kind of store is not known; give "
            "the path of a .gpkg file"
        )
    GIVEN.set(merged)  # an error later on is told in the language that was typed
    return load_settings(**merged)


def typed_lang() -> str:
    """Return the language that was typed or set, even where the other settings are wrong."""
    asked = GIVEN.get().get("lang") or os.environ.get(f"{PREFIX}LANG")
    return asked if asked in LANGUAGES else LANGUAGES[0]


def read_day(text: str | None) -> dt.date | None:
    """Read a day as typed; None for nothing.

    >>> read_day("2026-02-30")
    Traceback (most recent call last):
    geo.errors.InputError: --date: '2026-02-30' is not a day; give YYYY-MM-DD
    """
    return parse_day(text, "--date")
