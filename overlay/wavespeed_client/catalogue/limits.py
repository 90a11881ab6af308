"""Describe a field in words: its description, and limits that a Python type cannot express."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .literals import literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .schema import Facts


def words_of(facts: Facts) -> str:
    """Return a field's description, followed by limits that its type does not express."""
    description = [facts["description"]] if "description" in facts else []
    return " ".join((*description, *_values(facts), *limits_of(facts)))


def limits_of(facts: Facts) -> Iterator[str]:
    """Yield the limits of a field's values, one sentence each."""
    for lowest, highest, unit in _RANGES:
        yield from _range(facts.get(lowest), facts.get(highest), unit)
    yield from (said.format(facts[key]) for key, said in _SAID.items() if key in facts)
    if "items" in facts and (each := " ".join((*_values(facts["items"]), *limits_of(facts["items"])))):
        yield f"Each item: {each}"


def _values(facts: Facts) -> Iterator[str]:
    if "default" in facts:
        yield f"Default {literal(facts['default'])}."
    if any(isinstance(value, float | list | dict) for value in facts.get("enum", ())):
        yield f"One of {literal(facts['enum'])[1:-1]}."


_RANGES = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " items"),
    ("minProperties", "maxProperties", " fields"),
)
_SAID = {
    "exclusiveMinimum": "More than {}.",
    "exclusiveMaximum": "Less than {}.",
    "multipleOf": "A multiple of {}.",
    "pattern": "It matches {}",
    "uniqueItems": "No two items are equal.",
    "deprecated": "Deprecated.",
}


def _range(lowest: float | None, highest: float | None, unit: str) -> Iterator[str]:
    if lowest is not None and highest is not None:
        yield f"{lowest} to {highest}{unit}."
    elif lowest is not None:
        yield f"At least {lowest}{unit}."
    elif highest is not None:
        yield f"At most {highest}{unit}."
