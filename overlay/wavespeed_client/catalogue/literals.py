"""Values and words of the catalogue as Python literals on one line, in which nothing of them can act.

What is escaped does not depend on the Unicode tables of the Python that runs.
"""

from __future__ import annotations

import re
from typing import cast

# Controls, and what is not seen or turns the text around it; the halves of pairs cannot be written to a file.
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
    """Return text with what is not seen as escapes of Python."""
    return UNSEEN.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
