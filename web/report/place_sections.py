"""The sections of a report on places and data: amenities, structure, sites, shortage, sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geo.report import CityReport
from layers.catalog import layers
from web.amenities import check_labels, check_rate, unit_rate
from web.frame import percent
from web.report.charts import draw_bars, draw_shares
from web.report.document import Column, Figure, Section, Table, clause_of, rows_of, town_names
from web.report.maps import draw_sites
from web.words import Words

Answer = Mapping[str, Any]


def draw_amenities(report: CityReport, answer: Answer, w: Words) -> Section:
    """Draw what lies around the incubators."""
    labels = {item["key"]: w.pick(item) for item in report.terms["categories"]}
    rows = answer["rows"]
    compliance, walked = answer["summary"]["compliance"], answer["summary"]["categories"]
    texts = [w("amenities.sentence", total=compliance["tested"], ok=compliance["ok"])]
    if walked["network"]:
        said = w("amenities.planning_sentence", total=walked["tested"], ok=walked["complete"])
        texts.append(said)
    else:
        texts += [w("amenities.planning_none"), w("amenities.circle_fallback")]
    texts += [w("amenities.never_mixed"), w("report.amenities_rough")]
    comma = "、" if w.lang == "zh" else ", "

    units = Table(
        w("report.amenities_units"),
        (
            Column(w("coverage.unit"), width=1.2),
            Column(w("gaps.tested"), "whole"),
            Column(w("amenities.ok"), "whole", meaning=w("report.compliance_means")),
            Column(w("report.compliance_share"), "percent"),
            Column(w("gaps.complete"), "whole", meaning=w("report.complete_means")),
            Column(w("gaps.share"), "percent"),
            Column(w("gaps.worst"), width=3.0),
        ),
        rows_of(
            [
                (
                    row["label"], row["compliance"]["tested"], row["compliance"]["ok"],
                    row["compliance"]["ok_share"], row["planning"]["ok"],
                    row["planning"]["ok_share"], row["worst"],
                )
                for row in (unit_rate(one, labels, w) for one in answer["units"])
            ]
        ),
    )  # fmt: skip
    names = check_labels(report.terms["categories"], w)
    checks = Table(
        w("report.amenities_checks"),
        (
            Column(w("gaps.category"), width=1.5),
            Column(w("amenities.test"), width=1.3),
            Column(w("amenities.needed"), "whole"),
            Column(w("amenities.tested"), "whole"),
            Column(w("amenities.passed"), "whole"),
            Column(w("amenities.rate"), "percent"),
            Column(w("amenities.median"), width=1.6),
        ),
        rows_of(
            [
                (
                    row["label"], row["test_label"], row["needed"], row["passed"]["tested"],
                    row["passed"]["ok"], row["passed"]["ok_share"], row["way"] or None,
                )
                for row in (check_rate(one, names, w) for one in answer["checks"])
            ]
        ),
    )  # fmt: skip
    columns = (
        Column(w("amenities.incubator"), width=3.0),
        Column(w("coverage.unit"), width=1.2),
        Column(w("amenities.radius"), "whole", "m"),
        Column(w("amenities.venues"), "whole"),
        Column(w("amenities.spaces"), "whole"),
        Column(w("amenities.ok"), "mark", meaning=w("report.compliance_means")),
        Column(w("amenities.score"), "percent", meaning=w("report.score_means")),
        Column(w("targets.missing"), width=3.0),
    )
    lines = []
    for row in rows:
        circle, walk = row["compliance"] or {}, row["planning"] or {}
        lacking = comma.join(labels.get(key, key) for key in walk.get("missing") or ())
        lines.append(
            (
                row["name"], row["unit"], circle.get("radius_m"), circle.get("venues"),
                circle.get("spaces"), circle.get("ok"), walk.get("score"), lacking or None,
            )
        )  # fmt: skip
    each = Table(w("report.amenities_each"), columns, rows_of(lines), data_only=True)
    counts = {labels.get(key, key): count for key, count in
              (answer["summary"].get("categories") or {}).get("lacking", {}).items()}  # fmt: skip
    axis = w("report.lacking_axis")
    figure = Figure(
        "amenities-lacking",
        w("report.figure_amenities"),
        lambda drawn, font: draw_bars(drawn, font, counts, axis),
        texts=(*counts, axis),
    )
    rule = answer["rules"]
    clause = "；".join(str(rule[key].get("clause", "")) for key in ("compliance", "planning"))
    return Section("amenities", w("report.amenities"), tuple(texts), (figure,) if counts else (),
                   (units, checks, each), clause)  # fmt: skip


def draw_structure(report: CityReport, answer: Answer, w: Words) -> Section:
    """Draw space by role and zone."""
    columns = (
        Column(w("structure.role"), width=2.2),
        Column(w("structure.incubators"), "whole"),
        Column(w("structure.operating"), "whole"),
        Column(w("structure.area"), "whole", width=1.5),
        Column(w("structure.area_share"), "percent"),
        Column(w("structure.tenants"), "whole"),
        Column(w("structure.vacancy"), "percent", meaning=w("report.vacancy_means")),
        Column(w("structure.growth"), "percent", meaning=w("report.growth_means")),
    )

    def line(label: str, row: Answer) -> tuple[Any, ...]:
        return (
            label, row["incubators"], row["operating"], row["area_m2"], row["share"],
            row["tenants"], row["vacancy"], row["growth"],
        )  # fmt: skip

    roles = [
        line(w.pick(row) if row["role"] else w("structure.outside"), row) for row in answer["roles"]
    ]
    zones = [line(row["name"], row) for row in answer["zones"] if row.get("mapped")]
    shares = {str(row[0]): row[4] for row in roles}
    titles = (w("structure.area_share"), "")
    figure = Figure(
        "structure-roles",
        w("report.figure_structure"),
        lambda drawn, font: draw_shares(drawn, font, shares, None, titles),
        height_mm=55.0,
        texts=(*shares, *titles),
    )
    sums = answer["concentration"]
    concentration = Table(
        w("structure.concentration"),
        (Column(w("report.figure_name"), width=2.0), Column(w("targets.value"), width=1.0)),
        rows_of(
            [
                (w(f"concentration.{key}"), f"{value:g}")
                for key, value in sums.items()
                if isinstance(value, int | float) and w.get(f"concentration.{key}", "")
            ]
        ),
    )
    reading = w("structure.reading_plain")
    version = answer.get("version")
    texts = [reading, *([w("structure.version", version=version)] if version else [])]
    whole = line(report.unit or w("coverage.city"), answer["city"])
    tables = [Table(w("structure.roles"), columns, rows_of([whole, *roles]))]
    if zones:
        tables.append(Table(w("structure.zones"), columns, rows_of(zones)))
    if not report.unit:  # one unit alone is always wholly concentrated
        tables.append(concentration)
    return Section("structure", w("report.structure"), tuple(texts), (figure,) if shares else (),
                   tuple(tables), clause_of(answer))  # fmt: skip


def draw_siting(report: CityReport, answer: Answer, w: Words) -> Section:
    """Draw the sites suggested."""
    columns = (
        Column(w("report.site"), width=1.8),
        Column(w("coverage.unit"), width=1.0),
        Column(w("report.capacity"), "whole", "㎡"),
        Column(w("report.cost"), "number", w("report.cost_unit")),
        Column(w("report.why"), width=4.0),
    )
    rows = [
        (
            row["name"], row["unit"], row["capacity_m2"],
            row["cost_cny"] / 1e4 if row["cost_cny"] is not None else None, w.pick(row["why"]),
        )
        for row in answer["chosen"]
    ]  # fmt: skip
    figure = Figure(
        "siting-map",
        w("report.map_siting"),
        lambda drawn, font: draw_sites(drawn, font, report.places, answer["chosen"], w),
        height_mm=120.0,
        texts=(*(str(row["name"]) for row in answer["chosen"]), *town_names(report),
               *w.section("report_map").values()),
    )  # fmt: skip
    proof = w("report.siting_proof", status=w(f"report.status_{answer['status']}"),
              gap=percent(answer["gap"], 2))  # fmt: skip
    table = Table(w("report.chosen"), columns, rows_of(rows))
    texts = (w.pick(answer["sentence"]), proof)
    return Section("siting", w("report.siting"), texts, (figure,) if rows else (), (table,))


def draw_match(report: CityReport, answer: Answer, w: Words) -> Section:
    """Draw which demands have no space."""
    text = w("report.match_text", pairs=len(answer["pairs"]), left=len(answer["unmatched"]))
    tables = []
    for key in ("unit", "industry", "kind", "cause"):
        columns = (
            Column(w(f"report.short_{key}"), width=2.0),
            Column(w("report.demands"), "whole"),
            Column(w("report.short_area"), "whole", "㎡"),
        )
        short = answer["shortage"].get(key) or {}
        rows = [
            (w.get(f"report.cause_{name}", name), row["demands"], row["area_m2"])
            for name, row in short.items()
        ]
        tables.append(Table(w("report.short_by", what=w(f"report.short_{key}")), columns,
                            rows_of(rows)))  # fmt: skip
    return Section("match", w("report.match"), (text, *_whole_city(report, w)), (), tuple(tables),
                   clause_of(answer))  # fmt: skip


def _whole_city(report: CityReport, w: Words) -> tuple[str, ...]:
    """Say in a unit's report that a section is the city's."""
    return (w("report.whole_city"),) if report.unit else ()


def draw_check(report: CityReport, answer: Answer, w: Words) -> Section:
    """Draw what is wrong or doubtful in the data."""
    names = {key: getattr(one, w.lang) for key, one in layers().items()}
    columns = (
        Column(w("report.level"), width=0.8),
        Column(w("report.layer"), width=1.2),
        Column(w("report.finding"), width=5.0),
        Column(w("report.records"), "whole", width=0.8),
    )
    rows = [
        (
            w(f"report.level_{row['level']}"), names.get(row["layer"], row["layer"]),
            row[f"detail_{w.lang}"], len(row["ids"]),
        )
        for row in answer["findings"]
    ]  # fmt: skip
    text = w("report.check_text", count=len(rows))
    table = Table(w("report.findings"), columns, rows_of(rows))
    texts = (text, *_whole_city(report, w))
    return Section("check", w("report.check"), texts, (), (table,) if rows else ())


def draw_sources(report: CityReport, answer: Answer, w: Words) -> Section:
    """Draw what the report rests on."""
    names = {key: getattr(one, w.lang) for key, one in layers().items()}
    sources = Table(
        w("report.sources_data"),
        (
            Column(w("report.layer"), width=1.2),
            Column(w("report.source"), width=5.0),
            Column(w("report.data_date"), width=1.0),
            Column(w("report.records"), "whole", width=0.8),
        ),
        rows_of(
            sorted(
                (
                    (names.get(row["layer"], row["layer"]), row["source"], row["as_of"],
                     row["records"])
                    for row in answer["sources"]
                ),
                key=lambda row: tuple(str(cell) for cell in row),
            )
        ),
    )  # fmt: skip
    rules = Table(
        w("report.sources_rules"),
        (
            Column(w("report.rule"), width=1.2),
            Column(w("report.version"), "whole", width=0.7),
            Column(w("report.source"), width=6.0),
        ),
        rows_of([(rule["name"], rule["version"], rule["source"]) for rule in report.rules]),
    )
    texts = (w("report.sources_text"), *_whole_city(report, w))
    return Section("sources", w("report.sources"), texts, (), (rules, sources))
