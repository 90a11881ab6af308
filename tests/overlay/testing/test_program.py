"""`python -m wavespeed_client.testing`, used by programs without this package."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from wavespeed_client.catalogue.schema import facts_of
from wavespeed_client.typed.lock import Lock

Call = Callable[[str, str, str, dict[str, Any] | None], dict[str, Any]]


@pytest.fixture
def program() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "wavespeed_client.testing", "--port", "0", "--api-key", "my-key"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        yield running
        running.kill()


def started(program: subprocess.Popen[str]) -> tuple[str, str]:
    """Return the base URL and the key, from its first two lines."""
    assert program.stdout is not None
    url, key = program.stdout.readline(), program.stdout.readline()
    assert url.startswith("WAVESPEED_BASE_URL=http://127.0.0.1:")
    assert key == "WAVESPEED_API_KEY=my-key\n"
    return url.strip().partition("=")[2], key.strip().partition("=")[2]


def by_requests(method: str, url: str, key: str, body: dict[str, Any] | None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}"}
    return requests.request(method, url, headers=headers, json=body, timeout=60).json()


def by_curl(method: str, url: str, key: str, body: dict[str, Any] | None) -> dict[str, Any]:
    headers = ["-H", f"Authorization: Bearer {key}", "-H", "Content-Type: application/json"]
    data = [] if body is None else ["-d", json.dumps(body)]
    command = ["curl", "--silent", "--max-time", "10", "--noproxy", "*", "-X", method, *headers, *data, url]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


PROGRAMS = [by_requests, *([by_curl] if shutil.which("curl") else [])]


@pytest.mark.parametrize("call", PROGRAMS)
def test_any_program_can_submit_poll_and_fetch_the_result(program: subprocess.Popen[str], call: Call) -> None:
    url, key = started(program)
    submitted = call("POST", f"{url}/api/v3/wavespeed-ai/z-image/turbo", key, {"prompt": "a cat"})["data"]
    polled = [call("GET", submitted["urls"]["get"], key, None)["data"] for _ in range(2)]
    assert [submitted["status"], *(task["status"] for task in polled)] == ["created", "processing", "completed"]
    assert requests.get(polled[-1]["outputs"][0], timeout=60).status_code == 200
    program.send_signal(signal.SIGTERM)
    assert program.stdout is not None
    assert [line.split()[0:3:2] for line in program.stdout] == [["POST", "200"], *[["GET", "200"]] * 3]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_stand_in_cleanly(program: subprocess.Popen[str], number: signal.Signals) -> None:
    started(program)
    program.send_signal(number)
    _, errors = program.communicate(timeout=20)
    assert (program.returncode, errors) == (0, "")


def test_a_violation_is_printed_in_the_log(program: subprocess.Popen[str]) -> None:
    url, key = started(program)
    assert by_requests("POST", f"{url}/api/v3/wavespeed-ai/flux-dev", key, {"prompt": 1})["code"] == 400
    assert program.stdout is not None
    assert program.stdout.readline() == (
        "POST /api/v3/wavespeed-ai/flux-dev 400 "
        "(POST /api/v3/wavespeed-ai/flux-dev: prompt 1 is not of type 'string')\n"
    )


@pytest.mark.parametrize("port", ["taken", "99999", "-1"])
def test_a_port_that_cannot_be_is_named(program: subprocess.Popen[str], port: str) -> None:
    url, _ = started(program)
    command = [sys.executable, "-m", "wavespeed_client.testing", "--port", port.replace("taken", url.split(":")[2])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("Cannot listen on port " if port == "taken" else "port must be a port from 0 to ")


def test_without_the_extra_the_program_says_what_to_install() -> None:
    code = "import runpy, sys; sys.modules['werkzeug'] = None; runpy.run_module('wavespeed_client.testing')"
    blocked = code.replace("testing')", "testing', run_name='__main__')")
    done = subprocess.run([sys.executable, "-c", blocked], capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stderr) == (1, "werkzeug is missing: install wavespeed-client[testing]\n")


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wavespeed_client.testing", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)


def test_options_arrange_the_stand_in() -> None:
    options = ["--script", "a/b=created,completed", "--fail", "a/c=Not this.", "--refuse", "503", "--refuse", "429"]
    command = [sys.executable, "-m", "wavespeed_client.testing", "--api-key", "my-key", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        url, key = started(running)
        codes = [by_requests("POST", f"{url}/api/v3/a/b", key, {})["code"] for _ in range(2)]
        tasks = [by_requests("POST", f"{url}/api/v3/{model}", key, {})["data"] for model in ("a/b", "a/c")]
        ends = [by_requests("GET", f"{url}/api/v3/predictions/{task['id']}", key, None)["data"] for task in tasks]
        running.kill()
    assert codes == [503, 429]
    assert [(end["status"], end["error"]) for end in ends] == [("completed", ""), ("failed", "Not this.")]


def test_locks_can_be_loaded(tmp_path: Path) -> None:
    options: list[str] = []
    for model in ("a/b", "a/c"):
        lock = tmp_path / f"{model[-1]}.lock.json"
        lock.write_text(Lock({model: facts_of({"required": ["prompt"]}) or {}}).text())
        options += ["--load", str(lock)]
    command = [sys.executable, "-m", "wavespeed_client.testing", "--api-key", "my-key", *options, "--only"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        url, key = started(running)
        models = [row["model_id"] for row in by_requests("GET", f"{url}/api/v3/models", key, None)["data"]]
        codes = [by_requests("POST", f"{url}/api/v3/{model}", key, {})["code"] for model in ("a/b", "a/c", "a/d")]
        running.kill()
    assert (models, codes) == (["a/b", "a/c"], [400, 400, 404])


@pytest.mark.parametrize(
    "options",
    [
        ["--load", "none.lock.json"],
        ["--load", "."],
        ["--load", "pyproject.toml"],
        ["--only"],
        ["--port", "x"],
        ["--nonsense"],
        ["nonsense"],
        ["--script", "a/b"],
        ["--script", "flux=completed"],
        ["--fail", "flux"],
        ["--refuse", "200"],
        ["--delay", "-1"],
        ["--delay", "nan"],
        ["--api-key", "ä"],
        ["--webhook-secret", ""],
        ["--host", "256.0.0.1"],
        ["--host", "no.such.host.invalid"],
    ],
)
def test_a_wrong_option_is_one_line(options: list[str]) -> None:
    done = run(*options)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Error" not in done.stderr
