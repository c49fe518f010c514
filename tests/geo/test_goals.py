import pandas as pd
import pytest

from geo.goals import GoalFacts, measure_goals
from tests.geo.worlds import incubator, incubators


def goal(measure, target, *, indicators=(), **params):
    return {"id": "G", "zh": "目标", "en": "Goal", "unit": "", "clause": "", "measure": measure,
            "target": target, "indicators": list(indicators), "data": ["x"],
            "params": params}  # fmt: skip


def measure(asked, *records, **facts):
    frame = incubators(*records)
    chosen = frame[frame["twenty_batch"].notna()] if "twenty_batch" in frame else frame.iloc[:0]
    known = {"incubators": frame, "chosen": chosen, "year": 2026, "large_area_m2": 20000, **facts}
    [row] = measure_goals([asked], GoalFacts(**known))
    return row


def spread(column, *values):
    return [
        incubator(f"i{n}", 120.0, 28.0, twenty_batch=2026, **{column: value})
        for n, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("name", "target", "column", "values", "value", "ok"),
    [
        ("large_incubators", 1, "area_m2", (20000.0, 19999.0), 1.0, False),  # over 1 is asked
        ("large_incubators", 1, "area_m2", (20000.0, 30000.0), 2.0, True),
        ("populous_incubators", 0, "people", (300, 299), 1.0, True),
        ("ip_count", 10, "ip_count", (6, 4), 10.0, False),
        ("transformations", 10, "transformations", (6, 4), 10.0, True),
        ("local_graduates", 5, "local_graduates", (3, 1), 4.0, False),
        ("school", 1.0, "school", ("A college", None), 0.5, False),
        ("funds", 1.0, "funds", (["A fund"], ["B", "C"]), 1.0, True),
        ("narrow", 2, "lead_industries", (["a"], ["a", "b"]), 2.0, True),
        ("narrow", 2, "lead_industries", (["a"], ["a", "b", "c"]), 3.0, False),
        ("revenue", 1e8, "revenue_cny", (2e8, 1e8), 1e8, True),
        ("revenue", 1e8, "revenue_cny", (2e8, 9e7), 9e7, False),
    ],
)
def test_counts_shares_and_sums(name, target, column, values, value, ok):
    row = measure(goal(name, target), *spread(column, *values))
    assert (row.value, row.ok) == (pytest.approx(value), ok)
    assert row.missing == ()


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("populous_incubators", "incubators.people"),
        ("ip_count", "incubators.ip_count"),
        ("school", "incubators.school"),
        ("funds", "incubators.twenty_batch"),
        ("narrow", "incubators.lead_industries"),
        ("rd_share", "incubators.rd_staff_share"),
        ("talents", "incubators.talent_projects"),
        ("lead_share", "incubators.lead_tenant_share"),
        ("projects", "projects.started_on"),
        ("services", "incubators.services"),
        ("circle", "amenities.cultural_kind"),
        ("zones", "zones.kind"),
        ("no such measure", "x"),
    ],
)
def test_missing_data_are_named(name, missing):
    row = measure(goal(name, 1), incubator("i1", 120.0, 28.0))
    assert (row.value, row.ok) == (None, None)
    assert missing in row.missing


def test_an_indicator_sums_its_years_and_names_those_that_lack():
    years = {"jobs": {2025: (10.0, 9.0), 2026: (5.0, 9.0), 2027: (None, 9.0)}}
    asked = goal("indicator", 20, indicators=["jobs"])
    row = measure(asked, indicators=years)
    assert (row.value, row.ok, [part.value for part in row.parts]) == (
        15.0,
        False,
        [10.0, 5.0, None],
    )
    lacking = measure(asked, indicators={"jobs": {**years["jobs"], 2025: (None, 9.0)}})
    assert (lacking.value, lacking.missing) == (None, ("progress.jobs.2025",))


def test_ten_upgraded_and_ten_new_each_year():
    records = [
        incubator(f"i{n}", 120.0, 28.0, twenty_batch=2026, twenty_kind=kind)
        for n, kind in enumerate(["upgrade", "new", "new"])
    ]
    row = measure(goal("twenty", 3, each_kind_per_year=2), *records)
    parts = {part.name: (part.value, part.ok) for part in row.parts}
    assert parts == {"upgrade.2026": (1, False), "new.2026": (2, True)}
    assert (row.value, row.ok) == (3.0, False)


def test_provincial_ones_among_the_chosen_and_in_all():
    records = [
        incubator("i1", 120.0, 28.0, level="national", twenty_batch=2025),
        incubator("i2", 120.0, 28.0, level="municipal", twenty_batch=2025),
        incubator("i3", 120.0, 28.0, level="provincial"),
    ]
    years = {"provincial": {2025: (3.0, 2.0)}}
    asked = goal("provincial", 2, indicators=["provincial"], share_of_twenty=0.5, cumulative=2)
    row = measure(asked, *records, indicators=years)
    assert {part.name: part.value for part in row.parts} == {
        "2025": 3.0,
        "share_of_twenty_higher": 0.5,
        "cumulative": 2,
    }
    assert row.ok


def test_rd_staff_are_weighed_by_people():
    records = [
        incubator("i1", 120.0, 28.0, rd_staff_share=0.5, people=100),
        incubator("i2", 120.0, 28.0, rd_staff_share=0.1, people=300),
    ]
    row = measure(goal("rd_share", 0.3), *records)
    assert (row.value, row.ok) == (0.2, False)


def test_starts_and_completions_of_the_year():
    projects = pd.DataFrame(
        {"started_on": ["2026-02-01", "2026-03-01", "2025-01-01"],
         "completed_on": ["2026-09-01", None, None]}
    )  # fmt: skip
    row = measure(goal("projects", 1), projects=projects)
    assert {part.name: part.value for part in row.parts} == {"started_on": 2, "completed_on": 1}
    assert (row.value, row.ok) == (1.0, True)


def test_all_basic_services():
    records = spread("services", ["a", "b", "z"], ["a"])
    row = measure(goal("services", 2), *records, basic_services=["a", "b"])
    assert (row.value, row.ok) == (1.5, False)
    assert row.parts[0].value == 0.5


def test_baselines_take_the_latest_and_name_what_lacks():
    baselines = pd.DataFrame(
        {"indicator": ["space", "space", "jobs"], "value": [84.0, 542.0, None],
         "measured_on": ["2022-01-01", "2024-06-20", "2024-12-31"]}
    )  # fmt: skip
    row = measure(goal("baselines", None, indicators=["space", "jobs"]), baselines=baselines)
    assert (row.value, row.missing, row.ok) == (542.0, ("baselines.jobs",), None)


def test_given_shares_units_and_zones():
    assert measure(goal("towns", 1.0), towns_share=0.4).value == 0.4
    built = measure(goal("leader_built", 1), unit_count=4, leader_built_units=3)
    assert (built.value, built.ok) == (0.75, False)
    zones = pd.DataFrame({"kind": ["park", "village", "park"]})
    assert measure(goal("zones", 2, zone_kind="park"), zones=zones).ok
    assert measure(goal("zones", 2, zone_kind="port"), zones=zones).missing == ("zones.kind=port",)


def test_demo_records_are_flagged():
    assert measure(
        goal("ip_count", 1), incubator("i1", 120.0, 28.0, ip_count=3, provenance="demo")
    ).demo
    assert not measure(goal("ip_count", 1), incubator("i1", 120.0, 28.0, ip_count=3)).demo
