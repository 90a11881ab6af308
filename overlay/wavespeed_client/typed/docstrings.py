"""Write descriptions from the catalogue as docstrings, escaped."""

from __future__ import annotations

import re

from ..catalogue.literals import seen

# Quotes that could end a docstring.
_CLOSING = re.compile(r'"(?="|$)')
_QUOTE = r"\\" + '"'


def docstring(text: str, indent: str) -> str:
    """Return text as a docstring on one line."""
    words = re.sub(r"[ \t\r\n]+", " ", text).strip().replace("\\", "\\\\")
    return f'{indent}"""{seen(_CLOSING.sub(_QUOTE, words))}"""'
