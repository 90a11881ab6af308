"""A change of the spec, how serious it is, and the rules that decide."""

from __future__ import annotations

import json
from enum import Enum, IntEnum
from typing import TYPE_CHECKING

from attrs import define, field, frozen

if TYPE_CHECKING:
    from .uses import Uses


class Level(IntEnum):
    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3

    def __str__(self) -> str:
        return self.name.lower()


class Flow(Enum):
    """The direction, as the user sees it: what webhooks bring is received."""

    SENT = "sent"
    RECEIVED = "received"

    @property
    def opposite(self) -> Flow:
        return Flow.RECEIVED if self is Flow.SENT else Flow.SENT


@frozen
class Use:
    """A way in which a schema is used. Open: any other value of its type may stand in its place too."""

    flow: Flow
    open: bool = False


@frozen
class Effect:
    """How serious a kind of change is, and why, in each direction."""

    sent: Level
    sent_why: str
    received: Level
    received_why: str
    # The values of an open set are examples, so a change of them breaks nobody.
    narrows_or_widens: bool = False

    def of(self, use: Use) -> tuple[Level, str]:
        if use.open and self.narrows_or_widens:
            return Level.MINOR, "any other value may stand there too, before and after"
        return (self.sent, self.sent_why) if use.flow is Flow.SENT else (self.received, self.received_why)


NOT_SENT = "it is never sent"
MISSED = "programs that read it miss it"
PASSED_OVER = "readers pass over what they do not know"
REFUSED = "what was sent may be refused"
MORE = "more can be sent, and what was sent is still good"

NARROWER = Effect(Level.MAJOR, REFUSED, Level.MINOR, "what comes now could come before", True)
WIDER = Effect(Level.MINOR, MORE, Level.MAJOR, "readers were promised less", True)
OTHER = Effect(Level.MAJOR, REFUSED, Level.MAJOR, "readers expect what was before", True)
UNJUDGED = Effect(Level.MAJOR, "it cannot be judged, so the worse is taken", Level.MAJOR, "it cannot be judged", True)

REMOVED = Effect(Level.MAJOR, "requests with it are refused, or it is ignored", Level.MAJOR, MISSED)
RENAMED = Effect(Level.MAJOR, "the old name is no longer understood", Level.MAJOR, "readers miss the old name")
MOVED = Effect(Level.MAJOR, "it is looked for elsewhere", Level.MAJOR, "readers look for it in the old place")
ADDED = Effect(Level.MINOR, "it may be left out", Level.MINOR, PASSED_OVER)
ADDED_REQUIRED = Effect(Level.MAJOR, "requests without it are refused", Level.MINOR, PASSED_OVER)
REQUIRED = Effect(Level.MAJOR, "requests without it are refused", Level.MINOR, "readers that can do without are fine")
OPTIONAL = Effect(Level.MINOR, "it may be left out now", Level.MAJOR, "readers rely on it")
NULL = Effect(Level.MINOR, MORE, Level.MAJOR, "readers do not expect null")
NEVER_NULL = Effect(Level.MAJOR, "null is refused now", Level.MINOR, "readers that expect null are fine")
MORE_KEYS = Effect(Level.MINOR, MORE, Level.MINOR, PASSED_OVER)
NO_MORE_KEYS = Effect(Level.MAJOR, "other keys are refused now", Level.MINOR, "what comes now could come before")
DEFAULT = Effect(Level.MAJOR, "leaving it out means something else", Level.MINOR, "readers that fill it in differ")
DEFAULT_ADDED = Effect(Level.MINOR, "it says what was unsaid", Level.MINOR, "it says what was unsaid")
DEPRECATED = Effect(Level.MINOR, "it works as before, and may go", Level.MINOR, "it comes as before, and may go")

SUCCESS_ADDED = Effect(Level.MINOR, MORE, Level.MAJOR, "programs take it for a failure")
SUCCESS_REMOVED = Effect(Level.MAJOR, REFUSED, Level.MAJOR, "programs wait for it")
ERROR_ADDED = Effect(Level.MINOR, MORE, Level.MINOR, "programs cope with any error status")
ERROR_REMOVED = Effect(Level.MINOR, "it was a failure anyway", Level.MINOR, "what comes now could come before")
FORM_ADDED = Effect(Level.MINOR, MORE, Level.MINOR, "readers say which forms they take")
FORM_REMOVED = Effect(Level.MAJOR, "the old form is refused", Level.MAJOR, "readers take the old form")

NEW = Effect(Level.MINOR, "more can be asked", Level.MINOR, "only receivers that ask for it get it")
GONE = Effect(Level.MAJOR, "calls of it fail", Level.MAJOR, "receivers wait for it")
ELSEWHERE = Effect(Level.MAJOR, "the old address fails", Level.MAJOR, "receivers expect the old method")
ASKS_MORE = Effect(Level.MAJOR, "requests that were good are refused", Level.MAJOR, "receivers expect what was before")
ASKS_LESS = Effect(Level.MINOR, "what was good is still good", Level.MINOR, "what was good is still good")
NAME_ONLY = Effect(Level.NONE, NOT_SENT, Level.NONE, NOT_SENT)
WORDS = Effect(Level.PATCH, "programs do not read it", Level.PATCH, "programs do not read it")


def addition(*, required: bool) -> tuple[str, Effect]:
    return ("is added, required", ADDED_REQUIRED) if required else ("is added, optional", ADDED)


def need(*, required: bool) -> tuple[str, Effect]:
    return ("is required now", REQUIRED) if required else ("is optional now", OPTIONAL)


@define
class Change:
    """One change, with its level on both axes; the place is one that a person finds in the spec."""

    where: str
    what: str
    wire: Level = Level.NONE
    wire_why: str = ""
    python: Level = Level.NONE
    python_why: str = ""
    # What the place is called in the new document, when that differs.
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
    """The changes found so far: each once, with the worst of what it means for its uses."""

    old: Uses
    new: Uses
    changes: dict[tuple[str, str], Change] = field(factory=dict[tuple[str, str], Change])

    def uses_of(self, label: str, now: str | None = None) -> set[Use]:
        empty: set[Use] = set()
        return self.old.of.get(label, empty) | self.new.of.get(now or label, empty)

    def note(self, where: str, what: str, effect: Effect, uses: set[Use], now: str | None = None) -> None:
        """Enter a change with the worst of its effects; what has no use changes nothing on the wire."""
        worst = max((effect.of(use) for use in sorted(uses, key=str)), default=(Level.NONE, "nothing uses it"))
        self.enter(where, what, *worst, now=now)

    def enter(self, where: str, what: str, level: Level, why: str, *, now: str | None = None) -> None:
        change = self.changes.setdefault((where, what), Change(where, what, now=now))
        if not change.wire_why or level > change.wire:
            change.wire, change.wire_why = level, why


def show(value: object) -> str:
    """Return a value of the spec as a line shows it."""
    text = canonical(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
