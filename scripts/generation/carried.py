"""Find what the generated code would not do although the spec says so, with the place in the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openapi_python_client import schema as oai
from openapi_python_client.schema.openapi_schema_pydantic import Components

from .reading import PLACE, Reading, keywords, members
from .refusal import pointer
from .vocabulary import STYLES, may_be_passed_over

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel


def not_carried_out(reading: Reading) -> Iterator[str]:
    """Yield keywords that the parser ignored, although they describe requests or responses."""
    yield from passed_over(reading.document, (), reading)


def passed_over(node: BaseModel, steps: tuple[object, ...], reading: Reading) -> Iterator[str]:
    place = pointer(*steps)
    kind = type(node).__name__
    yield from two_unions(node, place)
    for keyword, attribute, value in keywords(node):
        here = (*steps, keyword)
        if keyword.startswith("x-"):
            continue
        if not attribute or (place, attribute) not in reading.read:
            if not (may_be_passed_over(kind, keyword) or says_nothing(node, keyword)):
                yield f"{pointer(*here)}: the generator ignores {keyword} here"
            continue
        for member, inner in members(value, here):
            if PLACE not in (member.model_extra or {}) or pointer(*inner) in reading.places:
                yield from passed_over(member, inner, reading)
            elif not isinstance(node, Components):  # a shared object may be unused
                yield f"{pointer(*inner)}: the generator ignores this, next to what it reads from {place}"


def says_nothing(node: BaseModel, keyword: str) -> bool:
    """Return whether a parameter's keyword only repeats the default."""
    if not isinstance(node, oai.Parameter):
        return False
    usual = STYLES[node.param_in.value]
    style = node.style.get_untrusted_value() if node.style is not None else usual
    defaults = {"style": usual, "explode": style == "form", "allowReserved": False, "allowEmptyValue": False}
    said = style if keyword == "style" else getattr(node, keyword, None)
    return keyword in defaults and said == defaults[keyword]


def two_unions(node: BaseModel, place: str) -> Iterator[str]:
    """Yield schemas with several sets of alternatives, which the generator would merge into one union."""
    if isinstance(node, oai.Schema):
        unions = [name for name in ("anyOf", "oneOf") if getattr(node, name)]
        unions += ["type"] if isinstance(node.type, list) else []
        if unions[1:]:
            yield f"{place}: the generator would merge {' and '.join(unions)} into one union; write only one of them"
        if node.allOf and isinstance(node.type, list):
            yield f"{place}: the generator ignores type next to allOf; for null, write anyOf"
