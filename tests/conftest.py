"""Fixtures that every part of the tests shares."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# A slow machine is no fault of what is tested.
hypothesis.settings.register_profile("hatchmap", deadline=None)
hypothesis.settings.load_profile("hatchmap")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data beside the checkout, never copied into it."""
    folder = Path(os.environ.get("HATCHMAP_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.fail(
            f"the real data is not at {folder}: put it there or name its folder by "
            "HATCHMAP_SHARED_DATA"
        )
    return folder


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory) -> Iterator[None]:
    """Keep what servers write by themselves out of the checkout, those of subprocesses too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HATCHMAP_DATA", str(tmp_path_factory.mktemp("data")))
        patch.setenv("HATCHMAP_LANG", "en")  # the words of the sources, where a test names no other
        yield
