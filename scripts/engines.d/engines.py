"""Run batches on Ray Data and Dask, with and without a journal, and count the submissions that the service accepted.

Workers are killed on both engines, a dataset of Ray Data is inspected several times, and the programs of the page are
run. With a journal nothing may be submitted twice, and each input that was not submitted must be reported as uncertain.
Without a journal something must be doubled, as proof that this program notices it. Otherwise the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import database
from stages import MODEL, rows_of
from verdict import Run
from wavespeed_client.testing import FakeWaveSpeed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "overlay" / "docs" / "many-machines.md"
LONGEST_PROGRAM = 15  # lines
ENGINES = {"ray": "Ray Data", "dask": "Dask"}
# The runs of each engine: how many inputs, and after which shares of them a worker is killed.
RUNS: dict[str, dict[str, tuple[int, tuple[float, ...]]]] = {
    "ray": {"killed": (400, (0.25, 0.6)), "looked at": (200, ())},
    "dask": {"killed": (400, (0.25, 0.6))},
}
# Seconds: the service takes SLOW for a submission, so that a kill interrupts some; a run may take LONGEST.
SLOW = 0.05
LONGEST = 300.0
PAUSE = 0.05
# Runs before the page's program for Ray, which would otherwise use the whole machine.
PRELUDES = {"ray": "import runs, ray; ray.init(**runs.SMALL_RAY)\n", "dask": ""}


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/engines", description=__doc__)
    parser.add_argument("--times", type=int, default=1, help="how many times to run everything")
    # With `choices`, argparse of Python 3.11 refuses a call without engines.
    parser.add_argument("engines", nargs="*", metavar="engine", help=f"use only these: {', '.join(ENGINES)}")
    arguments = parser.parse_args()
    if unknown := set(arguments.engines) - set(ENGINES):
        parser.error(f"there is no {', '.join(sorted(unknown))}: choose from {', '.join(ENGINES)}")
    faults = 0
    try:
        for _ in range(arguments.times):
            with database.server(*database.QUICK) as server:  # the page's batches have the same names each time
                faults += sum(all_runs(engine, server.url) for engine in arguments.engines or ENGINES)
    except database.NoServerError as error:
        print(f"Skipped everything, because there is no database: {error}")
        return 0
    except RuntimeError as error:
        print(f"WRONG: {error}")
        return 1
    print("All promises were kept." if not faults else f"{faults} faults.")
    return 1 if faults else 0


def all_runs(engine: str, journal: str) -> int:
    """Do all runs of an engine and the page's program, print the results, and return the number of faults."""
    if not find_spec(engine):
        print(f"Skipped {ENGINES[engine]}, which has no package for this Python or system.")
        return 0
    count = 0
    for name in RUNS[engine]:
        for guarded in (True, False):
            ended = run(engine, name, guarded, journal)
            faults = ended.faults()
            print("\n".join([ended.line(), *(f"  WRONG: {fault}" for fault in faults)]), flush=True)
            count += len(faults)
    return count + page(engine, journal)


def run(engine: str, name: str, guarded: bool, journal: str) -> Run:
    """Do one run in a separate process, with a separate service."""
    count, shares = RUNS[engine][name]
    began, at = time.monotonic(), [int(share * count) for share in shares]
    with tempfile.TemporaryDirectory() as folder, FakeWaveSpeed() as fake:
        place = Path(folder)
        (place / "pids").mkdir()
        fake.credit = 1e6
        fake.script(MODEL, "created", "completed")
        fake.delay(SLOW, on="submit")
        batch, kind = f"cats-{secrets.token_hex(4)}", "guarded" if guarded else "unguarded"
        with killing(place / "pids", lambda: len(fake.calls), at) as killed:
            carried_out([str(HERE / "runs.py"), engine, name, batch, kind, str(count), folder], fake, journal, place)
        rows, saved = json.loads((place / "rows.json").read_text()), place / "saved"
        return Run(
            f"{ENGINES[engine]}, {name}",
            guarded,
            [row["prompt"] for row in rows_of(count)],
            [call.input["prompt"] for call in fake.calls],
            rows,
            len(killed),
            len(at),
            [path.name for path in saved.iterdir()] if saved.exists() else None,
            time.monotonic() - began,
        )


@contextmanager
def killing(pids: Path, submissions: Callable[[], int], at: Sequence[int]) -> Generator[list[int]]:
    """Kill a worker each time one of these numbers of submissions was received; yield the process ids of the killed.

    Args:
        pids: The folder where each worker keeps a file with its process id as its name while it works.
        submissions: Returns the number of submissions that were received.
        at: That number for each kill.
    """
    killed: list[int] = []
    ended = threading.Event()

    def kill() -> None:
        while len(killed) < len(at) and not ended.wait(PAUSE):
            if submissions() >= at[len(killed)]:
                alive = (pid for path in pids.iterdir() if (pid := int(path.name)) not in killed)
                for pid in list(alive)[:1]:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        ended.set()
        thread.join()


def page(engine: str, journal: str) -> int:
    """Run the page's program for an engine twice, and return the number of faults: the second run pays for nothing."""
    with tempfile.TemporaryDirectory() as folder, FakeWaveSpeed() as fake:
        for _ in range(2):
            carried_out(["-c", PRELUDES[engine] + program_for(engine)], fake, journal, Path(folder))
        submitted = [json.dumps(call.input, sort_keys=True) for call in fake.calls]
    print(f"{ENGINES[engine]}, the page's program twice: {len(submitted)} submissions", flush=True)
    return 0 if submitted and len(submitted) == len(set(submitted)) else 1


def program_for(engine: str) -> str:
    """Return the page's complete program for an engine.

    Raises:
        ValueError: There is not exactly one, or it is longer than the page promises.
    """
    blocks: list[str] = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    found = [block for block in blocks if re.search(rf"^(import|from) {engine}\b", block, re.MULTILINE)]
    if len(found) != 1 or len(found[0].splitlines()) > LONGEST_PROGRAM:
        raise ValueError(f"The page must have one program for {engine}, of at most {LONGEST_PROGRAM} lines.")
    return found[0]


def carried_out(command: Sequence[str], fake: FakeWaveSpeed, journal: str, folder: Path) -> None:
    """Run a Python program with a worker's environment variables.

    Raises:
        RuntimeError: It failed or took too long; the message has the end of its output.
    """
    environment = {
        **os.environ,
        "WAVESPEED_API_KEY": fake.api_key,
        "WAVESPEED_BASE_URL": fake.url,
        "WAVESPEED_JOURNAL": journal,
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)]),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    log = folder / "log"
    with log.open("w") as written:
        try:
            python = [sys.executable, *command]
            subprocess.run(
                python, env=environment, cwd=folder, stdout=written, stderr=written, timeout=LONGEST, check=True
            )
        except subprocess.SubprocessError as error:
            raise RuntimeError(f"{error}: {log.read_text()[-3000:]}") from None


if __name__ == "__main__":
    sys.exit(main())
