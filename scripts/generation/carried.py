"""What the generated code would not carry out, with its place in the spec."""

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
    """Yield what the parser ignored, although it says how requests or responses look."""
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
                yield f"{pointer(*here)}: the generator does not carry out {keyword} here"
            continue
        for member, inner in members(value, here):
            if PLACE not in (member.model_extra or {}) or pointer(*inner) in reading.places:
                yield from passed_over(member, inner, reading)
            elif not isinstance(node, Components):  # a shared object may be unused
                yield f"{pointer(*inner)}: the generator passes this over, beside what it takes from {place}"


def says_nothing(node: BaseModel, keyword: str) -> bool:
    """Tell whether a parameter's keyword asks for what happens without it."""
    if not isinstance(node, oai.Parameter):
        return False
    usual = STYLES[node.param_in.value]
    style = node.style.get_untrusted_value() if node.style is not None else usual
    defaults = {"style": usual, "explode": style == "form", "allowReserved": False, "allowEmptyValue": False}
    said = style if keyword == "style" else getattr(node, keyword, None)
    return keyword in defaults and said == defaults[keyword]


def two_unions(node: BaseModel, place: str) -> Iterator[str]:
    """Yield schemas with several sets of alternatives, of which the generator makes one union."""
    if isinstance(node, oai.Schema):
        unions = [name for name in ("anyOf", "oneOf") if getattr(node, name)]
        unions += ["type"] if isinstance(node.type, list) else []
        if unions[1:]:
            yield f"{place}: of {' and '.join(unions)} the generator makes one union; write one of them"
        if node.allOf and isinstance(node.type, list):
            yield f"{place}: of allOf and type the generator takes allOf alone; for null, write anyOf"
