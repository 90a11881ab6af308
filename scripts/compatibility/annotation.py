"""Whether a type annotation has become narrower or wider."""

from __future__ import annotations

import ast

from attrs import frozen


@frozen
class Relation:
    narrower: bool
    wider: bool


def relation(old: str, new: str) -> Relation:
    """Compare two annotations as sets of types; an integer is a number, as type checkers have it."""
    return compare(parsed(old), parsed(new))


def parsed(annotation: str) -> ast.expr:
    return ast.parse(annotation or "object", mode="eval").body


def compare(old: ast.expr, new: ast.expr) -> Relation:
    before, after = members(old), members(new)
    gone = [each for name, each in before.items() if name not in after and not (name == "int" and "float" in after)]
    come = [each for name, each in after.items() if name not in before and not (name == "int" and "float" in before)]
    if len(gone) == len(come) == 1:
        return compare_generics(gone[0], come[0])
    return Relation(narrower=bool(gone), wider=bool(come))


def members(annotation: ast.expr) -> dict[str, ast.expr]:
    """The types of a union, and the words of a Literal, by their text."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return members(annotation.left) | members(annotation.right)
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Literal":
        words = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        return {ast.unparse(word): word for word in words}
    return {ast.unparse(annotation): annotation}


def compare_generics(old: ast.expr, new: ast.expr) -> Relation:
    """Compare two types that are not the same: lists, mappings and responses by what they hold."""
    if isinstance(old, ast.Subscript) and isinstance(new, ast.Subscript) and same(old.value, new.value):
        before = old.slice.elts if isinstance(old.slice, ast.Tuple) else [old.slice]
        after = new.slice.elts if isinstance(new.slice, ast.Tuple) else [new.slice]
        if len(before) == len(after):
            parts = [compare(one, two) for one, two in zip(before, after, strict=True)]
            return Relation(any(each.narrower for each in parts), any(each.wider for each in parts))
    if ast.unparse(old) == "int" and ast.unparse(new) == "float":
        return Relation(narrower=False, wider=True)
    if ast.unparse(old) == "float" and ast.unparse(new) == "int":
        return Relation(narrower=True, wider=False)
    return Relation(narrower=True, wider=True)


def same(one: ast.expr, two: ast.expr) -> bool:
    return ast.unparse(one) == ast.unparse(two)
