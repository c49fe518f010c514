"""`history` and `undo`: what was changed, and taking a batch of it back."""

from __future__ import annotations

from typing import Annotated

import typer

from api.commands.opening import open_store
from api.commands.options import Json, Lang, Store, settings_with
from api.commands.output import number, pick, print_json, print_line, print_table
from api.questions.history import ask_history, batch_json
from geo.errors import ConflictError
from layers.catalog import layers
from layers.undo import plan_undo, undo_batch


def history(
    layer: Annotated[str | None, typer.Argument(help="图层 · Only of this layer")] = None,
    *,
    text: Annotated[
        str | None, typer.Option("--text", metavar="T", help="说明中的文字 · Part of the note")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", help="最多几批 · At most so many")] = 50,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """列出修改批次，最新在前 · List the batches of the history, the latest first."""
    settings = settings_with(store=store, lang=lang)
    with open_store(settings.store_path) as opened:
        report = ask_history(opened, layer=layer, text=text, limit=limit)
    if as_json:
        print_json(report)
        return
    rows = [batch_json(batch) for batch in report.batches]
    print_table(
        [
            ("批次", "Batch"),
            ("时间", "When"),
            ("谁", "Who"),
            ("图层", "Layer"),
            ("记录", "Records"),
            ("说明", "Note"),
        ],
        [
            [
                row["number"],
                row["at"][:16].replace("T", " "),
                row["who"],
                _layer(row["layer"], settings.lang),
                row["rows"],
                row["note"],
            ]
            for row in rows
        ],
        lang=settings.lang,
    )


def _layer(name: str, lang: str) -> str:
    declared = layers().get(name)
    return pick((declared.zh, declared.en), lang) if declared else name


def undo(
    batch: Annotated[int, typer.Argument(help="批次号，见 hatchmap history · Number of the batch")],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只看会怎样 · Only tell what it would do")
    ] = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """撤销一批修改，撤销本身也可撤销 · Take back one batch; the undo can be undone too."""
    settings = settings_with(store=store, lang=lang)
    with open_store(settings.store_path, write=not dry_run) as opened:
        done = plan_undo(opened, batch) if dry_run else undo_batch(opened, batch, who="command")
    if as_json:
        print_json(done)
    counts = [number(len(part or ())) for part in (done.deletes, done.reverts, done.restores)]
    said = (
        "删除 {} 条、改回 {} 条、恢复 {} 条".format(*counts),
        "{} deleted, {} put back, {} restored".format(*counts),
    )
    if done.conflicts:
        names = "; ".join(f"{fault.where} {fault.what}" for fault in done.conflicts[:5])
        raise ConflictError(f"batch {batch} cannot be undone: {names}", done.conflicts)
    if as_json:
        return
    new = pick((f"批次 {done.done}", f"batch {done.done}"), settings.lang)
    tried = pick(("试运行", "dry run"), settings.lang)
    print_line(f"{pick(said, settings.lang)} ({tried if dry_run else new})")
