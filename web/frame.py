"""The frame: one calm page around everything, and the templates that draw it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from layers.store import Lens
from web.assets import HOME, static_url
from web.words import LANGUAGES, Words, words

PAGES: Mapping[str, str] = {
    "home": "/",
    "find": "/find",
    "demand": "/demands/new",
    "coverage": "/coverage",
    "targets": "/targets",
    "structure": "/structure",
    "amenities": "/amenities",
    "siting": "/siting",
    "reports": "/reports",
    "about": "/about",
    "desk": "/admin",
}


@dataclass(frozen=True)
class PageFrame:
    """What the frame of a page says, whatever the page is about.

    Parameters
    ----------
    lang
        The language, `zh` or `en`.
    title
        The page's own title, before the name of the site; empty for the page's usual one.
    demo_counted
        Whether a figure on the page counts demo records; it then carries the badge.
    review_number
        The map review number (审图号), shown at the lower left of maps.
    basemap
        The kind of base map: `none`, `tianditu` or `url`.
    version
        The version of the rules or of the data, as the page prints it.
    data_date
        The date of the data.
    url
        Path and query of this page; the language switch keeps it.
    city
        The city as its pack names it: `name`, `name_en`, `plan` and so on.
    unit_names
        How reporting units are called in the page's language, where that differs from their name.
    lens
        The scenario that the page shows, None for the layers as they are; links keep it.
    """

    lang: str = LANGUAGES[0]
    title: str = ""
    demo_counted: bool = False
    review_number: str = ""
    basemap: str = "none"
    version: str = ""
    data_date: str = ""
    url: str = "/"
    city: Mapping[str, Any] = field(default_factory=dict)
    lens: Lens | None = None
    unit_names: Mapping[str, str] = field(default_factory=dict)

    def unit(self, name: str) -> str:
        """Return how a reporting unit is called in the page's language; its own name else.

        >>> PageFrame("en", unit_names={"鹿城区": "Lucheng"}).unit("鹿城区")
        'Lucheng'
        """
        return self.unit_names.get(name, name)

    @property
    def words(self) -> Words:
        """The words of the page's language."""
        return words(self.lang)

    @property
    def site(self) -> str:
        """The name of the site, with the city's where there is one.

        >>> PageFrame("en", city={"name": "甲市", "name_en": "Jia"}).site
        'Jia incubation space map'
        >>> PageFrame("zh", city={"key": "none"}).site
        '孵化空间数字地图'
        """
        city = self.words.pick({**self.city, "key": ""}, "name")
        return self.words("site.of_city", city=city) if city else self.words("site.name")

    def link(self, path: str, **query: Any) -> str:
        """Return the address of another page in this page's language.

        >>> PageFrame("en").link("/targets", unit="鹿城区", year=None)
        '/targets?unit=%E9%B9%BF%E5%9F%8E%E5%8C%BA&lang=en'
        """
        kept = {key: value for key, value in query.items() if value not in (None, "")}
        if self.lens is not None:
            kept["scenario"] = self.lens.id
        return f"{path}?{urlencode({**kept, 'lang': self.lang})}"

    @property
    def other(self) -> str:
        """The address of this very page in the other language.

        >>> PageFrame("zh", url="/targets?year=2026&lang=zh").other
        '/targets?year=2026&lang=en'
        """
        parts = urlsplit(self.url)
        kept = [(key, value) for key, value in parse_qsl(parts.query) if key != "lang"]
        return f"{parts.path}?{urlencode([*kept, ('lang', self.other_lang)])}"

    @property
    def without_lens(self) -> str:
        """The address of this very page for the layers as they are.

        >>> PageFrame("zh", url="/targets?year=2026&scenario=s1").without_lens
        '/targets?year=2026'
        """
        parts = urlsplit(self.url)
        kept = [(key, value) for key, value in parse_qsl(parts.query) if key != "scenario"]
        return f"{parts.path}?{urlencode(kept)}"

    @property
    def other_lang(self) -> str:
        """The language that the switch leads to."""
        return LANGUAGES[1] if self.lang == LANGUAGES[0] else LANGUAGES[0]


def render(template: str, *, frame: PageFrame, page: str, **values: Any) -> str:
    """Draw a page.

    Parameters
    ----------
    template
        The file under `templates/`.
    frame
        What the frame says.
    page
        The page's key in the navigation and in the words (`coverage`, `targets`, …).
    values
        What the template needs.
    """
    w = frame.words
    title = frame.title or w.get(f"{page}.title", "")
    return (
        environment()
        .get_template(template)
        .render(w=w, frame=frame, page=page, title=title, pages=PAGES, **values)
    )


def number(value: Any, digits: int = 0) -> str:
    """Return a number with thousands parted, or a dash for nothing.

    >>> number(1234567.8), number(None), number(0.5, 1)
    ('1,234,568', '—', '0.5')
    """
    if value is None or value != value:  # noqa: PLR0124  NaN differs from itself
        return "—"
    return f"{float(value):,.{digits}f}"


def figure(value: Any) -> str:
    """Return a number as short as it is true: whole ones whole, others to one decimal.

    >>> figure(42.0), figure(34.28), figure(1200), figure(None)
    ('42', '34.3', '1,200', '—')
    """
    return number(value, 0 if value is None or float(value).is_integer() else 1)


def percent(value: Any, digits: int = 0) -> str:
    """Return a share as percent, or a dash for nothing.

    >>> percent(0.847), percent(None)
    ('85%', '—')
    """
    return "—" if value is None else f"{number(float(value) * 100, digits)}%"


def script_json(value: Any) -> Markup:
    r"""Return a value as JSON that can stand inside a script element.

    >>> print(script_json({"名": "</script>"}))
    {"名":"\u003c/script>"}
    """
    return Markup(orjson.dumps(value).decode().replace("<", r"\u003c"))  # noqa: S704  made safe here


@cache
def environment(folder: Path = HOME / "templates") -> Environment:
    """Return what draws the templates, every value escaped."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        figure=figure, number=number, percent=percent, script_json=script_json
    )
    environment.globals.update(static=static_url)
    return environment
