"""Files of the pages: our own, and those of the npm packages that set-up installed."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from web.assets import asset_path, static_path

router = APIRouter(include_in_schema=False)
_YEAR_S = 31_536_000


def _file(request: Request, path: Path) -> FileResponse:
    # An address with a version is another address when the file is another.
    pinned = "v" in request.query_params
    kept = f"public, max-age={_YEAR_S}, immutable" if pinned else "no-cache"
    return FileResponse(path, headers={"Cache-Control": kept})


@router.get("/assets/{name:path}")
def get_asset(request: Request, name: str) -> FileResponse:
    """Serve a file of an npm package."""
    return _file(request, asset_path(name))


@router.get("/static/{name:path}")
def get_static(request: Request, name: str) -> FileResponse:
    """Serve one of our own scripts, styles or images."""
    return _file(request, static_path(name))


@router.get("/favicon.ico")
def get_icon(request: Request) -> FileResponse:
    """Serve the icon where browsers look for it."""
    return _file(request, static_path("icon.svg"))
