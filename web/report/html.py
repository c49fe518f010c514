"""A report as one HTML file: pictures and font inside, nothing from any other address."""

from __future__ import annotations

from base64 import b64encode

from geo.report import CityReport
from web.frame import environment
from web.report.document import Document, Tell
from web.report.fonts import cut_font
from web.report.pictures import painter
from web.words import words


def write(document: Document, report: CityReport, tell: Tell) -> bytes:
    """Write a document as HTML.

    Parameters
    ----------
    document
        The document.
    report
        The answers behind it.
    tell
        Called with the section and the share done.
    """
    w = words(document.lang)
    known = [*document.texts(), *w.section("report").values()]
    pictures = {}
    with painter(document, cut_font(known)) as paint:
        for at, section in enumerate(document.sections):
            tell("writing", at / len(document.sections))
            for figure in section.figures:
                pictures[figure.name] = b64encode(paint(figure)).decode()
    tell("writing", 1.0)
    page = environment().get_template("report_file.html").render(
        document=document,
        font=b64encode(cut_font(known, web=True)).decode(),
        pictures=pictures,
        as_of=report.as_of,
        w=w,
    )  # fmt: skip
    return page.encode()
