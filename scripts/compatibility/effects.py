"""What each kind of change means on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from .change import Effect, Level, canonical, show
from .shape import HIGHEST, LOWEST, is_word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .document import Json
    from .parts import Part

NOT_SENT = "it is never sent"
MISSED = "programs that read it fail"
PASSED_OVER = "readers ignore what they do not know"
REFUSED = "old requests may be refused"
MORE = "more can be sent, and old requests are still accepted"

NARROWER = Effect(Level.MAJOR, REFUSED, Level.MINOR, "it could be received before", True)
WIDER = Effect(Level.MINOR, MORE, Level.MAJOR, "readers may receive what they do not expect", True)
OTHER = Effect(Level.MAJOR, REFUSED, Level.MAJOR, "readers expect the old form", True)
UNJUDGED = Effect(Level.MAJOR, "it cannot be judged, so the worst is assumed", Level.MAJOR, "it cannot be judged", True)

REMOVED = Effect(Level.MAJOR, "requests with it are refused, or it is ignored", Level.MAJOR, MISSED)
RENAMED = Effect(Level.MAJOR, "the old name is no longer understood", Level.MAJOR, "readers expect the old name")
MOVED = Effect(Level.MAJOR, "the service expects it elsewhere", Level.MAJOR, "readers look for it in the old place")
ADDED = Effect(Level.MINOR, "it may be left out", Level.MINOR, PASSED_OVER)
ADDED_REQUIRED = Effect(Level.MAJOR, "requests without it are refused", Level.MINOR, PASSED_OVER)
REQUIRED = Effect(Level.MAJOR, "requests without it are refused", Level.MINOR, "readers that can do without are fine")
OPTIONAL = Effect(Level.MINOR, "it may be left out now", Level.MAJOR, "readers rely on it")
NULL = Effect(Level.MINOR, MORE, Level.MAJOR, "readers do not expect null")
NEVER_NULL = Effect(Level.MAJOR, "null is refused now", Level.MINOR, "readers that expect null are fine")
MORE_KEYS = Effect(Level.MINOR, MORE, Level.MINOR, PASSED_OVER)
NO_MORE_KEYS = Effect(Level.MAJOR, "other keys are refused now", Level.MINOR, "it could be received before")
DEFAULT = Effect(Level.MAJOR, "leaving it out means something else", Level.MINOR, "readers that fill it in differ")
DEFAULT_ADDED = Effect(Level.MINOR, "it was not described before", Level.MINOR, "it was not described before")
DEPRECATED = Effect(
    Level.MINOR, "it still works, but may be removed", Level.MINOR, "it is still sent, but may be removed"
)

SUCCESS_ADDED = Effect(Level.MINOR, MORE, Level.MAJOR, "programs treat it as a failure")
SUCCESS_REMOVED = Effect(Level.MAJOR, REFUSED, Level.MAJOR, "programs wait for it")
ERROR_ADDED = Effect(Level.MINOR, MORE, Level.MINOR, "programs handle any error status")
ERROR_REMOVED = Effect(Level.MINOR, "it was a failure anyway", Level.MINOR, "it could be received before")
FORM_ADDED = Effect(Level.MINOR, MORE, Level.MINOR, "readers choose their form")
FORM_REMOVED = Effect(Level.MAJOR, "the old form is refused", Level.MAJOR, "readers need the old form")

NEW = Effect(Level.MINOR, "there are more calls", Level.MINOR, "only receivers that request it get it")
GONE = Effect(Level.MAJOR, "calls to it fail", Level.MAJOR, "receivers wait for it")
ELSEWHERE = Effect(Level.MAJOR, "the old address fails", Level.MAJOR, "receivers expect the old method")
ASKS_MORE = Effect(Level.MAJOR, "old requests are refused", Level.MAJOR, "receivers expect the old way")
ASKS_LESS = Effect(
    Level.MINOR, "what was accepted is still accepted", Level.MINOR, "what was accepted is still accepted"
)
NAME_ONLY = Effect(Level.NONE, NOT_SENT, Level.NONE, NOT_SENT)
WORDS = Effect(Level.PATCH, "programs do not read it", Level.PATCH, "programs do not read it")

# The effects of adding or removing a part of this kind. Other kinds are parts of requests and objects.
COMES = {
    **{"operation": NEW, "webhook": NEW, "success": SUCCESS_ADDED, "failure": ERROR_ADDED},
    **{"form": FORM_ADDED, "header": ADDED, "server": ASKS_LESS, "type": WIDER, "null": NULL},
}
GOES = {
    **{"operation": GONE, "webhook": GONE, "success": SUCCESS_REMOVED, "failure": ERROR_REMOVED},
    **{"form": FORM_REMOVED, "server": GONE, "type": NARROWER, "null": NEVER_NULL},
}
# Parts of which something else says that they are added or removed: `security`, the type that holds them, their class.
SILENT = {"scheme", "items", "further", "schema"}

# The words for what is added, removed or changed: old and new are values in JSON, before and after are plain text.
SAID = ("{key} {new} is added", "{key} {old} is removed", "{key} was {old}, is {new} now")


@frozen
class Rule:
    """What it means that a facet of a part, or a keyword of a schema, is added, removed or changed."""

    added: Effect
    removed: Effect
    changed: Effect
    words: tuple[str, str, str] = SAID


def always(effect: Effect, words: str = "") -> Rule:
    return Rule(effect, effect, effect, (words, SAID[1], words) if words else SAID)


LIMIT = Rule(NARROWER, WIDER, OTHER)
RULES = {
    "required": Rule(REQUIRED, OPTIONAL, OTHER, ("is required now", "is optional now", "")),
    "deprecated": Rule(DEPRECATED, WORDS, WORDS, ("is deprecated", "is no longer deprecated", "")),
    "default": Rule(DEFAULT_ADDED, DEFAULT, DEFAULT),
    "type": always(NARROWER, "was {before}, is {after} now"),
    "enum": Rule(NARROWER, WIDER, OTHER, ("may be only {new} now", "may be more than {old} now", "")),
    "items": Rule(NARROWER, WIDER, OTHER, ("items are described now", "items may be anything now", "")),
    "further keys": always(WIDER, "further keys are {after} now"),
    "name": always(RENAMED, "is named {after} now"),
    "argument": always(NAME_ONLY, "is named {after} now"),
    "operationId": always(NAME_ONLY, "operationId is {after} now"),
    **dict.fromkeys(("address", "method", "position"), always(ELSEWHERE)),
    **{"in": always(MOVED), "status": always(SUCCESS_REMOVED), "scheme": always(ASKS_MORE)},
    **{"first tag": always(NAME_ONLY), "further tags": always(WORDS)},
    **dict.fromkeys(("style", "explode", "allowReserved", "allowEmptyValue"), always(OTHER)),
    **dict.fromkeys((*LOWEST, *HIGHEST, "format", "pattern", "multipleOf", "uniqueItems"), LIMIT),
}
# The effects of changes between two values, where they differ from the rule.
BETWEEN = {
    ("type", "integer", "number"): WIDER,
    ("further keys", "allowed", "refused"): NO_MORE_KEYS,
    ("further keys", "refused", "allowed"): MORE_KEYS,
    ("further keys", "allowed", "described"): NARROWER,
    ("further keys", "described", "refused"): NARROWER,
}


def coming(part: Part) -> tuple[str, Effect]:
    """Return the words and the effect for a part that only the new document has."""
    if part.kind in COMES:
        return spoken(part, "is added", "may be {} now"), COMES[part.kind]
    return ("is added, required", ADDED_REQUIRED) if "required" in part.facets else ("is added, optional", ADDED)


def going(part: Part) -> tuple[str, Effect]:
    return spoken(part, "is removed", "may no longer be {}"), GOES.get(part.kind, REMOVED)


def spoken(part: Part, what: str, of_type: str) -> str:
    if part.is_type:
        return of_type.format(part.name)
    return f"{part.name} {what}" if part.kind in ("form", "server") else what


def differences(old: Json, new: Json) -> Iterator[tuple[str, Effect]]:
    """Yield each difference between facets, or between keywords of a schema, with its effect."""
    for key in sorted(old.keys() | new.keys()):
        if key == "enum" and key in old and key in new:
            yield from ((f"may no longer be {show(value)}", NARROWER) for value in old[key] if value not in new[key])
            yield from ((f"may be {show(value)} now", WIDER) for value in new[key] if value not in old[key])
        elif canonical(old.get(key)) != canonical(new.get(key)):
            yield difference(key, old, new)


def difference(key: str, old: Json, new: Json) -> tuple[str, Effect]:
    if is_word(key):
        return f"{key} changed", WORDS
    rule = RULES.get(key, always(UNJUDGED))
    before, after = old.get(key), new.get(key)
    shown = [", ".join(map(show, each or ())) if key == "enum" else show(each) for each in (before, after)]
    added, removed, changed = (
        each.format(key=key, before=before, after=after, old=shown[0], new=shown[1]) for each in rule.words
    )
    if key not in old:
        return added, rule.added
    return (changed, between(key, before, after, rule.changed)) if key in new else (removed, rule.removed)


def between(key: str, old: Any, new: Any, otherwise: Effect) -> Effect:
    if key in LOWEST | HIGHEST:
        return NARROWER if (new < old) == (key in LOWEST) else WIDER
    if key == "type" and new == "anything":
        return WIDER
    return BETWEEN.get((key, str(old), str(new)), otherwise)
