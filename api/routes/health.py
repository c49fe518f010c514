"""Health: whether the process lives, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter, Request

from api.answers import open_request_store

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
def get_live() -> dict[str, str]:
    """Say that the process lives."""
    return {"status": "live"}


@router.get("/ready")
def get_ready(request: Request) -> dict[str, str]:
    """Say that the store can be read; a problem where it cannot."""
    return {"status": "ready", "token": open_request_store(request).token()}
