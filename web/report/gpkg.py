"""The results of a report as a GeoPackage: units, towns, incubators and tables, for QGIS."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio

from geo.crs import STORED_CRS
from geo.report import CityReport
from web.report.document import Document, Tell


def write(document: Document, report: CityReport, tell: Tell) -> bytes:
    """Write the results behind a document as a GeoPackage.

    Parameters
    ----------
    document
        The document; its title describes the layers.
    report
        The answers.
    tell
        Called with what is done and the share done.
    """
    frames = _frames(report)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{report.as_of}T00:00:00.000Z"})
    try:
        with tempfile.TemporaryDirectory(prefix="hatchmap-") as folder:
            file = Path(folder) / "report.gpkg"
            for at, (name, frame) in enumerate(frames.items()):
                tell("writing", at / len(frames))
                pyogrio.write_dataframe(
                    frame, file, layer=name, driver="GPKG", append=at > 0,
                    layer_options={"DESCRIPTION": f"{document.title} {report.as_of}"},
                    **({"geometry_type": "Unknown"} if isinstance(frame, gpd.GeoDataFrame) else {}),
                )  # fmt: skip
            return file.read_bytes()
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _frames(report: CityReport) -> dict[str, pd.DataFrame]:
    """Return the layers of the results by name."""
    answers = {key: result.to_json() for key, result in report.results.items()}
    frames: dict[str, pd.DataFrame] = {}
    units = report.places.units.to_crs(STORED_CRS)
    if "towns" in answers:
        rows = answers["towns"]["units"]
        units = units.merge(_named(rows, "unit", "towns_"), how="left", on="name")
        towns = [{key: value for key, value in row.items() if not isinstance(value, (list, dict))}
                 | _nearest(row) for row in answers["towns"]["towns"]]  # fmt: skip
        frames["towns"] = _placed(towns)
    if "units" in answers:
        rows = [_flat(row) for row in answers["units"]["units"]]
        units = units.merge(_named(rows, "unit", ""), how="left", on="name")
        frames["goals"] = pd.DataFrame([_flat(row) for row in answers["units"]["goals"]])
    if "targets" in answers:
        frames["targets"] = pd.DataFrame([_flat(row) for row in answers["targets"]["rows"]])
    if "amenities" in answers:
        rows = [
            {
                "id": row["id"],
                "compliance_ok": (row["compliance"] or {}).get("ok"),
                "planning_score": (row["planning"] or {}).get("score"),
                "missing": ",".join((row["planning"] or {}).get("missing") or ()),
            }
            for row in answers["amenities"]["rows"]
        ]
        points = report.places.incubators.to_crs(STORED_CRS)
        frames["incubators"] = points.merge(pd.DataFrame(rows), how="inner", on="id")
    if "structure" in answers:
        roles = [_flat(row) for row in answers["structure"]["roles"]]
        frames["structure"] = pd.DataFrame(roles)
    if "siting" in answers:
        frames["sites_chosen"] = _placed([_flat(row) for row in answers["siting"]["chosen"]])
    facts = {"title": report.city.get("name"), "as_of": report.as_of, "unit": report.unit,
             "scenario": report.scenario, "demo_counted": report.demo_counted}  # fmt: skip
    frames["report"] = pd.DataFrame([facts])
    return {"units": units, **{key: one for key, one in frames.items() if len(one)}}


def _named(rows: Sequence[Mapping[str, Any]], key: str, prefix: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"name": row[key], **{f"{prefix}{name}": value for name, value in row.items()
                                  if name != key}}
            for row in rows
        ]
    )  # fmt: skip


def _nearest(row: Mapping[str, Any]) -> dict[str, Any]:
    near = row.get("nearest") or {}
    names = ("id", "distance_m", "walk_minutes", "drive_minutes")
    return {f"nearest_{name}": near.get(name) for name in names}


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if not isinstance(value, (list, dict))}


def _placed(rows: Sequence[Mapping[str, Any]]) -> gpd.GeoDataFrame:
    frame = pd.DataFrame(rows)
    if not len(frame):
        return gpd.GeoDataFrame(frame)
    points = gpd.points_from_xy(frame["lon"].astype(float), frame["lat"].astype(float))
    return gpd.GeoDataFrame(frame.drop(columns=["lon", "lat"]), geometry=points, crs=STORED_CRS)
