"""Who may import whom: geo ← layers ← web ← api, and what the inner rooms must not know."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ORDER = ("geo", "layers", "web", "api")
MODULES = [path for package in ORDER for path in sorted((ROOT / package).rglob("*.py"))]

# No files, network, settings, web or storage in the computing core.
NOT_IN_GEO = {
    "aiohttp", "branca", "fastapi", "folium", "glob", "http", "httpx", "io", "jinja2",
    "osmium", "pathlib", "pydantic", "pydantic_settings", "pyogrio", "requests", "rich", "shutil",
    "socket", "sqlalchemy", "sqlite3", "starlette", "tempfile", "tomllib", "typer", "urllib",
    "uvicorn",
}  # fmt: skip
NOT_IN_LAYERS = {"fastapi", "folium", "jinja2", "starlette", "typer", "uvicorn"}
# What a door may take from the core: errors, and the words and numbers of a question.
GEO_FOR_DOORS = {"geo.errors", "geo.crs", "geo.catchment"}
COMPUTING = {"numpy", "scipy", "numba", "contourpy", "highspy"}


def imported(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield node.lineno, node.module


def package_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def find(path: Path, forbidden) -> list[str]:
    return [f"{name_of(path)}:{line}: {name}" for line, name in imported(path) if forbidden(name)]


def top(name: str) -> str:
    return name.partition(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_inwards(path):
    outer = set(ORDER[ORDER.index(package_of(path)) + 1 :]) | {"tests"}
    assert find(path, lambda name: top(name) in outer) == []


@pytest.mark.parametrize("path", [p for p in MODULES if package_of(p) == "geo"], ids=name_of)
def test_geo_only_computes(path):
    assert find(path, lambda name: top(name) in NOT_IN_GEO) == []
    calls = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"open", "print", "input", "exec", "eval"}
    ]
    assert calls == []
    assert not re.search(r"os\.(environ|getenv|open|listdir|path)", path.read_text("utf-8"))


@pytest.mark.parametrize("path", [p for p in MODULES if package_of(p) == "layers"], ids=name_of)
def test_layers_know_no_door(path):
    assert find(path, lambda name: top(name) in NOT_IN_LAYERS) == []


DOORS = [p for p in MODULES if p.parts[-2] in ("commands", "routes") and package_of(p) == "api"]


@pytest.mark.parametrize("path", DOORS, ids=name_of)
def test_doors_compute_nothing(path):
    def computes(name):
        return top(name) in COMPUTING or (top(name) == "geo" and name not in GEO_FOR_DOORS)

    assert find(path, computes) == []


# Where the pack of a store that nobody chose is named.
NAMES_THE_DEFAULT = {"api/settings.py", "api/setup.py", "api/commands/setting_up.py"}


def constants(path: Path) -> Iterator[tuple[int, object]]:
    """List the constants of a module but its docstrings."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Constant) and not isinstance(node, ast.Expr):
                yield child.lineno, child.value


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_code_knows_no_city(path):
    if name_of(path) in NAMES_THE_DEFAULT:
        return
    found = [
        (line, value)
        for line, value in constants(path)
        if re.search(r"wenzhou|温州|\b3303\d\d|^(EPSG:)?4549$", str(value), re.IGNORECASE)
    ]
    assert found == []


def test_there_are_modules():
    assert len(DOORS) > 10
    assert {package_of(path) for path in MODULES} == set(ORDER)
