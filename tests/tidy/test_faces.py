"""What a room shows is what its ``__all__`` says: sorted, complete, documented."""

import ast
import importlib
from pathlib import Path

import pytest

import neural_trader
from tests.tidy.tree import PACKAGE, definitions, import_name, modules, name_of, parse

NAMES_MAX = 36


def faces() -> list[Path]:
    """Return the ``__init__`` of every room that shows names."""
    inits = [path for path in modules(PACKAGE) if path.name == "__init__.py"]
    return [path for path in inits if shown_by(path) is not None]


def shown_by(path: Path) -> list[str] | None:
    """Return the ``__all__`` of a module, or None where it has none."""
    for node in parse(path).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


def taken_from(path: Path, tree: ast.AST) -> set[str]:
    """Return the public names that a face imports from its own room."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(import_name(path))
        for alias in node.names
    }


def defined_by(tree: ast.Module) -> set[str]:
    """Return the public names that a face defines itself."""
    names = {name for name, _ in definitions(tree) if "." not in name}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return {name for name in names if not name.startswith("_")}


def rank(name: str) -> tuple[int, str]:
    """Sort constants, then classes, then functions, as ruff does."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


@pytest.mark.parametrize("path", faces(), ids=name_of)
def test_all_is_sorted_and_short(path: Path) -> None:
    shown = shown_by(path) or []
    assert shown == sorted(set(shown), key=rank)
    assert len(shown) <= NAMES_MAX


@pytest.mark.parametrize("path", faces(), ids=name_of)
def test_all_is_exact(path: Path) -> None:
    module = importlib.import_module(import_name(path))
    shown = set(shown_by(path) or [])
    defined = defined_by(parse(path))
    assert shown == taken_from(path, parse(path)) | defined
    assert [name for name in sorted(shown) if not hasattr(module, name)] == []


@pytest.mark.parametrize("name", neural_trader.__all__)
def test_a_root_name_is_the_room_s_own(name: str) -> None:
    tree = parse(Path(neural_trader.__file__))
    (room,) = [
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and name in {alias.name for alias in node.names}
        and node.module
    ]
    assert getattr(neural_trader, name) is getattr(importlib.import_module(room), name)


def test_every_public_name_is_documented() -> None:
    bare = []
    for path in modules(PACKAGE):
        # What a kernel takes and gives stands in the stub that editors show.
        stub = path.with_suffix(".pyi")
        tree = parse(stub if stub.exists() else path)
        if ast.get_docstring(parse(path)) is None:
            bare.append(name_of(path))
        for name, node in definitions(tree):
            private = any(part.startswith("_") for part in name.split("."))
            if not private and not is_inner(tree, node) and ast.get_docstring(node) is None:
                bare.append(f"{name_of(path)}:{name}")
    assert bare == []


def is_inner(tree: ast.AST, wanted: ast.AST) -> bool:
    """Return whether a definition stands inside a function, where nobody else sees it."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(
        node is not wanted and isinstance(node, functions) and wanted in ast.walk(node)
        for node in ast.walk(tree)
    )
