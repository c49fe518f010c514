"""The document that a report is, whatever file it becomes: sections of texts, tables, figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from geo.report import CityReport
from web.frame import number, percent

Tell = Callable[[str, float], None]  # is called with what is being done and the share done

Kind = Literal["text", "whole", "number", "percent", "mark"]


@dataclass(frozen=True)
class Column:
    """A column: label, kind of values, their unit, what they mean, and its share of width."""

    label: str
    kind: Kind = "text"
    unit: str = ""
    meaning: str = ""
    width: float = 1.0

    @property
    def heading(self) -> str:
        """The label with its unit.

        >>> Column("面积", "number", "㎡").heading
        '面积（㎡）'
        """
        if not self.unit:
            return self.label
        chinese = self.label[0] >= "一"
        return f"{self.label}（{self.unit}）" if chinese else f"{self.label} ({self.unit})"

    @property
    def numeric(self) -> bool:
        """Whether values stand to the right."""
        return self.kind in ("whole", "number", "percent")

    def show(self, value: Any) -> str:
        """Return a value as people read it.

        >>> Column("x", "percent").show(0.256), Column("x", "mark").show(True)
        ('25.6%', '✓')
        >>> Column("x", "number").show(None)
        '—'
        """
        if value is None or value == "":
            return "—"
        if self.kind == "percent":
            return percent(value, 1)
        if self.kind == "whole":
            return number(value)
        if self.kind == "number":
            return number(value, 0 if float(value).is_integer() else 1)
        if self.kind == "mark":
            return "✓" if value else "×"
        return str(value)


@dataclass(frozen=True)
class Table:
    """A table; `data_only` where it stands in spreadsheets and is too long for pages."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""
    data_only: bool = False


@dataclass(frozen=True)
class Figure:
    """A picture: its caption, and what draws it on a matplotlib figure with the words' font."""

    name: str
    caption: str
    draw: Callable[[Any, Any], None]
    width_mm: float = 170.0
    height_mm: float = 90.0
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A section: heading, the answer in sentences, pictures, tables, and what it rests on."""

    key: str
    title: str
    texts: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    clause: str = ""


@dataclass(frozen=True)
class Document:
    """A report as it is laid out: title, facts of the cover, and sections.

    `badge` warns on the cover that figures are not those of the real layers, `flag` on every page.
    """

    lang: str
    title: str
    subtitle: str
    as_of: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    badge: str = ""
    flag: str = ""
    review: str = ""

    def texts(self) -> Iterator[str]:
        """Yield every text that it shows."""
        yield from (self.title, self.subtitle, self.as_of, self.badge, self.flag, self.review)
        for pair in self.facts:
            yield from pair
        for section in self.sections:
            yield from (section.title, section.clause, *section.texts)
            for figure in section.figures:
                yield from (figure.caption, *figure.texts)
            for table in section.tables:
                yield from (table.title, table.note)
                for column in table.columns:
                    yield from (column.heading, column.meaning)
                for row in table.rows:
                    yield from (
                        column.show(value) for column, value in zip(table.columns, row, strict=True)
                    )


def rows_of(rows: Sequence[Sequence[Any]]) -> tuple[tuple[Any, ...], ...]:
    """Return rows as a table holds them."""
    return tuple(tuple(row) for row in rows)


def town_names(report: CityReport) -> tuple[str, ...]:
    """Return the names of the towns, which maps show."""
    return tuple(str(name) for name in report.places.towns["name"])


def clause_of(answer: Mapping[str, Any]) -> str:
    """Return the clause that an answer rests on."""
    rule = answer.get("rule") or {}
    return str(rule.get("clause") or "")
