"""Uploads that wait for their confirmation: in the data folder, whole, few and not for long."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import orjson

from geo.errors import InputError, NotFoundError

MAX_AGE_S = 24 * 3600
MAX_WAITING = 100
_KEY = re.compile(r"[A-Za-z0-9_-]{16,40}")
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Waiting:
    """An upload that waits: its key, file, layer, name as sent, and the datum declared."""

    key: str
    path: Path
    layer: str
    name: str
    datum: str


class UploadRoom:
    """The folder in which uploads wait.

    Parameters
    ----------
    folder
        Made when the first upload comes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes, *, layer: str, name: str, datum: str) -> Waiting:
        """Keep an upload, whole or not at all, and clear away those that waited too long.

        Raises
        ------
        InputError
            When it is empty, or too many wait.
        """
        if not content:
            raise InputError("upload: the file is empty; choose one with rows")
        self.clear()
        self._folder.mkdir(parents=True, exist_ok=True)
        if len(self._waiting()) >= MAX_WAITING:
            raise InputError(f"upload: {MAX_WAITING} files wait already; confirm or discard some")
        key = secrets.token_urlsafe(18)
        short = Path(name.replace("\\", "/")).name[-_LONGEST_NAME:] or "upload.xlsx"
        file = f"file{Path(short).suffix.lower()}"
        draft = Path(tempfile.mkdtemp(prefix=".part-", dir=self._folder))
        try:
            (draft / file).write_bytes(content)
            said = {"layer": layer, "name": short, "datum": datum, "file": file}
            (draft / "said.json").write_bytes(orjson.dumps(said))
            draft.rename(self._folder / key)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        return self.get(key)

    def get(self, key: str) -> Waiting:
        """Return an upload that waits.

        Raises
        ------
        NotFoundError
            When there is none of that key, or it has been cleared away.
        """
        folder = self._folder / key
        if not _KEY.fullmatch(key) or not (folder / "said.json").is_file():
            raise NotFoundError("this upload is no longer there; upload the file again")
        said = orjson.loads((folder / "said.json").read_bytes())
        return Waiting(key, folder / said["file"], said["layer"], said["name"], said["datum"])

    def drop(self, key: str) -> None:
        """Throw an upload away."""
        if _KEY.fullmatch(key):
            shutil.rmtree(self._folder / key, ignore_errors=True)

    def clear(self, *, max_age_s: float = MAX_AGE_S) -> None:
        """Throw away what has waited too long."""
        now = time.time()
        for folder in self._waiting():
            if now - folder.stat().st_mtime > max_age_s:
                shutil.rmtree(folder, ignore_errors=True)

    def _waiting(self) -> list[Path]:
        return list(self._folder.iterdir()) if self._folder.is_dir() else []
