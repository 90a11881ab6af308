"""Measure this client, compare it with others in the same run, and say which bars it reaches.

Only ratios within a run are meaningful, because machines and their load differ. A full run writes RESULTS.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from benchmarks.bars import table
from benchmarks.batches import bulk, flights, journals
from benchmarks.candidates import ROOT
from benchmarks.figures import Figure
from benchmarks.server import Server, serving
from benchmarks.simulation import polling
from benchmarks.startup import startup
from benchmarks.submissions import submissions
from benchmarks.workers import FailedError, Load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

RESULTS = Path(__file__).parent / "RESULTS.md"
PACKAGES = ("wavespeed-client", "httpx", "httpcore", "aiohttp", "wavespeed", "attrs", "psycopg")


@frozen
class Sizes:
    """How much is measured.

    Attributes:
        load: The load of submissions one after another.
        bursts: Processes with 1,000 submissions at once.
        starts: Processes of each program.
        flight: The most tasks in flight.
        inputs: Inputs of the large batch, and of the finished one.
        journal: Inputs of the batches with each journal.
        rounds: How often those batches are run and the client is generated, and in how many processes a batch is
            compared with its requests.
        models: Models in each population of the simulation.
    """

    load: Load
    bursts: int
    starts: int
    flight: int
    inputs: int
    journal: int
    rounds: int
    models: int


FULL = Sizes(Load(5, 100, 10), 3, 21, 10_000, 100_000, 2000, 5, 1000)
QUICK = Sizes(Load(2, 5, 10), 1, 3, 1000, 1000, 200, 1, 10)
PARTS: dict[str, Callable[[Server, Path, Sizes], dict[str, Figure]]] = {
    "submissions": lambda server, _, sizes: submissions(server, sizes.load, sizes.bursts),
    "startup": lambda server, folder, sizes: startup(server, folder, sizes.starts),
    "flights": lambda server, _, sizes: flights(server, sizes.flight),
    "bulk": lambda server, folder, sizes: bulk(server, folder, sizes.inputs, sizes.rounds),
    "journals": lambda server, folder, sizes: journals(server, folder, sizes.journal, sizes.inputs, sizes.rounds),
    "polling": lambda _, __, sizes: polling(sizes.models),
    "regeneration": lambda _, __, sizes: regeneration(sizes.rounds),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="measure less, in about a minute, and write nothing")
    parser.add_argument(
        "parts", nargs="*", metavar="part", help=f"measure only these parts, and write nothing: {', '.join(PARTS)}"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}: choose from {', '.join(PARTS)}")
    text, failed = run(arguments.parts or PARTS, QUICK if arguments.quick else FULL)
    print(text)
    if not (arguments.quick or arguments.parts):
        RESULTS.write_text(text, "utf-8")
    return len(failed)


def run(parts: Iterable[str], sizes: Sizes) -> tuple[str, list[str]]:
    """Measure parts, and return the report of the run and the parts that failed."""
    began, load = time.monotonic(), os.getloadavg()[0]
    figures, failed = dict[str, Figure](), list[str]()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        for part in parts:
            since = time.monotonic()
            try:
                found = PARTS[part](server, Path(folder), sizes)
            except (FailedError, subprocess.CalledProcessError) as error:
                failed.append(part)
                print(f"{part} failed: {error}", file=sys.stderr)
            else:
                figures |= found
                said = "; ".join(f"{name} {figure}" for name, figure in found.items())
                print(f"{part}, {time.monotonic() - since:.0f} s: {said}", file=sys.stderr)
    return report(figures, load, time.monotonic() - began), failed


def regeneration(rounds: int) -> dict[str, Figure]:
    """Time how long it takes to generate the client from the spec."""
    command = [str(ROOT / ".venv" / "bin" / "python"), str(ROOT / "scripts" / "regenerate.py"), "--check"]
    seconds: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        seconds.append(time.perf_counter() - began)
    return {"regeneration": Figure.of(*seconds)}


def report(figures: dict[str, Figure], load: float, seconds: float) -> str:
    """Return the report of a run: the machine, the method and the table."""
    machine = f"{os.cpu_count()} cores of {processor()}, {platform.system()} {platform.machine()}"
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    return f"""# Results

{machine}, CPython {platform.python_version()}; {versions}.
One run of {seconds / 60:.0f} minutes, load average at its start {load:.1f}.

Each client runs in its own process. A ratio compares turns of the same round; the figure is the median over rounds in
random order, and over new processes. The brackets contain the true median with 90 % certainty (or, of fewer than five
values, all values; for polling, all populations). If a call fails, its part is not measured.

{table(figures)}
"""


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), platform.processor())


if __name__ == "__main__":
    sys.exit(main())
