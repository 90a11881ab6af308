"""The page on typed inputs: its programs run, its commands work, and type checkers say what it quotes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.overlay.typed.models import row
from tests.overlay.typed.test_checkers import mypy, pyright, ty
from wavespeed_client.testing import FakeWaveSpeed

PAGE = (ROOT / "overlay" / "docs" / "typed-inputs.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [text.strip() for language, text in BLOCKS if language == "bash"]
USE, MISTAKEN, INPUTS = (text for language, text in BLOCKS if language == "python")
WRITTEN, *SAID = (text for language, text in BLOCKS if language == "text")
FLUX = {
    "type": "object",
    "required": ["prompt"],
    "x-order-properties": ["prompt", "image", "size", "seed"],
    "properties": {
        "prompt": {"type": "string", "description": "What to paint."},
        "size": {"type": "string", "enum": ["1024*1024", "1280*720"], "default": "1024*1024"},
        "image": {"type": "string", "x-ui-component": "uploader"},
        "seed": {"type": "integer", "default": -1},
    },
}


@pytest.fixture
def folder(fake: FakeWaveSpeed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the page's first command was run."""
    monkeypatch.setenv("WAVESPEED_API_KEY", fake.api_key)
    monkeypatch.setenv("WAVESPEED_BASE_URL", fake.url)
    serve(fake)
    assert run(COMMANDS[0], tmp_path) == "my_models.py holds 1 model\n"
    return tmp_path


def serve(fake: FakeWaveSpeed) -> None:
    rows = [row("wavespeed-ai/flux-dev", FLUX)]
    fake.raw(200, json.dumps({"code": 200, "message": "success", "data": rows}).encode(), on="models")


def run(command: str, folder: Path) -> str:
    words = [sys.executable, *command.split()[1:]]
    return subprocess.run(words, cwd=folder, env=os.environ, capture_output=True, text=True, check=True).stdout


def test_the_first_command_writes_what_is_shown(folder: Path) -> None:
    assert (folder / "my_models.py").read_text("utf-8").endswith(f"\n\n\n{WRITTEN}")


def test_the_other_commands_find_nothing_to_do(folder: Path, fake: FakeWaveSpeed) -> None:
    check, diff = COMMANDS[1:]
    assert run(check, folder) == ""
    serve(fake)
    assert run(diff, folder) == "nothing has changed\n"


def test_the_programs_run(folder: Path, fake: FakeWaveSpeed) -> None:
    for program in (USE, INPUTS):
        subprocess.run([sys.executable, "-c", program], cwd=folder, check=True)
    assert sorted(call.input["prompt"] for call in fake.calls) == ["A cat", "A cat", "A dog"]


def test_type_checkers_say_what_is_quoted_and_take_the_rest(folder: Path) -> None:
    for name, text in (("picture", MISTAKEN), ("use", USE), ("inputs", INPUTS)):
        (folder / f"{name}.py").write_text(text)
    for checker, quoted in zip((mypy, pyright, ty), SAID, strict=True):
        done = subprocess.run(checker(folder), cwd=folder, capture_output=True, text=True, check=False)
        assert plain(done.stdout, folder) == quoted.split()


def plain(text: str, folder: Path) -> list[str]:
    """The words of a checker, without its headlines and paths."""
    lines = [line for line in text.splitlines() if not re.match(r"Found \d|\d+ error|/\S+\.py$|All ", line)]
    return "\n".join(lines).replace(f"{folder}{os.sep}", "").split()


def test_the_page_names_every_option() -> None:
    told = run("python -m wavespeed_client.typed --help", ROOT)
    for option in set(re.findall(r"--[a-z-]+", told)) - {"--help"}:
        assert option in PAGE
