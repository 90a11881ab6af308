"""Kill a batch half-way and run it again: its journal is in a temporary PostgreSQL, and nothing is paid for twice.

Without arguments this runs the demonstration with a stand-in. With `run` it is the batch that is killed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter

import database
from wavespeed_client import Outcome, WaveSpeed
from wavespeed_client.testing import FakeWaveSpeed

MODEL = "wavespeed-ai/flux-dev"
INPUTS = [{"prompt": f"A cat, take {number}"} for number in range(30)]
KILLED_AFTER = 12


def main() -> int:
    try:
        with database.server(*database.QUICK) as server, FakeWaveSpeed() as fake:
            environment = {
                **os.environ,
                "NO_PROXY": "127.0.0.1",  # the stand-in is on this machine
                "WAVESPEED_API_KEY": fake.api_key,
                "WAVESPEED_BASE_URL": fake.url,
                "JOURNAL": server.url,
            }
            return show(fake, environment)
    except database.NoServerError as error:
        print(f"The batch is skipped: {error}")
        return 0


def show(fake: FakeWaveSpeed, environment: dict[str, str]) -> int:
    """Kill a run, run it again, and count what was submitted."""
    command = [sys.executable, __file__, "run"]
    print(f"{len(INPUTS)} inputs, run_many(..., journal='env:JOURNAL', batch='cats')")
    first = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    while len(fake.calls) < KILLED_AFTER and first.poll() is None:
        time.sleep(0.01)
    first.kill()
    first.wait()
    print(f"killed after {len(fake.calls)} submissions")
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    submitted = Counter(call.input["prompt"] for call in fake.calls)
    print(f"run again: {done.stdout.strip()}")
    doubled = sum(count - 1 for count in submitted.values())
    print(f"{len(fake.calls)} submissions in all, {doubled} of them doubled")
    return int(done.returncode or doubled > 0 or len(submitted) != len(INPUTS))


def run() -> int:
    with WaveSpeed() as ws:
        found = list(ws.run_many(MODEL, INPUTS, journal="env:JOURNAL", batch="cats"))
    print(", ".join(f"{count} {what}" for what, count in Counter(map(word, found)).items()))
    return 0


def word(outcome: Outcome) -> str:
    return "completed" if outcome.error is None else type(outcome.error).__name__


if __name__ == "__main__":
    sys.exit(run() if sys.argv[1:] == ["run"] else main())
