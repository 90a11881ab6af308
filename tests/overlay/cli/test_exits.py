"""How commands end: with an exit code and a message, as text or JSON."""

import json
import signal
import subprocess
from collections.abc import Callable

import pytest

from tests.overlay.cli.conftest import MODEL, PROGRAM, Invoke
from wavespeed_client.testing import FakeWaveSpeed

Arrange = Callable[[FakeWaveSpeed], object]

ENDS: list[tuple[str, Arrange, list[str], int, str]] = [
    ("ServerError", lambda fake: fake.refuse(500, on="balance", times=9), ["balance"], 1, "Refused."),
    ("NotFoundError", lambda fake: None, ["get", "nowhere"], 1, "HTTP 404"),
    ("BadRequestError", lambda fake: fake.refuse(400, message="No cats."), ["run", MODEL, "prompt=x"], 1, "No cats."),
    ("MissingParameter", lambda fake: None, ["run"], 2, "Missing argument 'MODEL'"),
    ("NoSuchOption", lambda fake: None, ["balance", "--money"], 2, "--money"),
    ("BadParameter", lambda fake: None, ["run", MODEL, "--max-cost", "much"], 2, "not an amount of USD"),
    ("BadParameter", lambda fake: None, ["wait", "x", "--timeout", "-5"], 2, "not a duration"),
    ("BadParameter", lambda fake: None, ["list", "--since", "then"], 2, "not a time"),
    ("UsageError", lambda fake: None, ["run", MODEL, "prompt"], 2, "is not a field"),
    ("InvalidModelError", lambda fake: None, ["run", "flux", "prompt=x"], 2, "provider/model"),
    ("InvalidInputError", lambda fake: None, ["wait", "a b"], 2, "A task's id"),
    ("TaskFailedError", lambda fake: fake.fail(MODEL, error="Flagged."), ["run", MODEL, "prompt=x"], 3, "Flagged."),
    (
        "TaskTimeoutError",
        lambda fake: fake.script(MODEL, "processing"),
        ["run", MODEL, "prompt=x", "--timeout", "0"],
        4,
        "To wait again: wavespeed-client wait",
    ),
    ("CostLimitError", lambda fake: None, ["run", MODEL, "prompt=x", "--max-cost", "$0.01"], 5, "0.0108 USD"),
    ("SubmissionUncertainError", lambda fake: fake.drop(), ["submit", MODEL, "prompt=x"], 6, f"list --model {MODEL}"),
]
every_end = pytest.mark.parametrize(
    ("kind", "arrange", "arguments", "code", "message"),
    ENDS,
    ids=[f"{kind} {' '.join(arguments)[:20]}" for kind, _, arguments, _, _ in ENDS],
)


@every_end
def test_the_exit_code_says_what_happened(
    kind: str,
    arrange: Arrange,
    arguments: list[str],
    code: int,
    message: str,
    invoke: Invoke,
    account: FakeWaveSpeed,
) -> None:
    arrange(account)
    ended = invoke(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert message in ended.err
    assert "Traceback" not in ended.err


@every_end
def test_with_json_the_error_is_an_object_on_stdout(
    kind: str,
    arrange: Arrange,
    arguments: list[str],
    code: int,
    message: str,
    invoke: Invoke,
    account: FakeWaveSpeed,
) -> None:
    arrange(account)
    ended = invoke(*arguments, "--json")
    error = json.loads(ended.out)["error"]
    assert (ended.code, error["type"], error["exit_code"]) == (code, kind, code)
    assert ("task" in error) == (kind in ("TaskFailedError", "TaskTimeoutError"))
    if "task" in error:
        assert error["task"]["id"] == account.tasks[0].id


@pytest.mark.parametrize("missing", ["WAVESPEED_API_KEY", "WAVESPEED_BASE_URL"])
def test_a_missing_or_wrong_environment_variable_is_named(
    missing: str, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(missing, " " if missing.endswith("KEY") else "ftp://x")
    ended = invoke("balance")
    assert ended.code == 2
    assert missing in ended.err


def test_a_bug_is_shown_with_its_whole_traceback(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    from wavespeed_client import WaveSpeed

    monkeypatch.setattr(WaveSpeed, "balance", lambda ws: {}["\x1b[2J"])
    ended = invoke("balance")
    assert ended.code == 1
    assert "KeyError" in ended.err
    assert "\x1b" not in ended.err


def test_ctrl_c_prints_how_to_wait_again(account: FakeWaveSpeed) -> None:
    account.script(MODEL, "processing")
    with subprocess.Popen([*PROGRAM, "run", MODEL, "prompt=x"], stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        lines = [running.stderr.readline() for _ in range(2)]
        assert lines[1] == f"task {account.tasks[0].id}\n"
        running.send_signal(signal.SIGINT)
        rest = running.stderr.read()
    assert running.returncode == 130
    assert f"wavespeed-client wait {account.tasks[0].id}" in rest
    assert "Traceback" not in rest
