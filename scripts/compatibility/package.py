"""The generated package as programs see it, read with griffe from the code that the generator writes."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import griffe
from attrs import field, frozen

from generation.generator import lost_operations, run_generator
from generation.refusal import SpecError

if TYPE_CHECKING:
    from .document import Document

PACKAGE = "wavespeed_api"


@frozen
class Value:
    """A parameter or attribute."""

    annotation: str
    default: str | None = None


@frozen
class Symbol:
    """An operation's module, a model class, or the name of a set of words.

    Attributes:
        kind: function, class or words.
        members: For a module, its functions, their arguments (all take the same) and what they return, as "return". For
            a class, the attributes, which are its constructor's arguments. Words have one member without a name.
        positional: The arguments that may be passed by position.
    """

    kind: str
    members: dict[str, Value]
    positional: tuple[str, ...] = ()


@frozen
class Package:
    # By the path from which they are imported, such as api.tasks.submit_task and models.Task.
    symbols: dict[str, Symbol]
    # The code of each module, to find out whether it changed at all.
    code: dict[str, str] = field(repr=False)


def generate(document: Document, folder: Path) -> Package:
    """Run the pinned generator on a document, with this tree's configuration.

    Raises:
        SpecError: The generator refuses the document.
    """
    folder.mkdir()
    package = folder / PACKAGE
    run_generator(document.data, package, document.name)
    for lost in lost_operations(document.data, package):
        raise SpecError(f"{document.name}: {lost}")
    return read(code_of(package))


def code_of(package: Path) -> dict[str, str]:
    return {path.relative_to(package).as_posix(): path.read_text("utf-8") for path in sorted(package.rglob("*.py"))}


def read(code: dict[str, str]) -> Package:
    """Return what the modules of a package define, by import path."""
    symbols: dict[str, Symbol] = {}
    exported = {str(name) for name in tree("models/__init__.py", code.get("models/__init__.py", "")).exports or []}
    for path, text in code.items():
        folder, _, name = path.removesuffix(".py").rpartition("/")
        if name != "__init__" and folder.startswith("api/"):
            symbols[f"{folder.replace('/', '.')}.{name}"] = function(tree(path, text))
        elif name != "__init__" and folder == "models":
            members = tree(path, text).members
            own = exported & {name for name, each in members.items() if not each.is_alias}
            symbols |= {f"models.{name}": model(members[name]) for name in own}
    return Package(symbols, code)


@functools.cache
def tree(path: str, code: str) -> griffe.Module:
    """Return what a module defines. Results are cached, because two packages share most of their modules."""
    return griffe.visit(path.removesuffix(".py").replace("/", "."), Path(path), code)


def function(module: griffe.Module) -> Symbol:
    public = {name: each for name, each in module.functions.items() if not name.startswith("_") and not each.is_alias}
    detailed = public["sync_detailed"]
    members = {name: Value("", "") for name in public} | {"return": Value(str(detailed.returns))}
    members |= {each.name: Value(str(each.annotation), text(each.default)) for each in detailed.parameters}
    by_position = griffe.ParameterKind.positional_or_keyword
    return Symbol("function", members, tuple(each.name for each in detailed.parameters if each.kind is by_position))


def model(found: griffe.Object | griffe.Alias) -> Symbol:
    if isinstance(found, griffe.Attribute):
        return Symbol("words", {"": Value(str(found.value))})
    fields = {name: each for name, each in found.attributes.items() if "property" not in each.labels}
    return Symbol("class", {name: Value(str(each.annotation), text(each.value)) for name, each in fields.items()})


def text(value: object) -> str | None:
    return None if value is None else str(value)
