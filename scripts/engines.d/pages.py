"""The complete programs of the page, each for one engine."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "overlay" / "docs" / "many-machines.md"
LONGEST = 15


def program_for(engine: str) -> str:
    """Return the page's program for an engine.

    Raises:
        ValueError: There is not exactly one, or it is longer than the page promises.
    """
    blocks: list[str] = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    found = [block for block in blocks if re.search(rf"^(import|from) {engine}\b", block, re.MULTILINE)]
    if len(found) != 1 or len(found[0].splitlines()) > LONGEST:
        raise ValueError(f"The page must have one program for {engine}, of at most {LONGEST} lines.")
    return found[0]
