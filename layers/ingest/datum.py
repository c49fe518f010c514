"""The datum vote: which reading of a file's coordinates fits what else is known about its records.

A file says neither in itself nor by its numbers whether it is WGS-84, GCJ-02 or BD-09: they lie 300
to 1200 m apart. So each reading is tried, and the records vote: is a record then inside the unit or
town that it names, near a street, and where a second pair of coordinates in the file says?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from geo.crs import bd09_to_wgs84, gcj02_to_wgs84, project, project_xy

NEAR_STREET_M = 50.0
SAME_PLACE_DEGREES = 2e-5  # about 2 m
MAX_VOTERS = 5_000
# McNemar's test: with 3, a reading is taken for better than another by chance in 8 of 100 cases.
CRITICAL = 3.0

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.float64]  # 1 agrees, 0 disagrees, NaN no vote

_READINGS = {
    "wgs84": lambda x, y: (x, y),
    "gcj02": gcj02_to_wgs84,
    "bd09": bd09_to_wgs84,
}


@dataclass(frozen=True)
class Vote:
    """How one reading of the coordinates fits.

    Attributes
    ----------
    datum
        The reading: `wgs84` (CGCS2000 is the same to 1 m), `gcj02` or `bd09`.
    score
        Share of all evidence that agrees, 0 to 1.
    in_unit_share
        Share of the records that lie in the unit or town that they name; None without names.
    near_streets_share
        Share of the records within 50 m of a street; None without streets.
    pair_share
        Share of the records whose second pair of coordinates agrees; None without one.
    evidence
        How many single pieces of evidence were heard.
    beats_declared
        Whether this reading fits better than the declared one, by McNemar's test.
    refuted
        Whether it fits worse than the declared one, by the same test.
    """

    datum: str
    score: float
    in_unit_share: float | None
    near_streets_share: float | None
    pair_share: float | None
    evidence: int
    beats_declared: bool = False
    refuted: bool = False


@dataclass(frozen=True)
class Evidence:
    """What is known about the records beside their coordinates.

    Attributes
    ----------
    areas
        Name of a unit or town to its polygon, in longitude and latitude.
    named
        For each record the name of the unit or town that it gives, or None.
    streets
        Lines in longitude and latitude, or None.
    pair
        A second longitude and latitude for each record, of unknown datum, or None.
    """

    areas: Mapping[str, shapely.Geometry]
    named: Sequence[str | None]
    streets: npt.NDArray[np.object_] | None = None
    pair: tuple[Array, Array] | None = None


def vote_datums(
    lon: npt.ArrayLike, lat: npt.ArrayLike, evidence: Evidence, *, declared: str, metric_crs: str
) -> list[Vote]:
    """Let the records vote on the datum of their coordinates.

    Parameters
    ----------
    lon, lat
        Degrees as the file has them; NaN where a record has no place.
    evidence
        What each reading is held against.
    declared
        What the user said: `wgs84`, `cgcs2000`, `gcj02` or `bd09`.
    metric_crs
        Coordinate system in metres, for the distance to streets.

    Returns
    -------
    list of Vote
        Each reading, the best first; on a tie the declared one comes first. Empty when there is no
        evidence, or when no reading differs from another because the records lie outside China.

    Examples
    --------
    >>> box = shapely.box(120.70, 28.00, 120.71, 28.01)
    >>> lon, lat = np.array([120.7045] * 9), np.array([27.9975] * 9)  # 700 m off as GCJ-02 is
    >>> votes = vote_datums(
    ...     lon, lat, Evidence({"A": box}, ["A"] * 9), declared="wgs84", metric_crs="EPSG:4549"
    ... )
    >>> votes[0].datum, votes[0].in_unit_share, votes[0].beats_declared
    ('gcj02', 1.0, True)
    """
    voters = _choose_voters(np.asarray(lon, np.float64), np.asarray(lat, np.float64))
    x, y = np.asarray(lon, np.float64)[voters], np.asarray(lat, np.float64)[voters]
    places = {datum: read(x, y) for datum, read in _READINGS.items()}
    if not len(x) or np.array_equal(places["gcj02"][0], x):
        return []
    named = [evidence.named[i] for i in voters] if len(evidence.named) else [None] * len(x)
    heard = {
        datum: np.stack(
            [
                _in_area(*place, named, evidence.areas),
                _near_streets(*place, evidence.streets, metric_crs),
                _fits_pair(datum, place, evidence.pair, voters),
            ]
        )
        for datum, place in places.items()
    }
    own = "wgs84" if declared == "cgcs2000" else declared
    votes = [_vote(datum, flags, heard[own]) for datum, flags in heard.items()]
    if not votes[0].evidence:
        return []
    return sorted(votes, key=lambda vote: (-vote.score, vote.datum != own))


def _choose_voters(x: Array, y: Array) -> npt.NDArray[np.intp]:
    """Choose records with a place, evenly over the file when there are very many."""
    placed = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    step = max(1, -(-len(placed) // MAX_VOTERS))
    return placed[::step]


def _in_area(
    x: Array, y: Array, named: Sequence[str | None], areas: Mapping[str, shapely.Geometry]
) -> Flags:
    flags = np.full(len(x), np.nan)
    names = np.array([name if name in areas else "" for name in named], dtype=object)
    for name in set(names) - {""}:
        own = names == name
        shapely.prepare(areas[name])
        flags[own] = shapely.intersects_xy(areas[name], x[own], y[own])
    return flags


def _near_streets(
    x: Array, y: Array, streets: npt.NDArray[np.object_] | None, metric_crs: str
) -> Flags:
    if streets is None or not len(streets):
        return np.full(len(x), np.nan)
    tree = shapely.STRtree(project(streets, target=metric_crs))
    points = shapely.points(*project_xy(x, y, target=metric_crs))
    near = np.unique(tree.query(points, predicate="dwithin", distance=NEAR_STREET_M)[0])
    return np.isin(np.arange(len(x)), near).astype(np.float64)


def _fits_pair(
    datum: str,
    place: tuple[Array, Array],
    pair: tuple[Array, Array] | None,
    voters: npt.NDArray[np.intp],
) -> Flags:
    """Whether the second pair, by a reading other than this one, gives the same places."""
    if pair is None:
        return np.full(len(place[0]), np.nan)
    x, y = pair[0][voters], pair[1][voters]
    fits = np.zeros((len(_READINGS), len(x)))
    for i, (other, read) in enumerate(_READINGS.items()):
        if other != datum:
            read_x, read_y = read(x, y)
            apart = np.hypot(read_x - place[0], read_y - place[1])
            fits[i] = apart < SAME_PLACE_DEGREES
    flags: Flags = np.where(np.isfinite(x + y), fits.max(axis=0), np.nan)
    return flags


def _vote(datum: str, flags: Flags, declared: Flags) -> Vote:
    shares = [float(np.nanmean(row)) if np.isfinite(row).any() else None for row in flags]
    better = int(np.sum((flags == 1) & (declared == 0)))
    worse = int(np.sum((flags == 0) & (declared == 1)))
    evidence = int(np.isfinite(flags).sum())
    sure = (better - worse) ** 2 >= CRITICAL * (better + worse)
    return Vote(
        datum=datum,
        score=float(np.nansum(flags)) / evidence if evidence else 0.0,
        in_unit_share=shares[0],
        near_streets_share=shares[1],
        pair_share=shares[2],
        evidence=evidence,
        beats_declared=sure and better > worse,
        refuted=sure and worse > better,
    )


def weigh_votes(votes: Sequence[Vote], declared: str) -> str | None:
    """Say in one line, with figures, when the declared datum lost or could not be told apart.

    Parameters
    ----------
    votes
        As `vote_datums` gives them.
    declared
        What the user said.

    Returns
    -------
    str or None
        None when the declared datum is confirmed, or nothing was heard.
    """
    if not votes:
        return None
    own = "wgs84" if declared == "cgcs2000" else declared
    figures = "; ".join(_figures(vote) for vote in votes)
    winner = next((vote for vote in votes if vote.beats_declared), None)
    if winner is not None:
        return (
            f"the coordinates were declared as {declared} but fit {winner.datum} better: {figures}."
            f" If they are {winner.datum}, import the file with datum {winner.datum}"
        )
    if any(vote.datum != own and not vote.refuted for vote in votes):
        return (
            f"the records cannot tell whether the datum is {declared} ({figures}); make sure by a "
            "record on the map, or import real streets first for a finer vote"
        )
    return None


def _figures(vote: Vote) -> str:
    shares = {
        "in the unit named": vote.in_unit_share,
        "within 50 m of a street": vote.near_streets_share,
        "agreeing with the second pair": vote.pair_share,
    }
    said = ", ".join(f"{share:.0%} {what}" for what, share in shares.items() if share is not None)
    return f"{vote.datum} {said}"
