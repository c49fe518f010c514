"""The board of the plan: the page, the records behind a figure, and both as tables to download."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from layers.catalog import layer, layers
from layers.workbook import Sheet
from web.board_map import time_part
from web.frame import PageFrame, figure, percent, render
from web.rows import (
    Result,
    baseline_row,
    chart_year,
    check_row,
    goal_row,
    rule_of,
    target_charts,
    target_row,
)
from web.timemap import Ground
from web.words import Words

RECORD_QUERY = ("goal", "indicator", "industry", "role", "version", "unit", "year")
FILTERS = ("unit", "year", "indicator", "issuer")


def targets_page(
    board: Result,
    *,
    frame: PageFrame,
    indicators: Sequence[Result] = (),
    chosen: Mapping[str, Any] | None = None,
    options: Mapping[str, Sequence[Any]] | None = None,
    whole: Result | None = None,
    ground: Ground | None = None,
    history: Sequence[Result] = (),
) -> str:
    """Draw the board of the plan.

    Parameters
    ----------
    board
        The answer: `rows`, `goals`, `ranking`, `issuers` and `checks`.
    frame
        What the frame says.
    indicators
        The indicators of the rules: `key`, `zh`, `en`, `unit`.
    chosen
        The filter asked for: `unit`, `year`, `indicator`, `issuer`; and `map`, the indicator of the
        map, or a counted goal in every unit.
    options
        What the filters offer; what stands in the rows where not given.
    whole
        The answer without any filter, for the map; `board` where not given.
    ground
        What the map of units lies on; no map without it.
    history
        The reports of progress, the newest first.
    """
    w, asked = frame.words, {**dict.fromkeys(FILTERS), **(chosen or {})}
    known = {indicator["key"]: indicator for indicator in indicators}
    rows = [target_row(row, known, w) for row in board.get("rows", ())]
    offered = options or {
        name: sorted({row[name] for row in board.get("rows", ()) if row.get(name) is not None})
        for name in FILTERS
    }
    goals = [board_goal(row, known, w) for row in board.get("goals", ())]
    reported = [row for row in rows if row["value"] is not None]
    year = asked.get("year") or chart_year(rows, board.get("as_of"))
    total = rule_of(board).get("total_unit")
    return render(
        "targets.html",
        frame=frame,
        page="targets",
        goals=goals,
        goals_summary=board.get("goals_summary") or {},
        place=board.get("unit") or w("board.city"),
        rows=rows,
        charts=target_charts(rows, year=year, total_unit=total),
        reported=len(reported),
        met=sum(1 for row in reported if (row["share"] or 0) >= 1),
        missing=[baseline_row(row, known, w) for row in board.get("missing", ())]
        or sorted({what for row in rows for what in row["missing"]}),
        checks=[check_row(check, known, w) for check in board.get("checks", ())],
        chosen=asked,
        options=offered,
        indicator_names={key: w.pick(indicator) for key, indicator in known.items()},
        years="、".join(sorted({str(row["year"]) for row in rows})),
        query={name: asked.get(name) for name in FILTERS if asked.get(name)},
        rule=rule_of(board),
        ranking=list(board.get("ranking") or ()),
        ranking_year=board.get("ranking_year"),
        issuers=issuer_rows(board, known, w),
        history=[history_row(row, known, w) for row in history],
        as_of=board.get("as_of"),
        time=time_part(whole or board, asked, known, w, ground=ground, goals=goals),
    )


def board_goal(row: Result, indicators: Mapping[str, Result], w: Words) -> dict[str, Any]:
    """Return a counted goal as the board shows it: figures worded, basis and reasons in words.

    >>> from web.words import words
    >>> goal = {"id": "T8", "zh": "超150个", "unit": "个", "target": 150.0, "value": 80.0,
    ...         "share": 0.5333, "pace": 0.84, "no_forecast": None, "period": "state",
    ...         "forecast": {"value": 92.66, "low": 85.4, "high": 97.7, "method": "linear",
    ...                      "intervals": 4}}
    >>> shown = board_goal(goal, {}, words("zh"))
    >>> shown["value_text"], shown["forecast_text"]
    ('80 个', '92.7（85.4–97.7）')
    """
    goal = goal_row(row, indicators, w)
    unit = str(goal["unit"] or "")
    measure = w.get(f"measures.{unit}", unit)

    def said(value: Any, *, with_unit: bool = True) -> str:
        if value is None:
            return w("site.none")
        if goal["share"]:
            return percent(value, 1)
        return f"{figure(value)} {measure}".strip() if with_unit else figure(value)

    ahead = row.get("forecast") or {}
    low, high = ahead.get("low"), ahead.get("high")
    forecast = said(ahead.get("value"), with_unit=False) if ahead else ""
    if ahead and low is not None and high is not None and low != high:
        ends = f"{said(low, with_unit=False)}–{said(high, with_unit=False)}"
        forecast = w("board.range", value=forecast, ends=ends)
    reason = row.get("no_forecast")
    kept = row.get("value") if row.get("value") is not None else row.get("reported_sum")
    return {
        **goal,
        "target_text": said(goal["target"]) if goal["target"] is not None else "",
        "undivided": goal["target"] is None and row.get("scope") == "city",
        "value_text": said(goal["value"]),
        "partial_text": said(kept) if goal["value"] is None and kept is not None else "",
        "reached": row.get("share"),
        "pace": row.get("pace"),
        "expected": row.get("expected_share"),
        "reported_on": row.get("reported_on"),
        "period": row.get("period") or "state",
        "forecast_text": forecast,
        "basis": forecast_basis(ahead, w) if ahead else w.get(f"board.no_forecast.{reason}", ""),
        "records": row.get("records") or 0,
        "parts": [text for part in row.get("parts") or () if (text := _part(part, indicators, w))],
    }


def forecast_basis(ahead: Result, w: Words) -> str:
    """Return what a forecast and its range rest on, in words."""
    if ahead.get("method") == "final":
        return w("board.basis.final")
    if (ahead.get("intervals") or 0) > 1:
        return w("board.basis.intervals", count=ahead["intervals"])
    return w("board.basis.one")


def _part(part: Result, indicators: Mapping[str, Result], w: Words) -> str:
    """Return one figure of a goal as a short text: its name, value and target."""
    name, _, year = str(part["name"]).partition(".")
    label = w.get(f"parts.{name}", "") or w.pick({"key": name, **indicators.get(name, {})})
    value, target = part.get("value"), part.get("target")
    as_share = "share" in name

    def said(number: Any) -> str:
        return w("site.none") if number is None else (
            percent(number, 1) if as_share else figure(number)
        )  # fmt: skip

    text = said(value) if target is None else f"{said(value)}/{said(target)}"
    mark = {True: " ✓", False: " ✕"}.get(bool(part["ok"]), "") if part.get("ok") is not None else ""
    return f"{label}{f' {year}' if year else ''} {text}{mark}"


def issuer_rows(board: Result, indicators: Mapping[str, Result], w: Words) -> list[dict[str, Any]]:
    """Return the targets that several issuers ask of one unit, side by side."""
    return [
        {
            "unit": one["unit"],
            "year": one["year"],
            "label": w.pick({"key": one["indicator"], **indicators.get(one["indicator"], {})}),
            "targets": [
                {**target, "kind_label": w.get(f"kinds.{target.get('kind')}", "")}
                for target in one["targets"]
            ],
            "differs": any(target.get("difference") for target in one["targets"]),
        }
        for one in board.get("issuers") or ()
    ]


def history_row(row: Result, indicators: Mapping[str, Result], w: Words) -> dict[str, Any]:
    """Return a report of progress as the table shows it."""
    key = str(row.get("indicator") or "")
    found = indicators.get(key, {})
    measure = found.get("unit_en") if w.lang == "en" else found.get("unit")
    names = ("id", "unit", "year", "value", "reported_on", "definition", "evidence", "source",
             "provenance")  # fmt: skip
    return {
        **{name: row.get(name) for name in names},
        "label": w.pick({"key": key, **found}),
        "measure": measure or "",
    }


def records_page(
    found: Result,
    *,
    frame: PageFrame,
    indicators: Sequence[Result] = (),
    query: Mapping[str, Any] | None = None,
) -> str:
    """Draw the records behind a figure.

    Parameters
    ----------
    found
        The answer: `value`, `how`, `records`.
    frame
        What the frame says.
    indicators
        The indicators of the rules.
    query
        What was asked, for the links to the files.
    """
    w = frame.words
    known = {indicator["key"]: indicator for indicator in indicators}
    rows = [_record(row, known, w) for row in found.get("records", ())]
    measure = str(found.get("measure") or "")
    is_share = found.get("how") == "share" or measure == "占比"
    value = found.get("value")
    return render(
        "records.html",
        frame=frame,
        page="records",
        label=w.pick(found) or w("structure.outside"),
        key=found.get("goal") or "",
        value=percent(value, 1) if is_share else figure(value),
        measure="" if is_share else w.get(f"measures.{measure}", measure),
        how=w(f"folds.{found['how']}"),
        rows=rows,
        counted=sum(1 for row in rows if row["counts"]),
        parts_shown=any(row["part"] for row in rows),
        amounts=any(row["amount"] is not None for row in rows),
        clause=found.get("clause"),
        place=found.get("unit") or w("board.city"),
        year=found.get("year"),
        as_of=found.get("as_of"),
        query={name: (query or {}).get(name) for name in RECORD_QUERY},
    )


def _record(row: Result, indicators: Mapping[str, Result], w: Words) -> dict[str, Any]:
    name = row["layer"]
    declared = layer(name) if name in layers() else None
    details = row.get("details") or {}
    if name == "progress":
        key = str(details.get("indicator"))
        title = w.pick({"key": key, **indicators.get(key, {})})
        title = f"{title} {details.get('year', '')}"
    else:
        title = str(row.get("name") or details.get("definition") or row["id"])
    said = [
        str(details[key]) for key in ("reported_on", "definition", "evidence") if details.get(key)
    ]
    provenance = str(row.get("provenance") or "")
    choices = {
        choice.value: getattr(choice, w.lang)
        for choice in layer("incubators").column("provenance").choices
    }
    return {
        "layer": getattr(declared, w.lang) if declared else w("records.industries"),
        "id": row["id"],
        "title": title,
        "path": f"/incubators/{row['id']}" if name == "incubators" else "",
        "unit": row.get("unit") or "",
        "amount": row.get("amount"),
        "counts": row["counts"],
        "part": _part_name(str(row.get("part") or ""), indicators, w),
        "source": row.get("source") or "",
        "link": str(row["source"]) if str(row.get("source") or "").startswith("http") else "",
        "as_of": row.get("as_of") or "",
        "provenance": choices.get(provenance, provenance),
        "demo": provenance == "demo",
        "said": " · ".join(said) if name == "progress" else "",
    }


def _part_name(part: str, indicators: Mapping[str, Result], w: Words) -> str:
    return (
        (w.get(f"parts.{part}", "") or w.pick({"key": part, **indicators.get(part, {})}))
        if part
        else ""
    )


def board_sheets(board: Result, indicators: Sequence[Result], w: Words) -> list[Sheet]:
    """Return the board as tables: goals, target rows, ranks, issuers side by side."""
    known = {indicator["key"]: indicator for indicator in indicators}
    goals = [board_goal(row, known, w) for row in board.get("goals", ())]
    rows = [target_row(row, known, w) for row in board.get("rows", ())]
    ranks = board.get("ranking") or ()
    ends = ("value", "low", "high")
    return [
        Sheet(
            w("board.goals"),
            _heads(w, "board.goal", "targets.target", "targets.value", "targets.unit_of",
                   "board.share", "targets.pace", "board.forecast", "board.low", "board.high",
                   "board.basis_head", "targets.result", "targets.missing", "board.clause",
                   "site.demo"),
            tuple(
                (
                    f"{goal['id']} {goal['label']}", goal["target"], goal["value"],
                    "" if goal["share"] else w.get(f"measures.{goal['unit']}", str(goal["unit"])),
                    goal["reached"], goal["pace"],
                    *((goal.get("forecast") or {}).get(end) for end in ends),
                    goal["basis"], _judged(goal["ok"], w), "；".join(goal["missing"]),
                    goal["clause"], bool(goal["demo"]),
                )
                for goal in goals
            ),
        ),
        Sheet(
            w("board.rows"),
            _heads(w, "targets.unit", "targets.year", "targets.indicator", "targets.issuer",
                   "targets.target", "targets.value", "targets.unit_of", "board.share",
                   "targets.pace", "board.forecast", "board.low", "board.high",
                   "board.reported_on", "targets.missing", "site.demo"),
            tuple(
                (
                    row["unit"], row["year"], row["label"], row["issuer"], row["target"],
                    row["value"], row["measure"], row["share"], row["pace"],
                    *((row["forecast"] or {}).get(end) for end in ends),
                    row.get("reported_on"), "；".join(row["missing"]), bool(row["demo"]),
                )
                for row in rows
            ),
        ),
        Sheet(
            w("board.ranking_sheet"),
            _heads(w, "board.rank", "targets.unit", "board.mean_share", "targets.pace",
                   "board.known", "board.asked", "board.reached"),
            tuple(
                (one["rank"], one["unit"], one["mean_share"], one["pace"], one["known"],
                 one["asked"], one["reached"])
                for one in ranks
            ),
        ),
    ]  # fmt: skip


def records_sheet(found: Result, indicators: Sequence[Result], w: Words) -> Sheet:
    """Return the records behind a figure as a table."""
    known = {indicator["key"]: indicator for indicator in indicators}
    rows = [_record(row, known, w) for row in found.get("records", ())]
    names = ("layer", "id", "title", "unit", "counts", "amount", "part", "said", "source", "as_of",
             "provenance")  # fmt: skip
    return Sheet(
        w("records.title"),
        _heads(w, *(f"records.{'name' if name == 'title' else name}" for name in names)),
        tuple(tuple(row[name] for name in names) for row in rows),
    )


def _heads(w: Words, *keys: str) -> tuple[str, ...]:
    return tuple(w(key) for key in keys)


def _judged(ok: bool | None, w: Words) -> str:  # noqa: FBT001  a judgement, not a switch
    return w("site.none") if ok is None else w("coverage.met" if ok else "coverage.unmet")
