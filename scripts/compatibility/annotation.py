"""Whether a type annotation has become narrower or wider."""

from __future__ import annotations

import ast


def relation(old: str, new: str) -> tuple[bool, bool]:
    """Return whether the new type is narrower, and whether it is wider. As for type checkers, an int is a float."""
    return compare(*(ast.parse(each or "object", mode="eval").body for each in (old, new)))


def compare(old: ast.expr, new: ast.expr) -> tuple[bool, bool]:
    before, after = members(old), members(new)
    gone = [each for name, each in before.items() if name not in after and not (name == "int" and "float" in after)]
    come = [each for name, each in after.items() if name not in before and not (name == "int" and "float" in before)]
    if len(gone) == len(come) == 1:
        return compare_arguments(gone[0], come[0])
    return bool(gone), bool(come)


def members(annotation: ast.expr) -> dict[str, ast.expr]:
    """Return the types of a union or the values of a Literal, as text."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return members(annotation.left) | members(annotation.right)
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Literal":
        return {ast.unparse(word): word for word in elements(annotation)}
    return {ast.unparse(annotation): annotation}


def elements(generic: ast.Subscript) -> list[ast.expr]:
    return generic.slice.elts if isinstance(generic.slice, ast.Tuple) else [generic.slice]


def compare_arguments(old: ast.expr, new: ast.expr) -> tuple[bool, bool]:
    """Compare two different types; lists, mappings and responses by their contents."""
    if isinstance(old, ast.Subscript) and isinstance(new, ast.Subscript):
        before, after = elements(old), elements(new)
        if ast.unparse(old.value) == ast.unparse(new.value) and len(before) == len(after):
            parts = [compare(one, two) for one, two in zip(before, after, strict=True)]
            return any(narrower for narrower, _ in parts), any(wider for _, wider in parts)
    return True, True
