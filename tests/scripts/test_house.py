"""The overlay stays small: the budgets of its files, its two clients and its core, in lines of code."""

import ast
import io
import tokenize
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "overlay" / "wavespeed_client"
FILES = sorted(PACKAGE.rglob("*.py"))
SHELLS = ("client.py", "async_client.py")

LONGEST_FILE, LONGEST_SHELL = 400, 500
MOST_CODE_OF_A_SHELL = 300
# The files of the root, transport/ and waiting/: what it takes to submit, wait and read a response.
MOST_CODE_OF_THE_CORE = 2_888

LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def code(source: str) -> int:
    """Count the lines that hold code: no blanks, comments or docstrings."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in LAYOUT:
            lines.update(range(token.start[0], token.end[0] + 1))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            lines.difference_update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(lines)


def test_code_is_counted_without_docstrings_and_comments() -> None:
    words = '"""Words."""\n\n# more\n\ndef f():\n    """Do.\n\n    Much.\n    """\n'
    assert code(words) == 1
    assert code(f"{words}    x = (  # why\n        1\n    )\n") == 4


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_file_is_longer_than_its_limit(path: Path) -> None:
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= (LONGEST_SHELL if path.name in SHELLS else LONGEST_FILE)


@pytest.mark.parametrize("name", SHELLS)
def test_the_clients_are_shells(name: str) -> None:
    assert code((PACKAGE / name).read_text("utf-8")) <= MOST_CODE_OF_A_SHELL


def test_the_core_does_not_grow() -> None:
    rooms = {path: path.relative_to(PACKAGE).parts[:-1] for path in FILES}
    core = [path for path, room in rooms.items() if room[:1] in ((), ("transport",), ("waiting",))]
    assert sum(code(path.read_text("utf-8")) for path in core) <= MOST_CODE_OF_THE_CORE
