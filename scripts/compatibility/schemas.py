"""What changed between two schemas, for programs on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from . import change as effects
from .change import Effect, Use
from .document import Document, mapping
from .ledger import Ledger, canonical, show
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
        self.note_new_name(was.label, now.label, old.document, new.document)
        uses = self.ledger.uses_of(where, new.label if where == old.label else now.label)
        self.compare_defaults(old, new, where, uses)
        before, after = alternatives(old), alternatives(new)
        pairs, removed, added = match(before, after)
        for one, two in pairs:
            self.note_new_name(one.label, two.label, old.document, new.document)
            if self.is_replaced(one, two):
                self.compare_replaced(where, uses, one, two)
            elif one.label == where:
                is_open = any(each.covers(one) for each in before) and any(each.covers(two) for each in after)
                self.compare_types(Pair(one, two, {Use(use.flow, use.open or is_open) for use in uses}))
            else:
                self.compare_types(Pair(one, two, self.ledger.uses_of(one.label, two.label)))
        if len(removed) == len(added) == 1 and "null" not in (removed[0].type, added[0].type):
            what = f"was {name_of(removed[0])}, is {name_of(added[0])} now"
            self.ledger.note(where, what, effects.OTHER, uses)
        else:
            self.note_alternatives(where, uses, removed, before, added=False)
            self.note_alternatives(where, uses, added, after, added=True)

    def note_new_name(self, was: str, now: str, old: Document, new: Document) -> None:
        name, new_name = component(was), component(now)
        if not name or not new_name or name in new.component("schemas") or new_name in old.component("schemas"):
            return
        if self.renamed.setdefault(name, new_name) == new_name:
            self.ledger.note(was, f"is named {new_name} now", effects.NAME_ONLY, self.ledger.uses_of(was, now), now)

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

    def note_alternatives(
        self, where: str, uses: set[Use], found: list[Alternative], side: list[Alternative], *, added: bool
    ) -> None:
        """Note the alternatives that only one side has."""
        for one in found:
            is_open = any(each.covers(one) for each in side)
            used = {Use(use.flow, use.open or is_open) for use in uses}
            if one.type == "null":
                effect = effects.NULL if added else effects.NEVER_NULL
            else:
                effect = effects.WIDER if added else effects.NARROWER
            what = f"may be {name_of(one)} now" if added else f"may no longer be {name_of(one)}"
            self.ledger.note(where, what, effect, used)

    def compare_defaults(self, old: Node, new: Node, where: str, uses: set[Use]) -> None:
        before, after = said(old, "default"), said(new, "default")
        if show(before) == show(after) or before is after:
            return
        if before is NOT_SAID:
            self.ledger.note(where, f"default {show(after)} is added", effects.DEFAULT_ADDED, uses)
        elif after is NOT_SAID:
            self.ledger.note(where, f"default {show(before)} is removed", effects.DEFAULT, uses)
        else:
            self.ledger.note(where, f"default was {show(before)}, is {show(after)} now", effects.DEFAULT, uses)

    # Values of one type

    def compare_types(self, pair: Pair) -> None:
        for what, effect in (*type_changes(pair), *enum_changes(pair), *keyword_changes(pair)):
            self.ledger.note(pair.where, what, effect, pair.uses)
        self.compare_properties(pair)
        self.compare_values(pair)
        if pair.old.items and pair.new.items:
            self.compare(pair.old.items, pair.new.items)
        elif pair.old.items or pair.new.items:
            effect = effects.NARROWER if pair.new.items else effects.WIDER
            self.ledger.note(
                pair.where,
                "items are described now" if pair.new.items else "items may be anything now",
                effect,
                pair.uses,
            )

    def compare_properties(self, pair: Pair) -> None:
        old, new = pair.old, pair.new
        removed, added = set(old.properties) - set(new.properties), set(new.properties) - set(old.properties)
        for name in sorted(removed):
            twin = self.twin(name, pair, removed, added)
            where = old.properties[name].label
            if twin is None:
                self.ledger.note(where, "is removed", effects.REMOVED, pair.uses)
            else:
                added.discard(twin)
                now = new.properties[twin]
                self.ledger.note(where, f"is named {twin} now", effects.RENAMED, pair.uses, now.label)
        for name in sorted(added):
            required = name in new.required
            what, effect = (
                ("is added, required", effects.ADDED_REQUIRED) if required else ("is added, optional", effects.ADDED)
            )
            self.ledger.note(new.properties[name].label, what, effect, pair.uses)
        for name in sorted(set(old.properties) & set(new.properties)):
            child, now = old.properties[name], new.properties[name]
            if (name in old.required) != (name in new.required):
                optional = name in old.required
                what, effect = (
                    ("is optional now", effects.OPTIONAL) if optional else ("is required now", effects.REQUIRED)
                )
                self.ledger.note(child.label, what, effect, pair.uses)
            if said(now, "deprecated") is True and said(child, "deprecated") is not True:
                self.ledger.note(child.label, "is deprecated", effects.DEPRECATED, pair.uses)
            self.compare(child, now)

    def twin(self, name: str, pair: Pair, removed: set[str], added: set[str]) -> str | None:
        """The property that a removed one has become: the only one of its form, on both sides."""
        forms_gone = [form(pair.old, each) for each in removed]
        if forms_gone.count(form(pair.old, name)) != 1:
            return None
        alike = [each for each in added if form(pair.new, each) == form(pair.old, name)]
        return alike[0] if len(alike) == 1 else None

    def compare_values(self, pair: Pair) -> None:
        old, new = pair.old.values, pair.new.values
        if isinstance(old, Node) and isinstance(new, Node):
            self.compare(old, new)
        elif isinstance(old, bool) and isinstance(new, bool):
            if old != new:
                what, effect = (
                    ("may have further keys", effects.MORE_KEYS)
                    if new
                    else ("may have no further keys", effects.NO_MORE_KEYS)
                )
                self.ledger.note(pair.where, what, effect, pair.uses)
        else:
            narrower = old is True or new is False
            effect = effects.NARROWER if narrower else effects.WIDER
            self.ledger.note(
                pair.where, f"values of further keys are {'narrower' if narrower else 'wider'}", effect, pair.uses
            )


def form(holder: Alternative, name: str) -> str:
    """All that matters of a property, as text."""
    said = mapping(holder.properties[name].schema).items()
    schema = {key: value for key, value in said if key not in WORDS and not key.startswith("x-")}
    return f"{name in holder.required} {canonical(schema)}"


def type_changes(pair: Pair) -> Iterator[tuple[str, Effect]]:
    old, new = pair.old.type, pair.new.type
    if old != new:
        wider = new is None or (old, new) == ("integer", "number")
        names = f"was {name_of(pair.old)}, is {name_of(pair.new)} now"
        yield names, effects.WIDER if wider else effects.NARROWER


def enum_changes(pair: Pair) -> Iterator[tuple[str, Effect]]:
    old, new = pair.old.enum, pair.new.enum
    if old is None and new is not None:
        yield f"may be only {', '.join(map(show, new))} now", effects.NARROWER
    elif new is None and old is not None:
        yield f"may be more than {', '.join(map(show, old))} now", effects.WIDER
    elif old is not None and new is not None:
        for value in (value for value in old if value not in new):
            yield f"may no longer be {show(value)}", effects.NARROWER
        for value in (value for value in new if value not in old):
            yield f"may be {show(value)} now", effects.WIDER


def keyword_changes(pair: Pair) -> Iterator[tuple[str, Effect]]:
    old, new = pair.old.keywords, pair.new.keywords
    for key in sorted(old.keys() | new.keys()):
        if canonical(old.get(key, "")) == canonical(new.get(key, "")) and (key in old) == (key in new):
            continue
        if key not in new:
            what = f"{key} {show(old[key])} is removed"
        else:
            what = (
                f"{key} was {show(old[key])}, is {show(new[key])} now"
                if key in old
                else f"{key} {show(new[key])} is added"
            )
        yield what, keyword_effect(key, old.get(key), new.get(key))


KNOWN = LOWEST | HIGHEST | {"format", "pattern", "multipleOf", "uniqueItems"}


def keyword_effect(key: str, old: Any, new: Any) -> Effect:
    if key not in KNOWN:
        return effects.UNJUDGED
    if old is None or new is None:
        return effects.NARROWER if old is None else effects.WIDER
    if key == "uniqueItems":
        return effects.NARROWER if new else effects.WIDER
    if key in LOWEST | HIGHEST:
        return effects.NARROWER if (new < old) == (key in LOWEST) else effects.WIDER
    return effects.OTHER


# Matching


def match(
    old: list[Alternative], new: list[Alternative]
) -> tuple[list[tuple[Alternative, Alternative]], list[Alternative], list[Alternative]]:
    """Which old alternative is which new one, by the closest likeness there is; and what is left of both."""
    pairs: list[tuple[Alternative, Alternative]] = []
    before, after = list(old), list(new)
    for likeness in (by_name, by_kind, by_type, by_number):
        for one in list(before):
            two = next((each for each in after if likeness(one) is not None and likeness(one) == likeness(each)), None)
            if two is not None:
                pairs.append((one, two))
                before.remove(one)
                after.remove(two)
    if len(before) == len(after) == 1 and None in (before[0].type, after[0].type):
        return [*pairs, (before[0], after[0])], [], []
    return pairs, before, after


def by_name(each: Alternative) -> object:
    return (each.label, each.type, each.enum is None, each.keywords.get("format"))


def by_kind(each: Alternative) -> object:
    return (each.type, each.enum is None, each.keywords.get("format"))


def by_type(each: Alternative) -> object:
    return (each.type,)


def by_number(each: Alternative) -> object:
    return "number" if each.type in ("integer", "number") else None


def component(label: str) -> str:
    """The name of the schema that a label means; none if it means something in one."""
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
    """What a schema says by a keyword, beside its reference or behind it."""
    for schema in (mapping(node.schema), mapping(node.target().schema)):
        if key in schema:
            return schema[key]
    return NOT_SAID
