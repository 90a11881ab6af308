"""Record what the pinned generator reads of a document while its own parser reads it.

The parser keeps a document in its own classes, one for each kind of object in OpenAPI. Each object gets its place as
an extension, which survives copying. Reads are recorded by place, because a keyword may be read in one schema and
ignored in another.
"""

from __future__ import annotations

import contextlib
import copy
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from unittest import mock

import attrs
from openapi_python_client import schema as oai
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser.openapi import GeneratorData
from openapi_python_client.schema.ref import Ref
from openapi_python_client.schema.untrusted_string import UntrustedString
from pydantic import BaseModel, ValidationError

from .refusal import SpecError, one_line, pointer

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

PLACE = "x-place-of-this-object"
# The beginning of the parser's messages about an operation.
OPERATION = re.compile(r"WARNING parsing ([A-Z]+) (.+) within \S+\.(?: Endpoint will not be generated\.)?")


@attrs.frozen(slots=False)
class Reading:
    """A document in the parser's classes, and what the parser read of it."""

    document: oai.OpenAPI
    result: GeneratorData
    # Places, each with the attribute of the parser's object that was read there.
    read: set[tuple[str, str]]

    @cached_property
    def places(self) -> set[str]:
        """The places where anything was read."""
        return {place for place, _ in self.read}

    @property
    def schemas(self) -> dict[str, str]:
        """The place of each schema that became a class, by the name of its module."""
        found = {model.class_info.module_name: place_of(model.data) for model in self.result.models}
        return {str(name): place for name, place in found.items() if place}


def read(spec: dict[str, Any], config: Path) -> Reading:
    """Let the parser read a valid document.

    Raises:
        SpecError: The parser has errors or warnings, or breaks.
    """
    settings = Config.from_sources(
        ConfigFile.load_from_path(config),
        MetaType.NONE,
        document_source=config,
        file_encoding="utf-8",
        overwrite=False,
        output_path=None,
    )
    seen: set[tuple[str, str]] = set()
    try:
        spec = with_parameters_in_place(spec)
        document = marked(spec)
        with watched(seen), told_in_words():
            result = GeneratorData.from_dict(document, config=settings)  # type: ignore[arg-type]  # validated already
            errors = list(told(result))
        document = marked(spec)  # again, because the parser changes what it reads
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = pointer(*(step for step in first["loc"] if step not in ("other", "ref")))
        raise SpecError(f"the generator refuses spec/openapi.yaml: {place}: {first['msg']}") from None
    except Exception as error:
        raise SpecError(f"the generator breaks on spec/openapi.yaml: {error!r}") from error
    if errors or not isinstance(result, GeneratorData):
        raise SpecError(f"the generator refuses spec/openapi.yaml: {'; '.join(errors)}")
    return Reading(document, result, seen)


def with_parameters_in_place(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the document with each shared parameter copied to where it is used.

    The parser copies a shared one attribute by attribute, which would look as if all of them were read.
    """
    spec = copy.deepcopy(spec)
    shared: dict[str, Any] = spec.get("components", {}).get("parameters", {})
    items: list[dict[str, Any]] = list(spec["paths"].values())
    for item in items:
        operations: list[dict[str, Any]] = [each for each in item.values() if isinstance(each, dict)]
        for holder in (item, *operations):
            for index, parameter in enumerate(holder.get("parameters", [])):
                ref = str(parameter.get("$ref", ""))
                name = ref.removeprefix("#/components/parameters/").replace("~1", "/").replace("~0", "~")
                if ref.startswith("#/components/parameters/") and name in shared:
                    holder["parameters"][index] = copy.deepcopy(shared[name])
    spec.get("components", {}).pop("parameters", None)
    return spec


def members(value: object, steps: tuple[object, ...]) -> Iterator[tuple[BaseModel, tuple[object, ...]]]:
    """Yield the objects that a value is or holds, each with its place."""
    if isinstance(value, BaseModel):
        yield value, steps
    elif isinstance(value, dict):
        for name, each in cast("dict[object, object]", value).items():
            word = name.get_untrusted_value() if isinstance(name, UntrustedString) else name
            yield from members(each, (*steps, word))
    elif isinstance(value, list):
        for index, each in enumerate(cast("list[object]", value)):
            yield from members(each, (*steps, index))


def keywords(node: BaseModel) -> Iterator[tuple[str, str, object]]:
    """Yield an object's keywords: the keyword, the parser's attribute for it or nothing, and the value."""
    for name, field in type(node).model_fields.items():
        if name in node.model_fields_set:
            yield field.alias or name, name, node.__dict__[name]
    for keyword, value in (node.model_extra or {}).items():
        if keyword != PLACE:
            yield keyword, "", value


def marked(spec: dict[str, Any]) -> oai.OpenAPI:
    document = oai.OpenAPI.model_validate(spec)
    mark(document, ())
    return document


def mark(node: BaseModel, steps: tuple[object, ...]) -> None:
    """Write its place into each object that is not empty."""
    held = list(keywords(node))
    if held and node.model_extra is not None:
        node.model_extra[PLACE] = pointer(*steps)
    for keyword, _, value in held:
        for member, place in members(value, (*steps, keyword)):
            mark(member, place)


def watched(seen: set[tuple[str, str]]) -> contextlib.AbstractContextManager[object]:
    """Record which attributes of objects with a place are read."""

    def recording(node: BaseModel, name: str) -> Any:
        value = object.__getattribute__(node, name)
        if name[0] != "_":
            extra = object.__getattribute__(node, "__pydantic_extra__")
            if extra and PLACE in extra:
                seen.add((extra[PLACE], name))
        return value

    return mock.patch.object(BaseModel, "__getattribute__", recording)


@contextlib.contextmanager
def told_in_words() -> Generator[None]:
    """Let the parser's messages show the document's text, which the parser hides to protect its templates."""
    with contextlib.ExitStack() as stack:
        for kind in (UntrustedString, Ref):
            for name in ("__str__", "__repr__"):
                stack.enter_context(mock.patch.object(kind, name, kind.get_untrusted_value))
        yield


def told(result: object) -> Iterator[str]:
    """Yield the parser's errors and warnings, each with its place where it has one."""
    if not isinstance(result, GeneratorData):
        yield one_line(f"{getattr(result, 'header', '')} {getattr(result, 'detail', '')}")
        return
    found = [error for each in result.endpoint_collections_by_tag.values() for error in each.parse_errors]
    for error in [*result.errors, *found]:
        operation, place, header = OPERATION.match(error.header), place_of(error.data), error.header
        if operation:
            place, header = place or pointer("paths", operation[2], operation[1].lower()), header[operation.end() :]
        yield one_line(f"{place}{': ' if place else ''}{header} {error.detail or ''}")


def place_of(node: object) -> str:
    """Return the place of one of the parser's objects, or nothing."""
    extra: dict[str, str] = getattr(node, "model_extra", None) or {}
    return extra.get(PLACE, "")
