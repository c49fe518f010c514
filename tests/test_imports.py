"""The house keeps its order: imports run one way, `geo` only computes, one city is only data."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest

from layers.pack import load_pack, pack_names

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "geo": {"geo"},
    "layers": {"geo", "layers"},
    "web": {"geo", "layers", "web"},
    "api": {"geo", "layers", "web", "api"},
}

# What computing about places is done with; everything else is refused.
GEO_LIBRARIES = {
    "contourpy", "geopandas", "highspy", "llvmlite", "numba", "numpy", "pandas", "pyproj", "scipy",
    "shapely",
}  # fmt: skip
GEO_STANDARD = {
    "__future__", "bisect", "collections", "concurrent", "contextlib", "copy", "dataclasses",
    "datetime", "difflib", "enum", "functools", "hashlib", "heapq", "itertools", "math", "numbers",
    "operator", "os", "queue", "re", "statistics", "threading", "time", "typing", "unicodedata",
    "warnings",
}  # fmt: skip
# Of `os` only how many processors there are; and what the libraries read and write files with.
OS_ALLOWED = {"cpu_count", "process_cpu_count", "sched_getaffinity"}
FILE_CALLS = re.compile(
    r"open|(read|to)_(csv|file|excel|json|parquet|feather|pickle|sql|html|xml)"
    r"|save|savez|savez_compressed|savetxt|loadtxt|genfromtxt|fromfile|tofile|memmap|urlopen"
)


@cache
def modules(package):
    paths = sorted((ROOT / package).rglob("*.py"))
    found = {path: ast.parse(path.read_text("utf-8")) for path in paths if "node_" not in str(path)}
    assert found, f"package {package} has no modules"
    return found


def imports(tree):
    """Yield the modules that a module imports, wherever in it, and the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            yield node.module, node.lineno
        elif isinstance(node, ast.Call) and _name(node.func) in ("import_module", "__import__"):
            yield from (
                (part.value, node.lineno)
                for part in ast.walk(node.args[0])
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )


def _name(func):
    return func.id if isinstance(func, ast.Name) else getattr(func, "attr", "")


def refused(package, is_allowed):
    return [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path, tree in modules(package).items()
        for module, line in imports(tree)
        if not is_allowed(module.partition(".")[0])
    ]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_run_one_way(package):
    others = (set(MAY_IMPORT) | {"tests"}) - MAY_IMPORT[package]
    assert refused(package, lambda name: name not in others) == []


def test_geo_imports_only_what_computes():
    allowed = GEO_LIBRARIES | GEO_STANDARD | {"geo"}
    assert refused("geo", lambda name: name in allowed) == []


def test_geo_touches_no_file_and_no_environment():
    found = []
    for path, tree in modules("geo").items():
        for node in ast.walk(tree):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call) and FILE_CALLS.fullmatch(_name(node.func)):
                found.append(f"{where} calls {_name(node.func)}")
            if isinstance(node, ast.Attribute) and _name(node.value) == "os":
                found += [f"{where} uses os.{node.attr}"] * (node.attr not in OS_ALLOWED)
            if isinstance(node, ast.ImportFrom) and node.module == "os":
                names = {alias.name for alias in node.names} - OS_ALLOWED
                found += [f"{where} uses os.{name}" for name in names]
    assert found == []


def test_the_tests_of_order_can_fail():
    tree = ast.parse("import web.maps\nfrom api import app\nimport_module(f'api.{x}')")
    assert [name for name, _ in imports(tree)] == ["web.maps", "api", "api."]
    assert FILE_CALLS.fullmatch("read_file")
    assert not FILE_CALLS.fullmatch("read_box")


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_libraries_are_declared(package):
    """A library imported is a dependency of the project, or comes with one by its own word."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    direct = {_normal(line) for line in project["dependencies"]}
    through = {
        _normal(line) for name in direct for line in requires(name) or () if "extra ==" not in line
    }
    by_module = packages_distributions()

    def is_declared(name):
        if name in sys.stdlib_module_names or name in MAY_IMPORT:
            return True
        return bool({_normal(each) for each in by_module.get(name, ())} & (direct | through))

    assert refused(package, is_declared) == []


def _normal(requirement):
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def texts(tree):
    """Yield the texts and numbers of a module that are not docstrings, and their line."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docs and node.value is not None:
            yield str(node.value), node.lineno


@pytest.mark.parametrize("city", [name for name in pack_names() if name != "none"])
def test_only_its_pack_knows_a_city(city):
    pack = load_pack(city)
    units = pack.frames["reporting_units"]
    towns = pack.frames["industrial_towns"]
    known = {pack.name, pack.name_en, *units["name"], *units["code"], *towns["name"]}
    known |= {code for codes in units["division_codes"] for code in codes}
    known = {str(word) for word in known if word and len(str(word)) > 1}
    # An error may give a projection as an example; none may be one.
    crs = {str(pack.metric_crs), str(pack.metric_crs).removeprefix("EPSG:")}
    found = [
        f"{path.relative_to(ROOT)}:{line} knows {word}"
        for package in MAY_IMPORT
        for path, tree in modules(package).items()
        for text, line in texts(tree)
        for word in [*(word for word in known if word in text), *({text} & crs)]
    ]
    assert found == []
