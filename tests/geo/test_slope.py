"""Slope: Tobler's function relative to level ground."""

import numpy as np
import pytest

from geo.network import SpeedProfile, walk_costs
from geo.slope import STEEPEST_GRADE, grades, slope_factors
from tests.geo.towns import stroll, town

LINE = [(0, 0), (100, 0), (200, 0)]


def test_tobler_in_his_own_numbers():
    # 6 km/h at -5 %, 5.04 km/h on the level (Tobler 1993).
    speed = 5.036742 / slope_factors([-0.05, 0.0, 0.05])
    assert speed == pytest.approx([6.0, 5.037, 4.228], abs=0.001)


def test_the_easiest_grade_is_a_gentle_descent():
    grade = np.linspace(-0.3, 0.3, 601)
    assert grade[slope_factors(grade).argmin()] == pytest.approx(-0.05)


def test_spikes_of_heights_are_clamped():
    assert grades([115.0, -115.0], [27.0, 27.0]).tolist() == [STEEPEST_GRADE, -STEEPEST_GRADE]
    assert grades(5.0, 0.0) == 0.0


def test_level_heights_change_nothing():
    flat, level = stroll(town(LINE)), stroll(town(LINE, z=[7.0, 7.0, 7.0]))
    assert flat.forward_ms.tolist() == level.forward_ms.tolist() == [200_000]
    assert level.symmetric


def test_up_and_down_take_their_own_time():
    costs = stroll(town(LINE, z=[0.0, 10.0, 10.0]))
    up, down = slope_factors([0.1, -0.1])
    assert costs.forward_ms[0] == round(100_000 * up + 100_000)
    assert costs.backward_ms[0] == round(100_000 * down + 100_000)
    assert not costs.symmetric


def test_too_steep_for_a_wheelchair():
    network = town(LINE, z=[0.0, 10.0, 10.0])
    chair = SpeedProfile("wheelchair", 3.6, max_grade=0.08)
    assert len(walk_costs(network, chair).arcs.heads) == 0
    assert len(walk_costs(town(LINE, z=[0.0, 7.0, 7.0]), chair).arcs.heads) == 2


def test_a_bridge_runs_evenly_over_the_valley():
    columns = {"bridge": np.array([True]), "tunnel": np.array([False])}
    over = town(LINE, z=[20.0, 0.0, 20.0], **columns)
    assert over.vertex_z.tolist() == [20.0, 20.0, 20.0]
    assert town(LINE, z=[20.0, 0.0, 20.0]).vertex_z.tolist() == [20.0, 0.0, 20.0]
