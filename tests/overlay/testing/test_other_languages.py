"""The programs of the page "Other languages", run unchanged against the stand-in in a separate process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from tests.conftest import ROOT
from tests.tools import CURL, NODE

PAGE = (ROOT / "overlay" / "docs" / "other-languages.md").read_text()
WITH_NODE = [NODE] if NODE else []
WITH_CURL = [CURL] if CURL else []


def block(language: str) -> str:
    """Return the page's only program in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return found


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """The variables that the stand-in prints."""
    command = [sys.executable, "-m", "wavespeed_client.testing"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        printed = dict(running.stdout.readline().strip().split("=", 1) for _ in range(2))
        yield {**os.environ, **printed}
        running.kill()


@pytest.mark.parametrize("node", WITH_NODE)
def test_the_node_program_of_the_page_runs(environment: dict[str, str], node: str) -> None:
    command = [node, "--input-type=module", "-"]
    done = subprocess.run(
        command, input=block("js"), env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "All of it held.\n", "")


@pytest.mark.parametrize("curl", WITH_CURL)
def test_the_curl_commands_of_the_page_run(environment: dict[str, str], curl: str) -> None:
    command = ["bash", "-euc", block("bash")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0
    assert '{"code": 429, "message": "Refused."}' in done.stdout
    assert "The response was lost" in done.stdout
    state = httpx.get(f"{environment['WAVESPEED_BASE_URL']}/_stand-in/state", trust_env=False).json()
    assert [one["status"] for one in state["requests"]] == [429, 200, 200, 200]
    assert len(state["tasks"]) == 3
    assert state["violations"] == []
