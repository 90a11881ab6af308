#!/usr/bin/env python3
"""Write the table of promises in SECURITY.md from the markers of their tests.

    scripts/promises.py [--check]

With --check it only compares; exit code 1 means that the table is out of date. Each promise needs a test.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from typing import TYPE_CHECKING

from environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROMISES = ROOT / "tests" / "data" / "promises.json"
PAGE = ROOT / "SECURITY.md"
TESTS = ROOT / "tests" / "overlay"
BEGIN, END = "<!-- promises, written by scripts/promises.py -->\n", "<!-- end of promises -->"


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/promises.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only compare")
    arguments = parser.parse_args()
    page = PAGE.read_text("utf-8")
    try:
        written = with_table(page, table(promises(), holders()))
    except ValueError as error:
        print(f"promises.py: {error}", file=sys.stderr)
        return 1
    if arguments.check and written != page:
        print("promises.py: the table in SECURITY.md is out of date: run scripts/promises.py", file=sys.stderr)
        return 1
    if not arguments.check:
        PAGE.write_text(written, "utf-8")
    return 0


def promises() -> dict[str, str]:
    """Read the promises by key, in order."""
    kept: dict[str, str] = json.loads(PROMISES.read_text("utf-8"))
    return kept


def holders() -> dict[str, list[str]]:
    """Find the test files for each promise."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for key in sorted(set(marked(path))):
            found.setdefault(key, []).append(path.relative_to(TESTS).as_posix())
    return found


def marked(path: Path) -> Iterator[str]:
    """Yield the keys in a file's markers."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.promise":
            for argument in node.args:
                yield str(ast.literal_eval(argument))


def table(kept: dict[str, str], tests: dict[str, list[str]]) -> str:
    """Write the table.

    Raises:
        ValueError: A promise has no test, or a test names a promise that does not exist.
    """
    if unknown := set(tests) - set(kept):
        raise ValueError(
            f"tests hold promises that tests/data/promises.json does not have: {', '.join(sorted(unknown))}"
        )
    if bare := set(kept) - set(tests):
        raise ValueError(f"no test holds these promises: {', '.join(sorted(bare))}")
    rows = [f"| {kept[key]} | {', '.join(f'`{name}`' for name in tests[key])} |\n" for key in kept]
    return "| promise | tests in `tests/overlay/` |\n| --- | --- |\n" + "".join(rows)


def with_table(page: str, new: str) -> str:
    """Return a page with its table replaced by a new one.

    Raises:
        ValueError: The page has no place for the table.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("SECURITY.md has no place for the table of promises")
    return f"{before}{begin}\n{new}\n{end}{after}"


if __name__ == "__main__":
    sys.exit(main())
