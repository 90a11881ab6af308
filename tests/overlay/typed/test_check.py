"""`python -m wavespeed_client.typed FILE --check`: drift and damage are found without a request."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.overlay.typed.conftest import PAINTER, Command
from wavespeed_client.testing import FakeWaveSpeed


def test_check_needs_neither_key_nor_network(written: Command) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WAVESPEED_")}
    environment |= {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "wavespeed_client.typed", "models.py", "--check"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["models.py", "models.lock.json"])
def test_check_finds_drift(written: Command, fake: FakeWaveSpeed, name: str) -> None:
    path, before = Path(name), len(fake.requests)
    path.write_text(path.read_text("utf-8").replace("ann", "eve"), "utf-8")
    code, printed, _ = written("models.py", "--check")
    assert (code, printed) == (
        1,
        "models.py does not match models.lock.json: run python -m wavespeed_client.typed models.py\n",
    )
    assert len(fake.requests) == before


def test_check_finds_a_missing_file(written: Command) -> None:
    Path("models.py").unlink()
    assert written("models.py", "--check")[0] == 1


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", '{"format": 1}', "\xff", "[" * 5000),
        '{"format": 1, "models": {"a/b": 3}, "descriptions": true}',
        '{"format": 1, "models": {"a": {}}, "descriptions": true}',
    ],
)
def test_a_damaged_lock_is_reported(written: Command, text: str) -> None:
    Path("models.lock.json").write_bytes(text.encode("latin-1"))
    for arguments in (["--check"], ["--diff"], [PAINTER]):
        code, printed, error = written("models.py", *arguments)
        assert (code, printed) == (2, "")
        assert error == (
            "python -m wavespeed_client.typed: models.lock.json is damaged, or not a lock of "
            "`python -m wavespeed_client.typed`. Restore it (after a merge conflict: one side of it, then add the "
            "other models), or delete it and models.py and name all models again.\n"
        )


def test_a_lock_that_an_editor_has_written_is_read(written: Command) -> None:
    for name in ("models.py", "models.lock.json"):
        text = "\ufeff" + Path(name).read_text("utf-8").replace("\n", "\r\n")
        Path(name).write_bytes(text.encode())
    assert written("models.py", "--check")[0] == 0


def test_a_lock_that_cannot_be_read_is_reported(command: Command) -> None:
    Path("models.lock.json").mkdir()
    assert command("models.py", "--check")[2].endswith("models.lock.json cannot be read: Is a directory.\n")


def test_a_lock_of_another_format_is_reported(written: Command) -> None:
    Path("models.lock.json").write_text('{"format": 2}')
    assert "this version of wavespeed-client reads 1" in written("models.py", "--check")[2]
