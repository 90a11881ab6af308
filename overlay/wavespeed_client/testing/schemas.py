"""Check values against the document's schemas, each compiled once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker

from .routes import resolved
from .wire import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema import ValidationError

# Listed explicitly: by default, jsonschema's formats depend on which other packages are installed.
FORMATS = FormatChecker(("date", "date-time", "email", "ipv4", "ipv6", "regex", "time", "uuid"))
# jsonschema's messages contain the value, which may be a whole file.
LONGEST_MESSAGE = 500


@FORMATS.checks("uri", raises=ValueError)
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or urlsplit(value).scheme != ""


class Schemas:
    """The schemas of an OpenAPI 3.1 document (JSON Schema 2020-12)."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._compiled: dict[int, Any] = {}  # Any: the stubs of jsonschema are typed in part

    def faults(self, schema: dict[str, Any], value: Any) -> Iterator[str]:
        """Yield the errors of a value."""
        yield from faults_of(self._validator(schema), value)

    def is_array(self, schema: dict[str, Any]) -> bool:
        """Return whether a schema describes an array."""
        return resolved(self._document, schema).get("type") == "array"

    def read(self, schema: dict[str, Any], texts: list[str], what: str) -> object:
        """Return the value of a form field or a parameter: the text itself, or parsed as JSON if the schema needs it.

        Args:
            schema: The schema.
            texts: The texts sent under this name.
            what: The name for the error.

        Raises:
            ValueError: There are several texts, and the schema is not an array.
        """
        if self.is_array(schema):
            return texts if self._validator(schema).is_valid(texts) else [_typed(text) for text in texts]
        if len(texts) > 1:
            raise ValueError(f"the {what} was sent more than once")
        return texts[0] if self._validator(schema).is_valid(texts[0]) else _typed(texts[0])

    def _validator(self, schema: dict[str, Any]) -> Any:
        found = self._compiled.get(id(schema))
        if found is None:
            whole = {**self._inlined(schema, ()), "components": self._document.get("components", {})}
            found = self._compiled[id(schema)] = Draft202012Validator(whole, format_checker=FORMATS)
        return found

    def _inlined(self, node: Any, above: tuple[str, ...]) -> Any:
        """Inline `$ref`s, except recursive ones: jsonschema would resolve them again for every value."""
        if isinstance(node, list):
            return [self._inlined(one, above) for one in cast("list[object]", node)]
        if not isinstance(node, dict):
            return node
        found = cast("dict[str, Any]", node)
        reference = found.get("$ref")
        if len(found) == 1 and isinstance(reference, str) and reference not in above:
            return self._inlined(resolved(self._document, found), (*above, reference))
        return {key: self._inlined(value, above) for key, value in found.items()}


def faults_of(validator: Any, value: object) -> Iterator[str]:
    """Yield the errors of a value: where, what is allowed, and what was sent."""
    try:
        yield from map(_message, validator.iter_errors(value))
    except RecursionError:
        yield "nested too deep"


def _typed(text: str) -> object:
    try:
        value: object = read_json(text.encode(errors="replace"))
    except ValueError:
        return text
    return text if isinstance(value, str) else value


def _message(error: ValidationError) -> str:
    """Return jsonschema's message with the location, the errors of alternatives, and the known names."""
    message = error.message
    if error.context:
        message += f" ({'; '.join(dict.fromkeys(inner.message for inner in error.context))})"
    if error.validator == "additionalProperties":
        known = cast("dict[str, Any]", error.schema).get("properties", ())
        message += f" (known: {', '.join(known)})"
    if len(message) > LONGEST_MESSAGE:
        message = f"{message[: LONGEST_MESSAGE // 2]} ... {message[-LONGEST_MESSAGE // 2 :]}"
    return f"{'/'.join(map(str, error.absolute_path))} {message}".strip()
