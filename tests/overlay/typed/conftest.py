"""The command in an empty folder, and the catalogue that it fetches."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.overlay.typed.models import MODELS, rows
from wavespeed_client.testing import FakeWaveSpeed
from wavespeed_client.typed import __main__ as program

Command = Callable[..., tuple[int, str, str]]


PAINTER, SPEAKER = MODELS


@pytest.fixture
def serve(fake: FakeWaveSpeed) -> Callable[[list[dict[str, Any]]], None]:
    """A function that sets the rows of the stand-in's next catalogue."""

    def arrange(rows: list[dict[str, Any]]) -> None:
        fake.raw(200, json.dumps({"code": 200, "message": "success", "data": rows}).encode(), on="models")

    return arrange


Serve = Callable[[list[dict[str, Any]]], None]


@pytest.fixture
def command(
    fake: FakeWaveSpeed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """A function that runs the command in an empty folder, and returns its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAVESPEED_API_KEY", fake.api_key)
    monkeypatch.setenv("WAVESPEED_BASE_URL", fake.url)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["typed", *arguments])
        try:
            code = program.main()
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def texts() -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(Path().iterdir())}


def locked() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("models.lock.json").read_text("utf-8"))
    return found


@pytest.fixture
def written(command: Command, serve: Serve) -> Command:
    """The command, after it has written the speaker."""
    serve(rows())
    assert command("models.py", SPEAKER) == (0, "models.py has 1 model\n", "")
    return command


@pytest.fixture
def both(command: Command, serve: Serve) -> Command:
    serve(rows())
    assert command("models.py", *MODELS)[0] == 0
    return command
