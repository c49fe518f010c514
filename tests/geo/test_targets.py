import pandas as pd
import pytest

from geo.errors import InputError
from geo.targets import Measured, measure_indicators, reconcile, track_targets
from layers.pack import load_pack
from tests.geo import worlds
from tests.geo.worlds import TOWNS_RULE, incubator, incubators

RULE = {
    "total_unit": "All",
    "indicators": [
        {"key": "area", "zh": "面积", "en": "Area", "unit": "m2"},
        {"key": "tenant_firms", "zh": "企业", "en": "Firms"},
        {"key": "jobs", "zh": "就业", "en": "Jobs"},
        {"key": "area_total", "zh": "面积合计", "en": "Area in all", "cumulative": True,
         "of": "area"},
    ],
    "city_totals": {"clause": "made up", "area": {"2025": 30, "2026": 40}},
    "jobs_per_tenant": 10,
    "differences": [{"indicator": "area", "text": "over 60", "annex": "70", "note": "stricter"}],
}  # fmt: skip
PLAN = {"years": [2025, 2026], "start": "2025-01-01", "end": "2026-12-31"}


def target(unit, year, indicator, value, issuer="City", kind="goal"):
    key = f"{issuer}-{unit}-{year}-{indicator}-{kind}"
    return {"id": key, "unit": unit, "year": year, "indicator": indicator, "issuer": issuer,
            "kind": kind, "value": value, "version": "1"}  # fmt: skip


def tables():
    return pd.DataFrame(
        [
            target("North", 2025, "area", 10.0), target("South", 2025, "area", 20.0),
            target("All", 2025, "area", 30.0),
            target("North", 2026, "area", 15.0), target("South", 2026, "area", 25.0),
            target("All", 2026, "area", 40.0), target("All", 2026, "area_total", 70.0),
            target("North", 2025, "tenant_firms", 5.0), target("South", 2025, "tenant_firms", None),
            target("All", 2025, "tenant_firms", 5.0),
            target("North", 2025, "jobs", 50.0), target("South", 2025, "jobs", None),
            target("All", 2025, "jobs", 50.0),
            target("North", 2026, "area_total", 20.0, issuer="North's own", kind="floor"),
        ]
    )  # fmt: skip


def report(unit, year, indicator, value, on, **columns):
    defaults = {"id": f"{unit}-{year}-{indicator}-{on}", "provenance": "entered"}
    return {**defaults, "unit": unit, "year": year, "indicator": indicator, "value": value,
            "reported_on": on, "definition": None, **columns}  # fmt: skip


def track(*reports, as_of="2026-07-01", baselines=None, measured=(), targets=None):
    columns = ["id", "unit", "year", "indicator", "value", "reported_on"]
    empty = pd.DataFrame({"indicator": [], "unit": [], "value": [], "measured_on": []})
    return track_targets(
        tables() if targets is None else targets,
        pd.DataFrame(list(reports)) if reports else pd.DataFrame(columns=columns),
        empty if baselines is None else pd.DataFrame(baselines),
        as_of=as_of,
        rule=RULE,
        plan=PLAN,
        measured=measured,
    )


def row(answer, unit, year, indicator, issuer="City"):
    [found] = [
        row
        for row in answer.rows
        if (row.unit, row.year, row.indicator, row.issuer) == (unit, year, indicator, issuer)
    ]
    return found


def test_value_share_pace_and_forecast_of_half_a_year():
    found = row(track(report("North", 2026, "area", 6.0, "2026-06-30")), "North", 2026, "area")
    elapsed = 181 / 365
    assert (found.value, found.value_basis) == (6.0, "progress")
    assert found.share == pytest.approx(0.4)
    assert found.expected_share == pytest.approx(elapsed, abs=1e-6)
    assert found.pace == pytest.approx(0.4 / elapsed, abs=1e-5)
    assert found.forecast.method == "linear"
    assert found.forecast.value == pytest.approx(6.0 / elapsed, abs=1e-3)
    assert found.missing == ()


def test_a_whole_year_is_final():
    found = row(track(report("North", 2025, "area", 11.0, "2025-12-31")), "North", 2025, "area")
    assert (found.expected_share, found.pace, found.forecast.method) == (1.0, 1.1, "final")


def test_the_last_report_up_to_the_day_counts_and_a_real_one_before_a_demo_one():
    reports = [
        report("North", 2026, "area", 1.0, "2026-01-31"),
        report("North", 2026, "area", 2.0, "2026-03-31"),
        report("North", 2026, "area", 9.0, "2026-08-31"),
        report("North", 2026, "area", 5.0, "2026-06-30", provenance="demo"),
    ]
    found = row(track(*reports), "North", 2026, "area")
    assert (found.value, found.demo) == (2.0, False)
    demo = row(track(reports[3]), "North", 2026, "area")
    assert (demo.value, demo.demo) == (5.0, True)


def test_nothing_is_guessed_but_named():
    answer = track(report("North", 2025, "area", 11.0, "2025-12-31"))
    south, city = row(answer, "South", 2025, "area"), row(answer, "All", 2025, "area")
    assert (south.value, south.missing) == (None, ("progress",))
    assert (city.value, city.share, city.missing) == (None, None, ("progress:South",))
    assert city.reported_sum == 11.0


def test_a_year_to_come_is_not_missing():
    found = row(track(as_of="2025-05-01"), "North", 2026, "area")
    assert (found.value, found.missing) == (None, ())


def test_a_year_that_is_over_but_not_reported_to_its_end_says_so():
    found = row(track(report("North", 2025, "area", 4.0, "2025-06-30")), "North", 2025, "area")
    assert found.value == 4.0
    assert found.missing == ("progress_until:2025-12-31",)


def test_the_city_sums_its_units_and_the_plan_its_years():
    answer = track(
        report("North", 2025, "area", 10.0, "2025-12-31"),
        report("South", 2025, "area", 30.0, "2025-12-31"),
        report("North", 2026, "area", 5.0, "2026-06-30"),
        report("South", 2026, "area", 7.0, "2026-05-31"),
    )
    city = row(answer, "All", 2026, "area")
    assert (city.value, city.value_basis) == (12.0, "sum")
    assert str(city.reported_on.date()) == "2026-05-31"
    total = row(answer, "All", 2026, "area_total")
    assert total.value == 52.0
    assert total.share == pytest.approx(52 / 70, abs=1e-6)
    assert row(answer, "North", 2026, "area_total", "North's own").value == 15.0


def test_a_missing_baseline_is_named_where_it_is_needed():
    answer = track(
        baselines=[
            {"indicator": "area", "unit": "All", "value": None, "measured_on": "2024-12-31"},
            {"indicator": "area", "unit": "All", "value": 5.0, "measured_on": "2023-12-31"},
        ]
    )
    assert "baseline:area:2024-12-31" in row(answer, "All", 2026, "area_total").missing
    assert [(one.indicator, one.unit) for one in answer.missing] == [("area", "All")]
    assert answer.to_json()["missing"][0]["measured_on"] == "2024-12-31"


def test_layers_fill_what_nobody_reported():
    measured = [Measured("North", 2026, "area", 3.0, demo=True)]
    found = row(track(measured=measured), "North", 2026, "area")
    assert (found.value, found.value_basis, found.demo) == (3.0, "layers", True)
    reported = report("North", 2026, "area", 6.0, "2026-06-30")
    assert row(track(reported, measured=measured), "North", 2026, "area").value == 6.0


def test_issuers_side_by_side():
    [pair] = track().issuers
    assert (pair.unit, pair.indicator) == ("North", "area_total")
    city, own = pair.targets
    assert (city.issuer, city.target, city.derived, city.difference) == ("City", 25.0, True, 0.0)
    assert (own.issuer, own.target, own.kind, own.difference) == (
        "North's own",
        20.0,
        "floor",
        -5.0,
    )


def test_the_shape_that_clients_rely_on_and_selecting():
    answer = track(report("North", 2026, "area", 6.0, "2026-06-30", provenance="demo"))
    only = answer.select(unit="North", year=2026, indicator="area").to_json()
    [found] = only["rows"]
    wanted = {"unit", "year", "indicator", "issuer", "target", "value", "share", "pace", "missing"}
    assert wanted <= set(found)
    assert (only["demo_counted"], answer.select(unit="South").demo_counted) == (True, False)
    assert {"name", "ok", "detail"} <= set(only["checks"][0])
    assert found["reported_on"] == "2026-06-30"


def test_a_bad_day_is_refused():
    with pytest.raises(InputError):
        track(as_of="soon")


def failed(targets, rule=RULE):
    return [check for check in reconcile(targets, rule=rule) if not check.ok]


def test_the_tables_agree():
    assert failed(tables()) == []
    names = [check.name for check in reconcile(tables(), rule=RULE)]
    assert {"sum:area:2025", "sum:area:2026", "total:area", "ratio:jobs:2025", "text:area"} <= set(
        names
    )


@pytest.mark.parametrize(
    ("unit", "year", "indicator", "broken", "words"),
    [
        ("South", 2025, "area", ["sum:area:2025"], "sum of units differs from the others by +1"),
        ("All", 2026, "area", ["sum:area:2026", "total:area"], "All differs from the others by +1"),
        ("All", 2026, "area_total", ["total:area"], "sum of years 70, total 71"),
        ("North", 2025, "jobs", ["sum:jobs:2025", "ratio:jobs:2025"], "sum of units 51, All 50"),
    ],
)
def test_changing_one_value_fails_and_names_it(unit, year, indicator, broken, words):
    table = tables()
    at = (table["unit"] == unit) & (table["year"] == year) & (table["indicator"] == indicator)
    at &= table["issuer"] == "City"
    table.loc[at, "value"] += 1.0
    found = failed(table)
    assert [check.name for check in found] == broken
    assert words in found[0].detail_en
    if indicator != "area_total":
        assert set(table.loc[at, "id"]) <= set(found[0].ids)


def test_a_lost_row_and_a_doubled_one_are_named():
    table = tables()
    [lost] = failed(table[table["id"] != "City-South-2025-tenant_firms-goal"])
    assert (lost.name, "no row for South" in lost.detail_en) == ("sum:tenant_firms:2025", True)
    doubled = pd.concat([table, table.iloc[[0]]], ignore_index=True)
    assert "repeated:area:2025" in [check.name for check in failed(doubled)]


def test_the_bundled_plan_adds_up_in_all_21_columns_and_any_change_is_named():
    pack = load_pack("wenzhou")
    rule, table = pack.rules["targets"][0], pack.frames["plan_targets"]
    checks = reconcile(table, rule=rule)
    assert sum(check.name.startswith("sum:") for check in checks) == 21
    assert sum(check.name.startswith("total:") for check in checks) == 7
    assert all(check.ok for check in checks)
    own = table.index[table["clause"] == "附件2"]
    for at in own[::17]:
        changed = table.copy()
        changed.loc[at, "value"] = (
            0.0 if pd.isna(table.loc[at, "value"]) else table.loc[at, "value"]
        ) + 1
        name = f"sum:{table.loc[at, 'indicator']}:{table.loc[at, 'year']}"
        found = [check for check in reconcile(changed, rule=rule) if not check.ok]
        assert name in [check.name for check in found]
        assert table.loc[at, "id"] in found[0].ids


def test_indicators_counted_from_the_layers():
    records = [
        incubator("i1", 120.0, 28.0, unit="North", opened_on="2025-03-01", area_m2=25000.0),
        incubator("i2", 120.0, 28.0, unit="North", opened_on="2025-09-01", area_m2=5000.0,
                  twenty_batch=2025, provenance="demo"),
        incubator("i3", 120.0, 28.0, unit="West", opened_on="2027-01-01", as_of="2026-01-01"),
    ]  # fmt: skip
    events = pd.DataFrame(
        {"incubator": ["i1", "i1", "i1", "i9"], "event": ["entry", "exit", "entry", "entry"],
         "happened_on": ["2026-01-05", "2026-02-01", "2027-01-01", "2026-01-01"]}
    )  # fmt: skip
    found = measure_indicators(
        incubators(*records),
        events,
        units=worlds.units(),
        towns_rule=TOWNS_RULE,
        as_of="2026-11-24",
    )
    assert [(one.unit, one.year, one.indicator, one.value, one.demo) for one in found] == [
        ("North", 2025, "incubation_area_10k_m2", 3.0, True),
        ("North", 2025, "twenty_incubators", 1.0, True),
        ("North", 2026, "tenant_firms", 1.0, False),
    ]
    area = found[0]
    assert area.series == ((pd.Timestamp("2025-03-01"), 2.5), (pd.Timestamp("2025-09-01"), 3.0))
    assert [(one.id, one.amount) for one in area.evidence] == [("i1", 2.5), ("i2", 0.5)]
