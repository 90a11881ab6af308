"""A change, how grave it is, and the rules that say so."""

from __future__ import annotations

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
    """Which way a thing goes, seen from the user: what webhooks bring is received."""

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
    """How grave a kind of change is, and why, for each flow."""

    sent: Level
    sent_why: str
    received: Level
    received_why: str
    # What an open set says are examples, so that a change of it breaks nobody.
    narrows_or_widens: bool = False

    def of(self, use: Use) -> tuple[Level, str]:
        if use.open and self.narrows_or_widens:
            return Level.MINOR, "any other value may stand there too, before and after"
        if use.flow is Flow.SENT:
            return self.sent, self.sent_why
        return self.received, self.received_why


NOT_SENT = "it is never sent"
MISSED = "programs that read it miss it"
PASSED_OVER = "readers pass over what they do not know"
REFUSED = "what was sent may be refused"
MORE = "more can be sent, and what was sent is still good"

NARROWER = Effect(Level.MAJOR, REFUSED, Level.MINOR, "what comes now could come before", True)
WIDER = Effect(Level.MINOR, MORE, Level.MAJOR, "readers were promised less", True)
OTHER = Effect(Level.MAJOR, REFUSED, Level.MAJOR, "readers expect what was before", True)
UNJUDGED = Effect(Level.MAJOR, "it cannot be judged, so the worse is taken", Level.MAJOR, "it cannot be judged", True)

REMOVED = Effect(Level.MAJOR, "who sends it is refused or ignored", Level.MAJOR, MISSED)
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

NEW = Effect(Level.MINOR, "more can be asked", Level.MINOR, "who does not ask for it is not called")
GONE = Effect(Level.MAJOR, "calls of it fail", Level.MAJOR, "receivers wait for it")
ELSEWHERE = Effect(Level.MAJOR, "the old address fails", Level.MAJOR, "receivers expect the old method")
ASKS_MORE = Effect(Level.MAJOR, "requests that were good are refused", Level.MAJOR, "receivers expect what was before")
ASKS_LESS = Effect(Level.MINOR, "what was good is still good", Level.MINOR, "what was good is still good")
NAME_ONLY = Effect(Level.NONE, NOT_SENT, Level.NONE, NOT_SENT)
WORDS = Effect(Level.PATCH, "words bind nobody", Level.PATCH, "words bind nobody")


def addition(required: bool) -> tuple[str, Effect]:
    return ("is added, required", ADDED_REQUIRED) if required else ("is added, optional", ADDED)


def need(required: bool) -> tuple[str, Effect]:
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

    def is_at(self, label: str) -> bool:
        return label in (self.where, self.now)

    def is_under(self, label: str) -> bool:
        return any(place is not None and place.startswith(f"{label}/") for place in (self.where, self.now))

    def is_above(self, label: str) -> bool:
        return any(place is not None and label.startswith(f"{place}/") for place in (self.where, self.now))
