"""Settings: one declaration for the environment, the command's options and the table in the docs.

Every setting is an environment variable `HATCHMAP_…`; options of the command come before it, the
default after. Nothing is read at import.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from geo.errors import Fault, InputError

PREFIX = "HATCHMAP_"


class Settings(BaseSettings):
    """What an office sets: where things are, how the map looks, who may write."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True
    )

    data: Path = Field(Path("data"), description="Folder of everything that is written")
    store: Path | None = Field(
        None, description="The store, a .gpkg file; by default hatchmap.gpkg in the data folder"
    )
    city: str = Field("wenzhou", description="City pack of a new store: wenzhou, none, or a folder")
    host: str = Field("127.0.0.1", description="Address to serve at; 0.0.0.0 for every network")
    port: int = Field(8000, ge=0, le=65535, description="Port to serve at; 0 for any that is free")
    lang: Literal["zh", "en"] = Field("zh", description="Language of pages and tables")
    basemap: str = Field(
        "none", description="Base map: none, tianditu, or a tile address with {z}, {x}, {y}"
    )
    basemap_datum: Literal["wgs84", "cgcs2000", "gcj02", "bd09"] = Field(
        "wgs84", description="Datum that the tiles of the address are drawn in"
    )
    basemap_attribution: str = Field("", description="Who made the base map, shown on it")
    tianditu_key: str = Field("", description="Key (tk) of 天地图")
    review_number: str = Field("", description="审图号, shown at the lower left of every map")
    staff_token: str = Field(
        "", description="Secret of the staff; made at the first start where not given"
    )
    osm_url: str = Field("", description="Address of the OpenStreetMap extract for fetch osm")
    osm_sha256: str = Field("", description="Checksum that the extract must have")
    cache_mb: int = Field(256, ge=1, le=65536, description="Memory for finished answers, MB")
    max_features: int = Field(
        20_000, ge=1, description="Most records in one GeoJSON answer; above it, tiles or a box"
    )
    stale_days: int = Field(
        90, ge=1, description="Days without confirmation after which a record is doubted"
    )
    max_body_mb: int = Field(16, ge=1, description="Largest request body, MB")
    job_workers: int = Field(2, ge=1, le=64, description="Processes that do long work")
    job_queue: int = Field(
        40, ge=2, le=10_000, description="Most jobs that may wait; half of it for the public"
    )
    job_minutes: int = Field(60, ge=1, le=1440, description="Longest time of one job, minutes")
    results_mb: int = Field(512, ge=1, description="Room for results of jobs, MB")
    results_days: int = Field(7, ge=1, description="Days that results of jobs are kept")
    public_solve_s: int = Field(
        60, ge=1, le=300, description="Longest time to solve that the public may ask for, seconds"
    )
    posts_per_minute: int = Field(
        10, ge=1, description="Needs for space that one address may post or open a minute"
    )

    @property
    def store_path(self) -> Path:
        """The store's file."""
        return self.store or self.data / "hatchmap.gpkg"


class SettingRow(NamedTuple):
    """A setting as a line of a table."""

    variable: str
    default: str
    what: str


def load_settings(**given: Any) -> Settings:
    """Read the settings; values given come before the environment, empty ones are as none.

    Raises
    ------
    InputError
        When a value cannot be taken; the message names its variable.

    >>> load_settings(port=9000).port
    9000
    >>> load_settings(port="x")
    Traceback (most recent call last):
    geo.errors.InputError: HATCHMAP_PORT: Input should be a valid integer, ... ('x')
    """
    try:
        return Settings(**{key: value for key, value in given.items() if value not in (None, "")})
    except ValidationError as error:
        faults = [
            Fault(
                PREFIX + "_".join(str(part) for part in entry["loc"]).upper(),
                entry["msg"],
                entry["input"],
            )
            for entry in error.errors()
        ]
        raise InputError("; ".join(map(str, faults)), faults) from error


def list_settings() -> Iterator[SettingRow]:
    """List every setting with its variable, default and meaning.

    >>> next(list_settings())[:2]
    ('HATCHMAP_DATA', 'data')
    """
    for name, declared in Settings.model_fields.items():
        default = "" if declared.default is None else str(declared.default)
        yield SettingRow(PREFIX + name.upper(), default, declared.description or "")
