"""Fetching a file from the web: resumed where it stopped, held to its checksum, whole or not."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from geo.errors import InputError

Progress = Callable[[str, float], None]

_CHUNK_BYTES = 256 * 1024
_TIMEOUT_S = 30.0
_NO_RANGE = 416  # what a server answers when there is nothing after what we have


@dataclass(frozen=True)
class FetchReport:
    """What was fetched: from where, to which file, its size, and how much of it was there before.

    `sha256` is the checksum that the file has.
    """

    url: str
    path: str
    size_bytes: int
    resumed_bytes: int
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        return dict(vars(self))


def fetch_file(
    url: str,
    path: str | Path,
    *,
    sha256: str | None = None,
    progress: Progress | None = None,
) -> FetchReport:
    """Fetch a file.

    It grows as `FILE.part` beside its place; when the way breaks, the next call goes on from there
    if the server can. Only a complete file with the right checksum gets its name.

    Parameters
    ----------
    url
        An `http` or `https` address.
    path
        Where the file shall be; one of that name is replaced at the end.
    sha256
        The checksum that it must have, in hexadecimal; not checked when None.
    progress
        Called with a stage and the share done, 0 to 1 (0 while the size is not known).

    Raises
    ------
    InputError
        When the address makes no sense, the server cannot be reached or does not have it, the
        checksum is another, or the disk is full. The message names the way out.
    """
    target = Path(path)
    _check_target(url, target)
    part = target.with_name(f"{target.name}.part")
    tell = progress or _tell_nobody
    try:
        resumed = _download(url, part, tell)
        found = _digest(part, tell)
        if sha256 and found != sha256.strip().lower():
            part.unlink()
            raise InputError(
                f"{url}: the checksum is {found}, not {sha256}; the file was thrown away: try "
                "again, or see whether the address has a newer file with another checksum"
            )
        size = part.stat().st_size
        part.replace(target)
    except OSError as error:
        raise InputError(_explain(url, target, error)) from error
    except http.client.HTTPException as error:
        raise InputError(
            f"{url}: the server broke off ({type(error).__name__}); try again, it goes on from "
            f"{part.name}"
        ) from error
    tell("done", 1.0)
    return FetchReport(url, str(target), size, resumed, found)


def _check_target(url: str, target: Path) -> None:
    if not url.lower().startswith(("http://", "https://")):
        raise InputError(f"{url!r} is not an address; give one that starts with https://")
    if target.is_dir():
        raise InputError(f"{target} is a folder; name a file in it")
    if not target.parent.is_dir():
        raise InputError(f"there is no folder {target.parent}; make it first")


def _download(url: str, part: Path, tell: Progress) -> int:
    """Fetch what is not there yet; return how many bytes were."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "hatchmap", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http only, checked above
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT_S)  # noqa: S310 - as above
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != _NO_RANGE or not have:
            raise
        return _resume_refused(url, part, have, error, tell)
    with answer:
        goes_on = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        start = have if goes_on else 0
        total = _total_bytes(answer, start)
        with part.open("ab" if goes_on else "wb") as file:
            _copy(answer, file, start=start, total=total, tell=tell)
    if total is not None and part.stat().st_size < total:
        raise http.client.IncompleteRead(b"", total - part.stat().st_size)
    return start


def _resume_refused(
    url: str, part: Path, have: int, error: urllib.error.HTTPError, tell: Progress
) -> int:
    """Take what we have as complete where the server has as many bytes; else begin anew."""
    if (error.headers.get("Content-Range") or "").rpartition("/")[2] == str(have):
        return have
    part.unlink()
    return _download(url, part, tell)


def _total_bytes(answer: http.client.HTTPResponse, start: int) -> int | None:
    length = answer.headers.get("Content-Length", "")
    return start + int(length) if length.isdigit() else None


def _copy(
    answer: http.client.HTTPResponse,
    file: BinaryIO,
    *,
    start: int,
    total: int | None,
    tell: Progress,
) -> None:
    done = start
    while chunk := answer.read(_CHUNK_BYTES):
        file.write(chunk)
        done += len(chunk)
        tell(f"fetching, {done / 1e6:,.1f} MB", done / total if total else 0.0)


def _digest(path: Path, tell: Progress) -> str:
    tell("checking", 1.0)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _explain(url: str, target: Path, error: OSError) -> str:
    """Say in one line why a file could not be fetched, and what to do."""
    if isinstance(error, urllib.error.HTTPError):
        return (
            f"{url}: the server answers {error.code} {error.reason}; see whether the address is "
            "right, or name another with --url"
        )
    if isinstance(error, urllib.error.URLError | TimeoutError | ConnectionError):
        reason = getattr(error, "reason", error)
        return (
            f"{url}: cannot be reached ({reason}); without a network, fetch the file elsewhere, "
            "bring it here and import it: hatchmap import streets FILE.osm.pbf"
        )
    if error.errno == errno.ENOSPC:
        return f"{target}: the disk is full; make room and try again, it goes on where it stopped"
    return f"{target} cannot be written: {error.strerror or os.strerror(error.errno or 0)}"


def _tell_nobody(stage: str, share: float) -> None:
    del stage, share
