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


def modules_of(*packages: str) -> list[Path]:
    return [path for path in MODULES if package_of(path) in packages]


def find_all(paths, forbidden) -> list[str]:
    return [found for path in paths for found in find(path, forbidden)]


@pytest.mark.parametrize("package", ORDER)
def test_imports_point_inwards(package):
    outer = {*ORDER[ORDER.index(package) + 1 :], "tests"}
    assert find_all(modules_of(package), lambda name: top(name) in outer) == []


def test_geo_only_computes():
    assert find_all(modules_of("geo"), lambda name: top(name) in NOT_IN_GEO) == []
    for path in modules_of("geo"):
        text = path.read_text("utf-8")
        calls = [
            node.lineno
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"open", "print", "input", "exec", "eval"}
        ]
        assert calls == [], name_of(path)
        assert not re.search(r"os\.(environ|getenv|open|listdir|path)", text), name_of(path)


def test_layers_know_no_door():
    assert find_all(modules_of("layers"), lambda name: top(name) in NOT_IN_LAYERS) == []


DOORS = [path for path in modules_of("api") if path.parts[-2] in ("commands", "routes")]


def test_doors_compute_nothing():
    assert find_all(DOORS, lambda name: top(name) in COMPUTING) == []
    # Of the core they take types and constants, which begin with a capital, and no functions.
    functions = [
        f"{name_of(path)}:{node.lineno}: {node.module}.{alias.name}"
        for path in DOORS
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and top(node.module) == "geo"
        for alias in node.names
        if not alias.name[0].isupper()
    ]
    assert functions == []


# Where the pack of a store that nobody chose is named.
NAMES_THE_DEFAULT = {"api/settings.py", "api/setup.py", "api/commands/setting_up.py"}
CITY = re.compile(r"wenzhou|温州|\b3303\d\d|^(EPSG:)?4549$", re.IGNORECASE)


def constants(path: Path) -> Iterator[tuple[int, object]]:
    """List the constants of a module but its docstrings."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Constant) and not isinstance(node, ast.Expr):
                yield child.lineno, child.value


def test_code_knows_no_city():
    found = [
        f"{name_of(path)}:{line}: {value}"
        for path in MODULES
        if name_of(path) not in NAMES_THE_DEFAULT
        for line, value in constants(path)
        if CITY.search(str(value))
    ]
    assert found == []


def test_there_are_modules():
    assert len(DOORS) > 10
    assert {package_of(path) for path in MODULES} == set(ORDER)
