"""What changed between two documents, for programs on the wire."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from attrs import define

from . import change as effects
from .change import Effect, Flow, Ledger, Use, canonical, show
from .document import Document, Json, mapping, sequence
from .matching import match, unless_repeated
from .operation import Operation, Part, operations, webhooks
from .shape import WORDS, Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .schemas import SchemaComparison

# How a parameter is written.
STYLE = ("style", "explode", "allowReserved", "allowEmptyValue")


@define(eq=False)
class WireComparison:
    old: Document
    new: Document
    ledger: Ledger
    schemas: SchemaComparison

    def compare(self) -> None:
        self.compare_calls(operations(self.old), operations(self.new))
        self.compare_calls(webhooks(self.old), webhooks(self.new))
        before, after = self.old.component("schemas"), self.new.component("schemas")
        for name in sorted(before.keys() & after.keys()):
            label = f"schemas/{name}"
            self.schemas.compare(Node(self.old, before[name], label), Node(self.new, after[name], label))

    def compare_calls(self, old: Iterable[Operation], new: Iterable[Operation]) -> None:
        pairs, gone, come = match(old, new, attrgetter("address"), attrgetter("given_id"))
        for one, two in pairs:
            CallComparison(one, two, self.ledger, self.schemas).compare()
        for one in gone:
            self.ledger.note(one.label, "is removed", effects.GONE, {Use(one.flow)})
        for two in come:
            self.ledger.note(two.label, "is added", effects.NEW, {Use(two.flow)})


@define(eq=False)
class CallComparison:
    """Compares an operation, or a webhook, with what it has become."""

    old: Operation
    new: Operation
    ledger: Ledger
    schemas: SchemaComparison

    def compare(self) -> None:
        self.compare_addresses()
        self.note_deprecation(self.old.label, self.old.data, self.new.data, self.old.flow)
        self.compare_parameters()
        self.compare_bodies()
        self.compare_responses()
        self.compare_security()
        if self.old.flow is Flow.SENT:
            self.compare_names()
            self.compare_servers()

    def note(self, where: str, what: str, effect: Effect, flow: Flow | None = None, now: str | None = None) -> None:
        self.ledger.note(where, what, effect, {Use(flow or self.old.flow)}, now)

    def compare_addresses(self) -> None:
        old, new = self.old, self.new
        now = new.label if new.label != old.label else None
        moved = old.address != new.address if old.flow is Flow.SENT else old.method != new.method
        if moved:
            what = f"was {old.method.upper()} {old.path}, is {new.method.upper()} {new.path} now"
            self.note(old.label, what, effects.ELSEWHERE, now=now)
        elif old.names_in_path != new.names_in_path and set(old.names_in_path) == set(new.names_in_path):
            self.note(old.label, f"parameters change places: is {new.path} now", effects.ELSEWHERE, now=now)

    def compare_names(self) -> None:
        """Note new names of an operation and its module, which are never sent."""
        old, new = self.old, self.new
        if old.id != new.id:
            self.note(old.label, f"operationId is {new.id} now", effects.NAME_ONLY, now=new.label)
        tags, new_tags = (sequence(each.data.get("tags")) for each in (old, new))
        if tags[:1] != new_tags[:1]:
            what = f"first tag was {show(tags[:1])}, is {show(new_tags[:1])} now"
            self.note(old.label, what, effects.NAME_ONLY)
        elif tags != new_tags:
            self.note(old.label, "further tags are changed", effects.WORDS)

    # Parameters and bodies

    def compare_parameters(self) -> None:
        by_name = [attrgetter(each) for each in ("name_and_place", "position", "name")]
        pairs, before, after = match(self.old.parameters(), self.new.parameters(), *by_name)
        renamed, gone, come = match(before, after, unless_repeated(attrgetter("form"), before, after))
        for one, two in (*pairs, *renamed):
            self.compare_parameter(one, two)
        for one in gone:
            self.note(one.label, "is removed", effects.REMOVED)
        for two in come:
            self.note(two.label, *effects.addition(required=two.required))

    def compare_parameter(self, one: Part, two: Part) -> None:
        now = two.label if two.label != one.label else None
        if one.place != two.place:
            self.note(one.label, f"is in the {two.place} now, was in the {one.place}", effects.MOVED, now=now)
        elif one.name != two.name:
            effect = effects.NAME_ONLY if one.place == "path" else effects.RENAMED
            self.note(one.label, f"is named {two.name} now", effect, now=now)
        self.compare_parts(one, two, self.old.flow)
        for key in STYLE:
            if one.data.get(key) != two.data.get(key):
                what = f"{key} was {show(one.data.get(key))}, is {show(two.data.get(key))} now"
                self.note(one.label, what, effects.OTHER)

    def compare_bodies(self) -> None:
        one, two = self.old.body(), self.new.body()
        if one and two:
            self.compare_parts(one, two, self.old.flow)
        elif one:
            self.note(one.label, "is removed", effects.REMOVED)
        elif two:
            self.note(two.label, *effects.addition(required=two.required))

    def compare_parts(self, one: Part, two: Part, flow: Flow) -> None:
        """Compare what parameters, bodies, responses and headers have in common."""
        if one.required != two.required:
            self.note(one.label, *effects.need(required=two.required), flow)
        self.note_deprecation(one.label, one.data, two.data, flow)
        before, after = self.old.schemas(one), self.new.schemas(two)
        for kind in sorted(before.keys() & after.keys()):
            self.schemas.compare(before[kind], after[kind])
        for kind in sorted(before.keys() - after.keys()):
            self.note(one.label, f"is no longer {kind}", effects.FORM_REMOVED, flow)
        for kind in sorted(after.keys() - before.keys()):
            self.note(one.label, f"may be {kind} now", effects.FORM_ADDED, flow)

    def note_deprecation(self, label: str, old: Json, new: Json, flow: Flow) -> None:
        if new.get("deprecated") is True and old.get("deprecated") is not True:
            self.note(label, "is deprecated", effects.DEPRECATED, flow)

    # Responses

    def compare_responses(self) -> None:
        old, new, flow = self.old, self.new, self.old.flow.opposite
        before, after = old.responses(), new.responses()
        gone = sorted(filter(succeeds, before.keys() - after.keys()))
        come = sorted(filter(succeeds, after.keys() - before.keys()))
        if len(gone) == len(come) == 1:
            now = f"{new.label}/{come[0]}"
            self.note(f"{old.label}/{gone[0]}", f"is {come[0]} now", effects.SUCCESS_REMOVED, flow, now)
            after[gone[0]] = after.pop(come[0])
        for status in sorted(before.keys() - after.keys()):
            effect = effects.SUCCESS_REMOVED if succeeds(status) else effects.ERROR_REMOVED
            self.note(f"{old.label}/{status}", "is removed", effect, flow)
        for status in sorted(after.keys() - before.keys()):
            effect = effects.SUCCESS_ADDED if succeeds(status) else effects.ERROR_ADDED
            self.note(f"{new.label}/{status}", "is added", effect, flow)
        for status in sorted(before.keys() & after.keys()):
            self.compare_parts(before[status], after[status], flow)
            self.compare_headers(old.headers(before[status]), new.headers(after[status]), flow)

    def compare_headers(self, before: Mapping[str, Part], after: Mapping[str, Part], flow: Flow) -> None:
        for name in sorted(before.keys() - after.keys()):
            self.note(before[name].label, "is removed", effects.REMOVED, flow)
        for name in sorted(after.keys() - before.keys()):
            self.note(after[name].label, "is added", effects.ADDED, flow)
        for name in sorted(before.keys() & after.keys()):
            self.compare_parts(before[name], after[name], flow)

    # Security and servers

    def compare_security(self) -> None:
        old, new = self.old, self.new
        where = f"{old.label}/security" if "security" in old.data or "security" in new.data else "security"
        schemes, new_schemes = (each.document.component("securitySchemes") for each in (old, new))
        renamed = {
            name: twin
            for name in schemes.keys() - new_schemes.keys()
            for twin in sorted(new_schemes.keys() - schemes.keys())
            if bound(new_schemes[twin]) == bound(schemes[name])
        }
        before = {frozenset(renamed.get(name, name) for name in way) for way in ways_in(old)}
        after = ways_in(new)
        for way in sorted(before, key=sorted):
            if not any(each <= way for each in after):
                wanted = " or ".join(sorted(map(spoken, after)))
                self.note(where, f"{spoken(way)} is no longer enough, only {wanted}", effects.ASKS_MORE)
            for name in way & schemes.keys() & new_schemes.keys():
                if bound(schemes[name]) != bound(new_schemes[name]):
                    what = f"was {show(schemes[name])}, is {show(new_schemes[name])} now"
                    self.note(f"securitySchemes/{name}", what, effects.ASKS_MORE)
        for way in sorted(after, key=sorted):
            if not any(way >= each for each in before):
                self.note(where, f"{spoken(way)} is enough now", effects.ASKS_LESS)

    def compare_servers(self) -> None:
        own = any("servers" in each for call in (self.old, self.new) for each in (call.item, call.data))
        where = f"{self.old.label}/servers" if own else "servers"
        before, after = servers(self.old), servers(self.new)
        for url in sorted(before.keys() - after.keys()):
            self.note(where, f"{url} is removed", effects.GONE)
        for url in sorted(after.keys() - before.keys()):
            self.note(where, f"{url} is added", effects.ASKS_LESS)
        for url in sorted(before.keys() & after.keys()):
            if bound(mapping(before[url].get("variables"))) != bound(mapping(after[url].get("variables"))):
                self.note(where, f"variables of {url} are changed", effects.UNJUDGED)


def succeeds(status: str) -> bool:
    return status[0] in "123"


def ways_in(call: Operation) -> set[frozenset[str]]:
    """Return each set of secrets that is enough; a scope counts as a secret of its own."""
    for_all = call.document.data.get("security") if call.flow is Flow.SENT else None
    ways = [mapping(each) for each in sequence(call.data.get("security", for_all))] or [{}]
    return {frozenset([*way, *(f"{name} {scope}" for name in way for scope in sequence(way[name]))]) for way in ways}


def spoken(way: frozenset[str]) -> str:
    return " and ".join(sorted(way)) or "no key"


def servers(call: Operation) -> dict[str, Json]:
    holders = (each for each in (call.data, call.item, call.document.data) if "servers" in each)
    listed = next(holders, {"servers": [{"url": "/"}]})["servers"]
    return {str(mapping(each).get("url")): mapping(each) for each in sequence(listed)}


def bound(scheme: Json) -> str:
    """Return everything that matters of a scheme, as text."""
    free = WORDS | {"bearerFormat"}
    return canonical({key: value for key, value in scheme.items() if key not in free and not key.startswith("x-")})
