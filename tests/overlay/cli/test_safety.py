"""What never reaches a terminal, a stream or the process list; and what happens when a terminal goes away."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.overlay.cli.conftest import MODEL, PROGRAM, Invoke
from wavespeed_client.cli.escapes import clean, one_line
from wavespeed_client.cli.tables import table
from wavespeed_client.testing import FakeWaveSpeed

EVIL = "\x1b]0;pwned\x07\x1b[2J\x9b31m\r\x08\x7f\u202egnp.exe\u2066\udcff"
FORBIDDEN = set(EVIL) - set("]0;pwned[2J31mgnp.exe")


@pytest.mark.parametrize("json_option", [(), ("--json",)], ids=["text", "json"])
@pytest.mark.parametrize("command", ["run", "get", "list", "models", "inputs", "fail", "refuse"])
def test_no_control_character_of_the_service_is_printed(
    command: str, json_option: tuple[str, ...], invoke: Invoke, account: FakeWaveSpeed
) -> None:
    evil = EVIL[:-1]  # a body cannot hold half of a surrogate pair
    account.script(MODEL, "completed", outputs=[f"{evil} text", {evil: evil}])
    row: dict[str, Any] = {"model_id": MODEL, "name": evil, "type": evil, "description": f"{evil}\n{evil}"}
    field = {"type": "string", "description": evil, "enum": [evil], "default": evil}
    schema = {"type": "object", "properties": {"prompt": {"type": "string"}, evil: field}}
    row |= {"base_price": 1, "sort_order": 1}
    row |= {"api_schema": {"api_schemas": [{"type": "model_run", "request_schema": schema}]}}
    catalogue = json.dumps({"code": 200, "message": "success", "data": [row]}).encode()
    arguments = {"run": ("run", MODEL, 'prompt:="x"'), "models": ("models",), "inputs": ("inputs", MODEL)}
    if command in ("models", "inputs"):
        account.raw(200, catalogue, on="models")
    elif command == "fail":
        account.fail(MODEL, error=evil)
    elif command == "refuse":
        account.refuse(400, message=evil)
    elif command in ("get", "list"):
        invoke("submit", MODEL, 'prompt:="x"')
        arguments |= {"get": ("get", account.tasks[0].id), "list": ("list",)}
    ended = invoke(*arguments.get(command, arguments["run"]), *json_option)
    assert ended.out + ended.err != ""
    assert FORBIDDEN.isdisjoint(ended.out + ended.err)
    account.violations.clear()  # such models and messages are outside the contract


def test_escaped_control_characters_stay_readable() -> None:
    assert clean("\x1b[31mred\x07\n\tend") == "\\x1b[31mred\\x07\n\tend"
    assert one_line("a\nb\tc\x00") == "a b c\\x00"
    assert clean("猫 é 👩\u200d🎨") == "猫 é 👩\u200d🎨"


def test_columns_are_aligned_however_wide_the_letters_are() -> None:
    assert table([("猫", "1"), ("abc", "2"), ("e\u0301", "3")]) == ["猫   1", "abc  2", "e\u0301    3"]


def test_the_key_is_taken_from_the_environment_alone(invoke: Invoke, account: FakeWaveSpeed) -> None:
    account.refuse(401, message=f"Invalid key {account.api_key}.", on="balance")
    for arguments in (["balance"], ["balance", "--json"], ["--help"], ["run", "--help"]):
        ended = invoke(*arguments)
        assert account.api_key not in ended.out + ended.err
        assert "--api-key" not in ended.out


def test_a_pipe_that_is_closed_ends_a_command_quietly(account: FakeWaveSpeed) -> None:
    with account.client() as client:
        for _ in range(3):
            client.submit(MODEL, {"prompt": "x"})
    reader, writer = os.pipe()
    os.close(reader)
    for command in (["list"], ["--help"], ["balance", "--json"], ["get", "nowhere", "--json"]):
        done = subprocess.run([*PROGRAM, *command], stdout=writer, stderr=subprocess.PIPE, check=False)
        assert (done.returncode, done.stderr) == (1, b"")
    os.close(writer)


def test_a_closed_stderr_does_not_stop_a_paid_command(account: FakeWaveSpeed) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*PROGRAM, "run", MODEL, "prompt=x"], stdout=subprocess.PIPE, stderr=writer, text=True, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stdout) == (0, f"{account.url}/media/{account.tasks[0].id}/1.jpeg\n")


@pytest.mark.parametrize("stream", [1, 2])
@pytest.mark.parametrize("json_option", [(), ("--json",)], ids=["text", "json"])
def test_streams_that_were_closed_before_the_start_do_not_stop_a_paid_command(
    account: FakeWaveSpeed, stream: int, json_option: tuple[str, ...]
) -> None:
    command = ["sh", "-c", f'"$@" {stream}>&-', "sh", *PROGRAM, "run", MODEL, "prompt=x", *json_option]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert account.tasks[0].id in done.stdout + done.stderr


def test_a_batch_runs_with_stdin_closed(account: FakeWaveSpeed) -> None:
    Path("prompts.csv").write_text("prompt\nx\n")
    for options in (("prompts.csv",), ("-", "--yes"), ("prompts.csv", "--yes")):
        command = ["sh", "-c", '"$@" <&-', "sh", *PROGRAM, "batch", MODEL, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (0 if "--yes" in options else 2, False)
    assert [call.input for call in account.calls] == [{"prompt": "x"}]


def test_a_full_stdout_is_reported_as_an_error(account: FakeWaveSpeed) -> None:
    with Path("/dev/full").open("wb") as full:
        for command in (["run", MODEL, "prompt=x", "--json"], ["get", "nowhere", "--json"]):
            done = subprocess.run([*PROGRAM, *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            assert (done.returncode, "Traceback" in done.stderr, "Error: " in done.stderr) == (1, False, True)


def test_a_stream_that_cannot_encode_a_letter_gets_its_escape(account: FakeWaveSpeed) -> None:
    account.script(MODEL, "completed", outputs=["猫"])
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [*PROGRAM, "run", MODEL, "prompt=x"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout) == (0, "\\u732b\n")


def test_a_download_writes_nothing_outside_its_folder(invoke: Invoke, account: FakeWaveSpeed, tmp_path: Path) -> None:
    names = [f"{account.url}/media/x/..%2f..%2fevil.png", f"{account.url}/media/x/%2fetc%2fevil"]
    account.script(MODEL, "completed", outputs=names)
    account.raw(200, b"picture", "image/png", on="download", times=9)
    (tmp_path / "in").mkdir()
    os.chdir(tmp_path / "in")
    assert invoke("run", MODEL, "prompt=x", "--download", "out").code == 0
    assert sorted(path.parent.name for path in tmp_path.rglob("*") if path.is_file()) == ["out", "out"]


@pytest.mark.parametrize("command", [[], ["run"], ["batch"], ["webhook", "listen"]], ids=" ".join)
def test_help_loads_neither_httpx_nor_rich(command: list[str]) -> None:
    code = (
        "import sys\nfrom wavespeed_client.cli import main\n"
        f"assert main({[*command, '--help']!r}) == 0\n"
        "heavy = {'httpx', 'rich', 'jinja2', 'asyncio', 'attr', 'json', 'email', 'wavespeed_api'}\n"
        "print(sorted(heavy & sys.modules.keys()), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr == "[]\n"
    assert "Example" in done.stdout
