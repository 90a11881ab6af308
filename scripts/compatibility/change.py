"""A change of the spec, how serious it is, and the rules that decide."""

from __future__ import annotations

import json
from enum import Enum, IntEnum

from attrs import define, field, frozen


class Level(IntEnum):
    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3

    def __str__(self) -> str:
        return self.name.lower()


class Flow(Enum):
    """The direction, as the user sees it: the content of webhook calls is received."""

    SENT = "sent"
    RECEIVED = "received"


@frozen
class Use:
    """How a schema is used. Open means that any other value of its type is allowed in its place, too."""

    flow: Flow
    open: bool = False

    @property
    def back(self) -> Use:
        """The use of what is returned for it."""
        return Use(Flow.RECEIVED if self.flow is Flow.SENT else Flow.SENT)


@frozen
class Effect:
    """How serious a kind of change is, and why, in each direction."""

    sent: Level
    sent_why: str
    received: Level
    received_why: str
    # The values of an open set are only examples, so changing them breaks no program.
    narrows_or_widens: bool = False

    def of(self, use: Use) -> tuple[Level, str]:
        if use.open and self.narrows_or_widens:
            return Level.MINOR, "any other value may stand there too, before and after"
        return (self.sent, self.sent_why) if use.flow is Flow.SENT else (self.received, self.received_why)


@define
class Change:
    """One change, with its level on both axes, and its place as a person would look for it in the spec."""

    where: str
    what: str
    wire: Level = Level.NONE
    wire_why: str = ""
    python: Level = Level.NONE
    python_why: str = ""
    # The place's name in the new document, if it differs.
    now: str | None = None
    # What the change means in the generated package.
    symbols: list[str] = field(factory=list[str])

    @property
    def level(self) -> Level:
        return max(self.wire, self.python)

    @property
    def why(self) -> str:
        return self.python_why if self.python > self.wire else self.wire_why

    @property
    def places(self) -> list[str]:
        return [self.where] if self.now is None else [self.where, self.now]

    def is_in(self, label: str) -> bool:
        return any(place == label or place.startswith(f"{label}/") for place in self.places)

    def is_around(self, label: str) -> bool:
        return any(label.startswith(f"{place}/") for place in self.places)


@define(eq=False)
class Ledger:
    """The changes found so far, each only once, with the worst effect among its uses."""

    changes: dict[tuple[str, str], Change] = field(factory=dict[tuple[str, str], Change])

    def note(self, where: str, what: str, effect: Effect, use: Use | None, now: str | None = None) -> None:
        """Add a change with its effect. Something without a use changes nothing on the wire."""
        level, why = effect.of(use) if use else (Level.NONE, "nothing uses it")
        self.enter(where, what, level, why, now if now != where else None)

    def enter(self, where: str, what: str, level: Level, why: str, now: str | None = None) -> None:
        change = self.changes.setdefault((where, what), Change(where, what, now=now))
        if not change.wire_why or level > change.wire:
            change.wire, change.wire_why = level, why


def show(value: object) -> str:
    """Return a value of the spec as the report shows it."""
    text = canonical(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
