"""Write values from the catalogue as Python literals on one line, so that nothing in them can run as code.

The set of escaped characters is the same for every version of Python.
"""

from __future__ import annotations

import re
from typing import cast

# Control characters, invisible ones, ones that change the direction of text, and halves of surrogate pairs.
UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u0600-\u0605\u061c\u06dd\u070f\u08e2\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f"
    "\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ud800-\udfff\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U000110bd\U000110cd\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
)


def literal(value: object) -> str:
    """Return a JSON value as a Python literal on one line."""
    if isinstance(value, str):
        return '"{}"'.format(seen(value.replace("\\", "\\\\").replace('"', '\\"')))
    if isinstance(value, list):
        return f"[{', '.join(map(literal, cast('list[object]', value)))}]"
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return f"{{{', '.join(f'{literal(key)}: {literal(each)}' for key, each in fields.items())}}}"
    return repr(value)


def seen(text: str) -> str:
    """Return text with invisible characters replaced by Python escapes."""
    return UNSEEN.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
