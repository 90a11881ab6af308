"""What changed between two documents, for programs on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from . import change as effects
from .change import Effect, Flow, Use
from .document import Document, Json, mapping, sequence
from .ledger import Ledger, canonical, show
from .operation import Operation, Part, operations, webhooks
from .shape import WORDS, Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .schemas import SchemaComparison

# How a parameter is written.
STYLE = ("style", "explode", "allowReserved", "allowEmptyValue")
UNUSED = frozenset[str]()


@define(eq=False)
class WireComparison:
    old: Document
    new: Document
    ledger: Ledger
    schemas: SchemaComparison

    def compare(self) -> None:
        self.compare_calls(list(operations(self.old)), list(operations(self.new)))
        self.compare_calls(list(webhooks(self.old)), list(webhooks(self.new)))
        before, after = self.old.component("schemas"), self.new.component("schemas")
        for name in sorted(before.keys() & after.keys()):
            label = f"schemas/{name}"
            self.schemas.compare(Node(self.old, before[name], label), Node(self.new, after[name], label))
        self.compare_security_schemes()

    def note(self, where: str, what: str, effect: Effect, flow: Flow, now: str | None = None) -> None:
        self.ledger.note(where, what, effect, {Use(flow)}, now)

    # Calls

    def compare_calls(self, old: list[Operation], new: list[Operation]) -> None:
        for one, two in self.matched(old, new):
            self.compare_call(one, two)
        for one in old:
            self.note(one.label, "is removed", effects.GONE, one.flow)
        for two in new:
            self.note(two.label, "is added", effects.NEW, two.flow)

    def matched(self, old: list[Operation], new: list[Operation]) -> list[tuple[Operation, Operation]]:
        """Which old call is which new one: by its address, else by its id. What has no match stays in the lists."""
        pairs: list[tuple[Operation, Operation]] = []
        for likeness in (address, operation_id):
            for one in list(old):
                wanted = likeness(one)
                two = next((each for each in new if wanted is not None and likeness(each) == wanted), None)
                if two is not None:
                    pairs.append((one, two))
                    old.remove(one)
                    new.remove(two)
        return pairs

    def compare_call(self, old: Operation, new: Operation) -> None:
        flow = old.flow
        now = new.label if new.label != old.label else None
        if flow is Flow.SENT:
            self.compare_names(old, new, now)
        if old.address != new.address:
            if flow is Flow.SENT or old.method != new.method:
                what = f"was {old.method.upper()} {old.path}, is {new.method.upper()} {new.path} now"
                self.note(old.label, what, effects.ELSEWHERE, flow, now)
        elif old.names_in_path != new.names_in_path and set(old.names_in_path) == set(new.names_in_path):
            self.note(old.label, f"parameters change places: is {new.path} now", effects.ELSEWHERE, flow, now)
        if new.data.get("deprecated") is True and old.data.get("deprecated") is not True:
            self.note(old.label, "is deprecated", effects.DEPRECATED, flow)
        self.compare_parameters(old, new)
        self.compare_bodies(old, new)
        self.compare_responses(old, new)
        self.compare_security(old, new)
        self.compare_servers(old, new)

    def compare_names(self, old: Operation, new: Operation, now: str | None) -> None:
        if old.id != new.id:
            self.note(old.label, f"operationId is {new.id} now", effects.NAME_ONLY, old.flow, now)
        tags, new_tags = (sequence(each.data.get("tags")) for each in (old, new))
        if tags[:1] != new_tags[:1]:
            self.note(
                old.label, f"first tag was {show(tags[:1])}, is {show(new_tags[:1])} now", effects.NAME_ONLY, old.flow
            )
        elif tags != new_tags:
            self.note(old.label, "further tags are changed", effects.WORDS, old.flow)

    # Parameters

    def compare_parameters(self, old: Operation, new: Operation) -> None:
        before, after = old.parameters(), new.parameters()
        for one, two in self.matched_parameters(old, new, before, after):
            self.compare_parameter(old, one, new, two)
        for one in before:
            self.note(one.label, "is removed", effects.REMOVED, old.flow)
        for two in after:
            what, effect = (
                ("is added, required", effects.ADDED_REQUIRED)
                if two.required
                else ("is added, optional", effects.ADDED)
            )
            self.note(two.label, what, effect, old.flow)

    def matched_parameters(
        self, old: Operation, new: Operation, before: list[Part], after: list[Part]
    ) -> list[tuple[Part, Part]]:
        """By name and place; then path parameters by position, then by name alone, then by form alone."""
        at = [{name: number for number, name in enumerate(each.names_in_path)} for each in (old, new)]
        same_path = old.address == new.address

        def likenesses(part: Part, side: int) -> tuple[object, ...]:
            number = at[side].get(part.name) if part.place == "path" and same_path else None
            form = canonical({key: value for key, value in part.data.items() if key not in WORDS | {"name"}})
            return (part.place, part.name), number, part.name, form

        pairs: list[tuple[Part, Part]] = []
        for kind in range(4):
            for one in list(before):
                wanted = likenesses(one, 0)[kind]
                alike = [each for each in after if wanted is not None and likenesses(each, 1)[kind] == wanted]
                rivals = [each for each in before if likenesses(each, 0)[kind] == wanted]
                if len(alike) == len(rivals) == 1:
                    pairs.append((one, alike[0]))
                    before.remove(one)
                    after.remove(alike[0])
        return pairs

    def compare_parameter(self, old: Operation, one: Part, new: Operation, two: Part) -> None:
        now = two.label if two.label != one.label else None
        if one.place != two.place:
            self.note(one.label, f"is in the {two.place} now, was in the {one.place}", effects.MOVED, old.flow, now)
        elif one.name != two.name:
            effect = effects.NAME_ONLY if one.place == "path" else effects.RENAMED
            self.note(one.label, f"is named {two.name} now", effect, old.flow, now)
        self.compare_part(one, two, old.flow)
        self.compare_schemas(old, one, new, two)
        for key in STYLE:
            if one.data.get(key) != two.data.get(key):
                what = f"{key} was {show(one.data.get(key))}, is {show(two.data.get(key))} now"
                self.note(one.label, what, effects.OTHER, old.flow)

    def compare_part(self, one: Part, two: Part, flow: Flow) -> None:
        """What parameters, bodies and headers have in common."""
        if one.required != two.required:
            what, effect = (
                ("is required now", effects.REQUIRED) if two.required else ("is optional now", effects.OPTIONAL)
            )
            self.note(one.label, what, effect, flow)
        if two.data.get("deprecated") is True and one.data.get("deprecated") is not True:
            self.note(one.label, "is deprecated", effects.DEPRECATED, flow)

    def compare_schemas(self, old: Operation, one: Part, new: Operation, two: Part) -> tuple[set[str], set[str]]:
        """Compare what has the same media type; the types that only one side has are left."""
        before, after = old.schemas(one), new.schemas(two)
        for kind in sorted(before.keys() & after.keys()):
            self.schemas.compare(before[kind], after[kind])
        return set(before) - set(after), set(after) - set(before)

    # Bodies and answers

    def compare_bodies(self, old: Operation, new: Operation) -> None:
        one, two = old.body(), new.body()
        if one and two:
            self.compare_part(one, two, old.flow)
            self.compare_forms(old, one, new, two, old.flow)
        elif one:
            self.note(one.label, "is removed", effects.REMOVED, old.flow)
        elif two:
            what, effect = (
                ("is added, required", effects.ADDED_REQUIRED)
                if two.required
                else ("is added, optional", effects.ADDED)
            )
            self.note(two.label, what, effect, old.flow)

    def compare_forms(self, old: Operation, one: Part, new: Operation, two: Part, flow: Flow) -> None:
        gone, come = self.compare_schemas(old, one, new, two)
        for kind in sorted(gone):
            self.note(one.label, f"is no longer {kind}", effects.FORM_REMOVED, flow)
        for kind in sorted(come):
            self.note(one.label, f"may be {kind} now", effects.FORM_ADDED, flow)

    def compare_responses(self, old: Operation, new: Operation) -> None:
        before, after, flow = old.responses(), new.responses(), old.flow.opposite
        gone, come = (
            [each for each in sorted(one.keys() - two.keys()) if succeeds(each)]
            for one, two in ((before, after), (after, before))
        )
        if len(gone) == len(come) == 1:
            self.note(
                f"{old.label}/{gone[0]}", f"is {come[0]} now", effects.SUCCESS_REMOVED, flow, f"{new.label}/{come[0]}"
            )
            after[gone[0]] = after.pop(come[0])
        for status in sorted(before.keys() - after.keys()):
            effect = effects.SUCCESS_REMOVED if succeeds(status) else effects.ERROR_REMOVED
            self.note(f"{old.label}/{status}", "is removed", effect, flow)
        for status in sorted(after.keys() - before.keys()):
            effect = effects.SUCCESS_ADDED if succeeds(status) else effects.ERROR_ADDED
            self.note(f"{new.label}/{status}", "is added", effect, flow)
        for status in sorted(before.keys() & after.keys()):
            one, two = before[status], after[status]
            self.compare_forms(old, one, new, two, flow)
            self.compare_headers(old, old.headers(one), new, new.headers(two), flow)

    def compare_headers(
        self, old: Operation, before: Mapping[str, Part], new: Operation, after: Mapping[str, Part], flow: Flow
    ) -> None:
        for name in sorted(before.keys() - after.keys()):
            self.note(before[name].label, "is removed", effects.REMOVED, flow)
        for name in sorted(after.keys() - before.keys()):
            self.note(after[name].label, "is added", effects.ADDED, flow)
        for name in sorted(before.keys() & after.keys()):
            self.compare_part(before[name], after[name], flow)
            self.compare_schemas(old, before[name], new, after[name])

    # Security and servers

    def compare_security(self, old: Operation, new: Operation) -> None:
        where = f"{old.label}/security" if "security" in old.data or "security" in new.data else "security"
        before, after = ways_in(old), ways_in(new)
        renamed = self.renamed_schemes()
        before = {frozenset(renamed.get(name, name) for name in way) for way in before}
        for way in sorted(before, key=sorted):
            if not any(each <= way for each in after):
                others = " or ".join(sorted(map(spoken, after)))
                self.note(
                    where, f"{spoken(way)} is no longer enough: {others} is asked for", effects.ASKS_MORE, old.flow
                )
        for way in sorted(after, key=sorted):
            if not any(way >= each for each in before):
                self.note(where, f"{spoken(way)} is enough now", effects.ASKS_LESS, old.flow)

    def renamed_schemes(self) -> dict[str, str]:
        before, after = (document.component("securitySchemes") for document in (self.old, self.new))
        gone, come = before.keys() - after.keys(), after.keys() - before.keys()
        alike = {
            name: [each for each in sorted(come) if bound(after[each]) == bound(before[name])] for name in sorted(gone)
        }
        return {name: twins[0] for name, twins in alike.items() if twins}

    def compare_security_schemes(self) -> None:
        before, after = (document.component("securitySchemes") for document in (self.old, self.new))
        calls = list(operations(self.old))
        for name in sorted(before.keys() & after.keys()):
            if bound(before[name]) != bound(after[name]):
                used = any(name in {each.split()[0] for each in way} for call in calls for way in ways_in(call))
                uses = {Use(Flow.SENT)} if used else set[Use]()
                what = f"was {show(mapping(before[name]))}, is {show(mapping(after[name]))} now"
                self.ledger.note(f"securitySchemes/{name}", what, effects.ASKS_MORE, uses)

    def compare_servers(self, old: Operation, new: Operation) -> None:
        if old.flow is Flow.RECEIVED:
            return
        own = any("servers" in each for each in (old.item, old.data, new.item, new.data))
        where = f"{old.label}/servers" if own else "servers"
        before, after = servers(old), servers(new)
        for url in sorted(before.keys() - after.keys()):
            self.note(where, f"{url} is removed", effects.GONE, Flow.SENT)
        for url in sorted(after.keys() - before.keys()):
            self.note(where, f"{url} is added", effects.ASKS_LESS, Flow.SENT)
        for url in sorted(before.keys() & after.keys()):
            if bound(mapping(before[url].get("variables"))) != bound(mapping(after[url].get("variables"))):
                self.note(where, f"variables of {url} are changed", effects.UNJUDGED, Flow.SENT)


def address(operation: Operation) -> object:
    return operation.address


def operation_id(operation: Operation) -> object:
    return operation.data.get("operationId")


def succeeds(status: str) -> bool:
    return status[0] in "123"


def ways_in(operation: Operation) -> set[frozenset[str]]:
    """Each set of secrets that is enough; a scope counts as a secret of its own."""
    asked = operation.data.get(
        "security", operation.document.data.get("security") if operation.flow is Flow.SENT else None
    )
    ways = [mapping(each) for each in sequence(asked)] or [{}]
    return {frozenset(secrets(way)) for way in ways}


def secrets(way: Json) -> Iterable[str]:
    for name, scopes in way.items():
        yield name
        yield from (f"{name} {scope}" for scope in sequence(scopes))


def spoken(way: frozenset[str]) -> str:
    return " and ".join(sorted(way)) or "no key"


def servers(operation: Operation) -> dict[str, Json]:
    for holder in (operation.data, operation.item, operation.document.data):
        if "servers" in holder:
            return {str(mapping(each).get("url")): mapping(each) for each in sequence(holder["servers"])}
    return {"/": {}}


def bound(scheme: Json) -> str:
    """All that matters of a scheme, as text."""
    free = WORDS | {"bearerFormat"}
    return canonical({key: value for key, value in scheme.items() if key not in free and not key.startswith("x-")})
