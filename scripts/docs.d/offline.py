#!/usr/bin/env python3
"""Fail if a page or style sheet of the built site fetches anything from elsewhere: `offline.py SITE`."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

FETCHING = {"audio", "embed", "iframe", "img", "input", "link", "object", "script", "source", "track", "video"}
_IN_STYLES = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""")


class Fetches(HTMLParser):
    """The addresses on other hosts that a page makes a browser fetch. A link that a person follows is none."""

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
    """Return what a file of the site makes a browser fetch from other hosts."""
    text = path.read_text("utf-8")
    if path.suffix == ".css":
        return _IN_STYLES.findall(text)
    page = Fetches()
    page.feed(text)
    return page.found + [
        each for style in re.findall(r"<style.*?</style>", text, re.S) for each in _IN_STYLES.findall(style)
    ]


def main(site: Path) -> int:
    pages = sorted(path for path in site.rglob("*") if path.suffix in (".html", ".css"))
    problems = [f"{path.relative_to(site)}: fetches {address}" for path in pages for address in fetched(path)]
    for problem in problems:
        print(f"offline.py: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
