"""What a change of a model's input means for programs that send it."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ..catalogue.schema import RULES, canonical, types_of, without_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..catalogue.schema import Facts


class Level(IntEnum):
    """How grave a change is.

    Breaking: what was accepted may be refused now, by the service or by a type checker. Behaviour: it is accepted and
    means something else. Compatible: more is accepted. Words: nothing but words has changed.
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
        level: How grave it is.
        where: The field, such as loras[].scale; empty for the input itself.
        what: What has changed, to be read after the field.
    """

    level: Level
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where or 'the input'} {self.what}"


def compare(old: Facts, new: Facts) -> list[Change]:
    """Return what has changed between two descriptions of one input; nothing if they say the same."""
    found = list(_changes(old, new, ""))
    if not found and canonical(old) != canonical(new):
        same = canonical(without_words(old)) == canonical(without_words(new))
        what = "is described in other words" if same else "is written in another way"
        found.append(Change(Level.WORDS, "", what))
    return found


_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
# Two values of these cannot be compared: each new one refuses what another did not.
_OTHERS = ("multipleOf", "pattern", "format", "uniqueItems")


def _changes(old: Facts, new: Facts, where: str) -> Iterator[Change]:
    for level, what in (*_types(old, new), *_values(old, new), *_limits(old, new), *_said(old, new)):
        yield Change(level, where, what)
    yield from _fields(old, new, where)
    yield from _inner(old.get("items"), new.get("items"), f"{where}[]")
    before, after = old.get("additionalProperties"), new.get("additionalProperties")
    if before is False or after is False:
        if before != after:
            level = Level.BREAKING if after is False else Level.COMPATIBLE
            yield Change(level, where, f"{'refuses' if after is False else 'takes'} further fields now")
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
    yield Level.BREAKING if narrower else Level.COMPATIBLE, f"was {was}, is {now} now"


def _covers(kinds: list[str], kind: str) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _values(old: Facts, new: Facts) -> Iterator[Found]:
    before, after = _allowed(old), _allowed(new)
    if before is None and after is not None:
        yield Level.BREAKING, f"may be only {', '.join(after)} now"
    elif before is not None and after is None:
        yield Level.COMPATIBLE, f"may be more than {', '.join(before)} now"
    elif before is not None and after is not None:
        yield from ((Level.BREAKING, f"may no longer be {value}") for value in before if value not in after)
        yield from ((Level.COMPATIBLE, f"may be {value} now") for value in after if value not in before)


def _allowed(facts: Facts) -> list[str] | None:
    values: list[Any] | None = [facts["const"]] if "const" in facts else facts.get("enum")
    return None if values is None else list(map(canonical, values))


def _limits(old: Facts, new: Facts) -> Iterator[Found]:
    for key in (*_LOWER, *_UPPER, *_OTHERS, "file"):
        before, after = old.get(key), new.get(key)
        if before != after:
            tighter = _tighter(key, before, after)
            was, now = ("none" if value is None else canonical(value) for value in (before, after))
            yield Level.BREAKING if tighter else Level.COMPATIBLE, f"had {key} {was}, has {now} now"


def _tighter(key: str, before: Any, after: Any) -> bool:
    if key == "file":
        return after is None
    if before is None or after is None or key in _OTHERS:
        return after is not None
    return bool(after > before if key in _LOWER else after < before)


def _said(old: Facts, new: Facts) -> Iterator[Found]:
    if canonical(old.get("default")) != canonical(new.get("default")):
        was, now = (canonical(facts["default"]) if "default" in facts else "none" for facts in (old, new))
        yield Level.BEHAVIOUR, f"had default {was}, has {now} now"
    if _rules(old) != _rules(new):
        yield Level.BREAKING, "has other rules now, which cannot be judged"
    if old.get("deprecated") != new.get("deprecated"):
        yield Level.COMPATIBLE, "is deprecated now" if "deprecated" in new else "is no longer deprecated"
    if old.get("description") != new.get("description"):
        yield Level.WORDS, "is described in other words"


def _rules(facts: Facts) -> str:
    return canonical(without_words({key: facts[key] for key in RULES if key in facts}))


def _fields(old: Facts, new: Facts, where: str) -> Iterator[Change]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed, needs = old.get("required", ()), new.get("required", ())
    if where and "properties" not in old and types_of(old) == types_of(new) == ["object"] and after:
        yield Change(Level.BREAKING, where, "was any object, has fields of its own now")
    for name in sorted({*before, *after}):
        at = f"{where}.{name}" if where else name
        if name not in after:
            yield Change(Level.BREAKING, at, "is removed")
        elif name not in before:
            required = name in needs
            word = "required" if required else "optional"
            yield Change(Level.BREAKING if required else Level.COMPATIBLE, at, f"is added, {word}")
        else:
            if (name in needed) != (name in needs):
                level, word = (Level.BREAKING, "required") if name in needs else (Level.COMPATIBLE, "optional")
                yield Change(level, at, f"is {word} now")
            yield from _changes(before[name], after[name], at)
