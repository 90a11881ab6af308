"""Find names of the spec that break the generated code, because one name means two things in it."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef


def clashes(package: Path, places: dict[str, str]) -> Iterator[str]:
    """Yield names that are bound twice, with the place in the spec of their module."""
    for path in modules(package):
        where = place_of(path, places)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # for code that is not formatted yet, such as `a != 3and b`
                module = ast.parse(path.read_text("utf-8"))
                compile(module, path.name, "exec")
        except (SyntaxError, ValueError) as error:
            yield f"{where}: a name breaks the generated code: {error}"
            continue
        for name, reason in in_module(module):
            yield f"{where}: the name {name} breaks the generated code: {reason}; give it another name"


def modules(package: Path) -> list[Path]:
    return sorted([*package.glob("api/*/[!_]*.py"), *package.glob("models/[!_]*.py")])


def place_of(path: Path, places: dict[str, str]) -> str:
    """Return the place in the spec from which a module is generated, or else the module's path."""
    key = path.stem if path.parent.name == "models" else f"api.{path.stem}"
    return places.get(key, f"generated/wavespeed_api/{path.parent.name}/{path.name}")


def in_module(module: ast.Module) -> Iterator[tuple[str, str]]:
    bound = {name for name, _ in bindings(module.body)}
    yield from ((name, "the module has another meaning for it") for name in repeated(bindings(module.body)))
    for node in functions(
        module.body
    ):  # a parameter that hides a name which the function needs, or to which it assigns
        yield from used_otherwise(node, arguments(node) & (stored(node.body) | needed(node) & bound))
    for each in (each for each in module.body if isinstance(each, ast.ClassDef)):
        yield from ((name, "the class has another meaning for it") for name in repeated(bindings(each.body)))
        declared = (field.target for field in each.body if isinstance(field, ast.AnnAssign))
        fields = {target.id for target in declared if isinstance(target, ast.Name)}
        for node in functions(each.body):
            yield from used_otherwise(node, fields & stored(node.body) & others(node, bound))


def functions(body: list[ast.stmt]) -> list[Function]:
    return [each for each in body if isinstance(each, Function)]


def used_otherwise(node: Function, names: set[str]) -> Iterator[tuple[str, str]]:
    return ((name, f"{node.name} uses it for something else") for name in sorted(names))


def others(node: Function, bound: set[str]) -> set[str]:
    """Return a method's own names, without those of properties: arguments, loop variables, and the data."""
    loops = stored([each for each in own(node.body) if isinstance(each, ast.For)])
    return arguments(node) | loops | stored(copies(node)) | (needed(node) & bound) | returned(node)


def returned(node: Function) -> set[str]:
    """Return the names that a method returns, except those that are otherwise assigned only untyped data."""
    values = (each.value for each in own(node.body) if isinstance(each, ast.Return))
    names = {value.id for value in values if isinstance(value, ast.Name)}
    assigned = (each for each in own(node.body) if isinstance(each, (ast.Assign, ast.AnnAssign)))
    typed = {name for each in assigned if not is_untyped(each) for name in stored([each])}
    return names & (typed if node.name == "from_dict" else stored(node.body))


def is_untyped(node: ast.Assign | ast.AnnAssign) -> bool:
    """Return whether this is `x = cls(...)` or `x = d.pop(...)`."""
    function = node.value.func if isinstance(node.value, ast.Call) else None
    return getattr(function, "id", "") == "cls" or getattr(function, "attr", "") == "pop"


def copies(node: Function) -> list[ast.stmt]:
    """Return the statements that copy the data before fields are taken from it: `d = dict(src_dict)`."""
    return [each for each in node.body if isinstance(each, ast.Assign) and "dict" in called(each)]


def arguments(node: Function) -> set[str]:
    return {each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}


def own(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield all nodes of statements, except the inner nodes of functions and comprehensions."""
    rest = list(body)
    while rest:
        node = rest.pop()
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.DictComp, ast.ListComp)):
            yield node
            rest.extend(ast.iter_child_nodes(node))


def stored(body: Iterable[ast.AST]) -> set[str]:
    """Return the names that statements assign to."""
    return {node.id for node in own(body) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def needed(node: ast.AST) -> set[str]:
    """Return the names that are called or compared with: `x is not UNSET`, `isinstance(x, Unset)`."""
    against: list[ast.expr] = []
    for each in ast.walk(node):
        if isinstance(each, ast.Compare):
            against += each.comparators
        elif isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "isinstance":
            against += each.args[1:]
    return called(node) | {each.id for each in against if isinstance(each, ast.Name)}


def called(node: ast.AST) -> set[str]:
    """Return the names that are called, or of which an attribute is called."""
    names: set[str] = set()
    for each in ast.walk(node):
        target = each.func if isinstance(each, ast.Call) else None
        while isinstance(target, ast.Attribute):
            target = target.value
        if isinstance(target, ast.Name):
            names.add(target.id)
    return names


def bindings(body: Iterable[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Yield the names that a module or class binds, each with its meaning."""
    for node in body:
        if isinstance(node, ast.If):
            yield from bindings(node.body)
        elif isinstance(node, ast.ImportFrom):
            yield from ((each.asname or each.name, f"{node.level}{node.module} {each.name}") for each in node.names)
        elif isinstance(node, ast.Import):
            yield from ((each.asname or each.name, each.name) for each in node.names)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, f"line {node.lineno}"
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, f"line {node.lineno}"
        elif isinstance(node, ast.Assign):
            yield from ((each.id, f"line {node.lineno}") for each in node.targets if isinstance(each, ast.Name))


def repeated(bound: Iterable[tuple[str, str]]) -> list[str]:
    meanings: dict[str, set[str]] = {}
    for name, meaning in bound:
        meanings.setdefault(name, set()).add(meaning)
    return sorted(name for name, each in meanings.items() if len(each) > 1)
