"""Escape control characters in text for a terminal."""

from __future__ import annotations

import re

# C0 without tab and line feed, DEL and C1; marks that change the direction of text; lone surrogates.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_BREAKS = re.compile("[\t\n]")


def clean(text: str) -> str:
    """Return the text with control characters as escapes such as \\x1b. Tabs and line feeds stay."""
    return _CONTROLS.sub(_escaped, text)


def one_line(text: str) -> str:
    """Return the text as one line: like `clean`, with spaces for tabs and line feeds."""
    return _BREAKS.sub(" ", clean(text))


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
