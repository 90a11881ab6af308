"""What each kind of change means on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .change import Effect, Level, canonical, show
from .shape import HIGHEST, LOWEST

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
    **{"form": FORM_ADDED, "header": ADDED, "server": ASKS_LESS},
}
GOES = {
    **{"operation": GONE, "webhook": GONE, "success": SUCCESS_REMOVED, "failure": ERROR_REMOVED},
    **{"form": FORM_REMOVED, "server": GONE},
}
# The effects of a changed facet. Any other keyword cannot be judged.
FACETS = {
    **{"address": ELSEWHERE, "method": ELSEWHERE, "position": ELSEWHERE, "in": MOVED, "status": SUCCESS_REMOVED},
    **{"operationId": NAME_ONLY, "first tag": NAME_ONLY, "further tags": WORDS},
    **{"name": RENAMED, "argument": NAME_ONLY, "scheme": ASKS_MORE},
    **{"style": OTHER, "explode": OTHER, "allowReserved": OTHER, "allowEmptyValue": OTHER},
}
RULES = LOWEST | HIGHEST | {"format", "pattern", "multipleOf", "uniqueItems"}


def coming(part: Part) -> tuple[str, Effect]:
    """Return the words and the effect for a part that only the new document has."""
    if part.kind in COMES:
        return spoken(part, "is added"), COMES[part.kind]
    return ("is added, required", ADDED_REQUIRED) if "required" in part.facets else ("is added, optional", ADDED)


def going(part: Part) -> tuple[str, Effect]:
    return spoken(part, "is removed"), GOES.get(part.kind, REMOVED)


def spoken(part: Part, what: str) -> str:
    return f"{part.name} {what}" if part.kind in ("form", "server") else what


def differences(old: Json, new: Json) -> Iterator[tuple[str, Effect]]:
    """Yield each difference between facets, or between keywords of a schema, with its effect."""
    for key in sorted(old.keys() | new.keys()):
        if canonical(old.get(key)) != canonical(new.get(key)):
            yield words(key, old, new), effect(key, old.get(key), new.get(key))


def words(key: str, old: Json, new: Json) -> str:
    if key == "required":
        return "is required now" if new.get(key) else "is optional now"
    if key == "deprecated":
        return "is deprecated" if new.get(key) else "is no longer deprecated"
    if key in ("name", "argument") and key in new:
        return f"is named {new[key]} now"
    if key == "operationId":
        return f"operationId is {new[key]} now"
    if key not in new:
        return f"{key} {show(old[key])} is removed"
    if key not in old:
        return f"{key} {show(new[key])} is added"
    return f"{key} was {show(old[key])}, is {show(new[key])} now"


def effect(key: str, old: Any, new: Any) -> Effect:
    if key in FACETS:
        return FACETS[key]
    if key == "required":
        return REQUIRED if new else OPTIONAL
    if key == "deprecated":
        return DEPRECATED if new else WORDS
    if key == "default":
        return DEFAULT_ADDED if old is None else DEFAULT
    if key not in RULES:
        return UNJUDGED
    if key == "uniqueItems":
        return NARROWER if new else WIDER
    if old is None or new is None:
        return NARROWER if old is None else WIDER
    if key in LOWEST | HIGHEST:
        return NARROWER if (new < old) == (key in LOWEST) else WIDER
    return OTHER
