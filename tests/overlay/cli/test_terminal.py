"""What a person sees: the programs run on a pseudo-terminal, and every byte of it is checked."""

import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from tests.overlay.cli.conftest import MODEL, PROGRAM
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals like these")

_MOVES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@define
class Terminal:
    """A pseudo-terminal, and the bytes written to it so far."""

    fd: int
    slave: int
    seen: str = ""

    def wait_for(self, text: str) -> None:
        while text not in self.plain:
            self.seen += os.read(self.fd, 1 << 16).decode()

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def rest(self) -> str:
        """Return what was written until all programs closed it."""
        try:
            while more := os.read(self.fd, 1 << 16):
                self.seen += more.decode()
        except OSError:  # Linux reports the end this way
            pass
        return self.plain

    @property
    def plain(self) -> str:
        """What was written, without moves of the cursor and colours."""
        return _MOVES.sub("", self.seen).replace("\r", "")


Start = Callable[..., tuple[subprocess.Popen[str], Terminal]]


@pytest.fixture(params=[30, 100], ids=["narrow", "wide"])
def start(request: pytest.FixtureRequest, account: FakeWaveSpeed) -> Iterator[Start]:
    """A function that starts a command line with stdin and stderr, or all streams, on a terminal of this width."""
    running: list[subprocess.Popen[str]] = []

    def started(*arguments: str, **streams: Any) -> tuple[subprocess.Popen[str], Terminal]:
        master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (24, request.param))
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(request.param)}
        streams = {"stdin": slave, "stdout": slave, "stderr": slave, **streams}
        running.append(subprocess.Popen([*PROGRAM, *arguments], text=True, env=environment, **streams))
        os.close(slave)
        return running[-1], Terminal(master, slave)

    yield started
    for program in running:
        program.kill()
        program.wait()


def test_a_run_is_one_line_and_its_output_stands_alone_on_stdout(start: Start, account: FakeWaveSpeed) -> None:
    account.script(MODEL, "created", "processing", "completed")
    running, terminal = start("run", MODEL, "prompt=waves", stdout=subprocess.PIPE)
    assert running.communicate(timeout=60)[0] == f"{account.url}/media/{account.tasks[0].id}/1.jpeg\n"
    shown = terminal.rest()
    lines = [line for line in shown.split("\n") if line.strip()]
    assert re.fullmatch(rf"price \$0\.0108 · task {account.tasks[0].id} · completed 0:0\d", lines[-1])
    assert "processing 0:0" in shown or "…" in shown
    assert running.wait(60) == 0


def test_a_batch_asks_first_and_pays_nothing_if_the_reply_is_no(start: Start, account: FakeWaveSpeed) -> None:
    Path("prompts.csv").write_text("prompt\na\nb\n")
    running, terminal = start("batch", MODEL, "prompts.csv")
    terminal.wait_for("2 to pay: $0.0216. Continue? [y/N]")
    terminal.type("n\n")
    assert "Nothing was submitted." in terminal.rest()
    assert (running.wait(60), account.calls) == (1, [])


def test_a_batch_shows_a_table_below_its_outputs(start: Start, account: FakeWaveSpeed) -> None:
    Path("prompts.csv").write_text("prompt\n" + "x\n" * 6)
    running, terminal = start("batch", MODEL, "prompts.csv", "--max-in-flight", "2", "--journal", "b.jsonl")
    terminal.wait_for("Continue? [y/N]")
    terminal.type("y\n")
    shown = terminal.rest()
    assert running.wait(60) == 0
    outputs = [f"{account.url}/media/{task.id}/1.jpeg" for task in account.tasks]
    assert len(outputs) == 6
    assert all(shown.count(output) == 1 for output in outputs)
    assert "failed  uncertain  in\u00a0flight  cost" in shown or "\nuncertain 0 · " in shown
    assert shown.split("\n")[-2] == "6 done, cost $0.0648"


def test_a_batch_pays_at_most_the_price_that_was_agreed_to(start: Start, account: FakeWaveSpeed) -> None:
    Path("prompts.csv").write_text("prompt\na\nb\nc\n")
    running, terminal = start("batch", MODEL, "prompts.csv", "--max-in-flight", "1")
    terminal.wait_for("3 to pay: $0.0324. Continue? [y/N]")
    dearer = b'{"code": 200, "message": "success", "data": {"model_id": "x", "price": 0.02, "discounted_price": 0.02, '
    account.raw(200, dearer + b'"discount_rate": 100, "currency": "USD"}}', on="price", times=9)
    terminal.type("y\n")
    assert "budget of 0.0324 USD is spent" in terminal.rest().replace("\n", " ")
    assert (running.wait(60), len(account.calls)) == (5, 1)


def test_escapes_of_the_service_move_no_cursor(start: Start, account: FakeWaveSpeed) -> None:
    account.script(MODEL, "completed", outputs=["\x1b]0;pwned\x07\x1b[2Jgone"])
    _, terminal = start("run", MODEL, "prompt=waves")
    assert "\\x1b]0;pwned\\x07\\x1b[2Jgone" in terminal.rest().replace("\n", "")
    assert "\x1b]" not in terminal.seen
    assert "\x1b[2J" not in terminal.seen
