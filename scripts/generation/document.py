"""Read the spec, and check it against the meta-schemas of OpenAPI 3.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .refusal import SpecError, one_line, pointer, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def read_yaml(source: Path | bytes, name: str) -> dict[str, Any]:
    """Read a mapping.

    Raises:
        SpecError: The file is missing, or contains invalid YAML or something else than a mapping.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        loader: Any = YAML(typ="safe")
        document: object = loader.load(source)
    except FileNotFoundError:
        raise SpecError(f"{name} is missing") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise SpecError(f"{name} is not valid YAML: {error}") from None
    if not isinstance(document, dict):
        raise SpecError(f"{name} does not hold a mapping")
    return cast("dict[str, Any]", document)


def check_document(spec: dict[str, Any]) -> None:
    """Check the document, and each schema in it, against the published meta-schemas.

    Raises:
        SpecError: It is not an OpenAPI 3.1 document, or it has a path or operation that no client can call.
    """
    refuse(wrong_objects(spec))
    refuse(wrong_schemas(spec))
    refuse(wrong_paths(spec))


def wrong_objects(spec: dict[str, Any]) -> Iterator[str]:
    from openapi_spec_validator import schemas as meta_schemas

    validator: Any = cast("Any", meta_schemas).openapi_v31_schema_validator
    for error in validator.iter_errors(spec):
        yield f"{pointer(*error.absolute_path)}: {first_line(error)}"


def wrong_schemas(spec: dict[str, Any]) -> Iterator[str]:
    from openapi_schema_validator import OAS31Validator

    validator: Any = OAS31Validator({"$ref": "https://json-schema.org/draft/2020-12/schema"})
    for schema, steps in schemas(spec, ()):
        for error in validator.iter_errors(schema):
            yield f"{pointer(*steps, *error.absolute_path)}: {first_line(error)}"
        yield from unknown_keywords(schema, steps)


def unknown_keywords(schema: object, steps: tuple[object, ...]) -> Iterator[str]:
    """Yield unknown keywords, which JSON Schema allows: misspelt ones, or those of OpenAPI 3.0."""
    from .vocabulary import DIALECT, LISTS_OF_SCHEMAS, MAPS_OF_SCHEMAS, SCHEMAS

    for keyword, value in cast("dict[str, Any]", schema).items() if isinstance(schema, dict) else ():
        here = (*steps, keyword)
        if keyword not in DIALECT and not keyword.startswith("x-"):
            yield f"{pointer(*here)}: {keyword} is no keyword of OpenAPI 3.1's schemas"
        elif keyword in SCHEMAS:
            yield from unknown_keywords(value, here)
        elif keyword in MAPS_OF_SCHEMAS:
            yield from (line for name in value for line in unknown_keywords(value[name], (*here, name)))
        elif keyword in LISTS_OF_SCHEMAS:
            yield from (line for index, each in enumerate(value) for line in unknown_keywords(each, (*here, index)))


def schemas(node: object, steps: tuple[object, ...]) -> Iterator[tuple[object, tuple[object, ...]]]:
    """Yield all schemas of a document. What looks like a schema inside an example is not one."""
    if isinstance(node, list):
        for index, each in enumerate(cast("list[object]", node)):
            yield from schemas(each, (*steps, index))
    elif isinstance(node, dict):
        for name, each in cast("dict[str, object]", node).items():
            if name == "schema" or steps == ("components", "schemas"):
                yield each, (*steps, name)
            elif name not in ("example", "examples") and not name.startswith("x-"):
                yield from schemas(each, (*steps, name))


def first_line(error: Any) -> str:
    return one_line(str(error.message).partition("\n")[0])[:300]


def operations(spec: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each operation, with its path and method."""
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def places(spec: dict[str, Any]) -> dict[str, str]:
    """Return the place of each operation, by the name of its module."""
    return {f"api.{each['operationId']}": pointer("paths", path, method) for path, method, each in operations(spec)}


def wrong_paths(spec: dict[str, Any]) -> Iterator[str]:
    for path in spec["paths"]:
        if "?" in path or "#" in path:
            yield f"{pointer('paths', path)}: a path cannot hold ? or #: write a query as parameters"
    for path, method, operation in operations(spec):
        if not operation.get("tags"):
            place = pointer("paths", path, method)
            yield f"{place}: {method.upper()} {path} has no tags, the first of which names its module"
