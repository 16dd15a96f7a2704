"""Modules and functions stay small enough to be read in one go."""

import ast

from tests.tidy.tree import Definition, definitions, modules, name_of, parse, text

MODULE_LINES = 600
FUNCTION_LINES = 70
# A ratchet: what is longer today may not grow, and leaves this list as soon as it fits.
LONGER: dict[str, int] = {
    "src/neural_trader/_kernels/book.py:Book._run": 86,
    # One pass over the bars with all its sums in registers: half of it declares them.
    "src/neural_trader/_kernels/sweeps.py:_value": 100,
}
LONGER_MODULES = {
    # The order book is one compiled class: its methods are inlined into each other in one module.
    "src/neural_trader/_kernels/book.py": 940,
    # Every message of the wire in one list, as docs/wire.md has it: fields and nothing else.
    "src/neural_trader/execution/messages.py": 640,
}


def test_no_module_is_too_long() -> None:
    long = {name_of(path): len(text(path).splitlines()) for path in modules()}
    over = {
        name: lines
        for name, lines in long.items()
        if lines > LONGER_MODULES.get(name, MODULE_LINES)
    }
    assert over == {}


def test_no_function_is_too_long() -> None:
    long = {
        f"{name_of(path)}:{name}": length(node, text(path).splitlines())
        for path in modules()
        for name, node in definitions(parse(path))
        if not isinstance(node, ast.ClassDef)
    }
    over = {name: lines for name, lines in long.items() if lines > FUNCTION_LINES}
    grown = {name: lines for name, lines in over.items() if lines > LONGER.get(name, 0)}
    assert grown == {}
    assert {name: over.get(name) for name in LONGER} == LONGER, "tighten LONGER to what is left"


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
    assert [name_of(path) for path in modules() if path.stem in drawers] == []


def length(node: Definition, source: list[str]) -> int:
    """Return the lines of a function that are neither blank nor docstring: docs cost nothing."""
    end = node.end_lineno or node.lineno
    taken = set(range(node.lineno, end + 1))
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        taken -= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return sum(1 for line in taken if source[line - 1].strip())
