"""The instructions of one submission, counted by valgrind: the same on a busy machine. It takes minutes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from report import Section
from workers import environment

if TYPE_CHECKING:
    from server import Server

NAMES = ("raw socket", "httpx", "generated function", "ours", "requests.Session", "runwayml", "official")
FEW, MANY = 60, 260
PROGRAM = "import candidates\ncall = candidates.SYNC[{!r}]({!r})\nfor _ in range({}): call()"
COUNTED = re.compile(r"Collected : (\d+)")


def instructions(server: Server) -> Section:
    """What more calls add, so that the imports and the first call do not count."""
    found = {name: count for name in NAMES if (count := _one_call(name, server)) is not None}
    rows = [(name, f"{count / found['httpx']:.2f}", f"{count / 1000:,.0f}") for name, count in found.items()]
    note = f"callgrind: ({MANY} submissions - {FEW} submissions) / {MANY - FEW}, plain."
    return Section("Instructions", note, ("client", "to httpx", "thousands"), rows)


def _one_call(name: str, server: Server) -> float | None:
    counts = [_counted(PROGRAM.format(name, server.plain, calls), server) for calls in (FEW, MANY)]
    few, many = counts
    return None if few is None or many is None else (many - few) / (MANY - FEW)


def _counted(program: str, server: Server) -> int | None:
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        sys.exit("instructions: valgrind is not installed")
    command = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-c", program]
    env = environment(server) | {"PYTHONPATH": str(Path(__file__).parent), "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    collected = COUNTED.search(done.stderr)
    return int(collected[1]) if done.returncode == 0 and collected else None
