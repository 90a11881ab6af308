"""Command lines, run in the test's process and as programs, against the stand-in."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from attrs import frozen

from wavespeed_client.cli import main
from wavespeed_client.testing import FakeWaveSpeed

MODEL = "wavespeed-ai/flux-dev"
PROGRAM = (sys.executable, "-W", "error", "-m", "wavespeed_client")

# A model with a field of each kind.
PROPERTIES: dict[str, Any] = {
    "prompt": {"type": "string", "description": "What to paint."},
    "size": {"type": "string", "enum": ["512*512", "1024*1024"], "default": "512*512"},
    "seed": {"type": "integer", "minimum": -1, "maximum": 2147483647, "default": -1},
    "strength": {"type": "number", "minimum": 0, "maximum": 1},
    "safe": {"type": "boolean", "default": True},
    "level": {"type": "integer", "enum": [1, 2, 3]},
    "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    "image": {"type": "string", "x-ui-component": "uploader"},
    "images": {"type": "array", "items": {"type": "string"}, "x-ui-component": "uploaders"},
    "sizes": {"type": "array", "items": {"type": "integer"}},
    "loras": {"type": "array", "items": {"type": "object"}},
    "camera": {"type": "object"},
    "anything": {},
}
SCHEMA: dict[str, Any] = {"type": "object", "required": ["prompt"], "properties": PROPERTIES}


@frozen
class Ended:
    """The end of a command line: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Invoke(Protocol):
    def __call__(self, *arguments: str) -> Ended: ...


@pytest.fixture(autouse=True)
def in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def account(fake: FakeWaveSpeed, monkeypatch: pytest.MonkeyPatch) -> FakeWaveSpeed:
    """The stand-in, to which the environment points."""
    monkeypatch.setenv("WAVESPEED_API_KEY", fake.api_key)
    monkeypatch.setenv("WAVESPEED_BASE_URL", fake.url)
    return fake


@pytest.fixture
def invoke(account: FakeWaveSpeed, capsys: pytest.CaptureFixture[str]) -> Invoke:
    """A function that runs a command line in this process."""

    def invoked(*arguments: str) -> Ended:
        code = main(arguments)
        return Ended(code, *capsys.readouterr())

    return invoked


@pytest.fixture
def program(account: FakeWaveSpeed) -> Invoke:
    """A function that runs a command line as a separate program, in the folder of the test."""

    def invoked(*arguments: str) -> Ended:
        done = subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False)
        return Ended(done.returncode, done.stdout, done.stderr)

    return invoked


@pytest.fixture
def catalogue(account: FakeWaveSpeed) -> Callable[..., None]:
    """A function that puts one model with this schema into the next catalogue."""

    def described(schema: dict[str, Any] = SCHEMA, **row: Any) -> None:
        run = {"type": "model_run", "method": "POST", "server": "https://api.wavespeed.ai"}
        run |= {"api_path": f"/api/v3/{MODEL}", "request_schema": schema}
        model = {"model_id": MODEL, "name": MODEL, "type": "text-to-image", "description": "Paints."}
        model |= {"base_price": 0.012, "sort_order": 1, "api_schema": {"api_schemas": [run]}, **row}
        body = json.dumps({"code": 200, "message": "success", "data": [model]})
        account.raw(200, body.encode(), on="models")

    return described
