"""Measure this client against its peers, in one run, and say which bars it reaches.

Only ratios from one run mean anything: machines differ, and so do their moods. A full run writes RESULTS.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import flights
import submissions
from bars import BARS
from bulk import bulk
from instructions import instructions
from journals import journals
from regeneration import regeneration
from server import serving
from simulation import connections, polling
from startup import startup
from submissions import one_by_one, under_way
from transfers import transfers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from report import Section
    from server import Server

    Measurement = tuple[str, Callable[[], Section]]

RESULTS = Path(__file__).parent / "RESULTS.md"
PACKAGES = (
    "httpx",
    "httpcore",
    "sniffio",
    "aiohttp",
    "requests",
    "urllib3",
    "wavespeed",
    "runwayml",
    "pydantic",
    "attrs",
)
PARTS = ("submissions", "startup", "flights", "bulk", "journals", "transfers", "polling", "regeneration")
# Only when it is asked for: it takes many minutes.
EXTRA = "instructions"
PARTS_HELP = f"only these, and write nothing: {', '.join(PARTS)}; or {EXTRA}, counted by valgrind, which takes minutes"


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, in under a minute; writes nothing")
    parser.add_argument("parts", nargs="*", metavar="part", help=PARTS_HELP)
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - {*PARTS, EXTRA}:
        parser.error(f"there is no part {', '.join(sorted(unknown))}: choose from {', '.join((*PARTS, EXTRA))}")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        server = stack.enter_context(serving(Path(name)))
        text = run(measurements(server, Path(name), quick=arguments.quick), arguments.parts or PARTS, server)
    if not arguments.quick and not arguments.parts:
        RESULTS.write_text(text, "utf-8")
        print(f"Written to {RESULTS}", file=sys.stderr)
    return 0


def run(measurements: Iterator[Measurement], parts: Sequence[str], server: Server) -> str:
    """Take the measurements of these parts, show each as it is done, and return all of it."""
    began, sections = time.monotonic(), list[str]()
    findings: dict[str, float] = {}
    sections.append(_show(f"# Results\n\n{machine(server)}"))
    for part, measure in measurements:
        if part in parts:
            section = measure()
            findings.update(section.findings)
            sections.append(_show(str(section)))
    lines = "\n".join(bar.verdict(findings) for bar in BARS)
    sections.append(_show(f"## Bars\n\n```\n{lines}\n```\n"))
    print(f"This took {time.monotonic() - began:.0f} s", file=sys.stderr)
    return "\n".join(sections)


def measurements(server: Server, folder: Path, *, quick: bool) -> Iterator[Measurement]:
    """Every measurement with the part that it belongs to."""
    calls, rounds = (60, 5) if quick else (200, 15)
    for tls in (False, True):
        yield "submissions", partial(one_by_one, server, tls=tls, calls=calls, rounds=rounds)
    for load in submissions.QUICK if quick else submissions.FULL:
        yield "submissions", partial(under_way, server, load)
    yield "startup", partial(startup, server, folder, 2 if quick else 11)
    sizes, seconds = (flights.QUICK, 1) if quick else (flights.FULL, 3)
    yield "flights", partial(flights.flights, server, sizes, seconds)
    yield "bulk", partial(bulk, server, folder, 1000 if quick else 100_000)
    inputs, finished, rounds = (200, 1000, 1) if quick else (2000, 100_000, 5)
    yield "journals", partial(journals, server, folder, inputs, finished, rounds)
    yield "transfers", partial(transfers, folder, 20 if quick else 200)
    models = 10 if quick else 200
    yield "polling", partial(polling, models)
    yield "polling", partial(connections, models)
    yield "regeneration", partial(regeneration, 1 if quick else 5)
    yield EXTRA, partial(instructions, server)


def machine(server: Server) -> str:
    """What this was measured on, and with what."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("wavespeed-client", *PACKAGES))
    load = f", load average at the start {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{os.cpu_count()} cores of {_processor()}{load}; {platform.platform()}; {platform.python_implementation()} "
        f"{platform.python_version()}; server in {server.kind}, on the same machine.\n\n{versions}.\n\n"
        "Every client has a process of its own. Ratios are medians over rounds in random order: each round's CPU to "
        "the base's in that round, with the middle half of the rounds in brackets.\n"
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        return names[0] if names else platform.machine()
    return platform.processor() or platform.machine()


def _show(text: str) -> str:
    print(text, flush=True)
    return text


if __name__ == "__main__":
    sys.exit(main())
