"""Find what pages and style sheets of the built site make a browser fetch from other hosts."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FETCHING = {"audio", "embed", "iframe", "img", "input", "link", "object", "script", "source", "track", "video"}
_IN_STYLES = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""")


class Fetches(HTMLParser):
    """The addresses on other hosts that a page makes a browser fetch. Links that a person follows do not count."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in FETCHING and given.get("rel") != "canonical":
            values = (given.get(name) or "" for name in ("src", "href", "srcset", "data", "poster"))
            self.found += [value for value in values if re.match(r"\s*(https?:)?//", value)]
        self.found += _IN_STYLES.findall(given.get("style") or "")


def fetched(path: Path) -> list[str]:
    """Return the addresses on other hosts that a file of the site makes a browser fetch."""
    text = path.read_text("utf-8")
    if path.suffix == ".css":
        return _IN_STYLES.findall(text)
    page = Fetches()
    page.feed(text)
    return page.found + [
        each for style in re.findall(r"<style.*?</style>", text, re.S) for each in _IN_STYLES.findall(style)
    ]


def fetches(site: Path) -> list[str]:
    """Return a line for each fetch from another host."""
    pages = sorted(path for path in site.rglob("*") if path.suffix in (".html", ".css"))
    return [f"{path.relative_to(site)}: fetches {address}" for path in pages for address in fetched(path)]
