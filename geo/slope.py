"""Slope: how much longer a walk takes uphill and downhill.

Tobler's hiking function (W. Tobler, Three Presentations on Geographical Analysis and Modeling,
NCGIA Technical Report 93-1, 1993) gives a walker's speed as ``6 exp(-3.5 |g + 0.05|)`` km/h for a
grade ``g`` (rise over run). Only its shape is used here, relative to level ground, so that the
speed on the level is the walker's own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# The steepest streets of the world rise by about 35 in 100; a grade beyond that is an error of the
# heights (a raster reads the roof, or the valley under a bridge), not of the street.
STEEPEST_GRADE = 0.35

_DECAY = 3.5
_EASIEST_GRADE = -0.05


def grades(rise_m: npt.ArrayLike, run_m: npt.ArrayLike) -> Floats:
    """Give the grade of each segment, clamped to what streets have.

    Parameters
    ----------
    rise_m
        Height at the end less height at the beginning, in metres.
    run_m
        Length of the segment on the map, in metres; 0 gives a grade of 0.

    Returns
    -------
    numpy.ndarray
        Rise over run, between -0.35 and 0.35.

    Examples
    --------
    >>> grades([1.0, -2.0, 115.0, 3.0], [20.0, 20.0, 27.0, 0.0])
    array([ 0.05, -0.1 ,  0.35,  0.  ])
    """
    rise, run = np.asarray(rise_m, np.float64), np.asarray(run_m, np.float64)
    raw = np.divide(rise, run, out=np.zeros(np.broadcast(rise, run).shape), where=run > 0.0)
    return np.clip(raw, -STEEPEST_GRADE, STEEPEST_GRADE)


def slope_factors(grade: npt.ArrayLike) -> Floats:
    """Give the walking time at each grade as a multiple of that on level ground.

    .. math:: exp(3.5 (|g + 0.05| - 0.05))

    Parameters
    ----------
    grade
        Rise over run in the direction of walking.

    Returns
    -------
    numpy.ndarray
        1 on the level, below 1 on gentle descents, above 1 elsewhere.

    Examples
    --------
    >>> slope_factors([0.0, -0.05, 0.1]).round(3)
    array([1.   , 0.839, 1.419])
    """
    slope = np.asarray(grade, np.float64)
    factor: Floats = np.exp(_DECAY * (np.abs(slope - _EASIEST_GRADE) + _EASIEST_GRADE))
    return factor
