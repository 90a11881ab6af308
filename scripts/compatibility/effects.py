"""What each kind of change means on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
# The effects of a changed facet. Any other keyword cannot be judged.
FACETS = {
    **{"address": ELSEWHERE, "method": ELSEWHERE, "position": ELSEWHERE, "in": MOVED, "status": SUCCESS_REMOVED},
    **{"operationId": NAME_ONLY, "first tag": NAME_ONLY, "further tags": WORDS},
    **{"name": RENAMED, "argument": NAME_ONLY, "scheme": ASKS_MORE},
    **{"style": OTHER, "explode": OTHER, "allowReserved": OTHER, "allowEmptyValue": OTHER},
}
RULES = LOWEST | HIGHEST | {"enum", "items", "format", "pattern", "multipleOf", "uniqueItems"}


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
            gone, come = (
                [value for value in one[key] if value not in two[key]] for one, two in ((old, new), (new, old))
            )
            yield from ((f"may no longer be {show(value)}", NARROWER) for value in gone)
            yield from ((f"may be {show(value)} now", WIDER) for value in come)
        elif canonical(old.get(key)) != canonical(new.get(key)):
            yield words(key, old, new), effect(key, old.get(key), new.get(key))


def words(key: str, old: Json, new: Json) -> str:
    if is_word(key):
        return f"{key} changed"
    if key == "required":
        return "is required now" if new.get(key) else "is optional now"
    if key == "deprecated":
        return "is deprecated" if new.get(key) else "is no longer deprecated"
    if key in ("name", "argument") and key in new:
        return f"is named {new[key]} now"
    if key == "enum":
        values = ", ".join(map(show, (old | new)[key]))
        return f"may be only {values} now" if key in new else f"may be more than {values} now"
    if key == "type":
        return f"was {old[key]}, is {new[key]} now"
    if key == "items":
        return "items are described now" if key in new else "items may be anything now"
    if key == "further keys":
        return f"further keys are {new[key]} now"
    if key == "operationId":
        return f"operationId is {new[key]} now"
    if key not in new:
        return f"{key} {show(old[key])} is removed"
    if key not in old:
        return f"{key} {show(new[key])} is added"
    return f"{key} was {show(old[key])}, is {show(new[key])} now"


def effect(key: str, old: Any, new: Any) -> Effect:
    if is_word(key):
        return WORDS
    if key in FACETS:
        return FACETS[key]
    if key == "required":
        return REQUIRED if new else OPTIONAL
    if key == "deprecated":
        return DEPRECATED if new else WORDS
    if key == "default":
        return DEFAULT_ADDED if old is None else DEFAULT
    if key == "further keys" and "described" not in (old, new):
        return MORE_KEYS if new == "allowed" else NO_MORE_KEYS
    if key == "further keys":
        return NARROWER if old == "allowed" or new == "refused" else WIDER
    if key == "type":
        return WIDER if (old, new) == ("integer", "number") or new == "anything" else NARROWER
    if key not in RULES:
        return UNJUDGED
    if key == "uniqueItems":
        return NARROWER if new else WIDER
    if old is None or new is None:
        return NARROWER if old is None else WIDER
    if key in LOWEST | HIGHEST:
        return NARROWER if (new < old) == (key in LOWEST) else WIDER
    return OTHER
