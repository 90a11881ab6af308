"""What changed between two schemas, for programs on the wire."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from . import change as effects
from .change import Effect, Ledger, Use, canonical, show
from .document import mapping
from .matching import match, unless_repeated
from .shape import HIGHEST, LOWEST, WORDS, Alternative, Node, alternatives

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_SAID = object()


@frozen(eq=False)
class Pair:
    """The old and the new form of values of one type, and the ways they are used."""

    old: Alternative
    new: Alternative
    uses: set[Use]

    @property
    def where(self) -> str:
        return self.old.label


@define(eq=False)
class SchemaComparison:
    ledger: Ledger
    # Names that only the old document has, and what stands in their place.
    renamed: dict[str, str] = field(factory=dict[str, str])
    # Components that stand in each other's place and are being compared.
    replaced: set[tuple[str, str]] = field(factory=set[tuple[str, str]])
    _seen: set[tuple[int, int, str]] = field(factory=set[tuple[int, int, str]])

    def compare(self, old: Node, new: Node) -> None:
        was, now = old.target(), new.target()
        where = was.label if was.label == now.label else old.label
        key = (id(was.schema), id(now.schema), where)
        if key in self._seen:
            return
        self._seen.add(key)
        self.note_new_name(was, now)
        uses = self.ledger.uses_of(where, new.label if where == old.label else now.label)
        self.compare_defaults(old, new, where, uses)
        before, after = alternatives(old), alternatives(new)
        pairs, gone, come = match_alternatives(before, after)
        for one, two in pairs:
            self.note_new_name(Node(old.document, None, one.label), Node(new.document, None, two.label))
            if self.is_replaced(one, two):
                self.compare_replaced(where, uses, one, two)
            elif one.label == where:
                is_open = any(each.covers(one) for each in before) and any(each.covers(two) for each in after)
                self.compare_types(Pair(one, two, opened(uses, is_open=is_open)))
            else:
                self.compare_types(Pair(one, two, self.ledger.uses_of(one.label, two.label)))
        if len(gone) == len(come) == 1 and "null" not in (gone[0].type, come[0].type):
            self.ledger.note(where, f"was {name_of(gone[0])}, is {name_of(come[0])} now", effects.OTHER, uses)
            return
        for each in gone:
            effect = effects.NEVER_NULL if each.type == "null" else effects.NARROWER
            used = opened(uses, is_open=any(other.covers(each) for other in before))
            self.ledger.note(where, f"may no longer be {name_of(each)}", effect, used)
        for each in come:
            effect = effects.NULL if each.type == "null" else effects.WIDER
            used = opened(uses, is_open=any(other.covers(each) for other in after))
            self.ledger.note(where, f"may be {name_of(each)} now", effect, used)

    def note_new_name(self, was: Node, now: Node) -> None:
        name, new_name = component(was.label), component(now.label)
        is_new = name not in now.document.component("schemas") and new_name not in was.document.component("schemas")
        if name and new_name and is_new and self.renamed.setdefault(name, new_name) == new_name:
            uses = self.ledger.uses_of(was.label, now.label)
            self.ledger.note(was.label, f"is named {new_name} now", effects.NAME_ONLY, uses, now.label)

    def is_replaced(self, one: Alternative, two: Alternative) -> bool:
        name, new_name = component(one.label), component(two.label)
        return bool(name and new_name) and name != new_name and self.renamed.get(name) != new_name

    def compare_replaced(self, where: str, uses: set[Use], one: Alternative, two: Alternative) -> None:
        """Note as one change that another component stands here, with the worst of their differences."""
        key = (one.label, two.label)
        if key in self.replaced:
            return
        self.replaced.add(key)
        inner = SchemaComparison(Ledger(self.ledger.old, self.ledger.new), self.renamed, self.replaced)
        inner.compare_types(Pair(one, two, uses))
        self.replaced.discard(key)
        worst = max(inner.ledger.changes.values(), key=lambda change: change.wire, default=None)
        if worst is not None:
            what = f"was {component(one.label)}, is {component(two.label)} now"
            self.ledger.enter(where, what, worst.wire, f"{worst.where} {worst.what}: {worst.wire_why}")

    def compare_defaults(self, old: Node, new: Node, where: str, uses: set[Use]) -> None:
        before, after = said(old, "default"), said(new, "default")
        if before is NOT_SAID and after is not NOT_SAID:
            self.ledger.note(where, f"default {show(after)} is added", effects.DEFAULT_ADDED, uses)
        elif before is not NOT_SAID and after is NOT_SAID:
            self.ledger.note(where, f"default {show(before)} is removed", effects.DEFAULT, uses)
        elif before is not NOT_SAID and canonical(before) != canonical(after):
            self.ledger.note(where, f"default was {show(before)}, is {show(after)} now", effects.DEFAULT, uses)

    # Values of one type

    def compare_types(self, pair: Pair) -> None:
        for what, effect in (*type_changes(pair), *enum_changes(pair), *keyword_changes(pair), *key_changes(pair)):
            self.ledger.note(pair.where, what, effect, pair.uses)
        self.compare_properties(pair)
        for old, new in ((pair.old.items, pair.new.items), (pair.old.values, pair.new.values)):
            if isinstance(old, Node) and isinstance(new, Node):
                self.compare(old, new)

    def compare_properties(self, pair: Pair) -> None:
        old, new = pair.old, pair.new
        before = [(form(old, name), name) for name in sorted(old.properties.keys() - new.properties.keys())]
        after = [(form(new, name), name) for name in sorted(new.properties.keys() - old.properties.keys())]
        renamed, gone, come = match(before, after, unless_repeated(itemgetter(0), before, after))
        for (_, name), (_, twin) in renamed:
            what, there = f"is named {twin} now", new.properties[twin].label
            self.ledger.note(old.properties[name].label, what, effects.RENAMED, pair.uses, there)
        for _, name in gone:
            self.ledger.note(old.properties[name].label, "is removed", effects.REMOVED, pair.uses)
        for _, name in come:
            self.ledger.note(new.properties[name].label, *effects.addition(required=name in new.required), pair.uses)
        for name in sorted(old.properties.keys() & new.properties.keys()):
            child, now = old.properties[name], new.properties[name]
            if (name in old.required) != (name in new.required):
                self.ledger.note(child.label, *effects.need(required=name in new.required), pair.uses)
            if said(now, "deprecated") is True and said(child, "deprecated") is not True:
                self.ledger.note(child.label, "is deprecated", effects.DEPRECATED, pair.uses)
            self.compare(child, now)


def opened(uses: set[Use], *, is_open: bool) -> set[Use]:
    return {Use(use.flow, use.open or is_open) for use in uses}


def form(holder: Alternative, name: str) -> str:
    """Return everything that matters of a property but its name, as text."""
    said = mapping(holder.properties[name].schema).items()
    schema = {key: value for key, value in said if key not in WORDS and not key.startswith("x-")}
    return f"{name in holder.required} {canonical(schema)}"


def type_changes(pair: Pair) -> Iterator[tuple[str, Effect]]:
    old, new = pair.old.type, pair.new.type
    if old != new:
        wider = new is None or (old, new) == ("integer", "number")
        what = f"was {name_of(pair.old)}, is {name_of(pair.new)} now"
        yield what, effects.WIDER if wider else effects.NARROWER


def enum_changes(pair: Pair) -> Iterator[tuple[str, Effect]]:
    old, new = pair.old.enum, pair.new.enum
    if old is None and new is not None:
        yield f"may be only {', '.join(map(show, new))} now", effects.NARROWER
    elif new is None and old is not None:
        yield f"may be more than {', '.join(map(show, old))} now", effects.WIDER
    elif old is not None and new is not None:
        yield from ((f"may no longer be {show(value)}", effects.NARROWER) for value in old if value not in new)
        yield from ((f"may be {show(value)} now", effects.WIDER) for value in new if value not in old)


def key_changes(pair: Pair) -> Iterator[tuple[str, Effect]]:
    """Yield what changed of items, and of further keys, where only one side describes them."""
    if bool(pair.old.items) != bool(pair.new.items):
        narrower = bool(pair.new.items)
        what = "items are described now" if narrower else "items may be anything now"
        yield what, effects.NARROWER if narrower else effects.WIDER
    old, new = pair.old.values, pair.new.values
    if isinstance(old, bool) and isinstance(new, bool):
        if old != new:
            what = "may have further keys" if new else "may have no further keys"
            yield what, effects.MORE_KEYS if new else effects.NO_MORE_KEYS
    elif isinstance(old, bool) or isinstance(new, bool):
        narrower = old is True or new is False
        what = f"values of further keys are {'narrower' if narrower else 'wider'}"
        yield what, effects.NARROWER if narrower else effects.WIDER


def keyword_changes(pair: Pair) -> Iterator[tuple[str, Effect]]:
    old, new = pair.old.keywords, pair.new.keywords
    for key in sorted(old.keys() | new.keys()):
        if key not in new:
            what = f"{key} {show(old[key])} is removed"
        elif key not in old:
            what = f"{key} {show(new[key])} is added"
        elif canonical(old[key]) != canonical(new[key]):
            what = f"{key} was {show(old[key])}, is {show(new[key])} now"
        else:
            continue
        yield what, keyword_effect(key, old.get(key), new.get(key))


KNOWN = LOWEST | HIGHEST | {"format", "pattern", "multipleOf", "uniqueItems"}


def keyword_effect(key: str, old: Any, new: Any) -> Effect:
    if key not in KNOWN:
        return effects.UNJUDGED
    if key == "uniqueItems":
        return effects.NARROWER if new else effects.WIDER
    if old is None or new is None:
        return effects.NARROWER if old is None else effects.WIDER
    if key in LOWEST | HIGHEST:
        return effects.NARROWER if (new < old) == (key in LOWEST) else effects.WIDER
    return effects.OTHER


# Matching


def match_alternatives(
    old: list[Alternative], new: list[Alternative]
) -> tuple[list[tuple[Alternative, Alternative]], list[Alternative], list[Alternative]]:
    pairs, before, after = match(old, new, by_name, by_kind, by_type, by_number)
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
    """Return the name of the schema that a label means; nothing if it means something in one."""
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


def said(node: Node, key: str) -> Any:
    """Return what a schema says by a keyword, beside its reference or behind it."""
    for schema in (mapping(node.schema), mapping(node.target().schema)):
        if key in schema:
            return schema[key]
    return NOT_SAID
