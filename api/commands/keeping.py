"""`backup` and `restore`: copies of the store."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from api.commands.options import Json, Lang, Store, settings_with
from api.commands.output import pick, print_json, print_line
from geo.errors import InputError
from layers.store import open_store


def backup(
    file: Annotated[Path, typer.Argument(help="新文件 · A new file")],
    *,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """备份数据库，使用中也可 · Copy the store, also while it is in use."""
    settings = settings_with(store=store, lang=lang)
    with open_store(settings.store_path) as opened:
        opened.backup(file)
    size_bytes = file.stat().st_size
    if as_json:
        print_json({"path": str(file), "size_bytes": size_bytes})
        return
    said = (f"已备份到 {file}", f"Copied to {file}")
    print_line(f"{pick(said, settings.lang)} ({size_bytes / 1e6:,.1f} MB)")


def restore(
    file: Annotated[Path, typer.Argument(help="备份文件 · The copy")],
    *,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """用备份替换数据库，原库改名保留 · Put a copy in the store's place; the old one is kept."""
    settings = settings_with(store=store, lang=lang)
    target = settings.store_path
    if file.exists() and target.exists() and file.samefile(target):
        raise InputError(f"{file} is the store itself; name the copy to restore")
    kept = _put(file, target)
    if as_json:
        print_json({"path": str(target), "kept": None if kept is None else str(kept)})
        return
    print_line(pick((f"已恢复 {target}", f"Restored {target}"), settings.lang))
    if kept is not None:
        print_line(pick((f"原库保留为 {kept}", f"The old store is kept as {kept}"), settings.lang))


def _put(file: Path, target: Path) -> Path | None:
    """Copy a store to its place, whole, and return where the old one is kept."""
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=_folder(target)) as folder:
        draft = Path(folder) / target.name
        # Through the store's own copy: it checks that this is one, and takes its journal along.
        with open_store(file) as opened:
            opened.backup(draft)
        kept = _set_aside(target) if target.exists() else None
        draft.replace(target)
    return kept


def _folder(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.parent


def _set_aside(target: Path) -> Path:
    """Move the store that is there away, with everything written to it."""
    stamp = dt.datetime.now(tz=dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    kept = target.with_name(f"{target.stem}.before-{stamp}{target.suffix}")
    for ending in ("", "-wal", "-shm"):
        beside = Path(f"{target}{ending}")
        if beside.exists():
            shutil.move(beside, f"{kept}{ending}")
    return kept
