"""Small mistakes, made on purpose: every one that one changed operator can make of a module.

A mutant is a module with one place changed. Its name says the function, the kind of change, the
how-manieth place of that kind in the function it is, and the change: no line numbers, so that an
edit elsewhere renames nothing. What cannot matter is left alone: docstrings, annotations, texts of
errors and logs and what is worked out for them alone.
"""

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final, NamedTuple

_COMPARE: Final[dict[type[ast.cmpop], tuple[str, type[ast.cmpop]]]] = {
    ast.Lt: ("<→<=", ast.LtE),
    ast.LtE: ("<=→<", ast.Lt),
    ast.Gt: (">→>=", ast.GtE),
    ast.GtE: (">=→>", ast.Gt),
    ast.Eq: ("==→!=", ast.NotEq),
    ast.NotEq: ("!=→==", ast.Eq),
    ast.In: ("in→not in", ast.NotIn),
    ast.NotIn: ("not in→in", ast.In),
    ast.Is: ("is→is not", ast.IsNot),
    ast.IsNot: ("is not→is", ast.Is),
}
_NEGATED: Final = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot)
"""Comparisons whose change is their negation: a condition made of one is not negated again."""
_ARITHMETIC: Final[dict[type[ast.operator], tuple[str, type[ast.operator]]]] = {
    ast.Add: ("+→-", ast.Sub),
    ast.Sub: ("-→+", ast.Add),
    ast.Mult: ("*→//", ast.FloorDiv),
    ast.Div: ("/→*", ast.Mult),
    ast.FloorDiv: ("//→*", ast.Mult),
    ast.Mod: ("%→*", ast.Mult),
    ast.LShift: ("<<→>>", ast.RShift),
    ast.RShift: (">>→<<", ast.LShift),
    ast.BitAnd: ("&→|", ast.BitOr),
    ast.BitOr: ("|→&", ast.BitAnd),
}
_SWAPPED: Final = {"min": "max", "max": "min"}
_ERRORS: Final = ("Error", "RecordsGone")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Mutant(NamedTuple):
    """A module with one place changed: the bytes from ``start`` to ``end`` become ``text``."""

    name: str
    path: str
    start: int
    end: int
    text: str

    def planted(self, source: str) -> str:
        """Return the module with the change."""
        data = source.encode()
        return (data[: self.start] + self.text.encode() + data[self.end :]).decode()

    def shown(self, source: str) -> str:
        """Return the change as a person reads it."""
        data = source.encode()
        line = data[: self.start].count(b"\n") + 1
        old = " ".join(data[self.start : self.end].decode().split())
        return f"line {line}: {old}  →  {' '.join(self.text.split())}"


class _Change(NamedTuple):
    node: ast.expr | ast.stmt
    kind: str
    label: str
    text: str


def mutants_of(path: str, source: str) -> list[Mutant]:
    """Return all mutants of a module, in the order of its places; the same for the same source."""
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found: list[Mutant] = []
    places: Counter[tuple[str, str]] = Counter()
    last: tuple[str, str, ast.AST] | None = None
    for scope, change in _Walk(source).changes():
        node = change.node
        if last != (scope, change.kind, node) or change.kind in ("compare", "slice"):
            places[scope, change.kind] += 1
        last = (scope, change.kind, node)
        number = places[scope, change.kind]
        found.append(
            Mutant(
                f"{path}:{scope}:{change.kind}:{number}:{change.label}",
                path,
                starts[node.lineno - 1] + node.col_offset,
                starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0),
                change.text,
            )
        )
    return found


class _Walk:
    """One pass over a module."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._quiet: set[str] = set()

    def changes(self) -> Iterator[tuple[str, _Change]]:
        """Yield every change with the function that it stands in."""
        yield from self._body(ast.parse(self._source).body, "<module>")

    def _body(self, body: Iterable[ast.stmt], scope: str) -> Iterator[tuple[str, _Change]]:
        for statement in body:
            yield from self._visit(statement, scope)

    def _visit(self, node: ast.AST, scope: str) -> Iterator[tuple[str, _Change]]:
        if isinstance(node, _Function | ast.ClassDef):
            yield from self._definition(node, scope)
        elif not self._is_skipped(node):
            for change in self._made_of(node, scope):
                yield scope, change
            for child in _children(node):
                yield from self._visit(child, scope)

    def _definition(
        self, node: _Function | ast.ClassDef, scope: str
    ) -> Iterator[tuple[str, _Change]]:
        inner = node.name if scope == "<module>" else f"{scope}.{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from self._body(node.body, inner)
            return
        returned = ast.unparse(node.returns) if node.returns is not None else ""
        if node.name == "__repr__" or returned.endswith(_ERRORS):
            return
        outer, self._quiet = self._quiet, self._quiet | _quiet_names(node)
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                yield from self._visit(default, inner)
        yield from self._body(node.body, inner)
        self._quiet = outer

    def _is_skipped(self, node: ast.AST) -> bool:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return True
        if isinstance(node, ast.Assign | ast.AnnAssign):
            names = set(_names_set(node))
            return "__slots__" in names or bool(names and names <= self._quiet)
        return _is_talk(node)

    def _made_of(self, node: ast.AST, scope: str) -> Iterator[_Change]:
        makers: dict[type[ast.AST], Callable[..., Iterator[_Change]]] = {
            ast.Compare: _comparisons,
            ast.BinOp: _arithmetic,
            ast.AugAssign: _arithmetic,
            ast.Constant: _constants,
            ast.BoolOp: _booleans,
            ast.UnaryOp: _booleans,
            ast.Return: _returns,
            ast.Call: _calls,
            ast.Slice: partial(_slices, self._segment),
            ast.If: partial(_conditions, self._segment),
            ast.While: partial(_conditions, self._segment),
            ast.IfExp: partial(_conditions, self._segment),
            ast.comprehension: _filters,
        }
        maker = makers.get(type(node))
        if maker is not None:
            yield from maker(node)
        if isinstance(node, ast.stmt) and _can_be_dropped(node, is_init=scope.endswith("__init__")):
            yield _Change(node, "drop", "pass", "pass")

    def _segment(self, node: ast.expr) -> str:
        return ast.get_source_segment(self._source, node) or ""


# ------------------------------------------------------------------------------- kinds of changes
def _comparisons(node: ast.Compare) -> Iterator[_Change]:
    for at, op in enumerate(node.ops):
        label, other = _COMPARE[type(op)]
        changed = copy.deepcopy(node)
        changed.ops[at] = other()
        yield _Change(node, "compare", label, f"({ast.unparse(changed)})")


def _arithmetic(node: ast.BinOp | ast.AugAssign) -> Iterator[_Change]:
    if type(node.op) not in _ARITHMETIC or _is_of_texts_or_types(node):
        return
    label, other = _ARITHMETIC[type(node.op)]
    changed = copy.deepcopy(node)
    changed.op = other()
    text = ast.unparse(changed)
    if isinstance(node, ast.AugAssign):
        yield _Change(node, "arithmetic", label.replace("→", "=→") + "=", text)
    else:
        yield _Change(node, "arithmetic", label, f"({text})")


def _constants(node: ast.Constant) -> Iterator[_Change]:
    if node.value is True or node.value is False:
        other = not node.value
        yield _Change(node, "truth", f"{node.value}→{other}", f"{other}")
    elif isinstance(node.value, int):
        yield _Change(node, "number", f"{node.value}→{node.value + 1}", f"{node.value + 1}")


def _booleans(node: ast.BoolOp | ast.UnaryOp) -> Iterator[_Change]:
    if isinstance(node, ast.BoolOp):
        is_and = isinstance(node.op, ast.And)
        changed = copy.deepcopy(node)
        changed.op = ast.Or() if is_and else ast.And()
        label = "and→or" if is_and else "or→and"
        yield _Change(node, "boolean", label, f"({ast.unparse(changed)})")
    elif isinstance(node.op, ast.Not):
        yield _Change(node, "boolean", "not→", f"bool({ast.unparse(node.operand)})")


def _returns(node: ast.Return) -> Iterator[_Change]:
    value = node.value
    if value is not None and not (isinstance(value, ast.Constant) and value.value is None):
        yield _Change(node, "return", "None", "return None")


def _calls(node: ast.Call) -> Iterator[_Change]:
    if isinstance(node.func, ast.Name) and node.func.id in _SWAPPED:
        other = _SWAPPED[node.func.id]
        yield _Change(node.func, "minmax", f"{node.func.id}→{other}", other)


def _slices(segment: Callable[[ast.expr], str], node: ast.Slice) -> Iterator[_Change]:
    for bound, label in ((node.lower, "from+1"), (node.upper, "to+1")):
        if bound is not None:
            yield _Change(bound, "slice", label, f"({segment(bound)}) + 1")


def _conditions(
    segment: Callable[[ast.expr], str], node: ast.If | ast.While | ast.IfExp
) -> Iterator[_Change]:
    test = node.test
    if isinstance(test, ast.Constant):
        return
    is_negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    if isinstance(test, ast.Compare):
        is_negated = len(test.ops) == 1 and isinstance(test.ops[0], _NEGATED)
    if not is_negated:
        yield _Change(test, "if", "not", f"(not ({segment(test)}))")
    # A loop that never ends tells nothing about the tests.
    if not isinstance(node, ast.While):
        yield _Change(test, "if", "True", "True")
    yield _Change(test, "if", "False", "False")


def _filters(node: ast.comprehension) -> Iterator[_Change]:
    for test in node.ifs:
        yield _Change(test, "filter", "True", "True")
        yield _Change(test, "filter", "False", "False")


def _can_be_dropped(node: ast.stmt, *, is_init: bool) -> bool:
    """Return whether a statement does something that could have been forgotten."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    if isinstance(node, ast.Assign) and not is_init:
        return all(isinstance(one, ast.Attribute | ast.Subscript) for one in node.targets)
    return isinstance(node, ast.AugAssign | ast.Delete)


# ---------------------------------------------------------------------------------- what is skipped
def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a node is made of, less its types, and less numbers that count as slices."""
    if isinstance(node, ast.AnnAssign):
        children: list[ast.AST] = [node.target, *([node.value] if node.value is not None else [])]
    elif isinstance(node, ast.ExceptHandler):
        children = list(node.body)
    elif isinstance(node, ast.Slice):
        bounds = (node.lower, node.upper, node.step)
        children = [one for one in bounds if one is not None and not isinstance(one, ast.Constant)]
    else:
        children = list(ast.iter_child_nodes(node))
    yield from children


def _is_talk(node: ast.AST) -> bool:
    """Return whether a node is only about what a person reads."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        func = node.value.func
        return (
            isinstance(func, ast.Attribute)
            and isinstance(func.value, ast.Name)
            and (func.value.id == "log")
        )
    return isinstance(node, ast.Raise | ast.JoinedStr)


def _quiet_names(function: _Function) -> set[str]:
    """Return the local names that are worked out only to be told to a person."""
    quiet: set[str] = set()
    stored = {name for node in ast.walk(function) for name in _names_set(node)}
    while True:
        heard = set(_heard(function, quiet))
        found = stored - heard
        if found == quiet:
            return quiet
        quiet = found


def _heard(node: ast.AST, quiet: set[str]) -> Iterator[str]:
    """Yield the names that are read for something else than to be told."""
    if _is_talk(node) or ((names := set(_names_set(node))) and names <= quiet):
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from _heard(child, quiet)


def _names_set(node: ast.AST) -> Iterator[str]:
    """Yield the names that an assignment sets, if it sets nothing else."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    if all(isinstance(target, ast.Name) for target in targets):
        for target in targets:
            if isinstance(target, ast.Name):
                yield target.id


def _is_of_texts_or_types(node: ast.BinOp | ast.AugAssign) -> bool:
    """Return whether an operation puts texts together, or makes a union of types."""
    parts = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
    for part in parts:
        if isinstance(part, ast.JoinedStr):
            return True
        if isinstance(part, ast.Constant) and isinstance(part.value, str | bytes):
            return True
        name = part.attr if isinstance(part, ast.Attribute) else ""
        name = part.id if isinstance(part, ast.Name) else name
        if isinstance(node.op, ast.Div) and name.lstrip("_") in ("folder", "path"):
            return True
        if isinstance(node.op, ast.BitOr) and (name in ("int", "str", "bytes") or _is_class(name)):
            return True
    return False


def _is_class(name: str) -> bool:
    return name[:1].isupper() and not name.isupper()
