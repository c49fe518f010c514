"""Where compiled kernels are kept when neither the installation nor the home can be written.

numba keeps them beside the sources, or in the user's cache, and refuses to start where it can write
to neither, as in a container whose disk is read only. Then they go into the temporary folder, where
they last as long as that does. `NUMBA_CACHE_DIR` names another folder and goes before all this.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

_VARIABLE = "NUMBA_CACHE_DIR"


def keep_kernels(sources: Path) -> None:
    """Name a folder for kernels where numba would find none.

    Parameters
    ----------
    sources
        Folder of the modules that hold kernels.
    """
    # Windows has no user ids to tell whose a temporary folder is; it always has a user's cache.
    if os.environ.get(_VARIABLE) or not hasattr(os, "getuid"):
        return
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    if not (_can_fill(sources / "__pycache__") or _can_fill(cache / "numba")):
        os.environ[_VARIABLE] = str(_own_folder(Path(tempfile.gettempdir())))


def _can_fill(folder: Path) -> bool:
    """Tell whether files can be put into a folder, which may have to be made first."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _own_folder(parent: Path) -> Path:
    """Give a folder that nobody else can write to: what lies in it will be run."""
    folder = parent / f"hatchmap-kernels-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    closed = not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and closed:
        return folder
    return Path(tempfile.mkdtemp(prefix="hatchmap-kernels-", dir=parent))
