"""The sections of a report on the plan: targets, towns, industries, units and goals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geo.report import CityReport
from web.board import board_goal
from web.frame import percent
from web.report.charts import draw_bars, draw_shares, draw_stack
from web.report.document import Column, Figure, Section, Table, clause_of, rows_of, town_names
from web.report.maps import draw_towns as map_towns
from web.report.maps import draw_units
from web.rows import baseline_row, chart_year, check_row, goal_row, matrix, target_row, unit_row
from web.words import Words

STATES = ("operating_large", "operating", "planned_only", "none")

Answer = Mapping[str, Any]


def draw_targets(report: CityReport, answer: Answer, w: Words) -> Section:
    """Draw how far the targets are reached."""
    indicators = {item["key"]: item for item in report.terms["indicators"]}
    rows = [target_row(row, indicators, w) for row in answer["rows"]]
    year = chart_year(rows, report.as_of)
    total = answer["rule"].get("total_unit")
    first = report.terms["indicators"][0] if report.terms["indicators"] else {"key": ""}
    bars = [
        row
        for row in rows
        if row["indicator"] == first["key"] and row["year"] == year and row["unit"] != total
    ]
    summary = answer["summary"]
    texts = [w("report.targets_text", **{key: summary[key] for key in ("total", "known", "reached",
                                                                       "behind")})]  # fmt: skip
    if answer["missing"]:
        lacking = "；" if w.lang == "zh" else "; "
        said = lacking.join(baseline_row(row, indicators, w) for row in answer["missing"])
        texts.append(w("report.missing_text", missing=said))
    columns = (
        Column(w("targets.unit"), width=1.3),
        Column(w("targets.year"), width=0.7),
        Column(w("targets.indicator"), width=2.4),
        Column(w("report.measure"), width=0.8),
        Column(w("targets.issuer"), width=2.5),
        Column(w("targets.target"), "number", width=1.0),
        Column(w("targets.value"), "number", meaning=w("report.value_means"), width=1.0),
        Column(w("targets.progress"), "percent", meaning=w("report.share_means"), width=1.0),
        Column(w("report.expected"), "percent", meaning=w("report.expected_means"), width=1.0),
        *_forecast_columns(w),
        Column(w("report.clause"), width=1.0),
    )

    def line(row: Answer) -> tuple[Any, ...]:
        ahead = row["forecast"] or {}
        return (
            row["unit"], row["year"], row["label"], row["measure"], row["issuer"], row["target"],
            row["value"], row["share"], row["expected_share"],
            *(ahead.get(end) for end in _ENDS), row.get("clause"),
        )  # fmt: skip

    city = [line(row) for row in rows if row["unit"] == total]
    this_year = [line(row) for row in rows if row["year"] == year and row["unit"] != total]
    checks = [check_row(row, indicators, w) for row in answer["checks"]]
    tables = [
        *([] if report.unit else [Table(w("report.targets_city"), columns, rows_of(city))]),
        Table(w("report.targets_units", year=year), columns, rows_of(this_year)),
        _rank_table(report, answer, w),
        _outlook_table(answer, indicators, w),
        Table(w("report.targets_all"), columns, rows_of([line(r) for r in rows]), data_only=True),
        Table(
            w("targets.checks"),
            (
                Column(w("targets.check"), width=2.0),
                Column(w("targets.result"), "mark", width=0.6),
                Column(w("targets.detail"), width=4.0),
            ),
            rows_of([(row["name"], row["ok"], row["detail"]) for row in checks]),
            data_only=True,
        ),
    ]
    label = w.pick(first)
    figures = []
    if bars:
        shares = {row["unit"]: row["share"] for row in bars}
        expected = next((row["expected_share"] for row in bars), None)
        titles = (w("report.share_axis"), w("report.expected"))
        figures = [
            Figure(
                "targets-units",
                w("report.figure_targets", indicator=label, year=year),
                lambda figure, font: draw_shares(figure, font, shares, expected, titles),
                texts=(*shares, *titles),
            ),
            Figure(
                "targets-map",
                w("report.map_targets", indicator=label, year=year),
                lambda figure, font: draw_units(figure, font, report.places, shares, w),
                height_mm=120.0,
                texts=(*shares, *w.section("report_map").values()),
            ),
        ]
    return Section("targets", w("report.targets"), tuple(texts), tuple(figures), tuple(tables),
                   clause_of(answer))  # fmt: skip


_ENDS = ("value", "low", "high")  # of a forecast


def _forecast_columns(w: Words) -> tuple[Column, ...]:
    """Return the columns of a forecast: where it leads, and its range."""
    return (
        Column(w("report.forecast"), "number", meaning=w("targets.forecast_basis"), width=1.0),
        Column(w("board.low"), "number", meaning=w("report.range_means"), width=1.0),
        Column(w("board.high"), "number", meaning=w("report.range_means"), width=1.0),
    )


def _rank_table(report: CityReport, answer: Answer, w: Words) -> Table:
    """Return the units ranked by the share of their own targets."""
    rows = [
        (one["rank"], one["unit"], one["mean_share"], one["pace"], one["known"], one["asked"],
         one["reached"])
        for one in answer["ranking"]
    ]  # fmt: skip
    mine = next((one["rank"] for one in answer["ranking"] if one["unit"] == report.unit), None)
    note = w("board.ranking_what")
    if report.unit and mine is not None:
        note = f"{w('report.own_rank', unit=report.unit, rank=mine, of=len(rows))} {note}"
    columns = (
        Column(w("board.rank"), "whole", width=0.6),
        Column(w("targets.unit"), width=1.5),
        Column(w("board.mean_share"), "percent", meaning=w("board.ranking_what")),
        Column(w("targets.pace"), "number", meaning=w("report.pace_means")),
        Column(w("board.known"), "whole"),
        Column(w("board.asked"), "whole"),
        Column(w("board.reached"), "whole"),
    )
    title = w("board.ranking", year=answer["ranking_year"])
    return Table(title, columns, rows_of(rows), note=note)


def _outlook_table(answer: Answer, indicators: Mapping[str, Answer], w: Words) -> Table:
    """Return the counted goals with their forecast, its range and what it rests on."""
    goals = [board_goal(row, indicators, w) for row in answer["goals"]]

    def amount(goal: Answer, value: float | None) -> float | None:
        return value * 100 if goal["share"] and value is not None else value

    rows = [
        (
            f"{goal['id']} {goal['label']}",
            "%" if goal["share"] else w.get(f"measures.{goal['unit']}", str(goal["unit"] or "")),
            amount(goal, goal["target"]), amount(goal, goal["value"]), goal["reached"],
            goal["pace"],
            *(amount(goal, (goal.get("forecast") or {}).get(end)) for end in _ENDS),
            goal["basis"] or None,
        )
        for goal in goals
    ]  # fmt: skip
    columns = (
        Column(w("coverage.goal"), width=3.4),
        Column(w("report.measure"), width=0.8),
        Column(w("targets.target"), "number", width=0.9),
        Column(w("targets.value"), "number", width=0.9),
        Column(w("targets.progress"), "percent", meaning=w("report.share_means"), width=0.9),
        Column(w("targets.pace"), "number", meaning=w("report.pace_means"), width=0.7),
        *_forecast_columns(w),
        Column(w("board.basis_head"), width=2.6),
    )
    return Table(w("report.outlook"), columns, rows_of(rows))


def draw_towns(report: CityReport, answer: Answer, w: Words) -> Section:
    """Draw which industrial towns have an incubator."""
    summary = answer["summary"]
    covered = summary["operating_large"] + summary["operating"]
    states = {state: w(f"report.state_{state}") for state in STATES}
    by_unit = {
        row["unit"]: [row[state] for state in STATES] for row in answer["units"] if row["total"]
    }
    columns = (
        Column(w("coverage.unit"), width=1.2),
        Column(w("coverage.town"), width=1.4),
        Column(w("coverage.state"), width=1.8),
        Column(w("coverage.incubators"), "whole", width=0.8),
        Column(w("report.area"), "whole", "㎡", w("report.area_means"), width=1.2),
        Column(w("coverage.nearest"), width=2.4),
        Column(w("coverage.distance"), "whole", "m", w("report.distance_means"), width=0.9),
        Column(w("coverage.walk"), "number", w("report.minutes"), width=1.0),
        Column(w("coverage.evidence"), width=0.9),
        Column(w("coverage.list"), width=1.0),
    )
    rows = []
    for row in answer["towns"]:
        near = row.get("nearest") or {}
        rows.append(
            (
                row["unit"], row["name"], states[row["state"]], len(row["incubators"]),
                row["operating_area_m2"], near.get("name"), near.get("distance_m"),
                near.get("walk_minutes"), w.get(f"evidence.{row['evidence']}", ""),
                w.get(f"list.{row['status']}", ""),
            )
        )  # fmt: skip
    units = Table(
        w("coverage.by_unit"),
        (
            Column(w("coverage.unit"), width=1.5),
            Column(w("report.total"), "whole"),
            *(Column(label, "whole", width=1.4) for label in states.values()),
            Column(w("report.covered"), "percent", meaning=w("report.covered_means")),
        ),
        rows_of(
            [
                (row["unit"], row["total"], *(row[key] for key in STATES), row["covered_share"])
                for row in answer["units"]
            ]
        ),
    )
    figures = (
        Figure(
            "towns-map",
            w("report.map_towns", date=report.as_of),
            lambda figure, font: map_towns(figure, font, report.places, states, w),
            height_mm=135.0,
            texts=(*states.values(), *w.section("report_map").values(), *town_names(report)),
        ),
        Figure(
            "towns-units",
            w("report.figure_towns"),
            lambda figure, font: draw_stack(figure, font, by_unit, states),
            texts=(*by_unit, *states.values()),
        ),
    )
    text = w("coverage.sentence", total=summary["total"], covered=covered,
             planned=summary["planned_only"], none=summary["none"])  # fmt: skip
    share = w("report.covered_text", share=percent(summary["covered_share"], 1))
    tables = (units, Table(w("coverage.towns"), columns, rows_of(rows)))
    return Section("towns", w("report.towns"), (text, share), figures, tables, clause_of(answer))


def draw_industries(_report: CityReport, answer: Answer, w: Words) -> Section:
    """Draw which key industries have one."""
    table = matrix(answer, w)
    signs = {state: w(f"report.sign_{state}") for state in STATES}

    def cell(one: Answer) -> str:
        sign = signs.get(one["state"], "")
        return f"{sign} {one['count']}" if one["count"] else sign

    columns = (
        Column(w("coverage.industry"), width=1.8),
        Column(w("coverage.city")),
        *(Column(unit) for unit in table["units"]),
    )
    rows = [
        (row["label"], cell(row), *(cell(one) for one in row["cells"])) for row in table["rows"]
    ]
    key = "  ".join(f"{sign} {w(f'report.state_{state}')}" for state, sign in signs.items())
    text = w("coverage.industry_sentence", total=table["total"], covered=table["covered"])
    grid = Table(w("report.industry_grid"), columns, rows_of(rows), note=key)
    return Section("industries", w("report.industries"), (text,), (), (grid,), clause_of(answer))


def draw_units_and_goals(report: CityReport, answer: Answer, w: Words) -> Section:
    """Draw what every unit has, and the counted goals."""
    indicators = {item["key"]: item for item in report.terms["indicators"]}
    columns = (
        Column(w("coverage.unit"), width=1.4),
        Column(w("coverage.operating"), "whole"),
        Column(w("coverage.planned"), "whole"),
        Column(w("report.area"), "whole", "㎡", w("report.area_means"), width=1.4),
        Column(w("coverage.leader"), "whole", meaning=w("report.leader_means")),
        Column(w("coverage.twenty"), "whole", meaning=w("report.twenty_means")),
        Column(w("report.towns_share"), "percent"),
        Column(w("report.industries_share"), "percent"),
        Column(w("coverage.met"), "mark", meaning=w("report.unit_ok_means"), width=0.7),
    )
    rows = [unit_row(row) for row in answer["units"]]
    units = Table(
        w("coverage.units"),
        columns,
        rows_of(
            [
                (
                    row["unit"], row["operating"], row["planned"], row["operating_area_m2"],
                    row["chain_leader_built"], row["twenty"], row["towns_share"],
                    row["industries_share"], row["ok"],
                )
                for row in rows
            ]
        ),
    )  # fmt: skip
    goals = [goal_row(row, indicators, w) for row in answer["goals"]]
    goal_columns = (
        Column(w("report.number"), width=0.6),
        Column(w("coverage.goal"), width=4.0),
        Column(w("report.measure"), width=0.9),
        Column(w("targets.target"), "number", width=0.9),
        Column(w("targets.value"), "number", width=0.9),
        Column(w("coverage.met"), "mark", width=0.7),
        Column(w("targets.missing"), width=2.4),
        Column(w("coverage.basis"), width=1.8),
    )

    def amount(row: Answer, key: str) -> float | None:
        value: float | None = row[key]
        return value * 100 if row["share"] and value is not None else value

    lines = [
        (
            row["id"], row["label"], "%" if row["share"] else row["unit"], amount(row, "target"),
            amount(row, "value"), row["ok"],
            "、".join(row["missing"]) or None, row["clause"],
        )
        for row in goals
    ]  # fmt: skip
    areas = {row["unit"]: row["operating_area_m2"] for row in rows}
    axis = f"{w('report.area')} (m²)"
    figure = Figure(
        "units-area",
        w("report.figure_units"),
        lambda drawn, font: draw_bars(drawn, font, areas, axis),
        texts=(*areas, axis),
    )
    summary = answer["summary"]
    text = w("report.units_text", total=summary["total"], ok=summary["ok"])
    tables = (Table(w("coverage.goals"), goal_columns, rows_of(lines)), units)
    return Section("units", w("report.units"), (text,), (figure,) if len(areas) > 1 else (), tables,
                   clause_of(answer))  # fmt: skip
