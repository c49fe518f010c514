"""Kernels find a folder on machines that let nobody write where the program lies."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import api
import geo
from api.kernels import keep_kernels

# A file stands where the folder would have to be made: not even root can.
NOWHERE = Path("/dev/null/none")
ROOT = Path(api.__file__).parent.parent

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="user ids")


@pytest.fixture
def read_only(monkeypatch, tmp_path):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(NOWHERE))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_that_can_be_written_stays_with_numba(read_only):
    keep_kernels(read_only)
    assert "NUMBA_CACHE_DIR" not in os.environ


def test_a_named_folder_goes_before(read_only, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "named")
    keep_kernels(NOWHERE)
    assert os.environ["NUMBA_CACHE_DIR"] == "named"


def test_elsewhere_a_folder_of_ones_own_is_made_and_kept(read_only, monkeypatch):
    for _ in range(2):
        monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
        keep_kernels(NOWHERE)
        folder = Path(os.environ["NUMBA_CACHE_DIR"])
        assert folder == read_only / f"hatchmap-kernels-{os.getuid()}"
        assert folder.stat().st_mode & 0o077 == 0


def test_a_folder_that_others_can_write_is_not_trusted(read_only):
    planted = read_only / f"hatchmap-kernels-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    keep_kernels(NOWHERE)
    assert Path(os.environ["NUMBA_CACHE_DIR"]) != planted


def test_kernels_run_where_nothing_can_be_written(read_only):
    package = read_only / "geo"
    package.mkdir()
    for name in ("__init__.py", "search.py"):
        (package / name).write_bytes((Path(geo.__file__).parent / name).read_bytes())
    (package / "__pycache__").touch()
    # Its own folder comes first, so that this geo is taken and the api of the checkout.
    script = (
        f"import sys; sys.path.append({str(ROOT)!r}); import api, numpy as np; "
        "from geo.search import push, pop; h = np.empty(4, np.int64); push(h, 0, 7); "
        "print(pop(h, 1))"
    )
    environment = {**os.environ, "TMPDIR": str(read_only), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=read_only, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "7", done.stderr
    assert any((read_only / f"hatchmap-kernels-{os.getuid()}").rglob("*.nbi"))
