"""Every error class is raised somewhere, and the library neither prints nor asserts."""

import ast
import inspect

from neural_trader.core import errors
from tests.tidy.tree import PACKAGE, modules, name_of, parse


def test_every_error_class_is_raised_somewhere() -> None:
    classes = {
        name for name, value in vars(errors).items() if inspect.isclass(value) and name[0] != "_"
    }
    raised = set()
    for path in modules(PACKAGE):
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Raise) and node.exc is not None:
                raised |= {part.id for part in ast.walk(node.exc) if isinstance(part, ast.Name)}
    assert classes - raised == {"NeuralTraderError"}, "the base alone is never raised itself"


def test_the_tree_drawn_in_the_docstring_is_the_tree() -> None:
    drawn = errors.__doc__ or ""
    classes = [name for name, value in vars(errors).items() if inspect.isclass(value)]
    assert classes
    assert [name for name in classes if name not in drawn] == []


def test_the_library_neither_prints_nor_asserts() -> None:
    calls = {"print", "breakpoint", "input"}
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in modules(PACKAGE)
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Assert)
        or (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in calls
        )
    ]
    assert found == []
