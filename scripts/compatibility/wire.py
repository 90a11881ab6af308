"""What changed between two documents, for programs that talk to the API."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from . import effects
from .change import Flow, Ledger, Use
from .parts import Part, Reader
from .places import Places, letters_of
from .schemas import component, match_alternatives, name_of, properties, said, type_changes
from .shape import Alternative, Node, alternatives
from .words import changed_words, label_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .document import Document


@define(eq=False)
class WireComparison:
    """Walks both documents in parallel, starting from their calls, and notes differences and additions."""

    old: Document
    new: Document
    ledger: Ledger = field(factory=Ledger)
    places: Places = field(factory=Places)
    # Names that only the old document has, and what replaces them.
    renamed: dict[str, str] = field(factory=dict[str, str])
    # Components that replace each other and are being compared.
    replaced: frozenset[tuple[str, str]] = frozenset()
    _seen: set[tuple[object, ...]] = field(factory=set[tuple[object, ...]])

    def compare(self) -> None:
        for document in (self.old, self.new):
            for name in document.component(
                "schemas"
            ):  # first, because a schema inside another may have the same letters
                self.places.name(name, f"schemas/{name}")
        before, after = Reader(self.old), Reader(self.new)
        self.compare_parts(before.operations(), after.operations(), Use(Flow.SENT))
        self.compare_parts(before.webhooks(), after.webhooks(), Use(Flow.RECEIVED))
        self.compare_components()
        for path, word in changed_words(self.old.data, self.new.data, ()):
            self.ledger.note(label_of(path, self.old), f"{word} changed", effects.WORDS, Use(Flow.SENT))

    def compare_components(self) -> None:
        """Compare all schemas by their names, also those that no call uses."""
        old, new = (named_schemas(each) for each in (self.old, self.new))
        for name in sorted(old.keys() | new.keys()):
            nodes = [each[name] for each in (old, new) if name in each]
            self.compare_schemas(nodes[0], nodes[-1], None)

    # Parts

    def compare_parts(self, old: Iterable[Part], new: Iterable[Part], use: Use | None) -> None:
        pairs, gone, come = matched(list(old), list(new))
        for one, two in pairs:
            self.compare_part(one, two, use)
        unmatched = [(one, effects.going(one)) for one in gone] + [(two, effects.coming(two)) for two in come]
        for part, (what, effect) in unmatched:
            if part.kind != "scheme":  # the change of `security` already says so
                self.ledger.note(part.place, what, effect, use and (use.back if part.is_response else use))
            self.compare_part(part, part, use)  # for the names in it

    def compare_part(self, one: Part, two: Part, use: Use | None) -> None:
        # An operation's own value replaces the one for all operations.
        where = two.label if one.kind in ("security", "server") and "/" in two.label else one.label
        now = two.label
        if use and one.is_response:
            use, where, now = use.back, one.place, two.place
        self.places.use((one.label, two.label), use)
        self.name_parts(one)
        self.name_parts(two)
        for what, effect in effects.differences(one.facets, two.facets):
            self.ledger.note(where, what, effect, use, now)
        if one.kind == "security":
            self.compare_ways(where, one, two, use)
        self.compare_parts(one.parts, two.parts, use)
        if one.node and two.node:
            self.compare_schemas(one.node, two.node, use)

    def name_parts(self, call: Part) -> None:
        if call.kind == "operation":
            self.places.name(call.name, call.label)
            for part in (each for each in call.parts if each.kind not in ("security", "server")):
                for name in (part.name, "return") if part.is_response else (part.name,):
                    self.places.name(f"{call.name} {name}", part.label)
                    self.places.name(f"{call.name} {name}", part.place)

    def compare_ways(self, where: str, old: Part, new: Part, use: Use | None) -> None:
        """Compare the sets of secrets of which one is enough."""
        names = {one.name: two.name for one, two in matched(old.parts, new.parts)[0]}
        before = {frozenset(names.get(word, word) for word in way) for way in old.ways}
        after = new.ways
        wanted = " or ".join(sorted(map(spoken, after)))
        for way in sorted(before, key=sorted):
            if not any(each <= way for each in after):
                what = f"{spoken(way)} is no longer enough, only {wanted}"
                self.ledger.note(where, what, effects.ASKS_MORE, use)
        for way in sorted(after, key=sorted):
            if not any(way >= each for each in before):
                self.ledger.note(where, f"{spoken(way)} is enough now", effects.ASKS_LESS, use)

    # Schemas

    def compare_schemas(self, old: Node, new: Node, use: Use | None) -> None:
        was, now = old.target(), new.target()
        where = was.label if was.label == now.label else old.label
        key = (id(was.schema), id(now.schema), where, use)
        if key in self._seen:
            return
        self._seen.add(key)
        self.places.use((old.label, was.label, new.label, now.label), use)
        self.note_new_name(was.label, now.label, use)
        for what, effect in effects.differences(said(old, "default"), said(new, "default")):
            self.ledger.note(where, what, effect, use)
        before, after = alternatives(old), alternatives(new)
        opened = {id(each): use and opened_by(each, side, use) for side in (before, after) for each in side}
        for each in (*before, *after):
            self.places.use(each.bases - {old.label, was.label, new.label, now.label}, opened[id(each)])
        pairs, gone, come = match_alternatives(before, after)
        for one, two in pairs:
            self.note_new_name(one.label, two.label, use)
            if self.is_replaced(one.label, two.label):
                self.compare_replaced(where, one, two, use)
            else:
                # Open only if any other value is allowed there both before and after.
                self.compare_types(one, two, opened[id(one)] if opened[id(one)] == opened[id(two)] else use)
        if len(gone) == len(come) == 1 and "null" not in (gone[0].type, come[0].type):
            self.ledger.note(where, f"was {name_of(gone[0])}, is {name_of(come[0])} now", effects.OTHER, use)
        else:
            for each in gone:
                effect = effects.NEVER_NULL if each.type == "null" else effects.NARROWER
                self.ledger.note(where, f"may no longer be {name_of(each)}", effect, opened[id(each)])
            for each in come:
                effect = effects.NULL if each.type == "null" else effects.WIDER
                self.ledger.note(where, f"may be {name_of(each)} now", effect, opened[id(each)])
        for each in (*gone, *come):
            self.compare_types(each, each, use)  # for the names in it

    def note_new_name(self, label: str, new_label: str, use: Use | None) -> None:
        name, twin = component(label), component(new_label)
        is_new = name not in self.new.component("schemas") and twin not in self.old.component("schemas")
        if name and twin and is_new and self.renamed.setdefault(name, twin) == twin:
            self.ledger.note(label, f"is named {twin} now", effects.NAME_ONLY, use, new_label)

    def is_replaced(self, label: str, new_label: str) -> bool:
        name, twin = component(label), component(new_label)
        return bool(name and twin) and name != twin and self.renamed.get(name) != twin

    def compare_replaced(self, where: str, one: Alternative, two: Alternative, use: Use | None) -> None:
        """Note that another component is used here as one change, with the worst of their differences."""
        key = (one.label, two.label)
        if key in self.replaced:
            return
        inner = evolve(self, ledger=Ledger(), replaced=self.replaced | {key}, seen=set())
        inner.compare_types(one, two, use)
        worst = max(inner.ledger.changes.values(), key=lambda change: change.wire, default=None)
        if worst is not None:
            what = f"was {component(one.label)}, is {component(two.label)} now"
            self.ledger.enter(where, what, worst.wire, f"{worst.where} {worst.what}: {worst.wire_why}")

    def compare_types(self, one: Alternative, two: Alternative, use: Use | None) -> None:
        """Compare values of one type."""
        for what, effect in (*type_changes(one, two), *effects.differences(one.keywords, two.keywords)):
            self.ledger.note(one.label, what, effect, use)
        inner = use and Use(use.flow)
        for each in (one, two):
            for name, node in each.properties.items():
                for label in each.bases | {each.label}:
                    self.places.name(f"{letters_of(label)} {name}", node.label)
                    self.places.name(f"{letters_of(label)} {name}", node.target().label)
        self.compare_parts(properties(one), properties(two), inner)
        for was, now in ((one.items, two.items), (one.values, two.values)):
            nodes = [each for each in (was, now) if isinstance(each, Node)]
            if nodes:
                self.compare_schemas(nodes[0], nodes[-1], inner)


def named_schemas(document: Document) -> dict[str, Node]:
    schemas = document.component("schemas").items()
    return {name: Node(document, schema, f"schemas/{name}") for name, schema in schemas}


def matched(old: list[Part], new: list[Part]) -> tuple[list[tuple[Part, Part]], list[Part], list[Part]]:
    """Pair parts by the first likeness that occurs once on each side, and return the rest of both sides."""
    pairs: list[tuple[Part, Part]] = []
    for level in range(max((len(each.likenesses) for each in old), default=0)):
        before, after = by_likeness(old, level), by_likeness(new, level)
        found = [(before[key], after[key]) for key in before if key in after]
        old = [each for each in old if not any(each is one for one, _ in found)]
        new = [each for each in new if not any(each is two for _, two in found)]
        pairs += found
    return pairs, old, new


def by_likeness(side: list[Part], level: int) -> dict[object, Part]:
    known = [(each.likenesses[level], each) for each in side if each.likenesses[level:]]
    counts = Counter(likeness for likeness, _ in known)
    return {likeness: each for likeness, each in known if likeness is not None and counts[likeness] == 1}


def opened_by(alternative: Alternative, side: list[Alternative], use: Use) -> Use:
    return Use(use.flow, use.open or any(each.covers(alternative) for each in side))


def spoken(way: frozenset[str]) -> str:
    return " and ".join(sorted(way)) or "no key"
