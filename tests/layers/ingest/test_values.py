"""Cells: each is read in the one way that it can be, or not at all."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.catalog import Column, layer
from layers.ingest.values import parse_column

INCUBATORS = layer("incubators")


def read(cell, column, **options):
    parsed = parse_column(pd.Series([cell], index=[2], dtype=object), column, **options)
    return parsed.faults[0].what if parsed.faults else parsed.series.iloc[0]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("2000", 2000.0),
        ("２，０００．５", 2000.5),
        ("1,234,567", 1234567.0),
        (" -5 ", -5.0),
        ("2e4", 20000.0),
        (12, 12.0),
        ("1.5万㎡", 15000.0),
        ("1.5 万平方米", 15000.0),
        ("3亩", 2000.0),
        ("2公顷", 20000.0),
        ("300平米", 300.0),
        ("", None),
        ("—", None),
        ("暂无", None),
        (None, None),
        (float("nan"), None),
        ("NaN", "is not a finite number"),
        ("inf", "is not a finite number"),
        ("#DIV/0!", "is not a finite number"),
        ("1e999", "is not a finite number"),
        ("1,5", "has ',5' behind the number"),
        ("约2000", "is not a number"),
        ("2000-3000", "has '-3000' behind the number"),
        ("2000元", "has '元' behind the number"),
        (True, "is not a number"),
    ],
)
def test_numbers(cell, value):
    assert read(cell, INCUBATORS.column("area_m2")) == value


def test_a_unit_in_the_cell_beats_that_of_the_heading():
    area = INCUBATORS.column("area_m2")
    assert read("2", area, factor=1e4) == 20000.0
    assert read("2000㎡", area, factor=1e4) == 2000.0


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("lead_tenant_share", "75%", 0.75),
        ("financing_cny", "1.2亿元", 1.2e8),
        ("tenants", "30家", 30),
        ("tenants", "30.0", 30),
        ("tenants", "30.5", "is not a whole number"),
        ("chain_leader_built", "是", True),
        ("chain_leader_built", "×", False),
        ("chain_leader_built", 1.0, True),
        ("chain_leader_built", "也许", "is neither yes nor no"),
        ("kind", "众创空间", "maker_space"),
        ("kind", "Maker  Space", "maker_space"),
        ("kind", "网吧", "is none of the allowed values"),
        ("stages", "苗圃、孵化", ["nursery", "incubation"]),
        ("lead_industries", "电气；鞋业/泵阀 ，电气", ["电气", "鞋业", "泵阀"]),
        ("lead_industries", '["a/b"]', ["a/b"]),
        ("lead_industries", "", []),
        ("name", "<b>甲</b>", "<b>甲</b>"),
        ("name", "'=1+1", "'=1+1"),
        ("name", "—", "—"),
        ("town_code", 330302006.0, "330302006"),
        ("name", "a\0b", "holds a zero byte"),
    ],
)
def test_other_kinds(column, cell, value):
    assert read(cell, INCUBATORS.column(column)) == value


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("2025-03-01", "2025-03-01"),
        ("2025/3/1", "2025-03-01"),
        ("2025.3.1", "2025-03-01"),
        ("20250301", "2025-03-01"),
        ("2025年3月1日", "2025-03-01"),
        ("２０２５年３月１日", "2025-03-01"),
        ("2025-03-01T08:30:00Z", "2025-03-01"),
        ("2025-03", "2025-03-01"),
        ("2025年3月", "2025-03-01"),
        ("2019年", "2019-01-01"),
        (pd.Timestamp("2025-03-01 10:00", tz="UTC"), "2025-03-01"),
        ("01/03/2025", "is not a date that reads one way only"),
        ("2025-02-30", "is no day of the calendar"),
        ("45231", "looks like a spreadsheet's day count"),
        ("1066-10-14", "lies outside the years 1900 to 2100"),
        ("明年", "is not a date that reads one way only"),
    ],
)
def test_dates(cell, value):
    found = read(cell, INCUBATORS.column("opened_on"))
    assert str(found.date() if isinstance(found, pd.Timestamp) else found) == value


def test_a_month_alone_is_told():
    opened = INCUBATORS.column("opened_on")
    parsed = parse_column(pd.Series(["2025-03", "2025年4月", "2024", "-"]), opened)
    assert parsed.notes == [
        "opened_on: 2 cell(s) give only the month: its first day was taken",
        "opened_on: 1 cell(s) give only the year: its first day was taken",
        "opened_on: 1 cell(s) with a sign for 'not known' were left empty",
    ]


def test_json():
    column = Column("tags", "json", "标签", "Tags")
    assert read('{"a": 1}', column) == {"a": 1}
    assert read("[1]", column) == "is not a JSON object"
    assert read("{", column) == "is not JSON"


def test_rows_of_faults_are_those_of_the_file():
    cells = pd.Series(["1", "x", "x"], index=[2, 5, 9])
    assert [fault.row for fault in parse_column(cells, INCUBATORS.column("area_m2")).faults] == [
        5,
        9,
    ]


def test_lists_are_not_shared_between_rows():
    series = parse_column(pd.Series(["a", "a"]), INCUBATORS.column("lead_industries")).series
    series.iloc[0].append("b")
    assert series.iloc[1] == ["a"]


@settings(max_examples=60)
@given(st.text(max_size=30), st.sampled_from(INCUBATORS.columns))
def test_any_text_is_read_or_refused_but_never_breaks(text, column):
    parsed = parse_column(pd.Series([text], dtype=object), column)
    assert len(parsed.series) == 1
    assert len(parsed.faults) <= 1


@settings(max_examples=60)
@given(st.floats(0, 1e9), st.sampled_from(["", ",.2f", ".3f", "e"]))
def test_numbers_come_back(number, form):
    text = format(number, form)
    expected = float(text.replace(",", ""))
    assert read(text, INCUBATORS.column("area_m2")) == pytest.approx(expected, rel=1e-11)
