"""`jobs`: what the server is working on, and how to stop it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from api.commands.options import Json, Lang, settings_with
from api.commands.output import number, pick, print_json, print_line, print_table
from api.jobs.record import Job
from api.jobs.table import JobTable
from geo.errors import NotFoundError

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_jobs(*, lang: Lang = None, as_json: Json = False) -> None:
    """列出任务，进行中的在前 · List the jobs, those under way first."""
    settings = settings_with(lang=lang)
    folder = settings.data / "jobs"
    jobs = JobTable(folder).latest() if folder.is_dir() else []
    if as_json:
        print_json({"jobs": [job.to_json() for job in jobs]})
        return
    headings = [
        ("编号", "Id"), ("任务", "Job"), ("状态", "State"), ("%", "%"), ("阶段", "Stage"),
        ("提交", "Asked at"), ("结果(字节)", "Result (bytes)"),
    ]  # fmt: skip
    print_table(headings, [_row(job) for job in jobs], lang=settings.lang)


@app.command("cancel")
def cancel_job(
    job: Annotated[str, typer.Argument(help="任务编号 · The job's id")],
    *,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """停止任务 · Stop a job; the best found so far is kept where the question has one."""
    settings = settings_with(lang=lang)
    folder = settings.data / "jobs"
    if not folder.is_dir():
        raise NotFoundError(f"there are no jobs in {settings.data}")
    stopped = JobTable(folder).stop(job)
    if as_json:
        print_json(stopped.to_json())
        return
    ended = not stopped.active
    said = ("已结束", "has ended") if ended else ("正在停止", "is being stopped")
    print_line(f"{stopped.id} {pick(said, settings.lang)} ({stopped.state})")


def _row(job: Job) -> list[str]:
    asked = dt.datetime.fromtimestamp(job.created, dt.UTC).astimezone()
    return [
        job.id, job.kind, job.state, number(job.percent), job.message,
        asked.isoformat(" ", "seconds")[:19], number(job.size_bytes or None),
    ]  # fmt: skip
