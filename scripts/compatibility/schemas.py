"""The differences between two schemas, of which one replaces the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import effects
from .change import Effect, canonical, show
from .document import Json, mapping
from .parts import Part, flags
from .shape import WORDS, Alternative, Node

if TYPE_CHECKING:
    from collections.abc import Iterator


def properties(holder: Alternative) -> Iterator[Part]:
    """Yield the properties of an object. They are recognised by name, or by everything else that matters."""
    for name, node in sorted(holder.properties.items()):
        required = {"required": True} if name in holder.required else {}
        facets = {"name": name, **required, **flags(said(node, "deprecated"), "deprecated")}
        schema = mapping(node.schema).items()
        form = canonical({key: each for key, each in schema if key not in WORDS and not key.startswith("x-")})
        likenesses = (name, f"{required} {form}")
        yield Part("property", name, node.label, node.label, facets, likenesses, node=node)


def type_changes(old: Alternative, new: Alternative) -> Iterator[tuple[str, Effect]]:
    """Yield the differences between two types, except those of keywords and properties."""
    if old.type != new.type:
        wider = new.type is None or (old.type, new.type) == ("integer", "number")
        what = f"was {name_of(old)}, is {name_of(new)} now"
        yield what, effects.WIDER if wider else effects.NARROWER
    yield from enum_changes(old.enum, new.enum)
    yield from key_changes(old, new)


def enum_changes(old: list[Any] | None, new: list[Any] | None) -> Iterator[tuple[str, Effect]]:
    if old is None and new is not None:
        yield f"may be only {', '.join(map(show, new))} now", effects.NARROWER
    elif new is None and old is not None:
        yield f"may be more than {', '.join(map(show, old))} now", effects.WIDER
    elif old is not None and new is not None:
        yield from ((f"may no longer be {show(value)}", effects.NARROWER) for value in old if value not in new)
        yield from ((f"may be {show(value)} now", effects.WIDER) for value in new if value not in old)


def key_changes(one: Alternative, two: Alternative) -> Iterator[tuple[str, Effect]]:
    """Yield changes of items, and of further keys if only one side describes them."""
    if bool(one.items) != bool(two.items):
        narrower = bool(two.items)
        what = "items are described now" if narrower else "items may be anything now"
        yield what, effects.NARROWER if narrower else effects.WIDER
    old, new = one.values, two.values
    if isinstance(old, bool) and isinstance(new, bool):
        if old != new:
            what = "may have further keys" if new else "may have no further keys"
            yield what, effects.MORE_KEYS if new else effects.NO_MORE_KEYS
    elif isinstance(old, bool) or isinstance(new, bool):
        narrower = old is True or new is False
        what = f"values of further keys are {'narrower' if narrower else 'wider'}"
        yield what, effects.NARROWER if narrower else effects.WIDER


def match_alternatives(
    old: list[Alternative], new: list[Alternative]
) -> tuple[list[tuple[Alternative, Alternative]], list[Alternative], list[Alternative]]:
    """Pair alternatives by the first likeness that matches, and return the rest of both sides."""
    pairs: list[tuple[Alternative, Alternative]] = []
    before, after = list(old), list(new)
    for likeness in (by_name, by_kind, by_type, by_number):
        for one in list(before):
            wanted = likeness(one)
            two = next((each for each in after if wanted is not None and likeness(each) == wanted), None)
            if two is not None:
                pairs.append((one, two))
                before.remove(one)
                after.remove(two)
    if len(before) == len(after) == 1 and None in (before[0].type, after[0].type):
        return [*pairs, (before[0], after[0])], [], []
    return pairs, before, after


def by_name(each: Alternative) -> object:
    return (each.label, by_kind(each))


def by_kind(each: Alternative) -> object:
    return (each.type, each.enum is None, each.keywords.get("format"))


def by_type(each: Alternative) -> object:
    return (each.type,)


def by_number(each: Alternative) -> object:
    return "number" if each.type in ("integer", "number") else None


def component(label: str) -> str:
    """Return the name of the schema that a label means, or an empty string if it means a place in a schema."""
    kind, _, name = label.partition("/")
    return name if kind == "schemas" and "/" not in name else ""


def name_of(alternative: Alternative) -> str:
    name = component(alternative.label)
    if name and alternative.type == "object":
        return name
    if alternative.enum is not None:
        return f"one of {', '.join(map(show, alternative.enum))}"
    kind = alternative.type or "anything"
    return f"{kind} ({alternative.keywords['format']})" if "format" in alternative.keywords else kind


def said(node: Node, key: str) -> Json:
    """Return a keyword with its value in a schema: next to its reference, or in the schema it refers to."""
    for schema in (mapping(node.schema), mapping(node.target().schema)):
        if key in schema:
            return {key: schema[key]}
    return {}
