"""From the answers to the document, and from the document to a file of any format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from geo.errors import InputError
from geo.pool import Cancel, check_cancel
from geo.report import CityReport
from web.report.document import Document, Tell
from web.report.sections import draw_section, in_language
from web.words import words


class Format(NamedTuple):
    """A format: its media type, and the module and function that write it."""

    media_type: str
    module: str


FORMATS: Mapping[str, Format] = {
    "pdf": Format("application/pdf", "web.report.pdf"),
    "xlsx": Format(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "web.report.xlsx"
    ),
    "html": Format("text/html; charset=utf-8", "web.report.html"),
    "gpkg": Format("application/geopackage+sqlite3", "web.report.gpkg"),
}


def check_format(name: str) -> str:
    """Return the name of a format that there is.

    Raises
    ------
    InputError
        When there is none of that name.

    >>> check_format("PDF")
    'pdf'
    >>> check_format("doc")
    Traceback (most recent call last):
    geo.errors.InputError: format: 'doc' is not known; give one of pdf, xlsx, html, gpkg
    """
    if name.lower() not in FORMATS:
        raise InputError(f"format: {name!r} is not known; give one of {', '.join(FORMATS)}")
    return name.lower()


def lay_out(report: CityReport, *, lang: str, review: str = "") -> Document:
    """Lay a report out.

    Parameters
    ----------
    report
        The answers.
    lang
        The language, `zh` or `en`.
    review
        The map review number (审图号), under every map.
    """
    w = words(lang)
    report = in_language(report, w)
    city = w.pick({**report.city, "key": ""}, "name")
    plan = report.city.get("plan") or {}
    colon = "、" if lang == "zh" else ", "
    versions = colon.join(f"{rule['name']} {rule['version']}" for rule in report.rules)
    facts = [
        (w("report.scope"), report.unit or city or w("report.all")),
        (w("report.scenario"), report.scenario or ""),
        (
            w("report.plan"),
            " ".join(filter(None, (w.pick(plan, "title") if plan else "", plan.get("number", "")))),
        ),
        (w("report.as_of"), report.as_of),
        (w("report.rules"), versions),
        (w("report.audience"), w("report.staff") if report.staff else w("report.public")),
        (w("report.maps"), w("report.maps_text", crs=report.places.crs)),
    ]
    badges, flags, scenario = [], [], ""
    if report.scenario:
        scenario = w("report.scenario_flag", name=report.scenario)
        badges.append(w("report.scenario_badge", name=report.scenario))
        flags.append(scenario)
    if report.demo_counted:
        badges.append(w("report.demo"))
        flags.append(w("site.demo"))
    return Document(
        lang=lang,
        title=" · ".join(filter(None, (w("report.document_title", city=city), scenario))),
        subtitle=w("report.document_subtitle"),
        as_of=w("report.date_line", date=report.as_of),
        facts=tuple((label, said) for label, said in facts if said),
        sections=tuple(draw_section(report, key, w) for key in report.results),
        badge=" ".join(badges),
        flag=" · ".join(flags),
        review=w("site.review", number=review) if review else "",
    )


def write_report(
    report: CityReport,
    format_name: str,
    *,
    lang: str = "zh",
    review: str = "",
    progress: Tell | None = None,
    cancel: Cancel | None = None,
) -> bytes:
    """Write a report as a file; the same answers give the same bytes.

    Parameters
    ----------
    report
        The answers.
    format_name
        One of `FORMATS`.
    lang
        The language.
    review
        The map review number.
    progress
        Called with what is being done and the share of the writing done.
    cancel
        Asked before each part.

    Raises
    ------
    InputError
        When the format is not known.
    CancelledError
        When `cancel` said yes.
    """
    # Each brings a library of its own, slow to begin.
    from importlib import import_module  # noqa: PLC0415

    module = import_module(FORMATS[check_format(format_name)].module)
    document = lay_out(report, lang=lang, review=review)

    def tell(stage: str, share: float) -> None:
        check_cancel(cancel)
        if progress is not None:
            progress(stage, share)

    written: bytes = module.write(document, report, tell)
    return written
