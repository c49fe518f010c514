"""The HTTP application, put together."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module

import uvicorn
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import Message

from api.auth import load_token
from api.cache import Cache
from api.errors import add_error_handlers
from api.jobs.pool import JobPool
from api.limits import RateLimit
from api.middleware import AddHeaders, AnswerHead, LimitBody, NoteScenario, Pack
from api.routes import (
    amenities,
    board,
    comparisons,
    coverage,
    deals,
    demand_desk,
    demand_pages,
    demands,
    desk,
    docs,
    editing,
    entry,
    files,
    find,
    health,
    history,
    jobs,
    map_data,
    match,
    match_page,
    pages,
    questions,
    records,
    report,
    rulebook,
    scenario_pages,
    scenarios,
    shortage,
    siting,
    spaces,
    staff,
    structure,
    structure_records,
    surface,
)
from api.scenarios import SeenScenarios
from api.settings import Settings, load_settings
from api.stores import StoreHandle
from geo.errors import HatchmapError, StoreReadOnlyError
from layers.store import open_store

log = logging.getLogger("hatchmap")


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    settings
        The settings; those of the environment where not given.
    """
    settings = settings or load_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(_warm_up(app))
        await run_in_threadpool(app.state.jobs.start)
        yield
        await run_in_threadpool(app.state.jobs.close)
        await warming
        app.state.store.close()

    app = FastAPI(
        title="Hatchmap 孵化空间数字地图",
        description="Where incubation space is, what it lacks, and where the plan stands.",
        version="0.1.0",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
    )
    app.state.settings = settings
    app.state.store = StoreHandle(settings.store_path)
    app.state.jobs = JobPool(settings, app.state.store)
    app.state.scenarios = SeenScenarios()
    app.state.cache = Cache(max_bytes=settings.cache_mb * 1_000_000)
    app.state.post_limit = RateLimit(settings.posts_per_minute)
    app.state.staff_token, app.state.staff_token_is_new = load_token(
        settings.staff_token, settings.data
    )
    add_error_handlers(app, pages.draw_error)
    for module in (
        health, files, docs, questions, amenities, board, coverage,
        structure, structure_records, records, spaces, match, match_page, staff, map_data,
        surface, find, jobs, pages,
    ):  # fmt: skip
        app.include_router(module.router)
    app.include_router(deals.router)
    app.include_router(shortage.router)
    app.include_router(siting.router)
    app.include_router(comparisons.router)  # before what takes `compare` for a scenario
    app.include_router(scenario_pages.router)
    app.include_router(scenarios.router)
    app.include_router(report.router)
    app.include_router(history.router)
    for module in (demands, demand_desk, demand_pages):
        app.include_router(module.router)
    app.include_router(desk.api)
    app.include_router(editing.router)
    app.include_router(rulebook.router)
    # Last, for every other page of the staff comes before a layer's.
    app.include_router(desk.router)
    app.include_router(entry.router)
    docs.describe(app)
    # The last one stands outermost.
    app.add_middleware(LimitBody, max_bytes=settings.max_body_mb * 1_000_000)
    app.add_middleware(Pack)
    app.add_middleware(NoteScenario)
    app.add_middleware(AddHeaders)
    app.add_middleware(AnswerHead)
    app.add_middleware(spaces.AnswerAtOnce)
    return app


async def _warm_up(app: FastAPI) -> None:
    """Draw what people open first, then put together what their first clicks ask."""
    try:
        await _visit(app, "/")
        await run_in_threadpool(_warm_walking, app)
    except HatchmapError as error:
        log.warning("not ready before the first request: %s", error)
    except Exception:
        log.exception("warming up failed")


async def _visit(app: FastAPI, path: str) -> None:
    """Ask for a page as a browser would, so that the cache has it."""
    request = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"accept", b"text/html")],
        "client": None,
        "server": None,
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Message) -> None:
        return

    await app(request, receive, send)


def _warm_walking(app: FastAPI) -> None:
    # Imported here: the kernels behind it take most of the start.
    from layers.columns import space_table  # noqa: PLC0415
    from layers.walking import walk_world  # noqa: PLC0415

    store = app.state.store.get()
    space_table(store).warm_up()
    walk_world(store).warm_up()
    import_module("pandera.pandas")  # what checks edits; half a second that the first would wait


class _Server(uvicorn.Server):
    """Says where the map is once it can be opened."""

    def __init__(self, config: uvicorn.Config, settings: Settings, token: str | None) -> None:
        super().__init__(config)
        self._settings = settings
        self._token = token

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the address."""
        await super().startup(sockets)
        if not self.started or not self.servers:
            return
        port = self.servers[0].sockets[0].getsockname()[1]
        address = f"http://{self._settings.host}:{port}"
        sys.stdout.write(f"Hatchmap: {address}\n")
        if self._token:
            sys.stdout.write(f"Staff link, shown once: {address}/staff?token={self._token}\n")
        sys.stdout.flush()


def serve(settings: Settings) -> None:
    """Serve until stopped.

    Raises
    ------
    StoreError
        When the store cannot be opened.
    """
    app = create_app(settings)
    with suppress(StoreReadOnlyError):  # what the catalogue has gained is added before anyone reads
        open_store(settings.store_path, write=True).close()
    app.state.store.get()
    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, log_level="warning", access_log=False
    )
    token = app.state.staff_token if app.state.staff_token_is_new else None
    _Server(config, settings, token).run()
