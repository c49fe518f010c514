"""The door to the mixed-integer solver HiGHS (Huangfu and Hall 2018): arrays in, arrays out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import highspy
import numpy as np
import numpy.typing as npt
from scipy import sparse

from geo.errors import HatchmapError
from geo.pool import Cancel

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Status = Literal["optimal", "feasible", "infeasible", "cancelled"]

_TINY = 1e-9
_LEAST_S = 0.05  # a solve that comes late still gets this long


@dataclass(frozen=True, eq=False)
class MixedInteger:
    """Minimise `costs` over values between bounds, rows between bounds, some values whole."""

    costs: Floats
    lower: Floats
    upper: Floats
    integer: Bools
    rows: sparse.csr_array
    row_lower: Floats
    row_upper: Floats

    def with_row(
        self, row: Floats, *, lower: float = -np.inf, upper: float = np.inf
    ) -> MixedInteger:
        """Return the model with one more row."""
        return replace(
            self,
            rows=sparse.csr_array(sparse.vstack([self.rows, sparse.csr_array(row[None, :])])),
            row_lower=np.r_[self.row_lower, lower],
            row_upper=np.r_[self.row_upper, upper],
        )

    def relaxed(self) -> MixedInteger:
        """Return the model with no value held whole."""
        return replace(self, integer=np.zeros(len(self.costs), dtype=bool))


@dataclass(frozen=True, eq=False)
class Solution:
    """What the solver found.

    Parameters
    ----------
    status
        `optimal` within the gap asked for; `feasible` when time ran out; `cancelled`; `infeasible`.
    values
        The values; empty where nothing feasible was found.
    objective
        Their cost; None where nothing feasible was found.
    bound
        No feasible values cost less; None where nothing is proven.
    prices
        Of a relaxed model: what one unit more on the right of each row would cost; else empty.
    """

    status: Status
    values: Floats
    objective: float | None
    bound: float | None
    prices: Floats

    @property
    def gap(self) -> float | None:
        """How far the cost may be from the best, as a share of the cost."""
        return gap_of(self.objective, self.bound)


def gap_of(objective: float | None, bound: float | None) -> float | None:
    """Return how far an objective may be from the best, as a share of it.

    >>> gap_of(100.0, 99.0), gap_of(0.0, 0.0), gap_of(None, 3.0)
    (0.01, 0.0, None)
    """
    if objective is None or bound is None:
        return None
    difference = abs(objective - bound)
    return 0.0 if difference <= _TINY else difference / max(abs(objective), _TINY)


@dataclass(frozen=True)
class Watch:
    """How long to look, how close is close enough, and how to be told and stopped.

    Parameters
    ----------
    until
        Moment on the monotonic clock at which the best found is the answer; see `start`.
    gap
        Share of the objective at which to stop.
    cancel
        Asked now and then from the solving thread; once it says yes the best found is the answer.
    progress
        Called with the objective and the bound as they improve.
    """

    until: float = np.inf
    gap: float = 1e-6
    cancel: Cancel | None = None
    progress: Callable[[float, float], None] | None = None

    @classmethod
    def start(
        cls,
        time_limit_s: float = 60.0,
        *,
        gap: float = 1e-6,
        cancel: Cancel | None = None,
        progress: Callable[[float, float], None] | None = None,
    ) -> Watch:
        """Return a watch that starts now."""
        return cls(time.monotonic() + time_limit_s, gap, cancel, progress)

    @property
    def left_s(self) -> float:
        """Seconds left; never quite none, so that a late solve still finds something."""
        return max(self.until - time.monotonic(), _LEAST_S)

    @property
    def over(self) -> bool:
        """Whether time is up or the work was cancelled."""
        return self.cancelled or time.monotonic() >= self.until

    @property
    def cancelled(self) -> bool:
        """Whether the work was cancelled."""
        return self.cancel is not None and self.cancel()

    def within(self, seconds: float) -> Watch:
        """Return a watch over a part of the work: at most so many seconds from now."""
        return replace(self, until=min(self.until, time.monotonic() + seconds))


class _QuietHighs(highspy.Highs):
    """HiGHS that prints nothing: its banner comes with the callbacks, before any option is set."""

    def enableCallbacks(self) -> None:  # noqa: N802 - the name is HiGHS's
        """Keep quiet first."""
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]  # HiGHS has no types here


def solve(
    model: MixedInteger,
    *,
    watch: Watch | None = None,
    start: Floats | None = None,
    interior: bool = False,
) -> Solution:
    """Solve to the gap, the time limit or the cancel, whichever comes first.

    The same model gives the same answer: HiGHS runs on one thread with a fixed seed.

    Parameters
    ----------
    model
        The model.
    watch
        Limits; a minute by default.
    start
        Feasible values known before.
    interior
        Solve the relaxation by interior points, which is quicker where it is large.

    Raises
    ------
    HatchmapError
        When the solver fails.

    >>> knapsack = MixedInteger(
    ...     costs=np.array([-5.0, -4.0, -3.0]), lower=np.zeros(3), upper=np.ones(3),
    ...     integer=np.ones(3, dtype=bool),
    ...     rows=sparse.csr_array(np.array([[2.0, 3.0, 1.0]])),
    ...     row_lower=np.array([-np.inf]), row_upper=np.array([3.0]),
    ... )
    >>> abs(solve(knapsack).values).tolist()
    [1.0, 0.0, 1.0]
    """
    watch = watch or Watch.start()
    solution = _run(model, watch, start=start, interior=interior)
    if start is not None and not _adds_up(model, solution):
        solution = _run(model, watch, start=None, interior=interior)
    return solution


def _adds_up(model: MixedInteger, solution: Solution) -> bool:
    """Tell whether the objective is that of the values.

    HiGHS 1.16 may call a start optimal with the objective of another problem when presolve leaves
    nothing of the model.
    """
    if solution.objective is None:
        return True
    true = float(model.costs @ solution.values)
    return abs(true - solution.objective) <= 1e-6 * max(1.0, abs(true))


def _run(model: MixedInteger, watch: Watch, *, start: Floats | None, interior: bool) -> Solution:
    solver = _QuietHighs()  # type: ignore[no-untyped-call]  # HiGHS has no types here
    for name, value in (
        ("threads", 1),
        ("random_seed", 0),
        ("time_limit", float(min(watch.left_s, 1e9))),
        ("mip_rel_gap", float(watch.gap)),
        ("mip_abs_gap", _TINY),
    ):
        solver.setOptionValue(name, value)
    if interior:
        solver.setOptionValue("solver", "ipm")
        solver.setOptionValue("run_crossover", "off")
    solver.passModel(_problem(model))
    if start is not None:
        known = highspy.HighsSolution()
        known.col_value = start.tolist()
        solver.setSolution(known)
    _listen(solver, watch)
    solver.run()
    return _read(solver, model, cancelled=watch.cancelled)


def _listen(solver: highspy.Highs, watch: Watch) -> None:
    """Tell of improvements, and stop when asked to."""
    progress, cancel = watch.progress, watch.cancel
    if progress is not None:

        def improved(event: highspy.HighsCallbackEvent) -> None:
            progress(event.data_out.mip_primal_bound, event.data_out.mip_dual_bound)

        solver.cbMipImprovingSolution += improved
    if cancel is not None:

        def interrupt(event: highspy.HighsCallbackEvent) -> None:
            event.interrupt() if cancel() else None

        solver.cbMipInterrupt += interrupt
        solver.cbSimplexInterrupt += interrupt
        solver.cbIpmInterrupt += interrupt


def _problem(model: MixedInteger) -> highspy.HighsLp:
    problem = highspy.HighsLp()
    problem.num_col_ = len(model.costs)
    problem.num_row_ = model.rows.shape[0]
    problem.col_cost_ = model.costs
    problem.col_lower_ = model.lower
    problem.col_upper_ = np.where(np.isposinf(model.upper), highspy.kHighsInf, model.upper)
    problem.row_lower_ = np.where(np.isneginf(model.row_lower), -highspy.kHighsInf, model.row_lower)
    problem.row_upper_ = np.where(np.isposinf(model.row_upper), highspy.kHighsInf, model.row_upper)
    rows = sparse.csr_array(model.rows, dtype=np.float64)
    problem.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    problem.a_matrix_.start_ = rows.indptr
    problem.a_matrix_.index_ = rows.indices
    problem.a_matrix_.value_ = rows.data
    if model.integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        problem.integrality_ = [kinds[int(whole)] for whole in model.integer]
    return problem


def _read(solver: highspy.Highs, model: MixedInteger, *, cancelled: bool) -> Solution:
    info, state = solver.getInfo(), solver.getModelStatus()
    nothing = np.empty(0)
    if state in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kModelEmpty):
        empty_is_fine = state == highspy.HighsModelStatus.kModelEmpty
        return Solution("optimal" if empty_is_fine else "infeasible", nothing, None, None, nothing)
    found = solver.getSolution()
    values = np.asarray(found.col_value, dtype=np.float64)
    done = state == highspy.HighsModelStatus.kOptimal
    objective = float(info.objective_function_value)
    if not model.integer.any():
        if not done:
            return Solution("cancelled" if cancelled else "feasible", nothing, None, None, nothing)
        return Solution("optimal", values, objective, objective, np.asarray(found.row_dual))
    bound = float(info.mip_dual_bound)
    known = bound if np.isfinite(bound) and abs(bound) < highspy.kHighsInf else None
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        if not cancelled and state != highspy.HighsModelStatus.kTimeLimit:
            raise HatchmapError(f"the solver stopped: {solver.modelStatusToString(state)}")
        return Solution("cancelled" if cancelled else "feasible", nothing, None, known, nothing)
    # Whole values are whole: what rounding left is taken off.
    values = np.where(model.integer, np.rint(values), values)
    status: Status = "optimal" if done else "cancelled" if cancelled else "feasible"
    return Solution(status, values, objective, known, nothing)
