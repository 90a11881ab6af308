"""The code blocks of the README and the pages, and what each of them says must be installed."""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path

from attrs import frozen

from tests.conftest import ROOT

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "overlay" / "docs").glob("*.md"))]

_BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_PIP = re.compile(r"pip install ([^`\n]+)")


@frozen
class Block:
    """A block of a page.

    Attributes:
        needs: What the page has had installed by then, as pip takes it; the client without an extra is always there.
    """

    page: str
    number: int
    language: str
    text: str
    needs: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.page}-{self.number}"

    @property
    def is_test_file(self) -> bool:
        return self.language == "python" and "def test_" in self.text


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    found: list[Block] = []
    for number, block in enumerate(_BLOCK.finditer(text), 1):
        needs = {word for line in _PIP.findall(text[: block.end()]) for word in shlex.split(line)}
        content = textwrap.dedent(block[2])
        found.append(Block(page.stem, number, block[1], content, frozenset(needs - {"wavespeed-client"})))
    return found


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def blocks(language: str, page: str | None = None) -> list[Block]:
    """Return the blocks in a language, of one page or of all."""
    return [block for block in BLOCKS if block.language == language and page in (None, block.page)]
