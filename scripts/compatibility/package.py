"""The generated package as programs see it: read from the code that the generator writes, with griffe."""

from __future__ import annotations

import functools
from pathlib import Path

import griffe
from attrs import field, frozen

from generation.generator import lost_operations, run_generator
from generation.refusal import RegenerationError

from .document import Document, SpecError

PACKAGE = "wavespeed_api"


@frozen
class Value:
    """A parameter or attribute."""

    annotation: str
    default: str | None = None


@frozen
class Function:
    """An operation: the module that the generator makes of it, whose four functions take the same."""

    functions: frozenset[str]
    positional: tuple[str, ...]
    parameters: dict[str, Value]
    returns: str


@frozen
class Model:
    """A class of models: its attributes, which are its constructor's arguments."""

    attributes: dict[str, Value]


@frozen
class Alias:
    """A name for a set of words."""

    annotation: str


@frozen
class Package:
    # By the path that an import names, such as api.tasks.submit_task and models.Task.
    symbols: dict[str, Function | Model | Alias]
    # The code of each module, to see whether it changed at all.
    code: dict[str, str] = field(repr=False)


def generate(document: Document, folder: Path) -> Package:
    """Run the pinned generator on a document, with this tree's configuration.

    Raises:
        SpecError: The generator refuses the document.
    """
    folder.mkdir()
    package = folder / PACKAGE
    try:
        run_generator(document.data, package, document.name)
        lost = next(lost_operations(document.data, package), "")
    except RegenerationError as error:
        raise SpecError(str(error)) from None
    if lost:
        raise SpecError(f"{document.name}: {lost}")
    return read(code_of(package))


def code_of(package: Path) -> dict[str, str]:
    return {path.relative_to(package).as_posix(): path.read_text("utf-8") for path in sorted(package.rglob("*.py"))}


def read(code: dict[str, str]) -> Package:
    """What the modules of a package define, by their paths in it."""
    symbols: dict[str, Function | Model | Alias] = {}
    exported = {str(name) for name in tree("models/__init__.py", code.get("models/__init__.py", "")).exports or []}
    for path, text in code.items():
        folder, _, name = path.removesuffix(".py").rpartition("/")
        if name == "__init__":
            continue
        if folder.startswith("api/"):
            symbols[f"api.{folder.removeprefix('api/')}.{name}"] = function(tree(path, text))
        elif folder == "models":
            members = tree(path, text).members
            own = exported & {name for name, each in members.items() if not each.is_alias}
            symbols |= {f"models.{name}": model(members[name]) for name in own}
    return Package(symbols, code)


@functools.cache
def tree(path: str, code: str) -> griffe.Module:
    """What a module defines. Two packages share most of their modules, so each is read once."""
    return griffe.visit(path.removesuffix(".py").replace("/", "."), Path(path), code)


def function(module: griffe.Module) -> Function:
    public = {name: each for name, each in module.functions.items() if not name.startswith("_") and not each.is_alias}
    detailed = public["sync_detailed"]
    parameters = {each.name: Value(str(each.annotation), text(each.default)) for each in detailed.parameters}
    positional = griffe.ParameterKind.positional_or_keyword
    names = tuple(each.name for each in detailed.parameters if each.kind is positional)
    return Function(frozenset(public), names, parameters, str(detailed.returns))


def model(found: griffe.Object | griffe.Alias) -> Model | Alias:
    if isinstance(found, griffe.Attribute):
        return Alias(str(found.value))
    fields = {name: each for name, each in found.attributes.items() if "property" not in each.labels}
    return Model({name: Value(str(each.annotation), text(each.value)) for name, each in fields.items()})


def text(value: object) -> str | None:
    return None if value is None else str(value)
