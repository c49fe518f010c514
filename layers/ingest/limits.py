"""What an imported file may weigh, and which of its layers or sheets is meant."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from geo.errors import InputError

MIB = 1024 * 1024
MAX_ROWS = 500_000  # about 1.5 GB and 40 s
# A cell of text takes several times its size in memory, a row of a binary file about its size.
MAX_BYTES = {"text": 100 * MIB, "sheet": 50 * MIB, "binary": 2048 * MIB, "zip": 500 * MIB}


def refuse_damaged(file: Path, why: object = "save it anew") -> NoReturn:
    """Raise the error of a file that is not what its ending says."""
    reason = " ".join(str(why).partition("; It might help")[0].split())[:200]
    raise InputError(f"{file} is damaged or not what its ending says: {reason}")


def open_zip(file: Path) -> zipfile.ZipFile:
    """Open a zip, refusing one that is damaged, locked, or small but unpacking to a huge size."""
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        refuse_damaged(file, error)
    entries = archive.infolist()
    size = sum(entry.file_size for entry in entries)
    if size > MAX_BYTES["zip"]:
        archive.close()
        limit = MAX_BYTES["zip"] // MIB
        raise InputError(f"{file} unpacks to {size / MIB:,.0f} MB, the limit is {limit} MB")
    if any(entry.flag_bits & 1 for entry in entries):
        archive.close()
        raise InputError(f"{file} is locked by a password; save it without one")
    return archive


def choose_layer(
    names: Sequence[str],
    file: Path,
    *,
    layer_name: str | None,
    wanted: str | None,
    first: bool = False,
) -> str:
    """Choose a layer or sheet: the one wanted, the preferred one, the only one, or the first.

    >>> choose_layer(["a", "b"], Path("f.gpkg"), layer_name="b", wanted=None)
    'b'
    """
    if wanted is not None:
        if wanted not in names:
            raise InputError(f"{file} has no layer or sheet {wanted!r}; it has: {', '.join(names)}")
        return wanted
    if layer_name in names:
        return str(layer_name)
    if len(names) == 1 or (first and names):
        return names[0]
    if not names:
        raise InputError(f"{file} holds no layer; give one with records")
    raise InputError(f"{file} has several layers; say which: {', '.join(names)}")
