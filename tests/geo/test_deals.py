"""Deals and letting: only allowed steps, no area made or lost, whatever is done and undone."""

from functools import reduce

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from geo.deals import (
    FOLLOWS,
    REASONS,
    STATES,
    RefusedError,
    Step,
    let_area,
    read_steps,
    state_of,
    take_back,
    take_step,
    write_steps,
)
from geo.letting import Room, give_back, let, round_area, shift_areas

AREAS = st.integers(1, 30_000).map(lambda hundredths: hundredths / 100)


def make_step(state, area_m2=50.0):
    return Step(state, "2026-11-26T08:00:00+00:00", "staff", area_m2,
                reason="rent" if state == "lost" else None)  # fmt: skip


@st.composite
def sequences(draw):
    """Any sequence of states that the rules allow."""
    states, now = [], ""
    for _ in range(draw(st.integers(1, 12))):
        now = draw(st.sampled_from(FOLLOWS[now]))
        states.append(now)
    return states


@given(sequences())
def test_every_allowed_sequence_can_be_replayed_and_taken_back(states):
    steps = reduce(take_step, map(make_step, states), ())
    assert [step.state for step in steps] == states
    assert read_steps(write_steps(steps)) == steps
    for expected in (*states[-2::-1], ""):
        steps = take_back(steps)
        assert state_of(steps) == expected
    with pytest.raises(RefusedError, match="no step"):
        take_back(steps)


@given(sequences(), st.sampled_from(STATES))
def test_a_step_that_may_not_follow_names_those_that_may(states, state):
    steps = reduce(take_step, map(make_step, states), ())
    assume(state not in FOLLOWS[states[-1]])
    with pytest.raises(RefusedError) as refused:
        take_step(steps, make_step(state))
    assert refused.value.key == "state"
    assert all(allowed in str(refused.value) for allowed in FOLLOWS[states[-1]])
    assert refused.value.values["allowed"] == FOLLOWS[states[-1]]


def test_every_state_leads_somewhere_and_is_led_to():
    assert set(FOLLOWS) == {"", *STATES}
    assert {state for after in FOLLOWS.values() for state in after} == set(STATES)


@pytest.mark.parametrize(
    ("step", "key"),
    [
        (Step("lost"), "reason"),
        (Step("lost", reason="mood"), "reason"),
        (Step("lost", reason="other"), "note"),
        (Step("visited", reason="rent"), "reason"),
        (Step("signed"), "area"),
        (Step("signed", area_m2=0.0), "area"),
        (Step("signed", area_m2=-5.0), "area"),
    ],
)
def test_a_step_that_says_too_little_or_too_much(step, key):
    contacted = (Step("proposed"), Step("contacted"))
    with pytest.raises(RefusedError) as refused:
        take_step(contacted, step)
    assert refused.value.key == key


def test_any_reason_will_do_for_a_loss():
    for reason in REASONS:
        lost = take_step((Step("proposed"),), Step("lost", reason=reason, note="so it was"))
        assert (state_of(lost), let_area(lost)) == ("lost", 0.0)


@pytest.mark.parametrize(
    ("room", "free", "least"),
    [
        (Room(200.0, None, None, "vacant"), 200.0, 200.0),
        (Room(200.0, 120.0, 50.0, "vacant"), 120.0, 50.0),
        (Room(200.0, 30.0, 50.0, "vacant"), 30.0, 30.0),
        (Room(200.0, 900.0, 50.0, "vacant"), 200.0, 50.0),
        (Room(200.0, 120.0, 50.0, "reserved"), 0.0, 0.0),
        (Room(200.0, 0.0, 50.0, "occupied"), 0.0, 0.0),
        (Room(200.0, 120.0, 50.0, None), 0.0, 0.0),
    ],
)
def test_what_is_free(room, free, least):
    assert (room.free_m2, room.least_m2) == (free, least)


@pytest.mark.parametrize(
    ("area_m2", "key"), [(120.01, "oversold"), (1e9, "oversold"), (49.9, "part"), (0.5, "part")]
)
def test_no_more_is_let_than_is_vacant_nor_less_than_a_part(area_m2, key):
    with pytest.raises(RefusedError) as refused:
        let(Room(200.0, 120.0, 50.0, "vacant"), area_m2)
    assert refused.value.key == key
    assert f"{area_m2}" in str(refused.value)


def test_the_last_area_occupies_and_what_is_given_back_is_vacant():
    full = let(Room(200.0, 30.0, 50.0, "vacant"), 30.0)
    assert (full.vacant_m2, full.status) == (0.0, "occupied")
    again = give_back(full, 30.0)
    assert (again.vacant_m2, again.status) == (30.0, "vacant")
    assert give_back(Room(200.0, 190.0, 50.0, "vacant"), 30.0).vacant_m2 == 200.0
    assert give_back(Room(200.0, 100.0, None, "reserved"), 30.0).status == "reserved"


@given(AREAS, AREAS, AREAS)
def test_an_incubator_keeps_its_sum(occupied, vacant, area_m2):
    assume(area_m2 <= vacant)
    before = {"occupied_area_m2": occupied, "vacant_area_m2": vacant}
    after = shift_areas(before, area_m2)
    assert sum(after.values()) == pytest.approx(occupied + vacant)
    assert shift_areas(after, -area_m2) == pytest.approx(before)
    assert shift_areas({"occupied_area_m2": None, "vacant_area_m2": float("nan")}, area_m2) == {}


class Lettings(RuleBasedStateMachine):
    """Many deals on one space: step on, step back, in any order."""

    def __init__(self):
        super().__init__()
        self.room = Room(300.0, 260.0, 20.0, "vacant")
        self.deals = [() for _ in range(4)]

    def move(self, number, steps):
        change = round_area(let_area(steps) - let_area(self.deals[number]))
        if change > 0:
            self.room = let(self.room, change)
        elif change < 0:
            self.room = give_back(self.room, -change)
        self.deals[number] = steps

    @rule(number=st.integers(0, 3), which=st.integers(0, 2), area_m2=AREAS)
    def step(self, number, which, area_m2):
        allowed = FOLLOWS[state_of(self.deals[number])]
        state = allowed[which % len(allowed)]
        free = self.room.free_m2
        steps = take_step(self.deals[number], make_step(state, area_m2))
        if state == "signed" and not self.room.least_m2 <= area_m2 <= free:
            with pytest.raises(RefusedError):
                let(self.room, area_m2)
            return
        self.move(number, steps)

    @precondition(lambda self: any(self.deals))
    @rule(number=st.integers(0, 3))
    def undo(self, number):
        if not self.deals[number]:
            return
        steps = take_back(self.deals[number])
        if let_area(steps) > self.room.free_m2 or 0 < let_area(steps) < self.room.least_m2:
            return
        self.move(number, steps)

    @invariant()
    def nothing_is_made_or_lost(self):
        signed = sum(map(let_area, self.deals))
        assert signed + self.room.vacant_m2 == pytest.approx(260.0, abs=1e-6)
        assert 0.0 <= self.room.vacant_m2 <= 260.0
        assert self.room.status == ("vacant" if self.room.vacant_m2 else "occupied")


TestLettings = Lettings.TestCase
TestLettings.settings = settings(max_examples=60, stateful_step_count=30)
