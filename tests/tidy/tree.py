"""The code as data: which files the project has, and what stands in them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "neural_trader"
# Found without git, so that the tests pass in a source tarball too.
_FOLDERS = (".ci", "benchmarks", "docs", "examples", "scripts", "src", "tests")
_BUILT = {"__pycache__", "neural_trader.egg-info"}


@cache
def files() -> tuple[Path, ...]:
    """Return every file that people wrote."""
    found = [path for path in ROOT.iterdir() if path.is_file()]
    for name in _FOLDERS:
        found += [path for path in (ROOT / name).rglob("*") if path.is_file()]
    return tuple(sorted(path for path in found if not _is_built(path)))


@cache
def modules(folder: Path = ROOT) -> tuple[Path, ...]:
    """Return every Python module in a folder."""
    return tuple(path for path in files() if path.suffix == ".py" and folder in path.parents)


@cache
def text(path: Path) -> str:
    """Return what stands in a file, read once."""
    return path.read_text(encoding="utf-8")


@cache
def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a module or stub."""
    return ast.parse(text(path), str(path))


def name_of(path: Path) -> str:
    """Return a path as people read it: from the root, with slashes."""
    return path.relative_to(ROOT).as_posix()


def import_name(path: Path) -> str:
    """Return the name under which a module of the package is imported."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Yield every function and class with its dotted name, at whatever depth."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Definition):
            yield f"{prefix}{node.name}", node
            yield from definitions(node, f"{prefix}{node.name}.")
        else:
            yield from definitions(node, prefix)


def _is_built(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    kernel_c = path.suffix == ".c" and path.parent.name == "_kernels"
    compiled = path.suffix in {".so", ".pyc"} or path.name == "built.json"
    return kernel_c or compiled or any(part in _BUILT or part.startswith(".venv") for part in parts)
