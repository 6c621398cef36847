"""Small changes of a module's arithmetic and decisions, one at a time, as a slip of the pen would make them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import CodeType

_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
}
_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_NO_CODE = frozenset({"annotation", "returns", "decorator_list"})
"""Fields of a tree in which nothing is reckoned."""
_LONGEST = 88
"""Characters of a change as it is shown: as much of what stands around it as one line holds."""


class Mutant(NamedTuple):
    """One change of one module."""

    module: str
    function: str
    """Where it stands, as `FailedRequests.around`; empty for the module itself."""
    line: int
    before: str
    after: str
    """The code around the change without it and with it, as `spelled` writes it, wherever its lines end."""
    code: CodeType


class _Place(NamedTuple):
    """Where a node hangs in its tree."""

    holder: ast.AST
    field: str
    at: int | None

    def put(self, node: ast.AST) -> None:
        if self.at is None:
            setattr(self.holder, self.field, node)
        else:
            getattr(self.holder, self.field)[self.at] = node


def mutants_of(module: str, source: str, file: str) -> Iterator[Mutant]:
    """Yield every mutant of a module in the order of its code."""
    tree = ast.parse(source)
    for node, place, above in _walk(tree, ()):
        for changed in _changes(node):
            shown = _shown(above)
            before = spelled(ast.unparse(shown or node))
            place.put(ast.copy_location(changed, node))
            code = compile(ast.fix_missing_locations(tree), file, "exec", dont_inherit=True)
            after = spelled(ast.unparse(shown or changed))
            place.put(node)
            yield Mutant(module, _function(above), node.lineno, before, after, code)


def spelled(code: str) -> str:
    """Write code as this version of Python does, so that what another version wrote down is found again."""
    try:
        return ast.unparse(ast.parse(code))
    except SyntaxError:
        # A part of a comprehension stands for itself.
        return code


def _walk(node: ast.AST, above: tuple[ast.AST, ...]) -> Iterator[tuple[ast.expr, _Place, tuple[ast.AST, ...]]]:
    """Yield expressions with their places and with the nodes that they stand in, outermost first."""
    for field, value in ast.iter_fields(node):
        if field in _NO_CODE:
            continue
        children: Sequence[object] = value if isinstance(value, list) else [value]
        for at, child in enumerate(children):
            if isinstance(child, ast.expr):
                yield child, _Place(node, field, at if isinstance(value, list) else None), (*above, node)
            if isinstance(child, ast.AST):
                yield from _walk(child, (*above, node))


def _changes(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what may stand in the place of an expression."""
    match node:
        case ast.BinOp(left, op, right) if type(op) in _ARITHMETIC:
            yield ast.BinOp(left, _ARITHMETIC[type(op)](), right)
        case ast.Compare(left, ops, comparators):
            for at, compared in enumerate(ops):
                if type(compared) in _COMPARISONS:
                    yield ast.Compare(left, [*ops[:at], _COMPARISONS[type(compared)](), *ops[at + 1 :]], comparators)
        case ast.BoolOp(word, values):
            yield ast.BoolOp(ast.Or() if isinstance(word, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value) | float(value)):
            yield ast.Constant(value + 1)


def _shown(above: Sequence[ast.AST]) -> ast.AST | None:
    """Return the outermost code around an expression that one line can show; None where it is the expression."""
    shown = None
    for outer in reversed(above):
        is_line = isinstance(
            outer, ast.expr | ast.keyword | ast.comprehension | ast.Return | ast.Assign | ast.AugAssign
        )
        if not is_line or len(ast.unparse(outer)) > _LONGEST:
            break
        shown = outer
    return shown


def _function(above: Sequence[ast.AST]) -> str:
    return ".".join(node.name for node in above if isinstance(node, ast.FunctionDef | ast.ClassDef))
