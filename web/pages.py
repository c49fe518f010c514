"""Pages: each draws one result, as plain `to_json()` values, inside the frame.

Nothing is found out here: pages sort, group and word what the results say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from layers.catalog import layer
from web.around import around_view
from web.frame import PAGES, PageFrame, render
from web.maps import city_map
from web.mapview import Basemap, MapView, legend
from web.rows import (
    SPACE_COLUMNS,
    Result,
    large_area,
    place_hash,
    present,
    space_row,
    summary_of,
    worded,
)

__all__ = [
    "PAGES",
    "Basemap",
    "MapView",
    "PageFrame",
    "about_page",
    "error_page",
    "home_page",
    "incubator_page",
]

# The columns of the incubator page, by section.
_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "facts": (
        "level", "kind", "stages", "status", "lead_industries", "operator", "professional_operator",
        "chain_leader_built", "chain_leader", "space_origin", "started_on", "completed_on",
        "opened_on", "closed_on", "school", "funds", "services", "twenty_batch", "website",
    ),
    "areas": (
        "area_m2", "incubation_area_m2", "public_area_m2", "occupied_area_m2", "vacant_area_m2",
        "ready_area_m2",
    ),
    "people": (
        "tenants", "new_tenants", "people", "rd_staff_share", "talent_projects", "e_class_talents",
        "ip_count", "transformations", "financing_cny", "revenue_cny", "graduates",
        "local_graduates", "tech_firms", "lead_tenant_share", "lead_revenue_share",
    ),
    "place": ("unit", "town", "address", "setting"),
    "provenance": ("id", "source", "as_of", "provenance", "geom_precision", "declared_datum"),
}  # fmt: skip


def home_page(coverage: Result, *, view: MapView, frame: PageFrame) -> str:
    """Draw the digital map with the first answer beside it.

    Parameters
    ----------
    coverage
        The answer of the industrial towns.
    view
        What the map shows.
    frame
        What the frame says.
    """
    return render(
        "home.html",
        frame=frame,
        page="home",
        map=city_map(view),
        legend=legend(view),
        summary=summary_of(coverage),
        area=large_area(coverage),
    )


def incubator_page(
    found: Result,
    *,
    frame: PageFrame,
    spots: Sequence[Result] = (),
    history: Sequence[Result] = (),
    categories: Sequence[Result] = (),
) -> str:
    """Draw everything public about one incubator.

    Parameters
    ----------
    found
        The incubator as a GeoJSON feature, with what lies around it and its `vacant` units.
    frame
        What the frame says.
    spots
        The amenities within the longest zone.
    history
        Its edits: `at`, `action`, `note`.
    categories
        The categories of amenities.
    """
    w, record = frame.words, found["properties"]
    declared = layer("incubators")
    sections = {
        key: [
            (getattr(declared.column(name), w.lang), worded(declared.column(name), value, w))
            for name in names
            if present(value := record.get(name))
        ]
        for key, names in _SECTIONS.items()
    }
    units = [feature["properties"] for feature in found["vacant"]["features"]]
    name = str(record.get("name") or found["id"])
    return render(
        "incubator.html",
        frame=frame,
        page="incubator",
        record={**record, "id": found["id"]},
        sections=sections,
        status=worded(declared.column("status"), record.get("status"), w),
        around=around_view(found, spots, name=name, categories=categories, w=w),
        spaces=[{"id": unit["id"], "cells": space_row(unit, w)} for unit in units],
        space_labels=[getattr(layer("spaces").column(name), w.lang) for name in SPACE_COLUMNS],
        history=list(history),
        stale_days=found["unconfirmed_days"] if found["stale"] else None,
        place=place_hash(found),
    )


def about_page(info: Result, *, frame: PageFrame) -> str:
    """Draw where the data come from, the versions of the rules, and how to load data.

    Parameters
    ----------
    info
        `counts` and `demo` by layer, `sources` (`layer`, `source`, `as_of`, `records`), `rules`
        (`name`, `version`, `source`).
    frame
        What the frame says.
    """
    w = frame.words
    counts = info.get("counts", {})
    demo = info.get("demo", {})
    tables = [
        {"label": getattr(layer(name), w.lang), "records": count, "demo": demo.get(name, 0)}
        for name, count in counts.items()
        if count
    ]
    sources = [
        {**source, "label": getattr(layer(source["layer"]), w.lang)}
        for source in info.get("sources", ())
    ]
    return render(
        "about.html",
        frame=frame,
        page="about",
        tables=tables,
        sources=sources,
        rules=list(info.get("rules", ())),
    )


def error_page(
    status: int,
    title: str = "",
    detail: str = "",
    *,
    frame: PageFrame,
    errors: Sequence[Result] = (),
) -> str:
    """Draw what went wrong and the way out.

    Parameters
    ----------
    status
        The HTTP status.
    title, detail
        What went wrong; the usual words of the status where empty.
    frame
        What the frame says.
    errors
        The faults of an input: `where`, `what`, `value`, `fix`.
    """
    w = frame.words
    usual = w.get(
        f"error.title_{status}", w("error.title_500" if status >= 500 else "error.title_400")
    )
    return render(
        "error.html",
        frame=frame,
        page="error",
        status=status,
        heading=title or usual,
        detail=detail or (w("error.detail_500") if status >= 500 else ""),
        errors=list(errors),
    )
