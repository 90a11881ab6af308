"""Run batches on Ray Data and Dask, with and without a journal, and count the submissions that the service accepted.

Workers are killed on both engines, a dataset of Ray Data is inspected several times, and the programs of the page are
run. With a journal nothing may be submitted twice, and each input that was not submitted must be reported as uncertain.
Without a journal something must be doubled, as proof that this program notices it. Otherwise the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import database
from killer import killing
from pages import program_for
from stages import MODEL, rows_of
from verdict import Run
from wavespeed_client.testing import FakeWaveSpeed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent
ENGINES = {"ray": "Ray Data", "dask": "Dask"}
INPUTS = {"killed": 400, "looked at": 200}
KILLS = {"killed": (0.25, 0.6), "looked at": ()}
RUNS = {"ray": ("killed", "looked at"), "dask": ("killed",)}
# Seconds that the service takes for a submission, so that a kill interrupts some; and the most that a run may take.
SLOW = 0.05
LONGEST = 300.0
# Runs before the page's program for Ray, which would otherwise use the whole machine.
SMALL_RAY = "import on_ray, ray; ray.init(**on_ray.SMALL)\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/engines", description=__doc__)
    parser.add_argument("--times", type=int, default=1, help="how many times to run everything")
    parser.add_argument("engines", nargs="*", metavar="engine", help=f"use only these engines: {', '.join(ENGINES)}")
    arguments = parser.parse_args()
    if unknown := set(arguments.engines) - set(ENGINES):
        parser.error(f"there is no {', '.join(sorted(unknown))}: choose from {', '.join(ENGINES)}")
    faults = 0
    try:
        for _ in range(arguments.times):
            with database.server(*database.QUICK) as server:  # the page's batches have the same names each time
                for engine in installed(arguments.engines or list(ENGINES)):
                    faults += sum(map(shown, runs(engine, server.url)))
                    faults += page(engine, server.url)
    except database.NoServerError as error:
        print(f"Skipped everything, because there is no database: {error}")
        return 0
    except RuntimeError as error:
        print(f"WRONG: {error}")
        return 1
    print("All promises were kept." if not faults else f"{faults} faults.")
    return 1 if faults else 0


def installed(names: Sequence[str]) -> Iterator[str]:
    """Yield the installed engines, and print the names of the others."""
    for name in names:
        if find_spec(name):
            yield name
        else:
            print(f"Skipped {ENGINES[name]}, which has no package for this Python or system.")


def runs(engine: str, journal: str) -> Iterator[Run]:
    """Do all runs of an engine."""
    for name in RUNS[engine]:
        for guarded in (True, False):
            yield run(engine, name, guarded, journal)


def run(engine: str, name: str, guarded: bool, journal: str) -> Run:
    """Do one run in a separate process, with a separate service."""
    count, began = INPUTS[name], time.monotonic()
    at = [int(part * count) for part in KILLS[name]]
    with tempfile.TemporaryDirectory() as folder, FakeWaveSpeed() as fake:
        place = Path(folder)
        (place / "pids").mkdir()
        fake.credit = 1e6
        fake.script(MODEL, "created", "completed")
        fake.delay(SLOW, on="submit")
        batch, kind = f"cats-{secrets.token_hex(4)}", "guarded" if guarded else "unguarded"
        command = [str(HERE / "run.py"), engine, name, batch, kind, str(count), folder]
        with killing(place / "pids", lambda: len(fake.calls), at) as killer:
            carried_out(command, fake, journal, place)
        rows, saved = json.loads((place / "rows.json").read_text()), place / "saved"
        return Run(
            f"{ENGINES[engine]}, {name}",
            guarded,
            [row["prompt"] for row in rows_of(count)],
            [call.input["prompt"] for call in fake.calls],
            rows,
            len(killer.killed),
            len(at),
            [path.name for path in saved.iterdir()] if saved.exists() else None,
            time.monotonic() - began,
        )


def page(engine: str, journal: str) -> int:
    """Run the page's program for an engine, and return the number of faults."""
    program = program_for(engine)
    with tempfile.TemporaryDirectory() as folder, FakeWaveSpeed() as fake:
        for _ in range(2):  # the second run pays for nothing
            carried_out(["-c", (SMALL_RAY if engine == "ray" else "") + program], fake, journal, Path(folder))
        submitted = [json.dumps(call.input, sort_keys=True) for call in fake.calls]
    is_right = bool(submitted) and len(submitted) == len(set(submitted))
    print(f"{ENGINES[engine]}, the page's program twice: {len(submitted)} submissions", flush=True)
    return 0 if is_right else 1


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
        process = subprocess.Popen(
            [sys.executable, *command], env=environment, cwd=folder, stdout=written, stderr=subprocess.STDOUT
        )
        try:
            code: int | None = process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            process.kill()
            process.wait()
    if code != 0:
        raise RuntimeError(f"{command} ended with {code}: {log.read_text()[-3000:]}")


def shown(ended: Run) -> int:
    """Print a run, and return the number of its faults."""
    print(ended.line(), flush=True)
    faults = ended.faults()
    for fault in faults:
        print(f"  WRONG: {fault}", flush=True)
    return len(faults)


if __name__ == "__main__":
    sys.exit(main())
