"""`siting`: where new space should go: for all towns, for most demand, year by year."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from api.commands.opening import open_store
from api.commands.options import Json, Lang, NoDemo, Profile, Store, Unit, settings_with
from api.commands.output import (
    number,
    percent,
    pick,
    print_json,
    print_line,
    print_table,
    show_progress,
)
from api.questions.programme import Plan, ask_programme
from api.questions.site_candidates import Scope
from api.questions.siting import Walk, ask_demand_sites, ask_town_sites
from api.questions.siting_answer import SitingAnswer
from geo.errors import InputError
from geo.solver import Watch
from layers.store import Store as OpenStore
from web.words import words

app = typer.Typer(help="选址：强镇、需求、三年方案 · Where new space should go")

Source = Annotated[
    str,
    typer.Option("--source", metavar="auto|sites|spaces|grid", help="候选来源 · Candidates from"),
]
Fixed = Annotated[list[str], typer.Option("--fixed", metavar="ID", help="必选 · A site to keep")]
Forbidden = Annotated[
    list[str], typer.Option("--forbid", metavar="ID", help="排除 · A site to leave out")
]
Seconds = Annotated[
    float, typer.Option("--time-limit", metavar="S", help="求解时限(秒) · Seconds for the solver")
]
Gap = Annotated[
    float,
    typer.Option("--gap", metavar="SHARE", help="允许差距 · Gap at which to stop, 0.01 = 1 %"),
]
Others = Annotated[
    int, typer.Option("--alternatives", min=0, max=20, help="备选方案数 · Other sets to show")
]
Within = Annotated[
    float,
    typer.Option("--within", metavar="M", help="镇外可覆盖距离(m) · A site covers towns this near"),
]

_MAX_S = 3_600.0


@app.command()
def towns(  # noqa: PLR0913 - an argument is an option
    *,
    within_m: Within = 0.0,
    planned: Annotated[
        bool, typer.Option("--planned-count", help="规划在建算已覆盖 · Incubators under way count")
    ] = False,
    source: Source = "auto",
    unit: Unit = None,
    fixed: Fixed = [],  # noqa: B006 - typer copies it
    forbid: Forbidden = [],  # noqa: B006 - typer copies it
    alternatives: Others = 3,
    time_limit: Seconds = 30.0,
    gap: Gap = 1e-6,
    no_demo: NoDemo = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """最少选址覆盖全部强镇 · Fewest sites that cover every town without an incubator."""
    scope = _scope(source, unit, fixed, forbid, no_demo=no_demo)

    def ask(opened: OpenStore, watch: Watch) -> SitingAnswer:
        return ask_town_sites(
            opened,
            scope=scope,
            within_m=within_m,
            planned_count=planned,
            alternatives=alternatives,
            watch=watch,
        )

    _answer(ask, store=store, lang=lang, as_json=as_json, time_limit=time_limit, gap=gap)


@app.command()
def cover(  # noqa: PLR0913 - an argument is an option
    *,
    p: Annotated[int, typer.Option("--sites", "-p", metavar="N", help="选址数 · How many sites")],
    minutes: Annotated[
        float, typer.Option("--minutes", metavar="MIN", help="步行分钟 · Walking minutes")
    ] = 15.0,
    profile: Profile = None,
    demand: Annotated[
        str,
        typer.Option(
            "--demand", metavar="auto|population|demands|unmet", help="需求 · What to serve"
        ),
    ] = "auto",
    beyond_existing: Annotated[
        bool,
        typer.Option(
            "--beyond-existing", help="只计现有孵化器未服务的 · Only demand not served yet"
        ),
    ] = False,
    source: Source = "auto",
    unit: Unit = None,
    fixed: Fixed = [],  # noqa: B006 - typer copies it
    forbid: Forbidden = [],  # noqa: B006 - typer copies it
    alternatives: Others = 3,
    time_limit: Seconds = 30.0,
    gap: Gap = 1e-6,
    no_demo: NoDemo = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """P 处选址服务最多需求 · The p sites that serve the most demand within a walk."""
    scope = _scope(source, unit, fixed, forbid, no_demo=no_demo)
    walk = Walk(minutes, profile, demand, beyond_existing)  # type: ignore[arg-type]  # checked there

    def ask(opened: OpenStore, watch: Watch) -> SitingAnswer:
        return ask_demand_sites(
            opened, p, scope=scope, walk=walk, alternatives=alternatives, watch=watch
        )

    _answer(ask, store=store, lang=lang, as_json=as_json, time_limit=time_limit, gap=gap)


@app.command()
def programme(  # noqa: PLR0913 - an argument is an option
    *,
    budget: Annotated[
        list[str],
        typer.Option("--budget", metavar="YEAR=CNY", help="年度预算(元) · Budget of a year"),
    ] = [],  # noqa: B006 - typer copies it
    from_year: Annotated[
        int | None, typer.Option("--from", metavar="YYYY", help="起始年 · First year")
    ] = None,
    target_share: Annotated[
        float,
        typer.Option("--target-share", metavar="SHARE", help="指标比例 · Share of targets to meet"),
    ] = 1.0,
    no_towns: Annotated[
        bool, typer.Option("--no-towns", help="不要求覆盖强镇 · Do not ask for every town")
    ] = False,
    within_m: Within = 0.0,
    source: Source = "sites",
    unit: Unit = None,
    fixed: Fixed = [],  # noqa: B006 - typer copies it
    forbid: Forbidden = [],  # noqa: B006 - typer copies it
    alternatives: Others = 2,
    time_limit: Seconds = 60.0,
    gap: Gap = 1e-3,
    no_demo: NoDemo = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """逐年方案：何年建何处 · Which site in which year, at least cost."""
    scope = _scope(source, unit, fixed, forbid, no_demo=no_demo)
    plan = Plan(
        from_year=from_year,
        budget_cny=read_budgets(budget),
        target_share=target_share,
        cover_towns=not no_towns,
        within_m=within_m,
    )

    def ask(opened: OpenStore, watch: Watch) -> SitingAnswer:
        return ask_programme(opened, scope=scope, plan=plan, alternatives=alternatives, watch=watch)

    _answer(ask, store=store, lang=lang, as_json=as_json, time_limit=time_limit, gap=gap)


def read_budgets(typed: Sequence[str]) -> dict[int, float]:
    """Read budgets as typed.

    >>> read_budgets(["2026=3e8", "2027=500000000"])
    {2026: 300000000.0, 2027: 500000000.0}
    >>> read_budgets(["much"])
    Traceback (most recent call last):
    geo.errors.InputError: --budget: 'much' is not YEAR=CNY; give for example 2027=500000000
    """
    found = {}
    for one in typed:
        year, _, limit = one.partition("=")
        try:
            found[int(year)] = float(limit)
        except ValueError as error:
            raise InputError(
                f"--budget: {one!r} is not YEAR=CNY; give for example 2027=500000000"
            ) from error
    return found


def _scope(
    source: str, unit: str | None, fixed: Sequence[str], forbid: Sequence[str], *, no_demo: bool
) -> Scope:
    return Scope(
        source,  # type: ignore[arg-type]  # checked where it is used
        unit,
        tuple(fixed),
        tuple(forbid),
        demo=not no_demo,
    )


def _answer(
    ask: Callable[[OpenStore, Watch], SitingAnswer],
    *,
    store: str | None,
    lang: str | None,
    as_json: bool,
    time_limit: float,
    gap: float,
) -> None:
    if not 0 < time_limit <= _MAX_S:
        raise InputError(
            f"--time-limit: {time_limit} is out of range; give 1 to {_MAX_S:g} seconds"
        )
    if not 0 <= gap < 1:
        raise InputError(f"--gap: {gap} is out of range; give a share from 0 to below 1")
    settings = settings_with(store=store, lang=lang)
    with open_store(settings.store_path) as opened, show_progress() as tell:

        def improved(found: float, bound: float) -> None:
            tell(f"{found:,.0f} ({bound:,.0f})", 0.5)

        watch = Watch.start(time_limit, gap=gap, progress=improved)
        answer = ask(opened, watch)
    if as_json:
        print_json(answer)
        return
    _print(answer.to_json(), settings.lang)


def _print(result: Mapping[str, Any], lang: str) -> None:
    w = words(lang)
    print_line(result["sentence"][lang])
    proof = result["gap"]
    if proof is not None:
        print_line(pick((f"已证明差距 {percent(proof)}", f"proven gap {percent(proof)}"), lang))
    print_line()
    if result["chosen"]:
        print_table(
            [
                ("选址", "Site"),
                ("责任单位", "Unit"),
                ("年度", "Year"),
                ("增加", "Adds"),
                ("为何", "Why"),
            ],
            [
                [row["name"], row["unit"], _year(row), number(row["adds"]), row["why"][lang]]
                for row in result["chosen"]
            ],
            lang=lang,
        )
    for title, rows in (
        (("冲突", "Conflicts"), result["conflict"]),
        (("放宽一步可省", "What one step less would save"), result.get("prices", ())),
    ):
        if rows:
            print_line()
            print_line(pick(title, lang))
            for row in rows:
                print_line(f"  {row[lang]}")
    lost = [town["name"] for town in result.get("unreachable", ())]
    if lost:
        print_line()
        print_line(
            pick(("没有候选用地的镇：", "Towns without a candidate: "), lang) + "、".join(lost)
        )
    for one in result["left_out"]:
        text = pick((f"未计入{one['name']}：{one['zh']}", f"{one['name']}: {one['en']}"), lang)
        print_line(text)
    note = result.get("note")
    if note:
        print_line(note[lang])
    if result["demo_counted"]:
        print_line(f"[{w('site.demo')}] {w('site.demo_title')}")


def _year(row: Mapping[str, Any]) -> str:
    return "" if row["year"] is None else str(row["year"])
