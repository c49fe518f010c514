"""`serve` and `settings`: the map over HTTP, and what can be set."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Annotated

import typer

from api.commands.options import Json, Lang, Store, settings_with
from api.commands.output import print_json, print_note, print_table, show_progress
from api.settings import list_settings
from geo.errors import InputError


def serve(
    host: Annotated[
        str | None, typer.Option("--host", metavar="ADDRESS", help="监听地址 · Address")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", metavar="N", help="端口 · Port; 0 for any free one")
    ] = None,
    *,
    init: Annotated[
        bool, typer.Option("--init", help="没有数据库时先新建 · Make the store if there is none")
    ] = False,
    store: Store = None,
    lang: Lang = None,
) -> None:
    """启动地图网站 · Serve the map until stopped."""
    settings = settings_with(store=store, lang=lang, host=host, port=port)
    if init and not settings.store_path.exists():
        # Imported here: a second start needs none of it.
        from api.setup import create_city  # noqa: PLC0415

        with show_progress() as tell:
            report = create_city(settings.store_path, city=settings.city, progress=tell)
        print_note(f"made the store {report.path}: {report.city} {report.city_en}")
    # Imported here: the HTTP side is heavy, and `settings` needs none of it.
    from api.app import serve as serve_forever  # noqa: PLC0415

    _require_free(settings.host, settings.port)
    # Ctrl-C is how a server is meant to end.
    with suppress(KeyboardInterrupt):
        serve_forever(settings)


def _require_free(host: str, port: int) -> None:
    """Refuse an address that cannot be served at, before anything is started.

    Raises
    ------
    InputError
        When another program serves there, or the address is not of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        raise InputError(
            f"cannot serve at {host}, port {port} ({error.strerror or error}); choose another "
            "with --port (0 for any free one) or --host"
        ) from error


def settings(lang: Lang = None, *, as_json: Json = False) -> None:
    """列出设置及其环境变量 · List every setting with its variable, default and meaning."""
    rows = list(list_settings())
    if as_json:
        print_json([row._asdict() for row in rows])
        return
    print_table(
        [("环境变量", "Variable"), ("缺省", "Default"), ("含义", "Meaning")],
        rows,
        lang=settings_with(lang=lang).lang,
    )
