"""Fields of an input on the command line: NAME=TEXT, NAME:=JSON, NAME=@FILE.

The model's schema decides the type of TEXT; it is never guessed. A prompt of 123 stays text.
"""

from __future__ import annotations

import difflib
import json
import math
import os
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import click
from attrs import frozen

from ..catalogue.schema import types_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..catalogue.schema import Facts

_FIELD = re.compile(r"(?P<name>[^=]*?[^=:]|)(?P<kind>:=|=@|=)(?P<value>.*)", re.DOTALL)
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_NOTHING = object()

Kind = Literal["=", ":=", "=@"]


@frozen
class Field:
    """A field as typed.

    Attributes:
        name: The name.
        kind: The form of the value: = text, := JSON, =@ the path of a file.
        value: The value as typed.
    """

    name: str
    kind: Kind
    value: str


class FieldError(click.UsageError):
    """A field is wrong.

    Attributes:
        in_a_file: The message if the field comes from a file, where NAME:=JSON cannot be written.
    """

    def __init__(self, problem: str, advice: str, advice_for_files: str = "") -> None:
        super().__init__(f"{problem} {advice}")
        self.in_a_file = f"{problem} {advice_for_files}".rstrip()


def field_of(argument: str) -> Field:
    """Parse NAME=TEXT, NAME:=JSON or NAME=@FILE.

    Raises:
        UsageError: The argument has another form.
    """
    found = _FIELD.fullmatch(argument)
    if found is None or not found["name"]:
        raise click.UsageError(f"{argument[:80]!r} is not a field: write NAME=TEXT, NAME:=JSON or NAME=@FILE.")
    return Field(found["name"], cast("Kind", found["kind"]), found["value"])


def input_of(fields: Iterable[Field], facts: Facts | None, folder: Path = Path()) -> dict[str, Any]:
    """Build an input from fields. A repeated field becomes a list.

    Args:
        fields: The fields.
        facts: The facts of the model's schema; None if unknown, and then text stays text.
        folder: The folder that the paths of files are relative to.

    Raises:
        UsageError: A value does not fit the schema, a field is not in it, or a file does not exist.
    """
    values: dict[str, list[Any]] = {}
    for field in fields:
        values.setdefault(field.name, []).append(_value(field, facts, folder))
    return {name: _joined(name, found, facts) for name, found in values.items()}


def needs_schema(fields: Sequence[Field]) -> bool:
    """Return whether the type of a field depends on the model's schema."""
    return any(field.kind != ":=" for field in fields)


def _value(field: Field, facts: Facts | None, folder: Path) -> object:
    if field.kind == ":=":
        return _json(field)
    known = _known(field, facts)
    value = _file(field, folder) if field.kind == "=@" else typed(field.name, field.value, known)
    if known is None:
        return value
    only_lists = "array" in kinds_of(known) and "string" not in kinds_of(known)
    return cast("object", [value] if only_lists and not isinstance(value, list) else value)


def _known(field: Field, facts: Facts | None) -> Facts | None:
    """Return the facts of a field; None if the schema has none."""
    properties: dict[str, Facts] = (facts or {}).get("properties", {})
    if not properties or field.name in properties:
        return properties.get(field.name)
    near = difflib.get_close_matches(field.name, properties, 3)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"It has {', '.join(properties)}."
    problem = f"The model's schema has no field {field.name!r}. {hint}"
    raise FieldError(problem, f"To send it anyway, write {field.name}:=JSON.", "To send it anyway, use JSON Lines.")


def typed(name: str, text: str, facts: Facts | None) -> Any:
    """Convert text to the type in a field's facts.

    Raises:
        UsageError: The text has none of the allowed types.
    """
    if facts is None:
        return text
    for choice in facts.get("enum", ()):
        if choice == text if isinstance(choice, str) else json.dumps(choice) == text:
            return choice
    kinds = kinds_of(facts)
    if not kinds or "string" in kinds:
        return text
    for kind in ("null", "boolean", "integer", "number", "array", "object"):
        value = _READ[kind](text) if kind in kinds else _NOTHING
        if value is not _NOTHING:
            return value
    if "array" in kinds:
        return [typed(name, text, facts.get("items"))]
    raise click.UsageError(f"{name} must be {' or '.join(map(_NAMES.__getitem__, kinds))}, not {text[:80]!r}.")


def kinds_of(facts: Facts) -> list[str]:
    """Return the types that facts allow, including alternatives; empty if a type is not known."""
    kinds = types_of(facts)
    branches = [branch for key in ("anyOf", "oneOf") for branch in facts.get(key, ())]
    if kinds or not branches or not all(map(kinds_of, branches)):
        return kinds
    return list(dict.fromkeys(kind for branch in branches for kind in kinds_of(branch)))


def _joined(name: str, values: list[Any], facts: Facts | None) -> Any:
    if len(values) == 1:
        return values[0]
    known = (facts or {}).get("properties", {}).get(name)
    if known is not None and kinds_of(known) and "array" not in kinds_of(known):
        raise click.UsageError(f"{name} takes one value, and was given {len(values)} times.")
    lists: list[list[Any]] = [value if isinstance(value, list) else [value] for value in values]
    return [item for each in lists for item in each]


def _json(field: Field) -> Any:
    try:
        return json.loads(field.value, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        problem = f"The value of {field.name} is not JSON ({error})."
        raise FieldError(problem, f"To send text, write {field.name}=TEXT.") from None


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _file(field: Field, folder: Path) -> Path:
    path = folder / os.path.expanduser(field.value)  # noqa: PTH111 # pathlib raises an error for an unknown user
    if not os.path.isfile(path):  # noqa: PTH113 # pathlib raises an error for a long path
        text = json.dumps("@" + field.value, ensure_ascii=False)
        raise FieldError(
            f"{field.name}=@{field.value[:200]}: the file does not exist.",
            f"To send text that begins with @, write {field.name}:='{text[:200]}'.",
        )
    return path


def _read_number(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return _NOTHING
    return number if math.isfinite(number) else _NOTHING


def _read_json(kind: type[Any], text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        return _NOTHING
    return value if isinstance(value, kind) else _NOTHING


_READ: dict[str, Callable[[str], Any]] = {
    "null": lambda text: {"null": None}.get(text, _NOTHING),
    "boolean": lambda text: {"true": True, "false": False}.get(text.lower(), _NOTHING),
    "integer": lambda text: int(text) if _WHOLE.fullmatch(text) else _NOTHING,
    "number": _read_number,
    "array": partial(_read_json, list),
    "object": partial(_read_json, dict),
}
_NAMES = {
    "null": "null",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "a JSON object",
    "string": "text",
}
