"""A load: inputs that one client submits, and what it says of each. Every client has a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict, frozen

from counting import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

# Each kind of client, by what it is called.
CLIENTS = {"WaveSpeed": "sync", "AsyncWaveSpeed": "async", "AsyncWaveSpeed, aiohttp": "aiohttp"}
AT_ONCE = 8
# Seconds after which a client is taken to be stuck.
PATIENCE = 60.0
# Seconds between two looks at whether clients have finished.
STEP = 0.02
SUBMITTER = Path(__file__).parent / "submitter.py"


@frozen
class Load:
    """What a client is to do.

    Attributes:
        kind: Which client: one of the values of CLIENTS.
        url: Its base URL.
        proxy: What HTTP_PROXY is to be; empty if the base URL is the proxy's own.
        inputs: What it submits, each with its tag.
        timeout: Its `timeout`.
        pause: Seconds between one round of AT_ONCE inputs and the next, or a few milliseconds more or less; 0 if they
            follow each other without rounds.
        many: Whether `run_many` submits them, and not `submit`.
    """

    kind: str
    url: str
    proxy: str
    inputs: Sequence[Mapping[str, Any]]
    timeout: float = 30.0
    pause: float = 0.0
    many: bool = False

    @property
    def tags(self) -> list[str]:
        return [given["tag"] for given in self.inputs]


def carried(
    loads: Sequence[Load], folder: Path, *, every: float = PATIENCE, meanwhile: Callable[[], object] = lambda: None
) -> list[list[Told]]:
    """Let clients carry their loads, all at the same time, and return what each of them said.

    Args:
        loads: What each of them is to do.
        folder: Where their files go.
        every: Seconds between two calls of `meanwhile`.
        meanwhile: What is done while they are at work.
    """
    with ExitStack() as stack:
        processes = [stack.enter_context(at_work(load, folder)) for load in loads]
        began = time.monotonic()
        due = began + every
        while time.monotonic() < began + PATIENCE and any(process.poll() is None for process in processes):
            time.sleep(STEP)
            if time.monotonic() >= due:
                meanwhile()
                due += every
    return [said(folder / f"{load.kind}.said") for load in loads]


@contextmanager
def at_work(load: Load, folder: Path) -> Generator[subprocess.Popen[bytes]]:
    """Start a client with its load, and end it with the block."""
    told = folder / f"{load.kind}.json"
    told.write_text(json.dumps(asdict(load)), "utf-8")
    with (folder / f"{load.kind}.said").open("wb") as output:
        command = [sys.executable, str(SUBMITTER), str(told)]
        process = subprocess.Popen(command, stdout=output, env=environment(load.proxy))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def said(path: Path) -> list[Told]:
    """Read what a client said. Of one that was stuck, the last line may be cut short."""
    lines = path.read_text("utf-8").splitlines(keepends=True)
    return [Told.from_json(json.loads(line)) for line in lines if line.endswith("\n")]


def environment(proxy: str) -> dict[str, str]:
    """Return this process's environment, with no proxy but this one, and without a setting of ours."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("WAVESPEED_") and not name.lower().endswith("_proxy")
    }
    return kept | ({"HTTP_PROXY": proxy} if proxy else {})
