"""What changed between two documents, for programs that talk to the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, evolve, field

from . import effects
from .change import Flow, Ledger, Use
from .document import Document, mapping
from .parts import Part, Reader
from .places import Places, letters_of
from .schemas import component, said, types
from .shape import Node, words

if TYPE_CHECKING:
    from collections.abc import Iterable


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
            for name in document.component("schemas"):
                self.places.name(name, f"schemas/{name}")  # first: a schema inside another may have the same letters
        self.compare_part(Reader(self.old).whole(), Reader(self.new).whole(), Use(Flow.SENT))

    # Parts

    def compare_parts(self, old: Iterable[Part], new: Iterable[Part], use: Use | None) -> None:
        pairs, gone, come = matched(list(old), list(new))
        for one, two in pairs:
            self.compare_part(one, two, use)
        unmatched = [(one, effects.going(one)) for one in gone] + [(two, effects.coming(two)) for two in come]
        if len(gone) == len(come) == 1 and gone[0].kind == come[0].kind == "type":
            unmatched = [(gone[0], (f"was {gone[0].name}, is {come[0].name} now", effects.OTHER))]
        for part, (what, effect) in unmatched:
            if part.kind not in effects.SILENT:
                self.ledger.note(part.place, what, effect, of_part(part, part, use))
        for part in (*gone, *come):
            self.compare_part(part, part, use)  # for the names in it

    def compare_part(self, one: Part, two: Part, use: Use | None) -> None:
        # An operation's own value replaces the one for all operations.
        where = two.label if one.kind in ("security", "server") and "/" in two.label else one.label
        now = two.label
        use = of_part(one, two, use)
        if use and one.is_response:
            where, now = one.place, two.place
        self.places.use((one.label, two.label, *one.bases, *two.bases), use)
        self.name_parts(one)
        self.name_parts(two)
        if one.is_type:
            now = where
            self.note_new_name(one.label, two.label, use)
            if self.is_replaced(one.label, two.label) and (one.label, two.label) not in self.replaced:
                self.compare_replaced(one, two, use)
                return
        for what, effect in effects.differences(one.facets, two.facets):
            self.ledger.note(where, what, effect, use, now)
        if one.kind == "security":
            self.compare_ways(where, one, two, use)
        self.compare_parts(one.parts, two.parts, use)
        if one.node and two.node:
            self.compare_schemas(one.node, two.node, use)

    def name_parts(self, holder: Part) -> None:
        """Note the names that the generator may make from a holder's name with those of its parts."""
        prefixes = [holder.name] if holder.kind == "operation" else map(letters_of, holder.bases)
        if holder.kind == "operation":
            self.places.name(holder.name, holder.label)
        for prefix in prefixes:
            for part in (each for each in holder.parts if each.kind not in ("security", "server")):
                named = [part.node.target().label] if part.kind == "property" and part.node else []
                for name in (part.name, "return") if part.is_response else (part.name,):
                    for label in (part.label, part.place, *named):
                        self.places.name(f"{prefix} {name}", label)

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
        key = (id(old.schema), id(new.schema), where, use)
        if key in self._seen:
            return
        self._seen.add(key)
        self.places.use((old.label, was.label, new.label, now.label), use)
        self.note_new_name(was.label, now.label, use)
        for what, effect in effects.differences(said(old, "default"), said(new, "default")):
            self.ledger.note(where, what, effect, use)
        for one, two in ((old, new), (was, now)):
            if one.label == two.label:
                for what, effect in effects.differences(words(mapping(one.schema)), words(mapping(two.schema))):
                    self.ledger.note(one.label, what, effect, Use(Flow.SENT))
        self.compare_parts(types(old, where), types(new, where), use)

    def note_new_name(self, label: str, new_label: str, use: Use | None) -> None:
        name, twin = component(label), component(new_label)
        is_new = name not in self.new.component("schemas") and twin not in self.old.component("schemas")
        if name and twin and is_new and self.renamed.setdefault(name, twin) == twin:
            self.ledger.note(label, f"is named {twin} now", effects.NAME_ONLY, use, new_label)

    def is_replaced(self, label: str, new_label: str) -> bool:
        name, twin = component(label), component(new_label)
        return bool(name and twin) and name != twin and self.renamed.get(name) != twin

    def compare_replaced(self, one: Part, two: Part, use: Use | None) -> None:
        """Note that another component is used here as one change, with the worst of their differences."""
        inner = evolve(self, ledger=Ledger(), replaced=self.replaced | {(one.label, two.label)}, seen=set())
        inner.compare_part(one, two, use)
        worst = max(inner.ledger.changes.values(), key=lambda change: change.wire, default=None)
        if worst is not None:
            what = f"was {component(one.label)}, is {component(two.label)} now"
            self.ledger.enter(one.place, what, worst.wire, f"{worst.where} {worst.what}: {worst.wire_why}")


def matched(old: list[Part], new: list[Part]) -> tuple[list[tuple[Part, Part]], list[Part], list[Part]]:
    """Pair parts by the first likeness that they share, and return the rest of both sides.

    Except for types, a likeness counts only if it occurs once on each side.
    """
    pairs: list[tuple[Part, Part]] = []
    for level in range(max((len(each.likenesses) for each in old), default=0)):
        before, after = by_likeness(old, level), by_likeness(new, level)
        for likeness, ones in before.items():
            twos = after.get(likeness, [])
            if len(ones) == len(twos) == 1 or ones[0].is_type:
                pairs += zip(ones, twos, strict=False)
        paired = {id(each) for pair in pairs for each in pair}
        old, new = ([each for each in side if id(each) not in paired] for side in (old, new))
    if len(old) == len(new) == 1 and "anything" in (old[0].facets.get("type"), new[0].facets.get("type")):
        return [*pairs, (old[0], new[0])], [], []
    return pairs, old, new


def by_likeness(side: list[Part], level: int) -> dict[object, list[Part]]:
    found: dict[object, list[Part]] = {}
    for each in side:
        if each.likenesses[level:] and each.likenesses[level] is not None:
            found.setdefault((each.kind, each.likenesses[level]), []).append(each)
    return found


def of_part(one: Part, two: Part, use: Use | None) -> Use | None:
    """Return the use of a part within something that is used. A type is open only if it is so before and after."""
    if use is None or one.kind == "schema":
        return None
    return use.back if one.kind in ("success", "failure", "webhook") else Use(use.flow, one.open and two.open)


def spoken(way: frozenset[str]) -> str:
    return " and ".join(sorted(way)) or "no key"
