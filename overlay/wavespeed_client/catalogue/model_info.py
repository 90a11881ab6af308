"""Describe a model and its input, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from attrs import field, frozen

from .limits import limits_of
from .literals import literal, seen
from .schema import input_facts, is_file, type_of_value, types_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .rows import Model
    from .schema import Facts

HEADS = ("input", "type", "default", "about")
# Limits of what a table shows.
MOST_CHOICES = 12
LONGEST_VALUE = 60
LONGEST_WORDS = 300


@frozen
class ModelInput:
    """One field of a model's input.

    Attributes:
        name: Its name.
        type: Its type in JSON Schema, such as string, integer or array. Several are joined by " | "; "any" means that
            the schema has no type.
        required: Whether it is required.
        default: Its default; None if the schema has none.
        choices: The allowed values; empty if the schema does not list them.
        minimum: The smallest allowed number.
        maximum: The largest allowed number.
        description: The service's description.
        is_file: Whether it takes a file or a list of files: a URL, or a `FileInput`, which is uploaded first.
        limits: Other limits in words, such as "At most 3 items."
    """

    name: str
    type: str
    required: bool = False
    default: Any = field(default=None, hash=False)
    choices: tuple[Any, ...] = field(default=(), hash=False)
    minimum: float | None = None
    maximum: float | None = None
    description: str | None = None
    is_file: bool = False
    limits: str = ""

    @classmethod
    def of(cls, name: str, facts: Facts, required: bool) -> Self:
        """Read a field from the facts of its schema."""
        return cls(
            name=name,
            type=_type(facts),
            required=required,
            default=facts.get("default"),
            choices=tuple(_choices(facts)),
            minimum=facts.get("minimum"),
            maximum=facts.get("maximum"),
            description=facts.get("description"),
            is_file=is_file(facts),
            limits=" ".join((*_inner(facts), *limits_of(facts))),
        )


@frozen
class ModelInfo:
    """A model of the catalogue and the fields of its input. `print` and notebooks show it as a table.

    Attributes:
        id: The model's id, to submit to.
        type: The kind of model, such as text-to-image; None if the catalogue does not have it.
        base_price: The lowest price of a task, in USD; None if the catalogue does not have it.
        inputs: The fields of the input, in the order of the web page; empty if the catalogue does not have them.
    """

    id: str
    type: str | None
    base_price: float | None
    inputs: tuple[ModelInput, ...]

    @classmethod
    def of(cls, model: Model) -> Self:
        """Read a model's row of the catalogue."""
        facts = input_facts(model.raw) or {}
        fields: dict[str, Facts] = facts.get("properties", {})
        required = set(facts.get("required", ()))
        inputs = (ModelInput.of(name, fields[name], name in required) for name in facts.get("order", fields))
        return cls(model.model_id, model.type_, model.base_price, tuple(inputs))

    def __str__(self) -> str:
        from ..media.table import COLUMNS, table, wrapped  # loaded only when it is shown

        about = ", ".join(text for _, text in _heading(self))
        rows = table([HEADS, *map(_cells, self.inputs)]) if self.inputs else "The catalogue describes no input."
        return "\n".join([*wrapped(about, COLUMNS), "", rows])

    def _repr_html_(self) -> str:
        from ..media.html import model_html

        return model_html(_heading(self), HEADS, [_cells(each) for each in self.inputs])


def _heading(info: ModelInfo) -> list[tuple[str, str]]:
    rows = [("model", _cut(info.id, LONGEST_WORDS))]
    rows += [("type", _cut(info.type, LONGEST_WORDS))] if info.type else []
    return rows if info.base_price is None else [*rows, ("price", f"from {info.base_price:g} USD")]


def _cells(each: ModelInput) -> tuple[str, str, str, str]:
    value = "" if each.default is None else _cut(literal(each.default), LONGEST_VALUE)
    needed = f"required ({value})" if each.required and value else "required" if each.required else value
    about = [_cut(each.description, LONGEST_WORDS)] if each.description else []
    about += [f"One of {_listed(each.choices)}."] if each.choices else []
    about += [_cut(each.limits, LONGEST_WORDS)] if each.limits else []
    kind = f"{each.type} (file)" if each.is_file else each.type
    return _cut(each.name, LONGEST_WORDS), kind, needed, " ".join(about)


def _cut(text: str, most: int) -> str:
    """Return text on one line, with invisible characters escaped, cut to about this length."""
    words = " ".join(text[: 2 * most].split())
    return seen(words if len(words) <= most else f"{words[:most]}\u2026")


def _listed(values: Sequence[object]) -> str:
    shown = [_cut(literal(value), LONGEST_VALUE) for value in values[:MOST_CHOICES]]
    more = len(values) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _type(facts: Facts) -> str:
    kinds = _kinds(facts)
    return "any" if "any" in kinds else " | ".join(dict.fromkeys(kinds))


def _kinds(facts: Facts) -> list[str]:
    said = types_of(facts) or [type_of_value(value) for value in _choices(facts)]
    branches: list[Facts] = facts.get("anyOf") or facts.get("oneOf", [])
    return said or [kind for branch in branches for kind in _kinds(branch)] or ["any"]


def _choices(facts: Facts) -> list[Any]:
    return [facts["const"]] if "const" in facts else facts.get("enum", [])


def _inner(facts: Facts) -> Iterator[str]:
    """Yield sentences about the items of a list and the fields of an object."""
    if "items" in facts:
        inner: Facts = facts["items"]
        parts = [_type(inner), *([f"one of {_listed(choices)}"] if (choices := _choices(inner)) else [])]
        parts += [f"with {_fields(inner)}"] if "properties" in inner else []
        yield f"Items: {', '.join(parts)}."
    if "properties" in facts:
        yield f"Fields: {_fields(facts)}."


def _fields(facts: Facts) -> str:
    required = set(facts.get("required", ()))
    names: list[str] = facts.get("order") or list(facts["properties"])
    return ", ".join(f"{name} (required)" if name in required else name for name in names)
