"""Setting up: a new store with the facts of a city, its outlines, demo data and street network."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from geo.errors import InputError, StoreReadOnlyError
from layers.boundaries import refresh_units
from layers.demo import add_demo
from layers.pack import Pack, install_pack, load_pack
from layers.store import Store, create_store, open_store
from layers.walking import load_network

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class SetupReport:
    """What a new store holds.

    Attributes
    ----------
    path
        The store.
    city, city_en
        Names of the city.
    records, demo
        How many sourced and how many demo records each layer got.
    without_polygon
        Units that have no outline yet, and why.
    """

    path: str
    city: str
    city_en: str
    records: Mapping[str, int] = field(default_factory=dict)
    demo: Mapping[str, int] = field(default_factory=dict)
    without_polygon: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        return asdict(self)


def create_city(
    path: str | os.PathLike[str],
    *,
    city: str | Path = "wenzhou",
    demo: bool = True,
    progress: Progress | None = None,
    **sizes: int,
) -> SetupReport:
    """Make the store of a city, whole or not at all.

    Everything is written beside the path and put there at the end: whatever interrupts it, there
    is either no store or a complete one.

    Parameters
    ----------
    path
        Where the store shall be; missing folders are made.
    city
        Name of a bundled city pack, `none`, or the folder of one.
    demo
        Whether demo data are added, where a reporting unit has an outline to put them in.
    progress
        Called with a stage and the share done, 0 to 1.
    **sizes
        Numbers of demo records, as `layers.demo.add_demo` takes them.

    Raises
    ------
    InputError
        When something is at the path already, or the pack is faulty.
    StoreReadOnlyError
        When the folder cannot be written to.
    """
    tell = progress or _tell_nobody
    target = Path(path)
    tell("city pack", 0.0)
    pack = load_pack(city)
    _require_free(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-store-", dir=target.parent) as folder:
            draft = Path(folder) / target.name
            with create_store(draft) as store:
                report = _fill(store, pack, demo=demo, sizes=sizes, tell=tell)
            _require_free(target)
            draft.replace(target)
    except OSError as error:
        raise StoreReadOnlyError(
            f"store {target} cannot be made ({error.strerror or error}): choose another folder"
        ) from error
    # The network is kept beside the store under its name: only now it can be put there.
    with open_store(target) as store:
        load_network(store, progress=lambda stage, share: tell(stage, 0.7 + 0.3 * share))
    tell("done", 1.0)
    return SetupReport(str(target), pack.name, pack.name_en, **report)


def _fill(
    store: Store, pack: Pack, *, demo: bool, sizes: Mapping[str, Any], tell: Progress
) -> dict[str, Mapping[str, Any]]:
    records = install_pack(store, pack)
    tell("boundaries", 0.1)
    outlines = refresh_units(store)
    if outlines.divisions_added:
        records["divisions"] = records.get("divisions", 0) + outlines.divisions_added
    made: dict[str, int] = {}
    if demo and outlines.with_polygon:
        tell("demo data", 0.3)
        made = add_demo(store, **sizes)
    return {"records": records, "demo": made, "without_polygon": outlines.without_polygon}


def _require_free(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise InputError(
            f"{path} exists already and is not overwritten: name another file with --store, or "
            "move this one away first"
        )


def _tell_nobody(stage: str, share: float) -> None:
    del stage, share
