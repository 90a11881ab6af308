"""Compare two versions of a model's input, and judge what the changes mean for programs."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ..catalogue.schema import RULES, canonical, types_of, without_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..catalogue.schema import Facts


class Level(IntEnum):
    """The severity of a change.

    Breaking: the service or a type checker may refuse inputs that it accepted before. Behaviour: the same inputs are
    accepted, but with a different meaning. Compatible: more inputs are accepted. Words: only descriptions have changed.
    """

    WORDS = 0
    COMPATIBLE = 1
    BEHAVIOUR = 2
    BREAKING = 3

    def __str__(self) -> str:
        return self.name.lower()


@frozen
class Change:
    """One change.

    Attributes:
        level: The severity.
        where: The field, such as loras[].scale; empty for the input itself.
        what: What has changed, as the rest of a sentence that begins with the field.
    """

    level: Level
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where or 'the input'} {self.what}"


def compare(old: Facts, new: Facts) -> list[Change]:
    """Return the changes between two versions of an input."""
    found = list(_changes(old, new, ""))
    if not found and canonical(old) != canonical(new):
        same = canonical(without_words(old)) == canonical(without_words(new))
        what = "has another description" if same else "is written differently, with the same meaning"
        found.append(Change(Level.WORDS, "", what))
    return found


_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
# Values of these cannot be ordered: every new value may refuse what the old one accepted.
_OTHERS = ("multipleOf", "pattern", "format", "uniqueItems")


def _changes(old: Facts, new: Facts, where: str) -> Iterator[Change]:
    for level, what in (*_types(old, new), *_values(old, new), *_limits(old, new), *_annotations(old, new)):
        yield Change(level, where, what)
    yield from _fields(old, new, where)
    yield from _inner(old.get("items"), new.get("items"), f"{where}[]")
    before, after = old.get("additionalProperties"), new.get("additionalProperties")
    if before is False or after is False:
        if before != after:
            level = Level.BREAKING if after is False else Level.COMPATIBLE
            yield Change(level, where, f"now {'refuses' if after is False else 'accepts'} additional fields")
    else:
        yield from _inner(before, after, f"{where}.*".lstrip("."))


def _inner(old: Facts | None, new: Facts | None, where: str) -> Iterator[Change]:
    if old != new:
        yield from _changes(old or {}, new or {}, where)


Found = tuple[Level, str]


def _types(old: Facts, new: Facts) -> Iterator[Found]:
    before, after = types_of(old), types_of(new)
    if before == after:
        return
    narrower = bool(after) and not (before and all(_covers(after, kind) for kind in before))
    was, now = " or ".join(before) or "anything", " or ".join(after) or "anything"
    yield Level.BREAKING if narrower else Level.COMPATIBLE, f"was {was}, is now {now}"


def _covers(kinds: list[str], kind: str) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _values(old: Facts, new: Facts) -> Iterator[Found]:
    before, after = _allowed(old), _allowed(new)
    if before is None and after is not None:
        yield Level.BREAKING, f"may now be only {', '.join(after)}"
    elif before is not None and after is None:
        yield Level.COMPATIBLE, f"may now be other than {', '.join(before)}"
    elif before is not None and after is not None:
        yield from ((Level.BREAKING, f"may no longer be {value}") for value in before if value not in after)
        yield from ((Level.COMPATIBLE, f"may now be {value}") for value in after if value not in before)


def _allowed(facts: Facts) -> list[str] | None:
    values: list[Any] | None = [facts["const"]] if "const" in facts else facts.get("enum")
    return None if values is None else list(map(canonical, values))


def _limits(old: Facts, new: Facts) -> Iterator[Found]:
    for key in (*_LOWER, *_UPPER, *_OTHERS, "file"):
        before, after = old.get(key), new.get(key)
        if before != after:
            tighter = _tighter(key, before, after)
            was, now = ("none" if value is None else canonical(value) for value in (before, after))
            yield Level.BREAKING if tighter else Level.COMPATIBLE, f"had {key} {was}, has now {now}"


def _tighter(key: str, before: Any, after: Any) -> bool:
    if key == "file":
        return after is None
    if before is None or after is None or key in _OTHERS:
        return after is not None
    return bool(after > before if key in _LOWER else after < before)


def _annotations(old: Facts, new: Facts) -> Iterator[Found]:
    if canonical(old.get("default")) != canonical(new.get("default")):
        was, now = (canonical(facts["default"]) if "default" in facts else "none" for facts in (old, new))
        yield Level.BEHAVIOUR, f"had default {was}, has now {now}"
    if _rules(old) != _rules(new):
        yield Level.BREAKING, "has other rules between fields now; check them in the model's documentation"
    if old.get("deprecated") != new.get("deprecated"):
        yield Level.COMPATIBLE, "is now deprecated" if "deprecated" in new else "is no longer deprecated"
    if old.get("description") != new.get("description"):
        yield Level.WORDS, "has another description"


def _rules(facts: Facts) -> str:
    return canonical(without_words({key: facts[key] for key in RULES if key in facts}))


def _fields(old: Facts, new: Facts, where: str) -> Iterator[Change]:
    before, after = old.get("properties", {}), new.get("properties", {})
    was_required, is_required = old.get("required", ()), new.get("required", ())
    if where and "properties" not in old and types_of(old) == types_of(new) == ["object"] and after:
        yield Change(Level.BREAKING, where, "was any object, has now defined fields")
    for name in sorted({*before, *after}):
        at = f"{where}.{name}" if where else name
        if name not in after:
            yield Change(Level.BREAKING, at, "was removed")
            continue
        level, word = (Level.BREAKING, "required") if name in is_required else (Level.COMPATIBLE, "optional")
        if name not in before:
            yield Change(level, at, f"was added, {word}")
            continue
        if (name in was_required) != (name in is_required):
            yield Change(level, at, f"is now {word}")
        yield from _changes(before[name], after[name], at)
