"""The page on typed inputs: its commands do what it says. The tests of all pages run its programs."""

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
from tests.overlay.typed.page import COMMANDS, FLUX, PAGE, WRITTEN
from wavespeed_client.testing import FakeWaveSpeed


@pytest.fixture
def folder(fake: FakeWaveSpeed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the page's first command was run."""
    monkeypatch.setenv("WAVESPEED_API_KEY", fake.api_key)
    monkeypatch.setenv("WAVESPEED_BASE_URL", fake.url)
    serve(fake)
    assert run(COMMANDS[0], tmp_path) == "my_models.py has 1 model\n"
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


def test_the_page_names_every_option() -> None:
    printed = run("python -m wavespeed_client.typed --help", ROOT)
    for option in set(re.findall(r"--[a-z-]+", printed)) - {"--help"}:
        assert option in PAGE
