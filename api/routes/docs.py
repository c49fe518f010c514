"""The API's own description, drawn with the scripts of our own server."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

from api.security import page_headers
from web.assets import asset_url

router = APIRouter(include_in_schema=False)


@router.get("/api/docs")
def get_docs(request: Request) -> HTMLResponse:
    """Show the description of the API."""
    page = get_swagger_ui_html(
        openapi_url="/api/openapi.json",
        title="Hatchmap API 孵化空间数字地图",
        swagger_js_url=asset_url("swagger-ui-dist/swagger-ui-bundle.js"),
        swagger_css_url=asset_url("swagger-ui-dist/swagger-ui.css"),
        swagger_favicon_url=asset_url("swagger-ui-dist/favicon-32x32.png"),
    )
    page.headers.update(page_headers(bytes(page.body), request.app.state.settings))
    return page


def describe(app: FastAPI) -> None:
    """Say in the description which shape every error has."""
    described = app.openapi

    def openapi() -> dict[str, object]:
        schema = described()
        problem = {
            "type": "object",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "instance": {"type": "string"},
                "errors": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "where": {"type": "string"},
                            "what": {"type": "string"},
                            "value": {},
                            "fix": {"type": "string"},
                        },
                    },
                },
            },
        }
        schema.setdefault("components", {}).setdefault("schemas", {})["Problem"] = problem
        answer = {
            "description": "What is wrong (RFC 9457)",
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = answer
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way
